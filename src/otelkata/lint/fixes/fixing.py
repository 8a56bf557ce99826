"""Fix what can be fixed safely in one file, one finding after another."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst

from otelkata.lint.engine import DEEPEST, lint_source
from otelkata.lint.finding import Finding, Unread
from otelkata.lint.meaning.module import Module
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
class _Edit:
    """Lines of the source, `stop` exclusive, and what one fix puts in their place."""

    code: str
    start: int
    stop: int
    lines: tuple[bytes, ...]


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
        self._by_code = {rule.code: rule for rule in rules}

    def fix(self, source: bytes) -> Fixed:
        count = 0
        findings = self._lint(source)
        while findings and count < MOST_FIXES:
            try:
                edits = self._edits(source, findings)
            except RecursionError:
                break
            better = self._better(source, findings, edits)
            if better is None:
                break
            source, findings, fixed = better
            count += fixed
        return Fixed(source, count)

    def _lint(self, source: bytes) -> list[Finding] | None:
        found = lint_source(source, self._path, self._rules, self._options)
        return None if isinstance(found, Unread) else found

    def _edits(self, source: bytes, findings: list[Finding]) -> list[_Edit]:
        """Return what the fixes change, as far as they do not touch the same lines."""
        wanted = findings if self._wanted is None else self._wanted(source, findings)
        fixable = [finding for finding in wanted if finding.fixable]
        if not fixable:
            return []
        lines = source.splitlines(keepends=True)
        module = Module(cst.parse_module(source), self._path, self._options)
        chosen: list[_Edit] = []
        for finding in fixable[:MOST_FIXES]:
            new = self._fixed(module, finding)
            edit = _edit(finding.code, lines, new) if new is not None else None
            if edit is not None and not any(_touch(edit, other) for other in chosen):
                chosen.append(edit)
        return chosen

    def _fixed(self, module: Module, finding: Finding) -> bytes | None:
        tree = self._by_code[finding.code].fix(module, finding)
        return None if tree is None else tree.bytes

    def _better(
        self, source: bytes, findings: list[Finding], edits: list[_Edit]
    ) -> tuple[bytes, list[Finding], int] | None:
        """Return the source after all edits, or else after those of one half that stand."""
        if not edits:
            return None
        new = _edited(source, edits)
        left = self._lint(new)
        if left is not None and _is_better(findings, left, edits):
            return new, left, len(edits)
        if len(edits) == 1:
            return None
        half = len(edits) // 2
        return self._better(source, findings, edits[:half]) or self._better(
            source, findings, edits[half:]
        )


def _edit(code: str, lines: list[bytes], source: bytes) -> _Edit | None:
    """Return where `source` differs from `lines`; None if it does not."""
    new = source.splitlines(keepends=True)
    most = min(len(lines), len(new))
    start = next((at for at in range(most) if lines[at] != new[at]), most)
    same = next((at for at in range(most - start) if lines[-1 - at] != new[-1 - at]), most - start)
    edit = _Edit(code, start, len(lines) - same, tuple(new[start : len(new) - same]))
    return None if edit.start == edit.stop and not edit.lines else edit


def _touch(one: _Edit, other: _Edit) -> bool:
    return one.start <= other.stop and other.start <= one.stop


def _edited(source: bytes, edits: list[_Edit]) -> bytes:
    lines = source.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        lines[edit.start : edit.stop] = edit.lines
    return b"".join(lines)


def _is_better(before: list[Finding], after: list[Finding], edits: list[_Edit]) -> bool:
    """Tell whether the findings are gone and none has come; their lines may have moved."""
    gone = Counter(edit.code for edit in edits)
    return Counter(finding.code for finding in after) <= (
        Counter(finding.code for finding in before) - gone
    )
