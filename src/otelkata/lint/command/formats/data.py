"""Findings as JSON: the keys and their order are those of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable

from otelkata.lint.command.report import Report
from otelkata.lint.finding import Finding


def render(reports: Iterable[Report]) -> str:
    """Return a list of all findings."""
    found = [_entry(finding) for report in reports for finding in report.findings]
    return json.dumps(found, indent=2) + "\n"


def _entry(finding: Finding) -> dict[str, str | int | bool]:
    place = finding.place
    return {
        "code": finding.code,
        "name": finding.name,
        "path": finding.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "message": finding.message,
        "fixable": finding.fixable,
    }
