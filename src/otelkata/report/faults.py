"""Choose and order what a learner is told first."""

from collections import defaultdict
from collections.abc import Iterator

from otelkata.judge.criteria import CRITERIA

from .graded import Graded, Judged

_CAUSES = ("F1", "T2")


def urgency(result: Judged) -> tuple[bool, int]:
    """Return the place of a check among others, to sort by.

    What belongs to no criterion breaks everything else, and what never leaves a service is missed
    everywhere else: spans that are not exported (F1) or never end (T2). A bonus fails nobody.
    """
    order = [*_CAUSES, *(criterion for criterion in CRITERIA if criterion not in _CAUSES)]
    return result.bonus, min((order.index(c) for c in result.criteria), default=-1)


def faults(graded: Graded) -> Iterator[Judged]:
    """Yield the failed checks, but for those that repeat a finding of the linter."""
    lint = defaultdict(list)
    for finding in graded.lint:
        lint[finding.path, finding.line].append(finding.message)
    for check in sorted(graded.checks, key=urgency):
        place = check.location
        said = lint[place.path, place.line] if place else []
        if check.status == "failed" and not any(message in check.message for message in said):
            yield check
