"""What came of linting one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from otelkata.lint.finding import Finding, Note


class Mode(Enum):
    """What is done beside looking: nothing, mend the files, or only show how they would be."""

    LOOK = "look"
    FIX = "fix"
    DIFF = "diff"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one file, with the source lines that they speak of.

    `unread` says why the file could not be linted, `notes` what in it was not. `fixed` is how many
    findings were mended, `mended` the file's bytes after that, where they differ; `difference`
    shows how.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    unread: str | None = None
    lines: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    fixed: int = 0
    mended: bytes | None = None
    difference: str = ""

    def with_findings(self, findings: Iterable[Finding]) -> Report:
        """Return this report with other findings."""
        return replace(self, findings=tuple(findings))


def lines_of(findings: Iterable[Finding], source: list[str]) -> dict[int, str]:
    """Return the lines of `source` on which `findings` and their steps stand."""
    wanted = {
        place.line for found in findings for place in (found.place, *(s.place for s in found.steps))
    }
    return {line: source[line - 1] for line in sorted(wanted) if line <= len(source)}
