"""Findings make a status, statuses a verdict: nothing that was not judged passes."""

from dataclasses import FrozenInstanceError, replace
from types import ModuleType

import pytest
from evidence_builder import answer, exit_seen, planted, sound

from otelkata.check import SOUND, Cases, Exits, Fault, Findings, Unjudged, View, check, expect
from otelkata.judge import registry
from otelkata.judge.criteria import BONUS, CRITERIA, REQUIRED
from otelkata.judge.finding import Sound
from otelkata.judge.registry import Check
from otelkata.judge.verdict import NOTHING_SEEN, Result, Verdict, judge, run

WORDS = {"why": "Because.", "fix": "Mend it."}


def checks_of(*functions: registry.CheckFunction) -> list[Check]:
    module = ModuleType("checks.theme")
    module.__file__ = __file__
    for function in functions:
        setattr(module, function.__name__, function)
    return registry.checks_of(module)


def yielding(*findings: object, criteria: tuple[str, ...] = ("F1",)) -> Check:
    @check(*criteria, **WORDS)
    def one(view: View) -> Findings:
        """One."""
        yield from findings  # type: ignore[misc]

    return checks_of(one)[0]


@pytest.mark.parametrize(
    ("findings", "status", "message", "faults"),
    [
        ([SOUND], "passed", "", 0),
        ([SOUND, SOUND], "passed", "", 0),
        ([Fault("a fault")], "failed", "a fault", 1),
        ([SOUND, Fault("one"), Unjudged("why"), Fault("two")], "failed", "one (and 1 more)", 2),
        ([Fault("one"), Fault("two"), Fault("three")], "failed", "one (and 2 more)", 3),
        ([SOUND, Unjudged("because")], "blocked", "because", 0),
        ([], "blocked", NOTHING_SEEN, 0),
    ],
)
def test_findings_make_a_status(
    findings: list[object], status: str, message: str, faults: int
) -> None:
    result = run(View(sound()), yielding(*findings))
    assert (result.status, result.message, result.faults) == (status, message, faults)
    assert result.fault == next((f for f in findings if isinstance(f, Fault)), None)


BUSY = Unjudged("too busy", blames_machine=True)


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ([BUSY], [SOUND], "error"),
        ([SOUND, BUSY], [BUSY], "error"),
        ([BUSY], [Fault("a fault")], "failed"),
        ([BUSY], [Unjudged("because")], "failed"),
        ([BUSY, Unjudged("because")], [SOUND], "failed"),
        ([BUSY, Fault("a fault")], [SOUND], "failed"),
        ([BUSY], [], "failed"),
    ],
)
def test_nobody_fails_because_the_machine_was_busy(
    one: list[object], other: list[object], outcome: str
) -> None:
    """It is no pass either."""
    verdict = judge(View(sound()), [yielding(*one), yielding(*other, criteria=("F2",))])
    assert verdict.outcome == outcome
    assert verdict.criteria["F1"] != "passed"


def test_what_the_submission_hides_itself_is_told_before_a_busy_machine() -> None:
    result = run(View(sound()), yielding(BUSY, Unjudged("because")))
    assert (result.status, result.message) == ("blocked", "because")


def test_a_bonus_that_a_busy_machine_hides_costs_nothing() -> None:
    checks = [yielding(BUSY, criteria=("B1",)), yielding(SOUND)]
    assert judge(View(sound()), checks).outcome == "passed"


def test_a_check_that_crashes_is_the_graders_own_error() -> None:
    @check("F1", **WORDS)
    def crashes(view: View) -> Findings:
        """Crash."""
        raise ZeroDivisionError
        yield SOUND

    verdict = judge(View(sound()), checks_of(crashes))
    assert (verdict.outcome, verdict.criteria["F1"]) == ("error", "blocked")
    assert "ZeroDivisionError" in verdict.results[0].message


def test_of_a_check_that_crashes_the_innermost_two_calls_are_told() -> None:
    def inner() -> None:
        innermost()

    def innermost() -> None:
        raise ZeroDivisionError

    @check("F1", **WORDS)
    def crashes(view: View) -> Findings:
        """Crash."""
        inner()
        yield SOUND

    result = run(View(sound()), checks_of(crashes)[0])
    lines = result.message.splitlines()
    called = [line.rpartition(", in ")[2] for line in lines if line.startswith("  File ")]
    assert called == ["inner", "innermost"]
    assert (result.fault, result.faults) == (None, 0)


def test_a_check_gets_the_cases_and_exits_that_its_parameters_name() -> None:
    seen: list[object] = []

    @check("F1", **WORDS)
    def looks(retried: Cases, exits_process: Exits, view: View) -> Findings:
        """Look."""
        seen.extend([[case.data.name for case in retried], exits_process[0].name, view])
        yield SOUND

    view = View(sound())
    judge(view, checks_of(looks))
    assert seen == [["retried"], "process", view]


def test_a_case_with_a_wrong_answer_blocks_and_is_not_handed_out() -> None:
    seen: list[str] = []

    @check("F1", **WORDS)
    def looks(retried: Cases, root: Cases) -> Findings:
        """Look."""
        seen.extend(case.data.name for case in [*retried, *root])
        yield SOUND

    view = View(planted(answer("retried", "client>gateway", 500)))
    verdict = judge(view, checks_of(looks))
    assert seen == ["root"]
    assert verdict.results[0].status == "blocked"
    assert "the case retried" in verdict.results[0].message


@pytest.mark.parametrize(
    ("statuses", "criterion"),
    [
        (["passed"], "passed"),
        (["passed", "failed", "blocked"], "failed"),
        (["passed", "blocked"], "blocked"),
        (["passed", "error"], "blocked"),
        ([], "not_run"),
    ],
)
def test_the_checks_of_a_criterion_make_its_status(statuses: list[str], criterion: str) -> None:
    findings: dict[str, list[object]] = {
        "passed": [SOUND],
        "failed": [Fault("")],
        "blocked": [],
        "error": [object()],
    }
    checks = [yielding(*findings[status], criteria=("T2",)) for status in statuses]
    crashing = [
        replace(c, function=_crash) if s == "error" else c
        for c, s in zip(checks, statuses, strict=True)
    ]
    verdict = judge(View(sound()), crashing)
    assert verdict.criteria["T2"] == criterion
    assert {*verdict.criteria} == {*CRITERIA}


def _crash(view: View) -> Findings:
    raise RuntimeError


@pytest.mark.parametrize(
    ("criteria", "outcome"),
    [((), "failed"), (("F1",), "failed"), (("B1", "F1"), "failed"), (("B1",), "passed")],
)
def test_only_a_bonus_may_fail(criteria: tuple[str, ...], outcome: str) -> None:
    checks = [yielding(SOUND), yielding(Fault(""), criteria=criteria)]
    assert judge(View(sound()), checks).outcome == outcome


def test_the_score_leaves_out_what_was_not_run() -> None:
    checks = [
        yielding(SOUND),
        yielding(Fault(""), criteria=("T1",)),
        yielding(SOUND, criteria=("B1",)),
    ]
    verdict = judge(View(sound()), checks)
    assert (verdict.required, verdict.bonus) == ((1, 2), (1, 1))


def test_what_was_left_out_is_not_judged() -> None:
    evidence = replace(sound(), left_out=["lifespan_hanging", "sigterm_hanging"])
    ran = {result.check.id for result in judge(View(evidence), registry.load()).results}
    everything = {one.id for one in registry.load()}
    assert everything - ran == {"shutdown.lifespan_is_bounded", "shutdown.sigterm_is_bounded"}


def test_a_criterion_of_which_everything_was_left_out_is_not_run() -> None:
    left_out = [tag for seen in sound().exits for tag in seen.tags]
    verdict = judge(View(replace(sound(), left_out=left_out)), registry.load())
    assert (verdict.criteria["F7"], verdict.criteria["C7"]) == ("not_run", "not_run")
    assert verdict.outcome == "passed"


def test_an_exit_that_could_not_be_observed_blocks() -> None:
    skipped = [
        exit_seen(seen.name, skipped="the service did not start", took=None)
        for seen in sound().exits
    ]
    verdict = judge(View(planted(*skipped)), registry.load())
    assert (verdict.criteria["F7"], verdict.criteria["C7"]) == ("blocked", "blocked")


def test_a_submission_that_did_nothing_passes_no_criterion() -> None:
    evidence = sound()
    for items in (evidence.spans, evidence.started, evidence.ended):
        items.clear()
    verdict = judge(View(evidence), registry.load())
    passed = {c for c, status in verdict.criteria.items() if status == "passed"}
    assert passed <= {"C7"}
    assert verdict.outcome == "failed"


def test_required_and_bonus_are_all_there_is() -> None:
    assert {*REQUIRED} | {*BONUS} == {*CRITERIA}
    assert (len(REQUIRED), len(BONUS)) == (18, 4)


def test_checks_come_in_the_order_of_their_lines() -> None:
    lines = [(one.path, one.line) for one in registry.load()]
    assert lines == sorted(lines)


def test_a_fault_points_to_its_own_place_before_that_of_its_spans() -> None:
    (span, *_) = View(sound()).spans
    assert Fault("", spans=(span,)).place == ("checkout.py", 7)
    assert Fault("", spans=(span,), path="other.py", line=3).place == ("other.py", 3)
    assert Fault("").place == ("", 0)


def test_an_expectation_that_holds_is_sound_and_else_a_fault_of_what_is_there() -> None:
    assert expect("yes", "wrong") is SOUND
    assert expect(0, "wrong", None, None) == Fault("wrong")
    view = View(sound())
    case, (span, *_) = view.cases["success"], view.spans
    (call, *_) = case.calls
    found = expect(0, "wrong", case, None, span, call=call, path="other.py", line=3)
    assert found == Fault("wrong", case, (span,), call, "other.py", 3)
    assert isinstance(found, Fault)
    assert found.details == ""


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Fault("wrong"), "message"),
        (Unjudged("because"), "reason"),
        (Result(yielding(), "blocked", "", None, 0, 0.0), "status"),
        (Verdict([], {}), "criteria"),
    ],
    ids=["a fault", "what was not judged", "a result", "a verdict"],
)
def test_what_was_said_stays_said(said: object, field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(said, field, "other")


def test_all_that_is_sound_is_the_same() -> None:
    assert {SOUND, Sound()} == {SOUND}


@pytest.mark.parametrize("unknown", [(), ("no.such_check",)])
def test_where_nothing_was_judged_nothing_passed(unknown: tuple[str, ...]) -> None:
    verdict = Verdict([], {}, unknown)
    assert verdict.outcome == "error"
    assert verdict.gap


def test_where_one_was_judged_and_another_is_missing_nothing_passed() -> None:
    passed = run(View(sound()), yielding(SOUND))
    assert Verdict([passed], {}).outcome == "passed"
    assert not Verdict([passed], {}).gap
    verdict = Verdict([passed], {}, ("no.such_check",))
    assert verdict.outcome == "error"
    assert "no.such_check" in verdict.gap
