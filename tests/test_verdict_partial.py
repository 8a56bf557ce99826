"""A run for some checks judges these alone, and says why where they could not be judged."""

from dataclasses import replace
from types import ModuleType

import pytest
from evidence_builder import sound

from otelkata.check import SOUND, Fault, Findings, Unjudged, View, check
from otelkata.judge import registry
from otelkata.judge.finding import Finding
from otelkata.judge.registry import Check
from otelkata.judge.verdict import Verdict, is_about, judge

FINDINGS: dict[str, Finding] = {
    "passed": SOUND,
    "failed": Fault("a fault"),
    "blocked": Unjudged("why not"),
}


def a_check(id_: str, status: str, *criteria: str) -> Check:
    """Return a check that comes to `status` where it sees what was observed."""

    @check(*criteria, why="Because.", fix="Mend it.")
    def one(view: View) -> Findings:
        """One."""
        if view.spans:
            yield FINDINGS[status]

    module = ModuleType("checks.theme")
    module.__file__ = __file__
    module.one = one  # type: ignore[attr-defined]
    (made,) = registry.checks_of(module)
    return replace(made, id=id_)


def verdict_for(only: list[str], *checks: Check) -> Verdict:
    """Return the verdict of a run that was for the checks `only`; empty: for all."""
    return judge(View(replace(sound(), only=only)), checks)


def told(verdict: Verdict) -> list[tuple[str, str]]:
    return [(result.check.id, result.status) for result in verdict.results]


@pytest.mark.parametrize(
    ("only", "about"),
    [([], [True, True]), (["a"], [True, False]), (["b", "c"], [False, True])],
)
def test_a_run_is_about_the_checks_that_it_was_for(only: list[str], about: list[bool]) -> None:
    view = View(replace(sound(), only=only))
    checks = [a_check("a", "passed", "F1"), a_check("b", "passed", "F1")]
    assert [is_about(view, one) for one in checks] == about


@pytest.mark.parametrize(
    ("status", "criterion"),
    [("passed", "not_run"), ("blocked", "not_run"), ("failed", "failed")],
)
def test_a_criterion_that_others_judge_too_may_only_fail(status: str, criterion: str) -> None:
    mine, other = a_check("mine", status, "F1"), a_check("other", "failed", "F1")
    verdict = verdict_for(["mine"], mine, other)
    assert told(verdict) == [("mine", status)]
    assert verdict.criteria["F1"] == criterion


@pytest.mark.parametrize("status", ["passed", "blocked", "failed"])
def test_a_criterion_of_which_every_check_ran_has_their_status(status: str) -> None:
    mine, other = a_check("mine", status, "F1"), a_check("other", "passed", "F2")
    criteria = verdict_for(["mine"], mine, other).criteria
    assert (criteria["F1"], criteria["F2"]) == (status, "not_run")


CONTRACT = (
    a_check("answers", "failed"),
    a_check("starts", "passed"),
    a_check("stays", "blocked"),
)


@pytest.mark.parametrize("others", [[], ["passed"], ["failed"]])
def test_where_one_could_not_be_judged_the_broken_contract_is_told_first(others: list[str]) -> None:
    blocked = a_check("mine", "blocked", "F1")
    more = [a_check(status, status, "F2") for status in others]
    unasked = a_check("unasked", "failed", "F3")
    verdict = verdict_for(["mine", *others], unasked, *CONTRACT, *more, blocked)
    assert told(verdict) == [
        ("answers", "failed"),
        *((status, status) for status in others),
        ("mine", "blocked"),
    ]
    assert verdict.outcome == "failed"


@pytest.mark.parametrize("status", ["passed", "failed"])
def test_where_all_could_be_judged_the_contract_is_not(status: str) -> None:
    verdict = verdict_for(["mine"], *CONTRACT, a_check("mine", status, "F1"))
    assert told(verdict) == [("mine", status)]


def test_a_part_of_the_contract_that_was_asked_for_is_told_once() -> None:
    asked = ["answers", "mine"]
    verdict = verdict_for(asked, *CONTRACT, a_check("mine", "blocked", "F1"))
    assert told(verdict) == [("answers", "failed"), ("mine", "blocked")]


def test_a_run_for_all_tells_each_check_once() -> None:
    verdict = verdict_for([], *CONTRACT, a_check("mine", "blocked", "F1"))
    assert told(verdict) == [
        ("answers", "failed"),
        ("starts", "passed"),
        ("stays", "blocked"),
        ("mine", "blocked"),
    ]
    assert verdict.criteria["F1"] == "blocked"


@pytest.mark.parametrize("others", [[], ["mine"], ["mine", "broken"]])
def test_a_run_for_a_check_that_there_is_not_judges_nothing(others: list[str]) -> None:
    """It was renamed since the evidence was kept, say."""
    known = a_check("mine", "passed", "F1"), a_check("broken", "failed", "F2")
    verdict = verdict_for([*others, "renamed"], *known)
    assert (verdict.outcome, verdict.unknown, told(verdict)) == ("error", ("renamed",), [])
    assert {*verdict.criteria.values()} == {"not_run"}


def test_what_there_is_not_is_named_but_not_at_any_length() -> None:
    gap = verdict_for([f"renamed{number}" for number in range(9)], *CONTRACT).gap
    assert "renamed0, renamed1, renamed2 and 6 more" in gap


def test_a_run_that_left_out_what_it_was_for_is_no_pass() -> None:
    check = replace(a_check("mine", "passed", "F1"), needs=("exits_process",))
    view = View(replace(sound(), only=["mine"], left_out=["process"]))
    verdict = judge(view, [check])
    assert (verdict.results, verdict.outcome, verdict.unknown) == ([], "error", ())
    assert "left out" in verdict.gap
