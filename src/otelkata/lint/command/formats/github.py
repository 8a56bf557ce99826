"""Findings as workflow commands, which GitHub shows beside the lines of a change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from otelkata.lint.command.report import Report
from otelkata.lint.finding import Finding, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(reports: Iterable[Report]) -> str:
    """Return one command per finding."""
    return "".join(_command(finding) for report in reports for finding in report.findings)


def _command(finding: Finding) -> str:
    place = finding.place
    properties: dict[str, str | int] = {
        "file": finding.path.replace(os.sep, "/"),
        "line": place.line,
        "endLine": place.end_line,
        "title": f"{finding.code} {finding.name}",
    }
    if place.line == place.end_line:
        # Columns over several lines are refused.
        properties |= {"col": place.column, "endColumn": place.end_column}
    return command(_COMMANDS[finding.severity], properties, finding.message)


def command(kind: str, properties: Mapping[str, str | int], message: str) -> str:
    """Return one command, with nothing in it that could be taken for another."""
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{kind} {listed}::{_text(message)}\n"


def _text(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")
