"""Tell which of many fixes did no good, by where findings are that should not be there.

To try each fix alone would take as many runs of the linter as there are fixes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from otelkata.lint.finding import Finding
from otelkata.lint.fixes.writing import Lines


@dataclass(frozen=True, slots=True)
class Edit:
    """What mends a finding: lines of which the first are where the fault is."""

    finding: Finding
    lines: tuple[Lines, ...]

    @property
    def first(self) -> int:
        """The line, from 0, from which on this edit answers for what is found."""
        return min(self.finding.place.line - 1, self.lines[0].start)


def innocent(
    edits: Sequence[Edit], before: Sequence[Finding], after: Sequence[Finding]
) -> list[Edit]:
    """Return the edits of which each has done in its own lines what it should.

    `before` are the findings without any of `edits`, `after` those with all of them.
    """
    moved = _Moved(edits)
    old, new = _Found(before), _Found(after)
    return [
        edit
        for edit in edits
        if new.within(moved.to(edit.first), moved.to(edit.lines[0].stop))
        <= old.within(edit.first, edit.lines[0].stop) - Counter([edit.finding.code])
    ]


class _Moved:
    """Where lines are once all edits are made."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        parts = sorted({lines for edit in edits for lines in edit.lines}, key=lambda it: it.stop)
        self._stops = [part.stop for part in parts]
        grown = (len(part.new) - (part.stop - part.start) for part in parts)
        self._grown = list(accumulate(grown, initial=0))

    def to(self, line: int) -> int:
        """Return where a line that no edit changes is now, both from 0."""
        return line + self._grown[bisect_left(self._stops, line + 1)]


class _Found:
    """Findings by their lines."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = sorted(findings, key=lambda finding: finding.place.line)
        self._lines = [finding.place.line - 1 for finding in self._findings]

    def within(self, start: int, stop: int) -> Counter[str]:
        """Count the findings by code that begin on these lines, from 0 and `stop` exclusive."""
        found = self._findings[bisect_left(self._lines, start) : bisect_left(self._lines, stop)]
        return Counter(finding.code for finding in found)
