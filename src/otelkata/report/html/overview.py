"""Write what a class came to as a page: submissions by criteria, and what fails most."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.report.html.environment import render
from otelkata.report.overview import NAMED, Line, faults, partial


@dataclass(frozen=True, slots=True)
class Row:
    """A submission: `name` tells it from the others, `link` leads to its report if there is one."""

    line: Line
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class Common:
    """A criterion, empty for the contract, that `number` submissions fail, mostly by `check`."""

    criterion: str
    title: str
    number: int
    of: int
    check: str
    named: tuple[str, ...]
    more: int

    @property
    def share(self) -> float:
        """Return the part of all submissions."""
        return self.number / self.of


def page(lines: Sequence[Line], links: Sequence[str]) -> str:
    """Return the page on a class; `links` are those to the reports, empty where there is none."""
    names, folder = _names([line.submission for line in lines])
    rows = [Row(line, name, link) for line, name, link in zip(lines, names, links, strict=True)]
    return render(
        "overview.html.j2",
        "overview.js",
        rows=sorted(rows, key=lambda row: row.name.casefold()),
        folder=folder,
        counts={
            verdict: sum(line.verdict == verdict for line in lines)
            for verdict in ("graded", "passed", "failed", "error")
        },
        partial=partial(lines),
        hidden={
            criterion
            for line in lines
            for criterion, status in zip(CRITERIA, line.statuses, strict=True)
            if status == "hidden"
        },
        frequent=_frequent(lines, names),
        criteria=CRITERIA,
        bonus=BONUS,
        cells=lambda line: zip(CRITERIA, line.statuses, strict=True),
    )


def _names(submissions: Sequence[str]) -> tuple[list[str], str]:
    # The path of a class is the same for all, and said once.
    parents = {str(PurePath(submission).parent) for submission in submissions}
    if len(parents) > 1:
        return list(submissions), ""
    names = [PurePath(submission).name or submission for submission in submissions]
    return names, parents.pop()


def _frequent(lines: Sequence[Line], names: Sequence[str]) -> list[Common]:
    name_of = {line.submission: name for line, name in zip(lines, names, strict=True)}
    return [
        Common(
            criterion,
            CRITERIA.get(criterion, "the contract of a submission"),
            len(fault.submissions),
            len(lines),
            next(iter(fault.checks.most_common(1)))[0],
            tuple(name_of[submission] for submission in fault.submissions[:NAMED]),
            max(0, len(fault.submissions) - NAMED),
        )
        for criterion, fault in faults(lines).items()
    ]
