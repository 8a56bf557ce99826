"""SARIF 2.1.0, an OASIS standard: findings of the linter, and failed checks that have a place.

Rules are those of the linter and the checks that failed. A check that only repeats a finding is
left out, and so is what has no place, since code scanning shows nothing without one.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from otelkata.lint import rule as rules
from otelkata.lint.command.formats.sarif import Fingerprints, Json, a_log, a_run, describe, uri
from otelkata.report.faults import faults
from otelkata.report.formats import Format
from otelkata.report.graded import Graded, Judged, LintFinding, Place
from otelkata.report.plain import explain
from otelkata.report.policy import Policy
from otelkata.report.seen import seen

Problem = Judged | LintFinding


def _one(graded: Graded, policy: Policy) -> str:
    return "".join(_several([graded], policy))


def _several(results: Iterable[Graded], policy: Policy, _: Sequence[str] = ()) -> Iterator[str]:
    descriptions: dict[str, Json] = {}
    entries: list[dict[str, object]] = []
    failures: list[Json] = []
    for graded in results:
        shown = seen(graded, policy)
        problems: list[Problem] = [*shown.lint]
        problems += [check for check in faults(shown) if check.location]
        _describe(problems, descriptions)
        entries += _results(problems, [*descriptions])
        if shown.error:
            text = f"{shown.submission}: {shown.error}"
            failures.append({"level": "error", "message": {"text": text}})
    run = a_run("kata-grade", [*descriptions.values()])
    run["invocations"] = [
        {"executionSuccessful": not failures, "toolExecutionNotifications": failures}
    ]
    run["results"] = entries
    yield json.dumps(a_log(run), indent=2, allow_nan=False) + "\n"


def _describe(problems: Iterable[Problem], known: dict[str, Json]) -> None:
    new = [problem for problem in problems if _code(problem) not in known]
    if any(isinstance(problem, LintFinding) for problem in new):
        known |= _catalogue()
    for problem in new:
        known.setdefault(_code(problem), _rule(problem))


@cache
def _catalogue() -> Mapping[str, Json]:
    return {rule.code: describe(rule) for rule in rules.load()}


def _rule(problem: Problem) -> Json:
    if isinstance(problem, LintFinding):  # of a rule that there is no longer
        return {"id": problem.code}
    parts = {"Why": problem.why, "Instead": problem.fix}
    shown = {title: text for title, text in parts.items() if text}
    return {
        "id": problem.id,
        "name": problem.id,
        "shortDescription": {"text": problem.title},
        "help": {
            "text": "\n\n".join([problem.title, *(f"{t}: {text}" for t, text in shown.items())]),
            "markdown": "\n\n".join(
                [problem.title, *(f"**{t}:** {text}" for t, text in shown.items())]
            ),
        },
        "defaultConfiguration": {"level": "note" if problem.bonus else "error"},
        "properties": {"tags": ["opentelemetry", *problem.criteria]},
    }


def _results(problems: Iterable[Problem], index: list[str]) -> Iterator[dict[str, object]]:
    prints: Mapping[str, Fingerprints] = defaultdict(Fingerprints)
    for problem in problems:
        place = problem if isinstance(problem, LintFinding) else problem.location
        assert place is not None
        code = _code(problem)
        line = next((line.text for line in place.excerpt if line.number == place.line), "")
        yield {
            "ruleId": code,
            "ruleIndex": index.index(code),
            "level": "note" if isinstance(problem, Judged) and problem.bonus else "error",
            "message": {"text": _message(problem)},
            "locations": [{"physicalLocation": _location(place)}],
            "partialFingerprints": prints[place.path].of(code, line),
        }


def _code(problem: Problem) -> str:
    return problem.code if isinstance(problem, LintFinding) else problem.id


def _message(problem: Problem) -> str:
    said = problem.message if isinstance(problem, LintFinding) else explain(problem)
    # What looks like a link would be one.
    return said.replace("](", "] (")


def _location(place: Place | LintFinding) -> Json:
    region: dict[str, int] = {"startLine": place.line}
    if isinstance(place, LintFinding) and place.column > 0:
        region["startColumn"] = place.column
    return {
        "artifactLocation": {"uri": uri(place.path)},
        **({"region": region} if place.line > 0 else {}),
    }


FORMAT = Format(
    about="GitHub code scanning and editors: what has a place in the source",
    document="SARIF 2.1.0, OASIS standard",
    suffix="sarif",
    one=_one,
    several=_several,
)
