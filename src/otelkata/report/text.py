"""Write a verdict for people: what to do first, a checklist, each fault with its trace and fix."""

import os.path
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from otelkata.judge.criteria import BONUS, CRITERIA

from . import guide
from .console import WHOLE
from .faults import urgency
from .graded import MOST_NAMED, Graded, Judged, Place
from .repeats import without_repeats
from .tree import MARK
from .wrap import Lines, hanging

WIDE = 106
"""Columns from which the checklist is set in two."""

BESIDE = 12
"""Lines that a report without faults has beside its checklist, and the prompt below it."""

SIGNS = {
    "passed": ("✓", "green"),
    "failed": (MARK, "bold red"),
    "blocked": ("?", "yellow"),
    "not_run": ("-", "dim"),
    "error": ("!", "bold magenta"),
}


def write(graded: Graded, console: Console) -> None:
    """Print the report on `graded`."""
    console.print(_headline(graded))
    if graded.error:
        console.print(Padding(Text(graded.error), (1, 2)))
        return
    results = sorted(graded.checks, key=urgency)
    faults = [r for r in results if r.status in {"failed", "error"}]
    first = next((r for r in faults if r.status == "failed"), None)
    if first:
        console.print()
        console.print(_first(first, graded.verdict))
    console.print()
    console.print(_asked(results) if graded.only else _checklist(graded, console))
    for result in without_repeats(faults):
        console.print()
        console.print(fault(result))
    blocked = [r for r in results if r.status == "blocked"]
    if blocked:
        console.print()
        console.print(Text("Could not be judged:", style="bold yellow"))
        console.print(blocked_checks(blocked))
    if graded.advice:
        console.print()
        console.print(Text("Advice, which fails nothing:", style="bold"))
        for remark in graded.advice:
            console.print(Padding(Text(f"· {remark}"), (0, 2)))
    console.print()
    console.print(summary(graded))
    if first:
        console.print(_next(first))


def _headline(graded: Graded) -> Text:
    sign, style = SIGNS[graded.verdict]
    so_far = ", as far as was asked" if graded.only else ""
    return Text.assemble((f"{sign} {graded.submission}: {graded.verdict}{so_far}", style))


def _asked(results: list[Judged]) -> RenderableType:
    lines = []
    for result in results:
        sign, style = SIGNS[result.status]
        lines.append(
            hanging(
                Text(f"{sign} {criteria_of(result)}", style),
                Text.assemble(f"{result.title}  ", (result.id, "dim")),
            )
        )
    return Padding(Group(*lines), (0, 2))


def _first(result: Judged, verdict: str) -> RenderableType:
    what = "What is left is bonus; do this first" if verdict == "passed" else "Do this first"
    return Padding(
        Group(
            Text.assemble((what, "bold"), f" ({criteria_of(result)})", _at(result), ":"),
            Text(result.message),
            Text(f"→ {result.fix}", style="green"),
        ),
        (0, 2),
    )


def _next(result: Judged) -> Text:
    title = result.title.rstrip(".")
    return Text.assemble(("next: ", "bold"), f"{criteria_of(result)}  {title}", _at(result))


def _at(result: Judged) -> Text:
    return Text(" at ").append(_place(result.location)) if result.location else Text()


def _checklist(graded: Graded, console: Console) -> RenderableType:
    columns = 2 if WIDE <= console.width < WHOLE else 1
    shown = [*CRITERIA]
    if console.is_terminal and columns == 1 and len(shown) + BESIDE > console.height:
        # The ones that have passed are the ones that a small screen can do without.
        shown = [c for c in CRITERIA if graded.criteria[c] != "passed"]
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(columns):
        table.add_column(no_wrap=True)
        table.add_column()
    rows = -(-len(shown) // columns)
    for number in range(rows):
        cells = (_line(graded, criterion) for criterion in shown[number::rows])
        table.add_row(*(cell for pair in cells for cell in pair))
    parts: list[RenderableType] = [table]
    if passed := [c for c in CRITERIA if c not in shown]:
        sign, style = SIGNS["passed"]
        parts.insert(0, Text.assemble((f"{sign} ", style), (" ".join(passed), style)))
    return Padding(Group(*parts), (0, 2))


def _line(graded: Graded, criterion: str) -> tuple[Text, Text]:
    status = graded.criteria[criterion]
    sign, style = SIGNS[status]
    if criterion in BONUS and status == "failed":
        style = "yellow"
    bonus = " (bonus)" if criterion in BONUS else ""
    tail = "" if status in {"passed", "failed"} else f": {status.replace('_', ' ')}"
    return Text(f"{sign} {criterion} ", style), Text(f"{CRITERIA[criterion]}{bonus}{tail}")


def fault(result: Judged) -> RenderableType:
    """Return what is told of a check that failed: what, where, why and how to mend it."""
    sign, style = SIGNS[result.status]
    style = "yellow" if result.bonus else style
    title = hanging(
        Text(f"{sign} {criteria_of(result)}", style),
        Text.assemble((result.title, "bold"), f"  {result.id}"),
    )
    rows = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    rows.add_column(style="dim", no_wrap=True, width=6)
    rows.add_column(overflow="fold")
    rows.add_row("what", Text(result.message))
    if result.location:
        rows.add_row("where", _place(result.location))
    rows.add_row("why", Text(result.why))
    rows.add_row("fix", Text(result.fix, style="green"))
    rows.add_row("more", _more(result.id))
    parts: list[RenderableType] = [title, Padding(rows, (0, 4))]
    if result.trace:
        parts.append(Padding(_trace(result.trace), (1, 0, 0, 6)))
    return Group(*parts)


def _more(check: str) -> Text:
    address = guide.address(check)
    return Text(address, style=f"link {address}") if address else Text(guide.command(check))


def criteria_of(result: Judged) -> str:
    """Return what a check judges: its criteria, or the contract of a submission."""
    criteria = " ".join(result.criteria) or "contract"
    return f"{criteria} (bonus)" if result.bonus else criteria


def _place(place: Place) -> Text:
    """Return a place as terminals open it: the address of the file, where there is one."""
    text = Text(f"{place.path}:{place.line}", style="cyan")
    if os.path.isfile(place.path):  # noqa: PTH113 (what a submission claims may be no path at all)
        uri = Path(place.path).absolute().as_uri()
        text.stylize(Style(link=f"{uri}#{place.line}"))
    return text


def _trace(trace: str) -> Lines:
    lines = trace.splitlines()
    return Lines(lines, ["red" if MARK in line else "" for line in lines])


def blocked_checks(results: list[Judged]) -> RenderableType:
    """Return checks that could not be judged, under the reasons."""
    by_reason: dict[str, list[str]] = {}
    for result in results:
        by_reason.setdefault(result.message, []).append(result.id)
    table = Table.grid(padding=(0, 2, 0, 0))
    for reason, checks in by_reason.items():
        table.add_row(Text("?", style="yellow"), Text(reason))
        named = ", ".join(checks[:MOST_NAMED])
        more = len(checks) - MOST_NAMED
        table.add_row("", Text(f"{named} and {more} more" if more > 0 else named, style="dim"))
    return Padding(table, (0, 2))


def summary(graded: Graded) -> Text:
    """Return what it all came to."""
    required, bonus = graded.required, graded.bonus
    _, style = SIGNS[graded.verdict]
    told = f"{required.passed} of {required.total} required criteria passed"
    rest = f", {bonus.passed} of {bonus.total} bonus"
    if graded.only:
        passed = sum(check.status == "passed" for check in graded.asked)
        told = f"{passed} of the {len(graded.asked)} checks that were judged passed"
        beside = len(graded.checks) - len(graded.asked)
        rest = f", and {beside} of the contract failed" if beside else ""
    text = Text.assemble(
        (told, style), rest, (f" · seed {graded.seed} · {graded.duration_s:.1f} s", "dim")
    )
    if graded.is_partial:
        text.append(f"\npartial: {graded.omissions}", style="yellow")
    text.append(f"\nisolation: {graded.isolation}", style="dim")
    return text
