"""Run a submission's services until somebody ends it, and show each trace as it completes."""
