"""Reports say what a verdict is: the same bytes for the same verdict, and strict JSON."""

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from evidence_builder import id_of, leak, planted, sound
from rich.console import Console

from otelkata.check import SOUND, CaseView, Fault, Unjudged, View
from otelkata.evidence.model import Evidence, Reading, Remark
from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.finding import Finding
from otelkata.judge.registry import Check
from otelkata.judge.verdict import judge
from otelkata.report import text
from otelkata.report.faults import urgency
from otelkata.report.graded import Graded, failure, to_json
from otelkata.report.graded import graded as results_of
from otelkata.report.text import WIDE
from otelkata.report.words import TEXT_LIMIT, cut

GOLDEN = Path(__file__).parent / "golden"
LONG = "A very long story about what went wrong. " * 200


def a_check(name: str, *criteria: str, finding: Finding | Exception) -> Check:
    def function(view: View) -> "list[Finding]":
        if isinstance(finding, Exception):
            raise finding
        return [finding]

    return Check(
        id=f"theme.{name}",
        title=f"What {name.replace('_', ' ')} means is said in one line.",
        criteria=criteria,
        why="It matters because someone has to find out at night why a checkout took so long, "
        "with nothing but the trace.",
        fix="Write `with tracer.start_as_current_span(name)` around it.",
        needs=("view",),
        function=function,  # type: ignore[arg-type]
        path="theme.py",
        line=1,
    )


def graded(evidence: Evidence | None = None, *, everything_passes: bool = False) -> Graded:
    view = View(evidence or sound())
    case = view.cases["success"]
    checks = [a_check("sound_thing", *CRITERIA, finding=SOUND)]
    if not everything_passes:
        checks += faulty_checks(case)
    verdict = judge(view, checks)
    results = [
        replace(result, duration_s=0.25, message=_without_paths(result.message))
        for result in verdict.results
    ]
    report = results_of("work/mine", view, replace(verdict, results=results))
    return msgspec.structs.replace(
        report, seed=42, duration_s=1.25, advice=(*_of_the_linter(report), "read the trace")
    )


def _of_the_linter(report: Graded) -> tuple[str, ...]:
    # What a check that crashes says has paths of this machine in it.
    return tuple(said for said in report.advice if "OTK" in said)


def faulty_checks(case: CaseView) -> list[Check]:
    spans = tuple(span for span in case.spans if span.id == id_of("success/payment"))
    entry = case.entry
    return [
        a_check("bonus_thing", "B1", finding=Fault("no event", case, spans)),
        a_check("wrong_thing", "T3", "F4", finding=Fault("payment\nis lost", case, spans, entry)),
        a_check("api", finding=Fault("it answered 500", path="checkout/app.py", line=12)),
        a_check("hidden_thing", "C1", finding=Unjudged("the process had ended")),
        a_check("other_hidden_thing", "C2", finding=Unjudged("the process had ended")),
        a_check("odd_thing", "C3", finding=ZeroDivisionError("division by zero")),
    ]


def _without_paths(message: str) -> str:
    return message.splitlines()[-1] if message.startswith("Traceback") else message


def as_text(report: Graded, width: int = 80) -> str:
    file = io.StringIO()
    text.write(report, Console(file=file, width=width, no_color=True, highlight=False))
    return "".join(line.rstrip() + "\n" for line in file.getvalue().splitlines())


def assert_golden(name: str, content: str) -> None:
    """Compare with a golden file; KATA_GOLDEN=write writes it anew, to be looked at in the diff."""
    path = GOLDEN / name
    if os.environ.get("KATA_GOLDEN") == "write":
        path.write_text(content, "utf-8")
    assert content == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("failed.txt", graded()),
        ("passed.txt", graded(everything_passes=True)),
        ("partial.txt", graded(replace(sound(), left_out=["x_y"]), everything_passes=True)),
        ("error.txt", failure("work/mine", 42, "the interpreter cannot be run")),
    ],
)
def test_the_text_is_as_it_was(name: str, report: Graded) -> None:
    assert_golden(name, as_text(report))


def test_the_json_is_as_it_was() -> None:
    assert_golden("failed.json", json.dumps(to_json(graded()), indent=2, allow_nan=False) + "\n")


@pytest.mark.parametrize(
    ("report", "verdict", "partial"),
    [
        (graded(), "error", False),
        (graded(everything_passes=True), "passed", False),
        (graded(replace(sound(), left_out=["x"]), everything_passes=True), "passed", True),
        (failure("work/mine", 42, "it broke"), "error", False),
    ],
)
def test_the_json_has_the_keys_of_the_contract(
    report: Graded, verdict: str, *, partial: bool
) -> None:
    found = to_json(report)
    assert [*found] == [
        "schema_version",
        "submission",
        "verdict",
        "criteria",
        "seed",
        "partial",
        "score",
        "checks",
        "lint",
        "advice",
        "isolation",
        "duration_s",
    ]
    assert (found["schema_version"], found["submission"], found["seed"]) == (1, "work/mine", 42)
    assert (found["verdict"], found["partial"]) == (verdict, partial)
    for check in found["checks"]:
        assert [*check] == [
            "id",
            "criteria",
            "bonus",
            "status",
            "message",
            "why",
            "fix",
            "trace",
            "location",
            "duration_s",
        ]
        assert "\n" not in check["message"]


@pytest.mark.parametrize(
    "report", [graded(everything_passes=True), failure("work/mine", 42, "it broke")]
)
def test_every_criterion_has_a_status(report: Graded) -> None:
    """Also where the grader failed: who reads the report looks each of them up."""
    assert {*to_json(report)["criteria"]} == {*CRITERIA}


def test_what_the_linter_says_is_listed_where_it_fails_a_criterion() -> None:
    remarks = [
        Remark("OTK101", "span-not-ended", "checkout/a.py", 3, 5, "is not ended", ["C2"], []),
        Remark("OTK501", "value-in-span-name", "checkout/b.py", 7, 9, "holds x", [], []),
    ]
    evidence = replace(sound(), reading=Reading(remarks=remarks, unread=[]))
    found = to_json(graded(evidence, everything_passes=True))
    assert found["lint"] == [
        {
            "code": "OTK101",
            "path": "work/mine/checkout/a.py",
            "line": 3,
            "column": 5,
            "message": "is not ended",
        }
    ]
    assert any("OTK501" in said for said in found["advice"])
    assert not any("OTK101" in said for said in found["advice"])


def test_a_location_is_a_path_that_the_reader_can_open() -> None:
    places = {check["id"]: check["location"] for check in to_json(graded())["checks"]}
    assert places["theme.api"] == {"path": "work/mine/checkout/app.py", "line": 12}
    assert places["theme.wrong_thing"] == {"path": "work/mine/checkout.py", "line": 7}
    assert places["theme.sound_thing"] is None


@pytest.mark.parametrize(
    ("length", "kept"), [(0, 0), (TEXT_LIMIT, TEXT_LIMIT), (TEXT_LIMIT + 1, TEXT_LIMIT)]
)
def test_a_long_text_is_cut(length: int, kept: int) -> None:
    shown = cut("x" * length)
    assert shown.count("x") == kept
    assert shown.endswith("(cut)") == (length > kept)


def test_what_a_submission_says_at_length_is_cut_in_both_reports() -> None:
    view = View(sound())
    fault = a_check("long_thing", "F1", finding=Fault(LONG, view.cases["success"]))
    report = results_of("work/mine", view, judge(view, [fault]))
    assert len(to_json(report)["checks"][0]["message"]) < TEXT_LIMIT + 20
    assert as_text(report).count("story") < LONG.count("story")


@pytest.mark.parametrize("hostile", ["[red]", "[/red]", "[link=x]", "\x1b[31m", "\ud800", "\x00"])
def test_what_a_submission_says_is_shown_as_text(hostile: str) -> None:
    """Neither markup nor control sequences reach the terminal."""
    view = View(sound())
    fault = a_check("odd_thing", "F1", finding=Fault(f"said {hostile} to us", path=hostile))
    report = results_of("work/mine", view, judge(view, [fault]))
    shown = as_text(report)
    assert "\x1b" not in shown
    assert "\x00" not in shown
    shown.encode("utf-8")
    if hostile.startswith("["):
        assert f"said {hostile} to us" in shown
    json.dumps(to_json(report), allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(("width", "columns"), [(WIDE, 2), (WIDE - 1, 1)])
def test_the_checklist_has_two_columns_where_there_is_room(width: int, columns: int) -> None:
    (line,) = [line for line in as_text(graded(), width).splitlines() if "F1  spans" in line]
    assert line.count("✓") == columns


def on_a_terminal(report: Graded, height: int, width: int = 80) -> str:
    file = io.StringIO()
    text.write(report, Console(file=file, width=width, height=height, force_terminal=True))
    return file.getvalue()


def test_on_a_small_screen_the_checklist_names_what_has_passed_in_one_line() -> None:
    shown = on_a_terminal(graded(everything_passes=True), 24)
    assert len(shown.splitlines()) < 24
    assert " ".join(CRITERIA) in shown
    assert "spans are exported" in on_a_terminal(graded(everything_passes=True), 60)
    assert "no broken chain" in on_a_terminal(graded(), 24)


def test_what_to_do_first_is_said_first_and_last() -> None:
    lines = as_text(graded()).splitlines()
    assert "it answered 500" in lines[3]
    assert "next: contract" in "".join(lines[-2:])
    assert "next:" not in as_text(graded(everything_passes=True))


def test_where_only_bonus_is_left_that_is_said() -> None:
    report = msgspec.structs.replace(graded(), verdict="passed")
    assert "What is left is bonus; do this first" in as_text(report)
    assert "What is left is bonus" not in as_text(graded())


def test_a_place_can_be_opened_in_a_terminal_where_the_file_exists(tmp_path: Path) -> None:
    (tmp_path / "my checkout.py").write_text("")
    view = View(sound())
    missing = "not/there.py"
    checks = [
        a_check("there", "F1", finding=Fault("here", path="my checkout.py", line=3)),
        a_check("missing", "F2", finding=Fault("here", path=missing, line=4)),
    ]
    shown = on_a_terminal(results_of(str(tmp_path), view, judge(view, checks)), 60, 400)
    assert f"{tmp_path.as_uri()}/my%20checkout.py#3" in shown
    assert missing in shown
    assert f"{missing}#4" not in shown


def test_what_never_ends_is_told_before_what_it_makes_others_miss() -> None:
    call = "success/gateway>payment"
    view = View(planted(leak(call)))
    told = results_of("s", view, judge(view, registry.load()))
    first = min((c for c in told.checks if c.status == "failed"), key=urgency)
    assert first.id == "leaks.every_span_ends"
