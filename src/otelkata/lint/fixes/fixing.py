"""Fix what can be fixed safely in one file, in rounds: all at once that do not touch."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from otelkata.lint.engine import DEEPEST, Linted, examine
from otelkata.lint.finding import Finding, Unread
from otelkata.lint.fixes.blame import Edit, innocent
from otelkata.lint.fixes.writing import Writer
from otelkata.lint.options import Options
from otelkata.lint.rule import Rule

MOST_FIXES = 1_000
"""How many fixes one file gets in one run."""

Wanted: TypeAlias = Callable[[bytes, list[Finding]], list[Finding]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """The source after all fixes, and how many there were."""

    source: bytes
    count: int


def fix_source(
    source: bytes,
    path: str,
    rules: Sequence[Rule],
    options: Options | None = None,
    wanted: Wanted | None = None,
) -> Fixed:
    """Return `source` with what `rules` find and can fix safely.

    `wanted` leaves out findings of the source that it is given: suppressed ones, or those of a
    baseline. A fix stands only if its finding is gone then, and no other has come. What cannot be
    read is returned as it is. Never raises for any bytes.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        return _Fixer(path, rules, options, wanted).fix(source)
    finally:
        sys.setrecursionlimit(before)


@dataclass(frozen=True, slots=True)
class _Better:
    """Source with fixes in it, what is found there now, and how many fixes these were."""

    source: bytes
    linted: Linted
    count: int


class _Fixer:
    def __init__(
        self,
        path: str,
        rules: Sequence[Rule],
        options: Options | None,
        wanted: Wanted | None,
    ) -> None:
        self._path = path
        self._rules = rules
        self._options = options
        self._wanted = wanted

    def fix(self, source: bytes) -> Fixed:
        count = 0
        linted = self._lint(source)
        while linted is not None and count < MOST_FIXES:
            better = self._round(source, linted)
            if better is None:
                break
            source, linted = better.source, better.linted
            count += better.count
        return Fixed(source, count)

    def _lint(self, source: bytes) -> Linted | None:
        found = examine(source, self._path, self._rules, self._options)
        return None if isinstance(found, Unread) else found

    def _round(self, source: bytes, linted: Linted) -> _Better | None:
        """Fix what can be fixed at the same time; None if nothing is left that can be."""
        module = linted.module
        wanted = linted.findings
        if self._wanted is not None:
            wanted = self._wanted(source, wanted)
        if module is None or not any(finding in module.changes for finding in wanted):
            return None
        try:
            writer = Writer(module, source)
            edits = _edits(writer, linted, wanted)
        except (RecursionError, UnicodeError):
            return None
        return self._better(writer, linted, edits)

    def _better(self, writer: Writer, before: Linted, edits: list[Edit]) -> _Better | None:
        """Return the source after all edits, or else after those that stand."""
        while edits:
            new = writer.changed(lines for edit in edits for lines in edit.lines)
            after = self._lint(new)
            if after is not None and _is_better(before.findings, after.findings, edits):
                return _Better(new, after, len(edits))
            kept = innocent(edits, before.findings, after.findings) if after is not None else edits
            if len(kept) == len(edits):
                break
            edits = kept
        if len(edits) < 2:
            return None
        half = len(edits) // 2
        return self._better(writer, before, edits[:half]) or self._better(
            writer, before, edits[half:]
        )


def _edits(writer: Writer, linted: Linted, wanted: Sequence[Finding]) -> list[Edit]:
    """Return what the fixes change, from the top, without those that touch one before them."""
    assert linted.module is not None
    changes = linted.module.changes
    fixable = [finding for finding in wanted if finding in changes][:MOST_FIXES]
    begun = [(writer.begin(changes[finding]), finding) for finding in fixable]
    chosen: list[Edit] = []
    stop = 0
    for start, finding in sorted(begun, key=lambda one: one[0]):
        # What begins in lines that are changed already is not even written in this round.
        lines = writer.lines(changes[finding]) if start >= stop else None
        if lines is not None:
            chosen.append(Edit(finding, lines))
            stop = lines[0].stop
    shared = {lines for edit in chosen for lines in edit.lines[1:]}
    return [edit for edit in chosen if not any(edit.lines[0].touches(lines) for lines in shared)]


def _is_better(before: list[Finding], after: list[Finding], edits: list[Edit]) -> bool:
    """Tell whether the findings are gone and none has come; their lines may have moved."""
    gone = Counter(edit.finding.code for edit in edits)
    return Counter(finding.code for finding in after) <= (
        Counter(finding.code for finding in before) - gone
    )
