"""Fix what can be fixed safely in one file, one finding after another."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst

from .engine import DEEPEST, lint_source
from .finding import Finding, Unread
from .module import Module
from .options import Options
from .rule import Rule

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
        while count < MOST_FIXES and findings:
            better = next(self._better(source, findings), None)
            if better is None:
                break
            source, findings = better
            count += 1
        return Fixed(source, count)

    def _lint(self, source: bytes) -> list[Finding] | None:
        found = lint_source(source, self._path, self._rules, self._options)
        return None if isinstance(found, Unread) else found

    def _better(
        self, source: bytes, findings: list[Finding]
    ) -> Iterator[tuple[bytes, list[Finding]]]:
        """Yield the source after each fix that stands, with its findings."""
        wanted = findings if self._wanted is None else self._wanted(source, findings)
        fixable = [finding for finding in wanted if finding.fixable]
        if not fixable:
            return
        module = Module(cst.parse_module(source), self._path, self._options)
        for finding in fixable:
            new = self._fixed(module, finding)
            if new is None or new == source:
                continue
            left = self._lint(new)
            if left is not None and _is_better(findings, left, finding):
                yield new, left

    def _fixed(self, module: Module, finding: Finding) -> bytes | None:
        try:
            tree = self._by_code[finding.code].fix(module, finding)
            return None if tree is None else tree.bytes
        except RecursionError:
            return None


def _is_better(before: list[Finding], after: list[Finding], gone: Finding) -> bool:
    """Tell whether one finding is gone and none has come; their lines may have moved."""
    old = Counter(finding.code for finding in before)
    new = Counter(finding.code for finding in after)
    return new[gone.code] < old[gone.code] and new <= old
