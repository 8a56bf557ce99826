"""Run a submission in the process of pytest, so that a debugger can stop in it: for no grade."""
