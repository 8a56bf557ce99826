"""What the rules are called, read from their files without importing them.

Importing a rule imports libcst; a selection has to be checked also where no file has a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from otelkata import content


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule's code and name, and whether it is off unless selected."""

    code: str
    name: str
    opt_in: bool


def read(folder: Path | None = None) -> list[Entry]:
    """Return an entry for each rule in `folder` (default: the rules that are shipped), by code."""
    import ast  # noqa: PLC0415 (a run that selects nothing does without it)

    entries = []
    for path in (folder or content.folder("ast_rules")).glob("*.py"):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef):
                said = {
                    target.id: statement.value.value
                    for statement in node.body
                    if isinstance(statement, ast.Assign)
                    and isinstance(statement.value, ast.Constant)
                    for target in statement.targets
                    if isinstance(target, ast.Name)
                }
                code, name = said.get("code"), said.get("name")
                if isinstance(code, str) and isinstance(name, str):
                    entries.append(Entry(code, name, bool(said.get("opt_in"))))
    return sorted(entries, key=lambda entry: entry.code)
