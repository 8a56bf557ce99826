"""Workflow commands, which GitHub shows beside the lines of a change, and a summary of the job.

They follow "Workflow commands for GitHub Actions" of GitHub's documentation, with its sections on
messages and on job summaries. The summary is added to the file that GITHUB_STEP_SUMMARY names.
GitHub shows ten errors of a step, and so what to mend first comes first.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from otelkata.lint.command.formats.github import command
from otelkata.report import markdown
from otelkata.report.faults import faults
from otelkata.report.formats import Beside, Format
from otelkata.report.graded import Graded, LintFinding, Place
from otelkata.report.policy import Policy
from otelkata.report.seen import seen

SUMMARY = "GITHUB_STEP_SUMMARY"


def _one(graded: Graded, policy: Policy) -> str:
    return "".join(_several([graded], policy))


def _several(results: Iterable[Graded], policy: Policy, _: Sequence[str] = ()) -> Iterator[str]:
    for graded in results:
        shown = seen(graded, policy)
        if shown.error:
            yield command("error", {"title": "kata-grade failed"}, shown.error)
        for finding in shown.lint:
            yield _at(finding, "error", finding.code, finding.message)
        for check in faults(shown):
            kind = "notice" if check.bonus else "error"
            title = f"{' '.join(check.criteria) or 'contract'} {check.id}"
            yield _at(check.location, kind, title, f"{check.message}\n{check.fix}".strip())


def _at(place: Place | LintFinding | None, kind: str, title: str, message: str) -> str:
    properties: dict[str, str | int] = {}
    if place is not None:
        properties["file"] = place.path.replace(os.sep, "/")
    if place is not None and place.line > 0:
        properties["line"] = place.line
    if isinstance(place, LintFinding) and place.column > 0:
        properties["col"] = place.column
    return command(kind, properties | {"title": title}, message)


FORMAT = Format(
    about="annotations in GitHub Actions, and a summary of the job where there is one",
    document="GitHub documentation, “Workflow commands for GitHub Actions”",
    suffix="txt",
    one=_one,
    several=_several,
    beside=Beside(SUMMARY, markdown.summary),
)
