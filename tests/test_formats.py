"""Reports for other systems have the form that each of these publishes, whatever a result says."""

import base64
import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junit_schema import faults_of
from results import MIXED, PASSED, RESULTS, SOUND, a_check, a_result, saying
from sarif_schema import LOG
from system_schemas import SCHEMAS
from test_report import assert_golden

from otelkata import __version__
from otelkata.judge.criteria import CRITERIA
from otelkata.lint import rule as rules
from otelkata.report import formats, markdown
from otelkata.report.graded import Graded
from otelkata.report.policy import DEFAULT, Level, Policy
from otelkata.report.words import cut

NAMES = [name for name in formats.names() if name != formats.TEXT]
KEPT = [name for name in NAMES if name != "html"]
"""Forms of which every byte is compared; pages are tested as their readers meet them."""

ANYTHING = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
SARIF = jsonschema.Draft4Validator(LOG, format_checker=jsonschema.FormatChecker())


def made(name: str, graded: Graded, policy: Policy = DEFAULT) -> str:
    return formats.load(name).one(graded, policy)


def parsed(name: str, graded: Graded, policy: Policy = DEFAULT) -> Any:
    """Return the report as a strict reader of JSON gets it."""
    text = made(name, graded, policy)
    if name == "classroom":
        text = base64.b64decode(text.strip(), validate=True).decode()

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def readable(name: str, graded: Graded) -> str:
    """Return the report as it is kept to compare with: what is written elsewhere is left out."""
    if name in {"junit", "github"}:
        return made(name, graded)
    data = parsed(name, graded)
    if name == "sarif":
        driver = data["runs"][0]["tool"]["driver"]
        rules_used = {result["ruleIndex"] for result in data["runs"][0]["results"]}
        driver["rules"] = [
            rule if "." in rule["id"] else {"id": rule["id"]}
            for number, rule in enumerate(driver["rules"])
            if number in rules_used
        ]
    return json.dumps(data, indent=1, ensure_ascii=False).replace(__version__, "VERSION") + "\n"


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("name", KEPT)
def test_the_report_is_as_it_was(name: str, result: str) -> None:
    suffix = formats.load(name).suffix
    content = readable(name, RESULTS[result])
    assert_golden(f"formats/{name}.{result}.{suffix}", content)


@pytest.mark.parametrize("result", RESULTS)
def test_the_summary_is_as_it_was(result: str) -> None:
    summary = "".join(markdown.summary([RESULTS[result]], DEFAULT))
    assert_golden(f"formats/summary.{result}.md", summary)


def assert_valid(name: str, graded: Graded, policy: Policy = DEFAULT) -> None:
    if name == "junit":
        # It is our own; nothing in it refers to anything.
        assert faults_of(ET.fromstring(made(name, graded, policy))) == []
    elif name == "sarif":
        SARIF.validate(parsed(name, graded, policy))
    elif name in SCHEMAS:
        jsonschema.Draft202012Validator(SCHEMAS[name]).validate(parsed(name, graded, policy))
    elif name == "github":
        assert_commands(made(name, graded, policy))


def assert_commands(text: str) -> None:
    """Each line is one command, and nothing in it begins another."""
    for line in text.splitlines(keepends=True):
        assert re.fullmatch(r"::(error|notice)( [^:\n\r]*)?::[^\n\r]*\n", line)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_report_has_the_published_form(name: str, result: Graded) -> None:
    assert_valid(name, result)


@pytest.mark.parametrize("shown", ["result", "nothing"])
@pytest.mark.parametrize("name", NAMES)
def test_a_report_of_which_parts_are_hidden_has_it_too(name: str, shown: Level) -> None:
    for result in RESULTS.values():
        assert_valid(name, result, Policy(shown_otherwise=shown))


@settings(deadline=None)
@given(ANYTHING)
def test_whatever_a_submission_says_the_form_holds(text: str) -> None:
    result = saying(text)
    for name in NAMES:
        if name != "github" or cut(text) == text:  # a result holds no other texts
            assert_valid(name, result)


@settings(deadline=None)
@given(ANYTHING)
def test_in_the_summary_nothing_that_a_submission_says_is_markup(text: str) -> None:
    """What is left without it is the same, and it itself has no sign that means anything."""
    assert not re.search(r"[!-%'-/:<-@\[-`{-~]", re.sub(r"&#\d+;", "", markdown.escaped(text)))
    shown = "".join(markdown.summary([saying(cut(text))], DEFAULT))
    assert skeleton(shown) == skeleton("".join(markdown.summary([saying("x")], DEFAULT)))


def skeleton(summary: str) -> str:
    """Return a summary without what stands in `code` and `pre`."""
    return re.sub(r"<(code|pre)>[^<]*</\1>", "", summary)


def test_a_summary_ends_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "LIMIT", 10_000)
    summary = "".join(markdown.summary([MIXED] * 50, DEFAULT))
    assert len(summary.encode()) < 11_000
    assert summary.endswith("There is no room here for the rest.\n")


# JUnit


def cases(graded: Graded) -> dict[str, ET.Element]:
    found = ET.fromstring(made("junit", graded)).iter("testcase")
    return {f"{case.get('classname')}.{case.get('name')}": case for case in found}


@pytest.mark.parametrize(
    ("check", "tag", "kind"),
    [
        ("theme.wrong_thing", "failure", "failed"),
        ("theme.hidden_thing", "error", "blocked"),
        ("theme.bonus_thing", "skipped", "bonus"),
        ("submission.answers", "failure", "failed"),
    ],
)
def test_junit_tells_kinds_of_failures_apart(check: str, tag: str, kind: str) -> None:
    [outcome] = list(cases(MIXED)[f"kata.{check}"])
    assert (outcome.tag, outcome.get("type")) == (tag, kind)


def test_junit_has_a_case_for_each_check_and_counts_them() -> None:
    [suite] = ET.fromstring(made("junit", MIXED))
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "8", "failures": "3", "errors": "1", "skipped": "1"}
    assert len(cases(MIXED)) == 8


def test_junit_has_a_suite_for_each_submission() -> None:
    several = formats.load("junit").several
    assert several is not None
    suites = ET.fromstring("".join(several([MIXED, PASSED], DEFAULT, ["", ""])))
    assert [len(suite.findall("testcase")) for suite in suites] == [8, 3]
    assert faults_of(suites) == []


# SARIF


def test_sarif_places_findings_and_traces_and_tells_none_twice() -> None:
    [run] = parsed("sarif", MIXED)["runs"]
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results = {result["ruleId"]: result for result in run["results"]}
    assert [*results] == ["OTK101", "theme.wrong_thing"]
    for code, result in results.items():
        assert listed[result["ruleIndex"]] == code
    assert results["theme.wrong_thing"]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "work/mine/checkout/gateway.py"},
                "region": {"startLine": 7},
            }
        }
    ]
    assert "POST /checkout" in results["theme.wrong_thing"]["message"]["text"]
    assert {*listed} == {rule.code for rule in rules.load()} | {"theme.wrong_thing"}
    assert all(rule["help"]["text"] for rule in run["tool"]["driver"]["rules"])


def test_sarif_knows_a_result_again_where_lines_have_moved() -> None:
    [before, after] = [parsed("sarif", found_at(line))["runs"][0]["results"] for line in (3, 30)]
    assert before[0]["locations"] != after[0]["locations"]
    assert before[0]["partialFingerprints"] == after[0]["partialFingerprints"]


def found_at(line: int) -> Graded:
    [finding] = MIXED.lint
    excerpt = (msgspec.structs.replace(finding.excerpt[0], number=line),)
    return a_result(SOUND, lint=(msgspec.structs.replace(finding, line=line, excerpt=excerpt),))


# Points


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("gradescope", lambda data: data["score"]),
        ("prairielearn", lambda data: data["score"] * 100),
        ("classroom", lambda data: sum(test["score"] for test in data["tests"])),
    ],
)
def test_everything_right_gives_all_points_exactly(name: str, score: Any) -> None:
    assert score(parsed(name, PASSED)) == 100
    assert score(parsed(name, a_result(a_check("bad", *CRITERIA, status="failed")))) == 0
    assert score(parsed(name, MIXED)) == pytest.approx(14 / 18 * 100, abs=0.01)


@pytest.mark.parametrize("result", ["crashed", "ungraded"])
def test_where_the_grader_failed_nobody_gets_a_score(result: str) -> None:
    graded = RESULTS[result]
    assert not re.search(r'"(max_)?score"', made("gradescope", graded))
    assert parsed("prairielearn", graded)["gradable"] is False
    assert (parsed("classroom", graded)["max_score"], parsed("classroom", graded)["status"]) == (
        0,
        "error",
    )


@pytest.mark.parametrize(
    ("name", "limit"), [("gradescope", 900_000), ("prairielearn", 900_000), ("classroom", 131_072)]
)
def test_a_report_is_never_too_long_for_its_system(name: str, limit: int) -> None:
    long = cut("😀" * 10_000)
    checks = [
        a_check(f"thing_{n}", *CRITERIA, status="failed", message=long, trace=long)
        for n in range(60)
    ]
    result = a_result(*checks)
    assert len(made(name, result).encode()) < limit
    assert_valid(name, result)


def test_a_runner_that_prints_a_result_for_classroom_finds_no_command_in_it() -> None:
    for test in parsed("classroom", RESULTS["hostile"])["tests"]:
        for text in (test["name"], test["message"]):
            assert "##[" not in text
            assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


# Tests


def test_exercism_tells_first_what_to_mend_first() -> None:
    statuses = [test["status"] for test in parsed("exercism", MIXED)["tests"]]
    names = [test["name"] for test in parsed("exercism", MIXED)["tests"]]
    assert names[statuses.index("fail")] == "What submission.answers asks for is so."


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("mixed", "fail"),
        ("passed", "pass"),
        ("blocked", "error"),
        ("crashed", "fail"),
        ("ungraded", "error"),
    ],
)
def test_exercism_has_an_error_only_where_all_tests_have(result: str, status: str) -> None:
    assert parsed("exercism", RESULTS[result])["status"] == status


def test_no_bonus_fails_anybody() -> None:
    missed = a_result(SOUND, a_check("bonus_thing", "B1", status="failed"))
    assert parsed("exercism", missed)["status"] == "pass"
    assert {result["passed"] for result in parsed("check50", missed)["results"]} == {True, None}
    assert parsed("classroom", missed)["status"] == "pass"
    assert "::error" not in made("github", missed)
