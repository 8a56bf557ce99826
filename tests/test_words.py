"""What is said of ends, probes and counts is said in words."""

import msgspec
import pytest
from evidence_builder import planted, sound
from results import PASSED, a_check

from otelkata.debug.in_process import NO_GRADE_AND_WHY, notice
from otelkata.evidence.model import Exit
from otelkata.judge.verdict import CheckStatus
from otelkata.judge.view import View
from otelkata.judge.words import counted
from otelkata.report.graded import Graded
from otelkata.report.text import summary


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shutdown_tracer_pending", "shutdown_tracer while a span is still to be exported"),
        ("shutdown_tracer_hanging", "shutdown_tracer while the exporter hangs"),
        ("process", "the end of the process after all shutdowns"),
        ("lifespan.payment", "lifespan shutdown of payment"),
        ("lifespan_hanging.gateway", "lifespan shutdown of gateway while its exporter hangs"),
        ("sigterm.inventory", "SIGTERM to inventory"),
        ("sigterm_hanging.inventory", "SIGTERM to inventory while the collector hangs"),
    ],
)
def test_an_end_is_said_in_words(name: str, words: str) -> None:
    assert str(Exit(name, [], [], 1.0, None)) == words


@pytest.mark.parametrize("seen", sound().exits, ids=lambda seen: seen.name)
def test_every_end_has_words(seen: Exit) -> None:
    assert "_" not in str(seen).replace("shutdown_tracer", "")


def test_a_span_that_the_grader_started_is_called_that() -> None:
    probes = [span for span in View(planted()).spans if span.is_probe]
    assert probes
    for span in probes:
        words = f"a span that the grader started through the tracer of {span.service}"
        assert str(span) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 queries"), (1, "1 query"), (2, "2 queries")])
def test_what_is_counted_has_the_word_for_so_many(number: int, words: str) -> None:
    assert counted(number, "query", "queries") == words


@pytest.mark.parametrize("columns", ["40", "80"])
def test_the_notice_of_in_process_is_wrapped_at_words(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = notice()
    assert max(map(len, lines)) < int(columns)
    assert " ".join(lines) == NO_GRADE_AND_WHY


PASS: list[CheckStatus] = ["passed"]


def some_checks(*statuses: CheckStatus, asked: int, extra: int = 0) -> Graded:
    judged = [a_check(f"check_{n}", "T3", status=status) for n, status in enumerate(statuses)]
    beside = [a_check(f"contract_{n}", status="failed") for n in range(extra)]
    only = [check.id for check in judged] + [f"theme.left_out_{n}" for n in range(asked)]
    return msgspec.structs.replace(
        PASSED, checks=(*beside, *judged), only=tuple(only[:asked]), left_out=("sigterm",)
    )


@pytest.mark.parametrize(
    ("graded", "told"),
    [
        (
            some_checks(*PASS * 7, "failed", "blocked", asked=11),
            [
                "7 of the 9 checks that were judged passed",
                "judged only 9 of the 11 checks that were asked for",
            ],
        ),
        (
            some_checks("passed", "failed", asked=2, extra=1),
            [
                "1 of the 2 checks that were judged passed, and 1 of the contract failed",
                "judged only theme.check_0, theme.check_1",
            ],
        ),
        (
            some_checks(*PASS * 6, asked=6),
            ["6 of the 6 checks that were judged passed", "judged only 6 checks"],
        ),
    ],
)
def test_the_counts_of_a_run_for_some_checks_are_of_the_same_checks(
    graded: Graded, told: list[str]
) -> None:
    shown = summary(graded).plain
    for words in told:
        assert words in shown
