"""Findings as SARIF 2.1.0, with the path to each as a code flow."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from otelkata import __version__
from otelkata.lint.command.explain import Page
from otelkata.lint.command.report import Report
from otelkata.lint.finding import Finding, Place, Unread
from otelkata.lint.rule import Rule

Json: TypeAlias = Mapping[str, object]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(reports: Sequence[Report], unread: Sequence[Unread], rules: Sequence[Rule]) -> str:
    """Return one run of all `reports`, with what could not be read; `rules` are all there are."""
    index = {rule.code: at for at, rule in enumerate(rules)}
    run = a_run("kata-lint", [describe(rule) for rule in rules])
    run["invocations"] = [
        {
            "executionSuccessful": not unread,
            "toolExecutionNotifications": [_notification(one) for one in unread],
        }
    ]
    run["results"] = [entry for report in reports for entry in _results(report, index)]
    return json.dumps(a_log(run), indent=2) + "\n"


def a_log(run: Json) -> dict[str, object]:
    """Return a log of one run."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def a_run(tool: str, rules: Sequence[Json]) -> dict[str, object]:
    """Return a run of `tool`, without invocations and results."""
    driver = {
        "name": tool,
        "version": __version__,
        "semanticVersion": __version__,
        "rules": rules,
    }
    return {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints"}


def describe(rule: Rule) -> Json:
    """Return a rule with its page as help."""
    page = Page.of(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": page.fault},
        "fullDescription": {"text": page.sections["What it does"]},
        "help": {"text": page.text(), "markdown": page.markdown()},
        "defaultConfiguration": {"enabled": not rule.opt_in, "level": rule.severity.value},
        "properties": {"tags": ["opentelemetry", *rule.criteria]},
    }


def _notification(one: Unread) -> Json:
    return {
        "level": "error",
        "message": {"text": f"{one.path}: {one.reason}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(one.path)}}}],
    }


def _results(report: Report, index: Mapping[str, int]) -> Iterable[Json]:
    prints = Fingerprints()
    for finding in report.findings:
        line = report.lines.get(finding.place.line, "")
        yield {
            "ruleId": finding.code,
            **({"ruleIndex": index[finding.code]} if finding.code in index else {}),
            "level": finding.severity.value,
            "message": {"text": finding.message},
            "locations": [_location(finding.path, finding.place)],
            "partialFingerprints": prints.of(finding.code, line),
            **({"codeFlows": [_flow(finding)]} if finding.steps else {}),
            "properties": {"certain": finding.certain, "fixable": finding.fixable},
        }


class Fingerprints:
    """Know results of one file again by the text of their lines, wherever these move."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, code: str, line: str) -> dict[str, str]:
        """Return what to know the next result of the rule `code` on the text `line` by."""
        text = f"{code}\n{line.strip()}".encode(errors="replace")
        print_ = hashlib.sha256(text).hexdigest()[:16]
        self._seen[print_] += 1
        return {"lineText/v1": f"{print_}:{self._seen[print_]}"}


def _flow(finding: Finding) -> Json:
    locations = [
        {"location": {**_location(finding.path, step.place), "message": {"text": step.message}}}
        for step in finding.steps
    ]
    return {"threadFlows": [{"locations": locations}]}


def _location(path: str, place: Place) -> Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(path)},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        }
    }


def uri(path: str) -> str:
    """Return a relative reference for a relative path, else a file's URI."""
    quoted = quote(os.fsencode(path.replace(os.sep, "/")))
    if not os.path.isabs(path):
        return quoted
    return f"file://{quoted}" if quoted.startswith("/") else f"file:///{quoted}"
