"""The commands, and what their exit codes mean."""

EXIT_CODES = {"passed": 0, "failed": 1, "error": 3}
"""By verdict; 2, for wrong usage, is argparse's own."""
