"""Findings that are known and not reported again.

A finding is known by its path, its code and the text of its line, with how many there are: line
numbers change with every edit above.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from otelkata.lint.finding import Finding

if TYPE_CHECKING:
    from otelkata.lint.command.report import Report

VERSION = 1
Key: TypeAlias = tuple[str, str, str]


class BaselineMistake(ValueError):
    """A baseline file that cannot be used: where, why, and what to do."""


def dump(reports: Iterable[Report], file: str) -> str:
    """Return the text of a baseline with all that `reports` hold, to be written to `file`."""
    counts = Counter(_key(f, r.path, r.lines, file) for r in reports for f in r.findings)
    findings = [
        {"path": path, "code": code, "line": line, "count": count}
        for (path, code, line), count in sorted(counts.items())
    ]
    return json.dumps({"schema_version": VERSION, "findings": findings}, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Baseline:
    """How often each finding is known, read from `file`."""

    file: str
    known: Counter[Key]

    def new(
        self, path: str, findings: Iterable[Finding], lines: Mapping[int, str]
    ) -> list[Finding]:
        """Return the findings of one file that are not known, the first ones of each kind being so.

        `lines` has the text of those on which findings begin, by their numbers from 1.
        """
        seen: Counter[Key] = Counter()
        new = []
        for finding in findings:
            key = _key(finding, path, lines, self.file)
            seen[key] += 1
            if seen[key] > self.known[key]:
                new.append(finding)
        return new


def load(file: str) -> Baseline:
    """Return the baseline that is in `file`.

    Raises:
        BaselineMistake: the file is none.
    """
    try:
        with open(file, encoding="utf-8") as stream:
            said = json.load(stream)
    except OSError as error:
        raise BaselineMistake(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BaselineMistake(f"{file}: is no JSON: {error}") from None
    if not isinstance(said, dict) or said.get("schema_version") != VERSION:
        raise BaselineMistake(f"{file}: is no baseline; make one with --write-baseline {file}")
    entries = said.get("findings")
    if not isinstance(entries, list):
        raise BaselineMistake(f"{file}: has no list of findings")
    known: Counter[Key] = Counter()
    for entry in entries:
        key, count = _entry(entry)
        if key is None:
            raise BaselineMistake(f"{file}: an entry is not path, code, line and count: {entry}")
        known[key] += count
    return Baseline(file, known)


def unknown(reports: Iterable[Report], baseline: Baseline) -> list[Report]:
    """Return `reports` without the findings that are known."""
    return [r.with_findings(baseline.new(r.path, r.findings, r.lines)) for r in reports]


def _entry(entry: object) -> tuple[Key | None, int]:
    if isinstance(entry, dict):
        match entry:
            case {"path": str(path), "code": str(code), "line": str(line), "count": int(count)}:
                return (path, code, line), count
    return None, 0


def _key(finding: Finding, path: str, lines: Mapping[int, str], file: str) -> Key:
    # Relative to the baseline, so that it does not matter where the command is run.
    path = os.path.relpath(path, os.path.dirname(os.path.abspath(file)))
    line = lines.get(finding.place.line, "").strip()
    return path.replace(os.sep, "/"), finding.code, line
