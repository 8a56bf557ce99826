"""Write the reference page of all checks from the checks themselves."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from otelkata import content
from otelkata.judge import registry
from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.registry import Check

PAGE = "checks.md"


def page(checks: Sequence[Check]) -> str:
    """Return the page on `checks`, in Markdown."""
    lines = [
        "# Checks",
        "",
        "Written by `python -m otelkata.report.reference` from `checks/`; do not edit.",
        "",
        "| criterion | | checks |",
        "|---|---|---|",
        *(_row(criterion, checks) for criterion in CRITERIA),
        "",
    ]
    for check in checks:
        lines += _section(check)
    return "\n".join(lines).rstrip() + "\n"


def write(checks: Iterable[Check], folder: Path) -> Path:
    """Write the page into `folder`; return its path."""
    path = folder / PAGE
    path.write_text(page(list(checks)), encoding="utf-8")
    return path


def _row(criterion: str, checks: Iterable[Check]) -> str:
    links = [f"[{c.id}](#{_anchor(c)})" for c in checks if criterion in c.criteria]
    bonus = " (bonus)" if criterion in BONUS else ""
    return f"| {criterion}{bonus} | {CRITERIA[criterion]} | {'<br>'.join(links)} |"


def _section(check: Check) -> list[str]:
    criteria = ", ".join(check.criteria) or "the contract itself"
    return [
        f"## {check.id}",
        "",
        check.title,
        "",
        f"- **Criteria:** {criteria}",
        f"- **Why:** {check.why}",
        f"- **Fix:** {check.fix}",
        "",
    ]


def _anchor(check: Check) -> str:
    return check.id.replace(".", "")


if __name__ == "__main__":
    write(registry.load(), content.folder("docs"))
