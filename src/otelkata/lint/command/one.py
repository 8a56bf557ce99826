"""Lint one file, with everything that a user may have said about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from otelkata.lint import rule
from otelkata.lint.command import suppression
from otelkata.lint.command.config import Config
from otelkata.lint.command.report import Mode, Report, lines_of
from otelkata.lint.command.selection import active, matching
from otelkata.lint.command.suppression import Suppressions
from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding, Note, Unread
from otelkata.lint.fixes import mending
from otelkata.lint.rule import Rule
from otelkata.lint.source import reading
from otelkata.lint.source.words import has_site

if TYPE_CHECKING:
    from otelkata.lint.command.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Plan:
    """What is the same for all files of a run: all rules there are, and what is done.

    What `baseline` knows is reported all the same, and not mended; nor is what lies outside of the
    files and directories `within`, which are real paths.
    """

    rules: tuple[Rule, ...]
    mode: Mode = Mode.LOOK
    baseline: Baseline | None = None
    within: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        mode: Mode = Mode.LOOK,
        baseline: Baseline | None = None,
        within: tuple[str, ...] = (),
    ) -> Plan:
        """Return a plan with the rules that are shipped."""
        return cls(tuple(rule.load()), mode, baseline, within)

    def may_write(self, real: str) -> bool:
        """Tell whether the file of this real path is one that was named, or lies in what was."""
        return any(real == one or real.startswith(os.path.join(one, "")) for one in self.within)

    def selected(self, config: Config, path: str) -> list[Rule]:
        """Return the rules that are on in the file of this absolute path."""
        on = active(self.rules, config.selection)
        off = matching(self.rules, config.ignored_in(path))
        return [one for one in self.rules if one.code in on - off]


def lint_file(path: str, source: bytes | None, config: Config, plan: Plan) -> Report:
    """Return what is found in one file; `source` is what it holds, if that is known already."""
    data = reading.read(path) if source is None else source
    if isinstance(data, Unread):
        return Report(path, unread=data.reason)
    rules = plan.selected(config, os.path.abspath(path))
    report = lint_bytes(path, data, rules, config, plan)
    if plan.mode is Mode.LOOK or not any(finding.fixable for finding in report.findings):
        return report
    mended = _mended(report, data, rules, config, plan)
    if source is None and plan.mode is Mode.FIX and mended.mended is not None:
        real = os.path.realpath(path)
        if not plan.may_write(real):
            reason = f"is not mended: it leads to {real}, which is outside of what was named"
            return replace(report, unread=reason)
        try:
            mending.write(real, mended.mended)
        except OSError as error:
            return replace(report, unread=f"cannot be written: {reading.reason(error)}")
    return mended


def _mended(
    report: Report, data: bytes, rules: Sequence[Rule], config: Config, plan: Plan
) -> Report:
    """Return the report after mending, or with the difference that mending would make."""
    path = report.path
    mended, count = mending.mend(data, path, rules, config.options, plan.baseline)
    if mended == data:
        return report
    after = lint_bytes(path, mended, rules, config, plan)
    if after.unread:
        return report
    if plan.mode is Mode.DIFF:
        difference = mending.difference(path, data, mended)
        return replace(report, fixed=count, mended=mended, difference=difference)
    return replace(after, fixed=count, mended=mended)


def lint_bytes(
    path: str, source: bytes, rules: Sequence[Rule], config: Config, plan: Plan
) -> Report:
    """Return what `rules` find in `source`, and which comments suppress nothing."""
    if len(source) > reading.LARGEST:
        return Report(path, unread=reading.too_large(len(source)))
    try:
        text = reading.decode(source)
    except ValueError as error:
        return Report(path, unread=str(error))
    said = suppression.read(text) if suppression.MARK in source else Suppressions()
    if said.skip:
        return Report(path)
    # A file in which no rule can begin is still told when it is no Python.
    asked = _asked(rules) if has_site(source, config.options.start_signatures) else []
    notes: list[Note] = []
    seen = lint_source(source, path, asked, config.options, notes)
    if isinstance(seen, Unread):
        return Report(path, unread=seen.reason)
    found = [*said.keep(seen), *_unused(path, said, rules, plan.rules)]
    found.sort(key=lambda finding: (finding.place, finding.code))
    shown = lines_of(found, reading.lines(text)) if found else {}
    return Report(path, tuple(found), lines=shown, notes=tuple(notes))


def _asked(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules that look at the source; one looks at what became of the others."""
    return [one for one in rules if one.code != suppression.CODE]


def _unused(
    path: str, said: Suppressions, rules: Iterable[Rule], known: Iterable[Rule]
) -> list[Finding]:
    on = {name for rule in rules for name in (rule.code, rule.name)}
    if suppression.CODE not in on:
        return []
    return list(
        said.unused(
            path,
            on=on,
            known={name for rule in known for name in (rule.code, rule.name)},
            everything=all(rule.opt_in or rule.code in on for rule in known),
        )
    )
