"""Say what a class came to: how many passed, and which criteria fail most, how often and where."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.verdict import CriterionStatus
from otelkata.judge.words import counted
from otelkata.report.graded import Graded
from otelkata.report.text import SIGNS
from otelkata.report.words import cut

BREACH_LIMIT = 160
"""Longest text, in characters, that is told of a breach of the contract."""

ROOMY = 90
"""Columns from which what fails most is a table."""

Shown = CriterionStatus | Literal["hidden"]
"""What an overview shows of a criterion: a policy may hide what it came to."""

NAMED = 3
"""How many submissions are named as examples."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the overview needs of one result.

    `verdict` is `graded` where it would tell what a policy hides. `omissions` are in words, empty
    where everything was judged. `breach` says how the submission breaks the contract, which is no
    criterion; empty: it does not.
    """

    submission: str
    verdict: Literal["passed", "failed", "error", "graded"]
    passed: int
    total: int
    bonus: int
    criteria: tuple[str, ...]
    statuses: tuple[Shown, ...]
    checks: tuple[tuple[str, str], ...]
    breach: str
    error: str
    duration_s: float
    omissions: str = ""


@dataclass(slots=True)
class Frequent:
    """What fails in several submissions: in which, and by which checks how often."""

    submissions: list[str] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)


def line(graded: Graded) -> Line:
    """Return what the overview needs of `graded`."""
    failed = [check for check in graded.checks if check.status == "failed"]
    return Line(
        graded.submission,
        graded.verdict,
        graded.required.passed,
        graded.required.total,
        graded.bonus.passed,
        tuple(c for c in CRITERIA if graded.criteria.get(c) == "failed"),
        tuple(graded.criteria.get(c, "hidden") for c in CRITERIA),
        tuple((criterion, check.id) for check in failed for criterion in check.criteria or ("",)),
        next((cut(check.message, BREACH_LIMIT) for check in failed if not check.criteria), ""),
        graded.error,
        graded.duration_s,
        graded.omissions,
    )


def show_line(line: Line) -> Text:
    """Return one line for one submission."""
    sign, style = SIGNS[line.verdict]
    text = Text.assemble((f"{sign} {line.submission}", style), overflow="fold")
    if line.error:
        text.append(f"  {line.error.splitlines()[0]}")
        return text
    text.append(f"  {line.passed}/{line.total}", style="bold")
    text.append(f" +{line.bonus}", style="dim")
    required = [criterion for criterion in line.criteria if criterion not in BONUS]
    statuses = zip(CRITERIA, line.statuses, strict=True)
    unjudged = [c for c, status in statuses if c not in BONUS and status == "blocked"]
    if required:
        text.append(f"  {' '.join(required)}", style="red")
        text.append(f"  ? {' '.join(unjudged)}" if unjudged else "", style="yellow")
    elif line.breach:
        text.append(f"  {line.breach}", style="red")
    elif line.verdict != "passed":
        text.append(f"  {' '.join(unjudged) or 'it'} could not be judged", style="yellow")
    return text


def table(lines: Sequence[Line]) -> RenderableType:
    """Return the overview of a class."""
    counts = Counter(line.verdict for line in lines)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ("passed", "failed", "error")]
    number = counted(len(lines), "submission", "submissions")
    head = Text(f"{number}: {', '.join(parts)}", style="bold")
    for omissions in partial(lines):
        head.append(f"\npartial: {omissions}", style="not bold yellow")
    found = faults(lines)
    if not found:
        return head
    return Group(head, Text("What fails most:"), Padding(_Frequents(found, len(lines)), (0, 2)))


class _Frequents:
    # Where there is no room for a table, ids of checks get lines of their own.

    def __init__(self, found: Mapping[str, Frequent], of: int) -> None:
        self._found = found
        self._of = of

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = list(self._rows())
        if options.max_width >= ROOMY:
            table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
            table.add_column("criterion", no_wrap=True)
            table.add_column("failed", justify="right", no_wrap=True)
            table.add_column("mostly by", no_wrap=True)
            table.add_column("in", overflow="fold")
            for row in rows:
                table.add_row(*row)
            yield table
            return
        for title, share, check, named in rows:
            yield Text.assemble(title, "  ", share)
            yield Padding(Group(Text(f"mostly by {check}"), Text.assemble("in ", named)), (0, 4))

    def _rows(self) -> Iterator[tuple[Text, str, str, Text]]:
        for criterion, fault in self._found.items():
            title = Text.assemble((criterion or "contract", "bold"))
            if criterion in BONUS:
                title.append(" (bonus)", style="yellow")
            number = len(fault.submissions)
            share = f"{number}  {number / self._of:4.0%}"
            check = next(iter(fault.checks.most_common(1)), ("", 0))[0]
            more = number - NAMED
            named = ", ".join(fault.submissions[:NAMED]) + (f" and {more} more" if more > 0 else "")
            yield title, share, check, Text(named, style="dim")


def partial(lines: Sequence[Line]) -> list[str]:
    """Return in words what was not judged on purpose, and in how many where not in all."""
    graded = [line.omissions for line in lines if line.verdict != "error"]
    return [
        omissions if number == len(graded) else f"{omissions} (in {number} of {len(graded)})"
        for omissions, number in Counter(graded).items()
        if omissions
    ]


def faults(lines: Sequence[Line]) -> dict[str, Frequent]:
    """Return which submissions fail each criterion, an empty one is the contract.

    What fails most comes first, and bonus, which fails nobody, after all that is required.
    """
    found: dict[str, Frequent] = {}
    for line in lines:
        for criterion, check in line.checks:
            fault = found.setdefault(criterion, Frequent())
            fault.checks[check] += 1
            if line.submission not in fault.submissions[-1:]:
                fault.submissions.append(line.submission)
    order = sorted(found.items(), key=lambda one: (one[0] in BONUS, -len(one[1].submissions)))
    return dict(order)
