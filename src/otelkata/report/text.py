"""Write a verdict for people: a checklist first, then each fault with its trace, why and how."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.verdict import Result, Verdict

from .graded import Graded, cut
from .tree import MARK, draw

WIDE = 110
"""Columns from which the checklist is set in two."""

_SIGNS = {
    "passed": ("✓", "green"),
    "failed": (MARK, "bold red"),
    "blocked": ("?", "yellow"),
    "not_run": ("-", "dim"),
    "error": ("!", "bold magenta"),
}


def write(graded: Graded, console: Console) -> None:
    """Print the report on `graded`."""
    console.print(_headline(graded))
    if graded.verdict is None:
        console.print(Padding(Text(cut(graded.error)), (1, 2)))
        return
    console.print()
    console.print(_checklist(graded, console.width))
    results = sorted(graded.verdict.results, key=_urgency)
    for result in [r for r in results if r.status in {"failed", "error"}]:
        console.print()
        console.print(_fault(graded, result))
    blocked = [r for r in results if r.status == "blocked"]
    if blocked:
        console.print()
        console.print(Text("Could not be judged:", style="bold yellow"))
        console.print(_blocked(blocked))
    if graded.all_advice:
        console.print()
        console.print(Text("Advice, which fails nothing:", style="bold"))
        for remark in graded.all_advice:
            console.print(Padding(Text(f"· {cut(remark)}"), (0, 2)))
    console.print()
    console.print(_summary(graded, graded.verdict))


def _urgency(result: Result) -> tuple[bool, int]:
    # What belongs to no criterion breaks everything else; a bonus fails nobody.
    order = [*CRITERIA]
    return result.check.bonus, min((order.index(c) for c in result.check.criteria), default=-1)


def _headline(graded: Graded) -> Text:
    sign, style = _SIGNS[graded.outcome]
    return Text.assemble((f"{sign} {cut(graded.path)}: {graded.outcome}", style))


def _checklist(graded: Graded, width: int) -> RenderableType:
    columns = 2 if width >= WIDE else 1
    table = Table.grid(padding=(0, 3, 0, 0))
    lines = [_line(graded, criterion) for criterion in CRITERIA]
    rows = -(-len(lines) // columns)
    for number in range(rows):
        table.add_row(*lines[number::rows])
    return Padding(table, (0, 2))


def _line(graded: Graded, criterion: str) -> Text:
    status = graded.verdict.criteria[criterion] if graded.verdict else "not_run"
    sign, style = _SIGNS[status]
    if criterion in BONUS and status == "failed":
        style = "yellow"
    bonus = " (bonus)" if criterion in BONUS else ""
    tail = "" if status in {"passed", "failed"} else f": {status.replace('_', ' ')}"
    return Text.assemble((f"{sign} {criterion}", style), f"  {CRITERIA[criterion]}{bonus}{tail}")


def _fault(graded: Graded, result: Result) -> RenderableType:
    sign, style = _SIGNS[result.status]
    criteria = " ".join(result.check.criteria) or "contract"
    if result.check.bonus:
        criteria, style = f"{criteria} (bonus)", "yellow"
    title = Text.assemble(
        (f"{sign} {criteria}", style), "  ", (result.check.title, "bold"), f"  {result.check.id}"
    )
    rows = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    rows.add_column(style="dim", no_wrap=True, width=6)
    rows.add_column(overflow="fold")
    rows.add_row("what", Text(cut(result.message)))
    location = graded.location(result)
    if location:
        rows.add_row("where", Text(f"{location['path']}:{location['line']}", style="cyan"))
    rows.add_row("why", Text(result.check.why))
    rows.add_row("fix", Text(result.check.fix, style="green"))
    parts: list[RenderableType] = [title, Padding(rows, (0, 4))]
    trace = draw(result.fault) if result.fault else None
    if trace:
        parts.append(Padding(_trace(cut(trace)), (1, 6, 0, 6)))
    return Group(*parts)


def _trace(trace: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for line in trace.splitlines():
        text.append(line + "\n", style="red" if MARK in line else "")
    text.rstrip()
    return text


def _blocked(results: list[Result]) -> RenderableType:
    by_reason: dict[str, list[str]] = {}
    for result in results:
        by_reason.setdefault(result.message, []).append(result.check.id)
    table = Table.grid(padding=(0, 2, 0, 0))
    for reason, checks in by_reason.items():
        table.add_row(Text("?", style="yellow"), Text(cut(reason)))
        table.add_row("", Text(", ".join(checks), style="dim"))
    return Padding(table, (0, 2))


def _summary(graded: Graded, verdict: Verdict) -> Text:
    (passed, total), (bonus, bonus_total) = verdict.required, verdict.bonus
    _, style = _SIGNS[graded.outcome]
    text = Text.assemble(
        (f"{passed} of {total} required criteria passed", style),
        f", {bonus} of {bonus_total} bonus",
        (f" · seed {graded.seed} · {graded.duration_s:.1f} s", "dim"),
    )
    if graded.evidence and graded.partial:
        left_out = ", ".join(name.replace("_", " ") for name in graded.evidence.left_out)
        text.append(f"\npartial: left out {left_out}", style="yellow")
    text.append(f"\nisolation: {graded.isolation}", style="dim")
    return text
