"""A grading policy: what it may say, what each mistake is answered with, and what it changes."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from results import CRASHED, MIXED, PARTIAL, PASSED, SOUND, UNGRADED, a_check, a_result

from otelkata.judge import registry
from otelkata.report import formats, markdown
from otelkata.report.graded import Graded, LintFinding, Place, SourceLine
from otelkata.report.marks import mark
from otelkata.report.policy import DEFAULT, Policy
from otelkata.report.policy_file import PolicyError, read

CHECKS = registry.load()
ORPHANS = "orphans.continues_the_trace"


def policy(folder: Path, text: str | bytes) -> Policy:
    file = folder / "kata-policy.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(file, CHECKS)


def mistakes(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        policy(folder, text)
    return list(raised.value.mistakes)


FULL = f"""
points = 60
bonus = "on_top"

[weights]
T3 = 3
F5 = 0
B1 = 0.5
"{ORPHANS}" = 2
leaks.every_span_ends = 1
contract = 4

[pass]
required = ["T1", "contract", "{ORPHANS}"]
points = 45.5

[show]
default = "result"
until = "due_date"
T3 = "all"
B4 = "nothing"
"""


def test_a_policy_says_all_that_it_can(tmp_path: Path) -> None:
    assert policy(tmp_path, FULL) == Policy(
        points=60,
        bonus="on_top",
        weights={
            "T3": 3,
            "F5": 0,
            "B1": 0.5,
            ORPHANS: 2,
            "leaks.every_span_ends": 1,
            "contract": 4,
        },
        required=("T1", "contract", ORPHANS),
        pass_points=45.5,
        shown={"T3": "all", "B4": "nothing"},
        shown_otherwise="result",
        until="due_date",
    )


def test_an_empty_policy_is_the_default(tmp_path: Path) -> None:
    assert policy(tmp_path, "") == DEFAULT


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("weights.T9 = 1", "weights.T9: there is no criterion or check T9; did you mean T4?"),
        ("weights.t3 = 1", "weights.t3: there is no criterion or check t3; did you mean T3?"),
        (
            "weights.continue_the_trace = 1",
            (
                "weights.continue_the_trace: there is no criterion or check continue_the_trace; "
                f"did you mean {ORPHANS}?"
            ),
        ),
        ("weights.zzzzzzzz = 1", "weights.zzzzzzzz: there is no criterion or check zzzzzzzz"),
        ("weights.T3 = -1", "weights.T3: -1 is negative"),
        ("weights.T3 = '3'", 'weights.T3: "3" is no number'),
        ("weights.T3 = true", "weights.T3: True is no number"),
        ("weights.T3 = nan", "weights.T3: nan is no finite number"),
        ("weights.T3 = inf", "weights.T3: inf is no finite number"),
        ("weights.T3 = 1e300", "weights.T3: is more than 1000000"),
        ("weights.T3 = [1]", "weights.T3: [1] is no number"),
        ("weights = 3", "weights: 3 is no table; write [weights] above its lines"),
        (
            f'[weights]\n"{ORPHANS}" = 1\n{ORPHANS} = 2',
            f"weights.{ORPHANS}: stands there twice",
        ),
        (
            "weights.B1 = 1",
            (
                "weights.B1: bonus gives no points unless the policy says "
                'bonus = "on_top" or bonus = "capped"'
            ),
        ),
        ("x = " + "[" * 50_000, "is no valid TOML: lists or tables are nested too deeply"),
        ("points" + ".a" * 20_000 + " = 1", "is no valid TOML: a key has more than 100 parts"),
        ("points = " + f"{{{'a.' * 50}a = " * 50 + "1" + "}" * 50, "is nested too deeply"),
        ("#" * 300_000, "is larger than 256 KiB"),
        ("points = 0", "points: has to be more than 0"),
        ("points = -5", "points: -5 is negative"),
        ("points = '100'", 'points: "100" is no number'),
        ("bonus = true", 'bonus: True is none of "none", "on_top", "capped"'),
        (
            "bonus = 'ontop'",
            'bonus: "ontop" is none of "none", "on_top", "capped"; did you mean on_top?',
        ),
        ("pass = {}", 'pass: is empty; it needs "required", "points" or both'),
        ("pass.points = 101", "pass.points: 101 are more than all 100 points"),
        ("pass.required = 'T1'", 'pass.required: "T1" is no list of names'),
        ("pass.required = ['T1', 2]", "pass.required: ['T1', 2] is no list of names"),
        ("pass.required = ['T1', 'T1']", "pass.required: T1 stands there twice"),
        (
            "pass.required = ['C8']",
            "pass.required: there is no criterion or check C8; did you mean C7?",
        ),
        ("pass.requires = []", "pass.requires: there is no such setting; did you mean required?"),
        ("weight.T3 = 1", "weight: there is no such setting; did you mean weights?"),
        (
            "show.T3 = 'some'",
            'show.T3: "some" is none of "all", "result", "nothing"',
        ),
        (
            "show.T3 = 'results'",
            'show.T3: "results" is none of "all", "result", "nothing"; did you mean result?',
        ),
        (
            "show.defaults = 'all'",
            "show.defaults: there is no criterion or check defaults; did you mean default?",
        ),
        (
            "show.until = 'always'",
            'show.until: "always" is none of "published", "due_date", "never"',
        ),
        ("points = 1\npoints = 2\n", "is no valid TOML: Cannot overwrite a value (at line 2, "),
        ("points = \n", "is no valid TOML: Invalid value (at line 1, "),
        (b"points = 1\n# \xff", "is not UTF-8 (at line 2)"),
        (f"points = {'9' * 5_000}", "is no valid TOML: "),
    ],
)
def test_a_mistake_is_told(text: str | bytes, mistake: str, tmp_path: Path) -> None:
    [told] = mistakes(tmp_path, text)
    assert told.startswith(mistake)


def test_a_file_without_end_is_a_mistake() -> None:
    with pytest.raises(PolicyError, match="is larger than 256 KiB"):
        read(Path("/dev/zero"), CHECKS)


def test_what_gives_no_points_at_all_is_a_mistake(tmp_path: Path) -> None:
    nothing = "[weights]\n" + "\n".join(f"{name} = 0" for name in MIXED.criteria)
    assert mistakes(tmp_path, nothing) == [
        "weights: every weight is 0, and so nothing gives points"
    ]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "points = -1\nbonus = 3\nwheight = 1\n[weights]\nT3 = -1\nT7 = 1\n[show]\nT1 = 'x'"
    assert [one.partition(":")[0] for one in mistakes(tmp_path, text)] == [
        "wheight",
        "bonus",
        "points",
        "weights.T3",
        "weights.T7",
        "show.T1",
    ]


@pytest.mark.parametrize(("name", "reason"), [("none.toml", "No such file"), (".", "directory")])
def test_a_file_that_cannot_be_read_is_told(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=reason):
        read(tmp_path / name, CHECKS)


# Points and verdict


@pytest.mark.parametrize(
    ("graded", "chosen", "points"),
    [
        (PASSED, DEFAULT, 100),
        (MIXED, DEFAULT, 77.7778),
        (MIXED, Policy(points=18), 14),
        (MIXED, Policy(points=18, weights={"T3": 0, "F4": 0}), 15.75),
        (MIXED, Policy(points=20, weights={"T3": 3}), 14),
        (MIXED, Policy(points=18, weights={"submission.runs": 2}), 14.4),
        (PASSED, Policy(points=18, bonus="on_top"), 22),
        (PASSED, Policy(points=18, bonus="on_top", weights={"B1": 0, "B2": 0.5}), 20.5),
        (PASSED, Policy(points=18, bonus="capped"), 18),
        (MIXED, Policy(points=18, bonus="capped"), 17),
        (PARTIAL, DEFAULT, 100),
        (UNGRADED, DEFAULT, 0),
    ],
)
def test_points_are_shared_by_weight_among_what_was_run(
    graded: Graded, chosen: Policy, points: float
) -> None:
    marks = mark(graded, chosen)
    assert marks.points == points
    assert sum(item.points for item in marks.items) == pytest.approx(points, abs=0.01) or (
        chosen.bonus == "capped"
    )


@pytest.mark.parametrize(
    ("graded", "chosen", "verdict"),
    [
        (MIXED, DEFAULT, "failed"),
        (MIXED, Policy(weights={"T3": 0}), "failed"),
        (MIXED, Policy(required=("F1",)), "passed"),
        (MIXED, Policy(required=("F1", "T3")), "failed"),
        (MIXED, Policy(required=("C1",)), "failed"),
        (MIXED, Policy(required=("contract",)), "failed"),
        (MIXED, Policy(required=("submission.runs",)), "passed"),
        (MIXED, Policy(pass_points=77), "passed"),
        (MIXED, Policy(pass_points=78), "failed"),
        (MIXED, Policy(required=("F1",), pass_points=78), "failed"),
        (PASSED, Policy(required=("B2",)), "passed"),
        (PARTIAL, Policy(required=("C7",)), "passed"),
        (CRASHED, Policy(required=("F1",)), "error"),
        (UNGRADED, Policy(pass_points=0), "error"),
    ],
)
def test_the_verdict_is_that_of_the_contract_unless_the_policy_has_one(
    graded: Graded, chosen: Policy, verdict: str
) -> None:
    assert mark(graded, chosen).verdict == verdict


# What a learner sees

SECRET = "the-secret-of-T3"
EVERYWHERE = a_result(
    SOUND,
    a_check(
        "wrong_thing",
        "T3",
        status="failed",
        message=f"{SECRET} message",
        trace=f"{SECRET} trace",
        why=f"{SECRET} why",
        fix=f"{SECRET} fix",
        location=Place(f"{SECRET}.py", 3, (SourceLine(3, SECRET),)),
    ),
    lint=(LintFinding("OTK101", f"{SECRET}.py", 4, 1, SECRET, criteria=("T3",)),),
    advice=(f"a check of the grader failed: {SECRET}",),
)
LEARNERS = [name for name in formats.names() if name not in {"text", "json"}]


def shown(name: str, chosen: Policy) -> str:
    text = formats.load(name).one(EVERYWHERE, chosen)
    return base64.b64decode(text).decode() if name == "classroom" else text


@pytest.mark.parametrize("hidden", ["T3", "theme.wrong_thing"])
@pytest.mark.parametrize("level", ["result", "nothing"])
@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_hidden_is_in_no_report_for_learners(name: str, level: Any, hidden: str) -> None:
    assert SECRET in shown(name, DEFAULT)
    # What the linter says belongs to a criterion, and not to the check that repeats it.
    both = {hidden: level, "T3": level}
    report = shown(name, Policy(shown=both))
    if name == "gradescope" and level == "nothing":
        data = json.loads(report)
        data["tests"] = [test for test in data["tests"] if test["visibility"] == "visible"]
        report = json.dumps(data)
    assert SECRET not in report


@pytest.mark.parametrize("level", ["result", "nothing"])
def test_what_is_hidden_is_not_in_the_summary_either(level: Any) -> None:
    summary = "".join(markdown.summary([EVERYWHERE], Policy(shown={"T3": level})))
    assert SECRET not in summary.replace("&#45;", "-")
    assert ("**T3**" in summary) == (level == "result")


def test_of_a_result_alone_it_is_told_that_it_failed() -> None:
    assert 'type="failed" message="it is only told' in shown(
        "junit", Policy(shown={"T3": "result"})
    )
    tests = json.loads(shown("gradescope", Policy(shown={"T3": "result"})))["tests"]
    [result] = [test for test in tests if test["name"].startswith("T3")]
    assert (result["status"], result["output"], result["visibility"]) == ("failed", "", "visible")


@pytest.mark.parametrize(
    ("until", "visibility"),
    [("published", "after_published"), ("due_date", "after_due_date"), ("never", "hidden")],
)
def test_gradescope_holds_back_what_is_shown_later(until: Any, visibility: str) -> None:
    data = json.loads(shown("gradescope", Policy(shown={"T3": "nothing"}, until=until)))
    [held] = [test for test in data["tests"] if test["visibility"] != "visible"]
    assert (held["name"], held["visibility"]) == ("T3 no broken chain", visibility)
    assert SECRET in held["output"]
    assert "points" not in data["output"]


@pytest.mark.parametrize("name", ["prairielearn", "classroom"])
def test_what_is_hidden_counts_all_the_same(name: str) -> None:
    without = json.loads(shown(name, DEFAULT))
    held = json.loads(shown(name, Policy(shown={"T3": "nothing", "F1": "nothing"})))
    if name == "prairielearn":
        assert held["score"] == without["score"]
    else:
        assert sum(t["score"] for t in held["tests"]) == sum(t["score"] for t in without["tests"])


def test_no_policy_changes_the_json_of_the_contract() -> None:
    form = formats.load("json")
    hiding = Policy(points=5, required=("F1",), shown_otherwise="nothing")
    assert form.one(EVERYWHERE, hiding) == form.one(EVERYWHERE, DEFAULT)
