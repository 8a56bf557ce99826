"""`kata-grade --only` and `--failed`: what some checks need, and no verdict on the rest."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batches import nothings
from evidence_builder import planted, sound
from pages import BROKEN
from submissions import IMPORT, broken
from test_cli import REFERENCE, run

from otelkata.batch.kept import Cache
from otelkata.cli.last import PATHS_LIMIT, Last
from otelkata.drive.choice import Choice, left_out
from otelkata.drive.exits import TAGS
from otelkata.drive.scenario import all_scenarios
from otelkata.drive.values import Values
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.grade import judge_evidence
from otelkata.judge import registry, selection
from otelkata.judge.registry import Check
from otelkata.judge.verdict import CheckStatus, judge
from otelkata.judge.verdict import run as run_check
from otelkata.judge.view import View
from otelkata.report.graded import Graded, Judged

CHECKS = registry.load()
SCENARIOS = all_scenarios(Values(1))
T3 = ("broken_chain.server_is_under_the_client", "broken_chain.one_checkout_is_one_trace")
STATIC = "source.spans_are_managed"


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """Return a directory that is no submission: nothing is run for it."""
    path = tmp_path / "nothing"
    path.mkdir()
    return path


def choice_of(*ids: str, groups: Sequence[str] | None = None) -> Choice:
    return Choice(SCENARIOS, selection.only(ids, CHECKS), left_out(quick=False), groups)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["T3"], T3),
        (["T3", T3[0]], T3),
        ([T3[1]], T3[1:]),
        (["t3"], T3),
        (["B3", STATIC], ("baggage.is_sent_on", "baggage.is_on_server_spans", STATIC)),
    ],
)
def test_checks_are_named_by_criteria_and_ids(names: list[str], ids: tuple[str, ...]) -> None:
    assert selection.select(names, CHECKS) == ids


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("T33", "T3"),
        ("server_is_under_client", T3[0]),
        ("broken_chain.one_trace", T3[1]),
        ("broken_chain", f"did you mean {T3[0]} or {T3[1]}?"),
        ("Broken_Chain.*", "a theme"),
        ("privacy", "did you mean privacy.nothing_personal_is_exported?"),
        ("???", "kata-grade --explain B4"),
    ],
)
def test_what_is_unknown_is_answered_with_what_is_nearest(name: str, nearest: str) -> None:
    with pytest.raises(selection.UnknownCheck, match=re.escape(nearest)) as error:
        selection.select(["T1", name], CHECKS)
    assert name in str(error.value)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_all_that_a_check_needs_is_played(check: Check) -> None:
    choice = choice_of(check.id)
    played = [scenario for scenario in SCENARIOS if choice.plays(scenario)]
    if check.needs == ("view",):
        assert played == SCENARIOS
    for need in check.needs:
        if need.startswith("exits_"):
            group = next(g for g, tags in TAGS.items() if need.removeprefix("exits_") in tags)
            assert choice.runs(group)
            assert [s for s in SCENARIOS if s.group == group] == [
                s for s in played if s.group == group
            ]
        elif need not in {"view", "reading"}:
            tagged = [s for s in SCENARIOS if need in s.tags]
            assert tagged
            assert [s for s in played if need in s.tags] == tagged


@pytest.mark.parametrize(
    ("ids", "groups"),
    [
        (T3, {"main"}),
        ([STATIC], set()),
        (["sampling.obeys_the_environment"], {"main", "unsampled"}),
        (["shutdown.process_can_end"], {"leaving"}),
        (["client_spans.show_where_the_time_went"], {"slow"}),
        (["shutdown.sigterm_is_bounded"], {"stuck"}),
    ],
)
def test_no_more_is_played_than_is_needed(ids: Sequence[str], groups: set[str]) -> None:
    choice = choice_of(*ids)
    assert {s.group for s in SCENARIOS if choice.plays(s)} == groups
    assert choice.left_out == []


def test_what_ends_together_is_played_together() -> None:
    """The services that export by default are ended by SIGTERM, after a checkout for that."""
    choice = choice_of("export.is_otlp_by_default")
    group = next(s.group for s in SCENARIOS if "default_exporter" in s.tags)
    together = [s for s in SCENARIOS if s.group == group]
    assert [s for s in SCENARIOS if choice.plays(s)] == together


def test_every_exit_that_is_observed_has_a_tag_in_the_table() -> None:
    known = {tag for tags in TAGS.values() for tag in tags}
    assert {tag for seen in sound().exits for tag in seen.tags} <= known


def test_where_only_some_groups_can_be_played_the_rest_is_left_out() -> None:
    choice = Choice(SCENARIOS, groups={"main"})
    assert {s.group for s in SCENARIOS if choice.plays(s)} == {"main"}
    gone = {check.id for check in CHECKS if check.lacks(choice.left_out)}
    assert {"shutdown.process_can_end", "export.is_otlp_by_default"} <= gone
    assert not gone & {*T3, "errors.failed_calls_show", "submission.answers"}


def seen_by(evidence: Evidence, choice: Choice) -> Evidence:
    """Return what of `evidence` there is where only `choice` is played; ids stand for scenarios."""
    needs = choice._needs
    # What ends is played whole, here as there.
    ends = any(need.startswith("exits_") for need in needs)
    cases = [
        case
        for case in evidence.cases
        if "view" in needs or needs.intersection(case.tags) or (ends and "exit" in case.tags)
    ]
    exits = [
        e for e in evidence.exits if "view" in needs or needs & {f"exits_{tag}" for tag in e.tags}
    ]
    names = {case.name for case in cases}
    gone = {(e.callee, e.port) for e in evidence.exchanges if e.case not in names}
    started = [s for s in evidence.started if (s.handler, s.cause) not in gone]
    ids = {span.span_id for span in started}
    return replace(
        evidence,
        cases=cases,
        exits=exits,
        exchanges=[e for e in evidence.exchanges if e.case in names],
        started=started,
        ended=[e for e in evidence.ended if e.span_id in ids],
        spans=[s for s in evidence.spans if s.span.span_id in ids],
    )


@pytest.mark.parametrize("evidence", [sound(), planted(*BROKEN)], ids=["sound", "broken"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_says_the_same_alone(check: Check, evidence: Evidence) -> None:
    alone = seen_by(evidence, choice_of(check.id))
    together = run_check(View(evidence), check)
    found = run_check(View(alone), check)
    assert (found.status, found.message) == (together.status, together.message)


def test_a_criterion_that_is_judged_in_part_has_not_passed() -> None:
    """F4 is judged by this check of T1, and by others."""
    [check] = [check for check in CHECKS if check.id == "orphans.continues_the_trace"]
    assert {"T1", "F4"} <= {*check.criteria}
    verdict = judge(View(replace(sound(), only=[check.id])), CHECKS)
    assert [result.check for result in verdict.results] == [check]
    assert verdict.criteria["T1"] == "passed"
    assert verdict.criteria["F4"] == "not_run"
    assert verdict.outcome == "passed"


def test_a_criterion_that_fails_in_part_has_failed() -> None:
    evidence = replace(planted(*BROKEN), only=["propagation.sends_traceparent"])
    assert judge(View(evidence), CHECKS).criteria["F4"] == "failed"


@pytest.mark.parametrize("known", [[], ["submission.runs"]])
def test_what_judged_nothing_is_no_pass(known: list[str]) -> None:
    graded = judge_evidence("mine", replace(sound(), only=[*known, "no.such_check"]), CHECKS)
    assert graded.verdict == "error"
    assert "no.such_check" in graded.error


def in_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = run("--format", "json", *arguments)
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


@pytest.mark.fixtures
def test_only_what_is_needed_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--only", T3[0], "--only", f"{T3[1]},shutdown.process_can_end"]
    code, told, _ = in_json(capsys, REFERENCE, *options, "--evidence", tmp_path)
    assert code == 0
    assert told["partial"]
    assert {check["id"] for check in told["checks"]} == {*T3, "shutdown.process_can_end"}
    assert told["criteria"]["T3"] == "passed"
    assert told["criteria"]["F1"] == told["criteria"]["C7"] == "not_run"
    assert told["lint"] == told["advice"] == []
    [file] = tmp_path.iterdir()
    evidence = store.read(file)
    assert {case.name for case in evidence.cases if "interleaved" not in case.name} == {
        s.name for s in SCENARIOS if {"success", "retried"} & {*s.tags} or s.group == "leaving"
    }
    assert {start.host for start in evidence.starts} == {"main", "leaving"}
    assert {tag for seen in evidence.exits for tag in seen.tags} == {*TAGS["leaving"]}
    assert evidence.reading is None
    code, again, _ = in_json(capsys, "--regrade", tmp_path)
    assert (code, again["partial"]) == (0, True)
    assert again["criteria"] == told["criteria"]


def test_what_keeps_them_from_being_judged_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, _ = broken(tmp_path / "mine", IMPORT, "raise ImportError('broken on purpose')")
    code, told, _ = in_json(capsys, mine, "--only", "T3")
    assert code == 1
    statuses = {check["id"]: check["status"] for check in told["checks"]}
    assert statuses == {"submission.runs": "failed", **dict.fromkeys(T3, "blocked")}
    assert "broken on purpose" in told["checks"][0]["message"]


def test_the_text_says_that_it_is_partial(
    nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(nothing, "--only", T3[0]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "failed, as far as was asked" in said
    assert f"partial: judged only {T3[0]}" in said
    assert "criteria passed" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "T33"], "nearest: T3"),
        (["--only", ","], "names no check"),
        (["--only", "shutdown.sigterm_is_bounded", "--quick"], "--quick leaves out"),
        (["--only", "T3", "--regrade", "."], "--only and --regrade"),
        (["--failed", "--regrade", "."], "--failed and --regrade"),
        (["--failed", "--each", "."], "--failed and --each"),
        (["--failed", "."], "2 are named"),
        (["--watch", "."], "2 are named"),
        (["--watch", "--format", "json"], "--format json"),
        (["--watch", "--output", "report.txt"], "--watch and --output"),
        (["--watch", "--engine", "dask"], "--engine"),
        (["--in-process"], "pytest --submission=PATH --in-process --pdb"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    arguments: list[str], message: str, nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, nothing) == 2
    assert message in capsys.readouterr().err


def test_a_partial_result_is_not_kept(tmp_path: Path) -> None:
    partial = Graded(submission="theirs", verdict="passed", seed=1, only=T3)
    Cache(tmp_path).keep("a", partial)
    assert Cache(tmp_path).find("a") is None


def test_a_partial_batch_does_not_stand_for_a_whole_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path / "class", 2)
    options = [*paths, "--cache", tmp_path / "kept", "--resume"]
    _, partly, _ = in_json(capsys, *options, "--only", "T3")
    assert all(told["partial"] for told in partly)
    assert {len(told["checks"]) for told in partly} == {3}
    _, whole, said = in_json(capsys, *options)
    assert not any(told["partial"] for told in whole)
    assert {len(told["checks"]) for told in whole} == {len(CHECKS)}
    assert "nothing to go on with" in said
    _, partly, _ = in_json(capsys, *options, "--only", "T3")
    assert {len(told["checks"]) for told in partly} == {3}


def test_where_nothing_is_known_all_is_graded(
    nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [nothing, "--failed", "--cache", tmp_path / "kept"]
    code, told, said = in_json(capsys, *options)
    assert code == 1
    assert len(told["checks"]) == len(CHECKS)
    assert "nothing is known of an earlier grading" in said
    _, _, said = in_json(capsys, *options)
    assert said == ""


def result(*statuses: tuple[str, CheckStatus], only: tuple[str, ...] = ()) -> Graded:
    checks = [
        Judged(
            id=name,
            title="",
            criteria=(),
            bonus=False,
            status=status,
            message="",
            why="",
            fix="",
            trace=None,
            location=None,
            duration_s=0.0,
        )
        for name, status in statuses
    ]
    return Graded(submission="x", verdict="failed", seed=1, checks=tuple(checks), only=only)


def test_what_failed_is_graded_again_alone(
    nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    Last(str(nothing), kept).note(
        result((T3[0], "passed"), (T3[1], "blocked"), (STATIC, "failed"), ("gone.check", "failed"))
    )
    _, told, said = in_json(capsys, nothing, "--failed", "--cache", kept)
    assert {check["id"] for check in told["checks"]} == {T3[1], STATIC, "submission.runs"}
    assert said == ""


def test_where_nothing_failed_all_is_graded(
    nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    Last(str(nothing), kept).note(result((T3[0], "passed")))
    _, told, said = in_json(capsys, nothing, "--failed", "--cache", kept)
    assert len(told["checks"]) == len(CHECKS)
    assert "nothing failed when" in said


def test_a_partial_grading_leaves_standing_what_it_did_not_judge(tmp_path: Path) -> None:
    last = Last("mine", tmp_path)
    last.note(result(("a", "failed"), ("b", "failed"), ("c", "passed")))
    last.note(result(("a", "passed"), only=("a",)))
    assert last.failed() == ("b",)
    last.note(result(("a", "passed"), ("b", "passed")))
    assert last.statuses() == {"a": "passed", "b": "passed"}
    assert Last(str(Path("mine").resolve()), tmp_path).statuses() == last.statuses()
    assert Last("other", tmp_path).statuses() == {}


def test_what_was_kept_of_a_path_and_is_damaged_is_not_known(tmp_path: Path) -> None:
    last = Last("mine", tmp_path)
    last.note(result(("a", "failed")))
    [file] = (tmp_path / "last").iterdir()
    file.write_text("{")
    assert last.failed() == ()


def test_no_more_paths_are_known_than_may_be(tmp_path: Path) -> None:
    for number in range(PATHS_LIMIT + 3):
        (tmp_path / "last").mkdir(exist_ok=True)
        (tmp_path / "last" / f"{number}.json").write_text("{}")
    Last("mine", tmp_path).note(result(("a", "failed")))
    assert len([*(tmp_path / "last").iterdir()]) == PATHS_LIMIT
    assert Last("mine", tmp_path).failed() == ("a",)
