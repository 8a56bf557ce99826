"""Write the report on one submission as a page."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.verdict import CriterionStatus
from otelkata.report import guide
from otelkata.report.faults import urgency
from otelkata.report.graded import Graded, Judged
from otelkata.report.marks import mark
from otelkata.report.policy import DEFAULT, Policy
from otelkata.report.seen import seen

from .environment import render
from .waterfall import Waterfall, waterfall

GROUPS = {
    "F": "Functional requirements",
    "C": "Idiomatic constraints",
    "T": "The four self-tests",
    "B": "Bonus",
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """A line of the checklist, with the checks that it leads to."""

    id: str
    title: str
    bonus: bool
    status: CriterionStatus
    checks: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that failed, with its case on a time axis where it is in one.

    More is told at `address`, where a site is published, else by `command`.
    """

    check: Judged
    waterfall: Waterfall | None
    address: str | None
    command: str


def page(result: Graded, policy: Policy = DEFAULT) -> str:
    """Return the report on a result, as far as the policy shows it."""
    marks = mark(result, policy)
    graded = seen(result, policy)
    faults = [check for check in graded.checks if check.status in {"failed", "error"}]
    blocked = [check for check in graded.checks if check.status == "blocked"]
    return render(
        "report.html.j2",
        "report.js",
        graded=graded,
        # What is withheld must not be told by a verdict or by points either.
        verdict="graded" if policy.withholds and not graded.error else marks.verdict,
        points="" if policy.withholds or policy == DEFAULT else marks.line,
        name=PurePath(graded.submission).name or graded.submission,
        groups=[
            (title, group) for letter, title in GROUPS.items() if (group := _group(graded, letter))
        ],
        strip=[status for name, status in graded.criteria.items() if name not in BONUS],
        first=next((c for c in sorted(faults, key=urgency) if c.fix and not c.bonus), None),
        breaks=[check for check in faults if not check.criteria],
        faults=[
            Fault(
                c,
                waterfall(c.drawing) if c.drawing else None,
                guide.address(c.id),
                guide.command(c.id),
            )
            for c in sorted(faults, key=urgency)
        ],
        blocked=list(_by_reason(blocked)),
        passed=[check for check in graded.checks if check.status == "passed"],
        criteria=CRITERIA,
    )


def _group(graded: Graded, letter: str) -> list[Criterion]:
    return [
        Criterion(
            criterion,
            title,
            criterion in BONUS,
            graded.criteria[criterion],
            tuple(check for check in graded.checks if criterion in check.criteria),
        )
        for criterion, title in CRITERIA.items()
        if criterion.startswith(letter) and criterion in graded.criteria
    ]


def _by_reason(blocked: Iterable[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    # What hides most is worth mending first.
    reasons: dict[str, list[Judged]] = defaultdict(list)
    for check in blocked:
        reasons[check.message].append(check)
    yield from sorted(reasons.items(), key=lambda item: -len(item[1]))
