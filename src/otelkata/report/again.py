"""Write what grading again has changed, and what is to be done next."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.text import Text

from . import text
from .faults import urgency
from .graded import Graded, Judged

NOTHING_CHANGED = "no verdict changed"


def write(graded: Graded, before: Mapping[str, str], console: Console) -> None:
    """Print `graded` as the successor of results; `before` is what checks came to, by their ids."""
    if graded.error:
        text.write(graded, console)
        return
    console.print(Text("\n").join(changes(graded, before)) or Text(NOTHING_CHANGED, style="dim"))
    results = sorted(graded.checks, key=urgency)
    failed = [result for result in results if result.status in {"failed", "error"}]
    blocked = [result for result in results if result.status == "blocked"]
    console.print()
    if failed:
        console.print(Text("Do this next:", style="bold"))
        console.print(text.fault(failed[0]))
        console.print()
    elif blocked:
        console.print(Text("Could not be judged:", style="bold yellow"))
        console.print(text.blocked_checks(blocked))
        console.print()
    console.print(text.summary(graded))


def changes(graded: Graded, before: Mapping[str, str]) -> Iterator[Text]:
    """Yield a line for each check whose verdict changed: first what turned green, then red."""
    changed = [
        check for check in graded.checks if before.get(check.id, check.status) != check.status
    ]
    for check in sorted(changed, key=lambda check: (check.status != "passed", urgency(check))):
        sign, style = text.SIGNS[check.status]
        yield Text.assemble(
            (f"{sign} {_turned(check, before[check.id])}  {text.criteria_of(check)}", style),
            f"  {check.title}  ",
            (check.id, "dim"),
        )


def _turned(check: Judged, before: str) -> str:
    if check.status == "passed":
        return "turned green"
    return "turned red" if before == "passed" else f"now {check.status}"
