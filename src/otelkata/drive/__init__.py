"""Run a submission through every scenario, and record what can be seen from outside it."""
