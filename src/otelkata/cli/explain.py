"""`kata-grade --explain NAME`: the page on a check, a criterion or a rule."""

import argparse

from otelkata.report import explain
from otelkata.report.console import ReportConsole


def run(parser: argparse.ArgumentParser, name: str) -> int:
    """Print the page; return the exit code 0, or leave with 2 where nothing has that name."""
    try:
        explain.show(name, ReportConsole())
    except explain.UnknownName as error:
        parser.error(f"--explain: {error}")
    return 0
