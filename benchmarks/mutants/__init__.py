"""Plant one tracing fault at a time into correct submissions, to measure what a grader detects."""
