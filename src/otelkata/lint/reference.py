"""Write the reference pages of the rules from the rules themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from otelkata import content
from otelkata.lint import rule
from otelkata.lint.command.explain import Page
from otelkata.lint.rule import Rule

INDEX = "index.md"
_GROUPS = {
    "1": "Lifecycle: every span ends, once",
    "2": "Context: every span has the right parent",
    "3": "Errors: no failure looks like a success",
    "4": "Set-up: provider, resource, sampling, shutdown",
    "5": "Names: spans and attributes",
    "9": "The linter's own",
}


def pages(rules: Sequence[Rule]) -> Mapping[str, str]:
    """Return the text of each page by its file's name."""
    written = {f"{one.code}-{one.name}.md": _note(Page.of(one).markdown()) for one in rules}
    return {INDEX: _index(rules), **written}


def write(rules: Sequence[Rule], folder: Path) -> None:
    """Write the pages into `folder`; pages of rules that are no more are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = pages(rules)
    for old in folder.glob("*.md"):
        if old.name not in fresh:
            old.unlink()
    for name, text in fresh.items():
        (folder / name).write_text(text, encoding="utf-8")


def _note(text: str) -> str:
    title, rest = text.split("\n", 1)
    return (
        f"{title}\n\n<!-- Written by `python -m otelkata.lint.reference`; do not edit. -->\n{rest}"
    )


def _index(rules: Sequence[Rule]) -> str:
    lines = [
        "# Rules",
        "",
        "Written by `python -m otelkata.lint.reference` from `ast_rules/`; do not edit.",
    ]
    for digit, title in _GROUPS.items():
        group = [one for one in rules if one.code.startswith(f"OTK{digit}")]
        if group:
            lines += ["", f"## {title}", "", "| rule | fault | severity | criteria |"]
            lines += ["|---|---|---|---|", *map(_row, group)]
    return "\n".join(lines) + "\n"


def _row(one: Rule) -> str:
    name = f"[{one.code} {one.name}]({one.code}-{one.name}.md)"
    opt_in = " (opt-in)" if one.opt_in else ""
    fault = Page.of(one).fault.replace("|", "\\|")
    criteria = ", ".join(f"[{name}](../criteria/{name}.md)" for name in one.criteria)
    return f"| {name}{opt_in} | {fault} | {one.severity} | {criteria or '-'} |"


if __name__ == "__main__":
    write(rule.load(), content.folder("docs") / "rules")
