"""Write a verdict for people: a checklist first, then each fault with its trace, why and how."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otelkata.judge.criteria import BONUS, CRITERIA

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
    results = sorted(graded.checks, key=urgency)
    console.print(_asked(results) if graded.only else _checklist(graded, console.width))
    for result in [r for r in results if r.status in {"failed", "error"}]:
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


def _headline(graded: Graded) -> Text:
    sign, style = SIGNS[graded.verdict]
    so_far = ", as far as was asked" if graded.only else ""
    return Text.assemble((f"{sign} {graded.submission}: {graded.verdict}{so_far}", style))


def _asked(results: list[Judged]) -> RenderableType:
    lines = []
    for result in results:
        sign, style = SIGNS[result.status]
        criteria = " ".join(result.criteria) or "contract"
        lines.append(
            Text.assemble((f"{sign} {criteria}", style), f"  {result.title}  ", (result.id, "dim"))
        )
    return Padding(Group(*lines), (0, 2))


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


def fault(result: Judged) -> RenderableType:
    """Return a failed check: what is wrong, where, why, how to mend it, and its trace."""
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
    parts: list[RenderableType] = [title, Padding(rows, (0, 4))]
    if result.trace:
        parts.append(Padding(_trace(result.trace), (1, 6, 0, 6)))
    return Group(*parts)


def _trace(trace: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for line in trace.splitlines():
        text.append(line + "\n", style="red" if MARK in line else "")
    text.rstrip()
    return text


def blocked_checks(results: list[Judged]) -> RenderableType:
    """Return checks that could not be judged, under the reasons."""
    by_reason: dict[str, list[str]] = {}
    for result in results:
        by_reason.setdefault(result.message, []).append(result.id)
    table = Table.grid(padding=(0, 2, 0, 0))
    for reason, checks in by_reason.items():
        table.add_row(Text("?", style="yellow"), Text(reason))
        table.add_row("", Text(", ".join(checks), style="dim"))
    return Padding(table, (0, 2))


def summary(graded: Graded) -> Text:
    """Return what it all came to."""
    required, bonus = graded.required, graded.bonus
    _, style = SIGNS[graded.verdict]
    told = f"{required.passed} of {required.total} required criteria passed"
    rest = f", {bonus.passed} of {bonus.total} bonus"
    if graded.only:
        passed = sum(check.status == "passed" for check in graded.checks)
        told, rest = f"{passed} of {len(graded.checks)} checks passed", ""
    text = Text.assemble(
        (told, style), rest, (f" · seed {graded.seed} · {graded.duration_s:.1f} s", "dim")
    )
    if graded.is_partial:
        text.append(f"\npartial: {graded.omissions}", style="yellow")
    text.append(f"\nisolation: {graded.isolation}", style="dim")
    return text
