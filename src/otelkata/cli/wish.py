"""Say by which checks a submission is to be graded: those named, those that failed, or all."""

import argparse
from collections.abc import Callable

from otelkata.drive.choice import left_out
from otelkata.evidence.only import Only
from otelkata.judge import registry, selection

from .last import Last


def only(
    path: str, options: argparse.Namespace, last: Last, tell: Callable[[str], None]
) -> Only | None:
    """Return what a grading of `path` is for; None: for everything.

    `tell` is given why it is for everything, where it was meant to be for what had failed.
    """
    if not options.only and not options.failed:
        return None
    checks = registry.load()
    chosen = {*options.only}
    if options.failed:
        known = {check.id for check in checks}
        failed = known.intersection(last.failed())
        never = selection.never_run(failed, checks, left_out(quick=options.quick))
        chosen |= failed.difference(never)
        if not chosen:
            tell(f"{_nothing_failed(path, last, never)}; all is graded")
    return selection.only(chosen, checks) if chosen else None


def _nothing_failed(path: str, last: Last, never: list[str]) -> str:
    if never:
        return f"what failed when {path} was last graded is left out of this run"
    if last.statuses():
        return f"nothing failed when {path} was last graded"
    return f"nothing is known of an earlier grading of {path}"
