"""Write a verdict for people: a checklist first, then each fault with its trace, why and how."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otelkata.judge.criteria import BONUS, CRITERIA

from . import more
from .faults import urgency
from .graded import Graded, Judged
from .tree import MARK

WIDE = 110
"""Columns from which the checklist is set in two."""

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
    console.print()
    console.print(_checklist(graded, console.width))
    results = sorted(graded.checks, key=urgency)
    for result in [r for r in results if r.status in {"failed", "error"}]:
        console.print()
        console.print(_fault(result))
    blocked = [r for r in results if r.status == "blocked"]
    if blocked:
        console.print()
        console.print(Text("Could not be judged:", style="bold yellow"))
        console.print(_blocked(blocked))
    if graded.advice:
        console.print()
        console.print(Text("Advice, which fails nothing:", style="bold"))
        for remark in graded.advice:
            console.print(Padding(Text(f"· {remark}"), (0, 2)))
    console.print()
    console.print(_summary(graded))


def _headline(graded: Graded) -> Text:
    sign, style = SIGNS[graded.verdict]
    return Text.assemble((f"{sign} {graded.submission}: {graded.verdict}", style))


def _checklist(graded: Graded, width: int) -> RenderableType:
    columns = 2 if width >= WIDE else 1
    table = Table.grid(padding=(0, 3, 0, 0))
    lines = [_line(graded, criterion) for criterion in CRITERIA]
    rows = -(-len(lines) // columns)
    for number in range(rows):
        table.add_row(*lines[number::rows])
    return Padding(table, (0, 2))


def _line(graded: Graded, criterion: str) -> Text:
    status = graded.criteria[criterion]
    sign, style = SIGNS[status]
    if criterion in BONUS and status == "failed":
        style = "yellow"
    bonus = " (bonus)" if criterion in BONUS else ""
    tail = "" if status in {"passed", "failed"} else f": {status.replace('_', ' ')}"
    return Text.assemble((f"{sign} {criterion}", style), f"  {CRITERIA[criterion]}{bonus}{tail}")


def _fault(result: Judged) -> RenderableType:
    sign, style = SIGNS[result.status]
    criteria = " ".join(result.criteria) or "contract"
    if result.bonus:
        criteria, style = f"{criteria} (bonus)", "yellow"
    title = Text.assemble(
        (f"{sign} {criteria}", style), "  ", (result.title, "bold"), f"  {result.id}"
    )
    rows = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    rows.add_column(style="dim", no_wrap=True, width=6)
    rows.add_column(overflow="fold")
    rows.add_row("what", Text(result.message))
    if result.location:
        rows.add_row("where", Text(f"{result.location.path}:{result.location.line}", style="cyan"))
    rows.add_row("why", Text(result.why))
    rows.add_row("fix", Text(result.fix, style="green"))
    rows.add_row("more", _more(result.id))
    parts: list[RenderableType] = [title, Padding(rows, (0, 4))]
    if result.trace:
        parts.append(Padding(_trace(result.trace), (1, 6, 0, 6)))
    return Group(*parts)


def _more(check: str) -> Text:
    address = more.address(check)
    return Text(address, style=f"link {address}") if address else Text(more.command(check))


def _trace(trace: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for line in trace.splitlines():
        text.append(line + "\n", style="red" if MARK in line else "")
    text.rstrip()
    return text


def _blocked(results: list[Judged]) -> RenderableType:
    by_reason: dict[str, list[str]] = {}
    for result in results:
        by_reason.setdefault(result.message, []).append(result.id)
    table = Table.grid(padding=(0, 2, 0, 0))
    for reason, checks in by_reason.items():
        table.add_row(Text("?", style="yellow"), Text(reason))
        table.add_row("", Text(", ".join(checks), style="dim"))
    return Padding(table, (0, 2))


def _summary(graded: Graded) -> Text:
    required, bonus = graded.required, graded.bonus
    _, style = SIGNS[graded.verdict]
    text = Text.assemble(
        (f"{required.passed} of {required.total} required criteria passed", style),
        f", {bonus.passed} of {bonus.total} bonus",
        (f" · seed {graded.seed} · {graded.duration_s:.1f} s", "dim"),
    )
    if graded.left_out:
        left_out = ", ".join(name.replace("_", " ") for name in graded.left_out)
        text.append(f"\npartial: left out {left_out}", style="yellow")
    text.append(f"\nisolation: {graded.isolation}", style="dim")
    return text
