"""`kata-grade --watch`: what is saved is graded again, and what changed is told first."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from batches import hanging, open_folder
from event_loop import in_event_loop
from evidence_builder import lose, planted, sound
from rich.console import Console
from terminal import Terminal, terminal

from otelkata.cli.guard import INTERRUPTED
from otelkata.evidence.model import Evidence
from otelkata.grade import judge_evidence
from otelkata.judge import registry
from otelkata.report import again
from otelkata.report.graded import failure

pytest.importorskip("watchfiles")

from watchfiles import Change

from otelkata.cli.watch import CannotWatch, Saves, lasting

STATIC = "source.spans_are_managed"
"""A check for which nothing has to be run."""

LEAKS = """
from opentelemetry import trace
tracer = trace.get_tracer("checkout")
def handle():
    span = tracer.start_span("handle")
    span.set_attribute("some", 1)
"""
ENDS = """
from opentelemetry import trace
tracer = trace.get_tracer("checkout")
def handle():
    with tracer.start_as_current_span("handle") as span:
        span.set_attribute("some", 1)
"""
WATCHING = "Ctrl-C ends it"
NAMED_PIPES = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="waits for a host by a named pipe"
)


@contextmanager
def watching(path: Path, *options: str) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "otelkata.cli.grade", "--watch", *options, str(path)]
    with terminal(command, path.parent) as shown:
        yield shown


def test_a_save_turns_a_check_red_and_another_one_green(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    source = mine / "checkout.py"
    source.write_text(ENDS)
    with watching(mine, "--only", STATIC) as shown:
        first = shown.until(WATCHING)
        assert f"✓ {mine}: passed, as far as was asked" in first
        source.write_text(LEAKS)
        shown.until("saved: checkout.py")
        red = shown.until(WATCHING)
        assert red.index("turned red") < red.index("Do this next:") < red.index("checkout.py:5")
        assert "turned green" not in red
        source.write_text(ENDS)
        shown.until("saved: checkout.py")
        green = shown.until(WATCHING)
        assert "turned green  C2" in green
        assert "Do this next" not in green
        source.write_text(f"{ENDS}# and a remark\n")
        shown.until("saved: checkout.py")
        assert again.NOTHING_CHANGED in shown.until(WATCHING)
        shown.type("\x03")
        assert shown.end() == INTERRUPTED
    assert f"no longer watching {mine}" in shown.shown
    assert "Traceback" not in shown.shown


def test_what_an_editor_renames_is_not_told_as_saved(tmp_path: Path) -> None:
    """`sed -i` and many editors write to a new file first."""
    source, passing, gone = (str(tmp_path / name) for name in ("it.py", "sedAbC", "gone.py"))
    Path(source).touch()
    saved = {(Change.added, passing), (Change.deleted, passing), (Change.added, source)}
    assert lasting(saved) == {source}
    assert lasting({*saved, (Change.deleted, gone)}) == {source, gone}
    assert lasting({(Change.added, passing)}) == {passing}


def test_what_no_grading_sees_begins_none(tmp_path: Path) -> None:
    mine = tmp_path / "venv" / "mine"
    for folder in ("__pycache__", ".venv", "node_modules/x"):
        (mine / folder).mkdir(parents=True)
    (mine / "checkout.py").write_text(ENDS)
    with watching(mine, "--only", STATIC) as shown:
        shown.until(WATCHING)
        for ignored in ("__pycache__/a.py", ".venv/b.py", "node_modules/x/c.js", "d.py~"):
            (mine / ignored).write_text("saved")
        # That lies in a folder of dependencies itself is no reason to ignore the rest.
        (mine / "seen.py").write_text("saved = 1\n")
        shown.until("saved: seen.py")
        shown.until(WATCHING)
        shown.type("\x03")
        assert shown.end() == INTERRUPTED
    assert shown.shown.count("saved: ") == 1


@contextmanager
def in_the_middle() -> Iterator[tuple[Path, Terminal]]:
    """Watch a submission that is being graded, and would be for a while."""
    # In a stronger isolation it could tell nobody that it runs.
    options = ["--isolation", "process", "--only", "submission.runs", "--quick"]
    with (
        open_folder() as folder,
        hanging(folder) as submission,
        watching(submission.path, *options) as shown,
    ):
        submission.keeper()
        yield submission.path, shown


@NAMED_PIPES
def test_a_save_in_the_middle_of_a_grading_begins_anew() -> None:
    with in_the_middle() as (mine, shown):
        (mine / "checkout.py").write_text("raise ImportError('the second one')\n")
        assert WATCHING not in shown.until("saved: checkout.py")
        told = shown.until(WATCHING)
        assert "the second one" in told
        assert "did not come up" not in told
        shown.type("\x03")
        assert shown.end() == INTERRUPTED


@NAMED_PIPES
def test_ctrl_c_in_the_middle_of_a_grading_ends_it() -> None:
    with in_the_middle() as (_, shown):
        shown.type("\x03")
        assert shown.end() == INTERRUPTED
    assert "Traceback" not in shown.shown


LIMIT = OSError("the limit of watches is reached")


@pytest.mark.parametrize("error", [LIMIT, ExceptionGroup("of tasks", [LIMIT]), None])
@in_event_loop
async def test_where_saves_are_seen_no_more_nobody_waits_for_them(
    error: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def awatch(folder: Path, **_: object) -> AsyncIterator[set[tuple[Change, str]]]:
        yield {(Change.modified, str(folder / "checkout.py"))}
        await failing.wait()
        if error:
            raise error

    failing = asyncio.Event()
    monkeypatch.setattr("otelkata.cli.watch.awatch", awatch)
    async with Saves(tmp_path) as saves:
        await saves.wait()
        assert saves.take() == ["checkout.py"]
        waiting = asyncio.create_task(saves.wait())
        failing.set()
        for again in (waiting, saves.wait()):
            with pytest.raises(CannotWatch) as told:
                await again
            assert (str(LIMIT) in str(told.value)) is bool(error)


@pytest.mark.parametrize("when", ["at once", "later"])
def test_where_saves_cannot_be_watched_it_says_so_and_what_to_do(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from test_cli import run  # noqa: PLC0415 (its module reads much that no other test here needs)

    async def awatch(*_: object, **__: object) -> AsyncIterator[set[tuple[Change, str]]]:
        if when == "later":
            await asyncio.sleep(0)
        raise LIMIT
        yield set()

    monkeypatch.setattr("otelkata.cli.watch.awatch", awatch)
    (tmp_path / "checkout.py").write_text(ENDS)
    assert run("--watch", tmp_path, "--only", STATIC) == 3
    said = capsys.readouterr().err
    assert f"saves cannot be watched: {LIMIT}" in said
    assert "leave out --watch" in said
    assert "Traceback" not in said


def told(evidence: Evidence, before: Evidence) -> str:
    """Return what is told of `evidence` after `before`."""
    checks = registry.load()
    earlier = judge_evidence("mine", before, checks)
    console = Console(file=StringIO(), width=200)
    known = {check.id: check.status for check in earlier.checks}
    again.write(judge_evidence("mine", evidence, checks), known, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


BROKEN = planted(lose("success/payment"))


def test_what_turned_green_is_told_before_what_turned_red() -> None:
    other = planted(lose("success/gateway>inventory"))
    said = told(other, BROKEN)
    lines = [line for line in said.splitlines() if "turned" in line or "now " in line]
    turned = [line.split("  ")[0] for line in lines]
    assert turned == sorted(turned, key=lambda words: "green" not in words)
    assert {words.split(" ", 1)[1] for words in turned} >= {"turned green", "turned red"}
    assert said.index(lines[-1]) < said.index("Do this next:")


def test_only_what_was_known_before_can_have_changed() -> None:
    partly = replace(sound(), only=["submission.runs"])
    assert again.NOTHING_CHANGED in told(BROKEN, partly)


def test_what_could_not_be_judged_is_told_where_nothing_failed() -> None:
    silent = replace(sound(), only=["client_spans.one_per_request"], cases=[], exchanges=[])
    said = told(silent, sound())
    assert "turned red" in said
    assert "Could not be judged:" in said


def test_a_failure_of_the_grader_is_told_as_such() -> None:
    console = Console(file=StringIO(), width=200)
    again.write(failure("mine", 1, "the interpreter has ended"), {}, console)
    assert isinstance(console.file, StringIO)
    assert "the interpreter has ended" in console.file.getvalue()


def test_without_the_library_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from test_cli import run  # noqa: PLC0415 (its module reads much that no other test here needs)

    monkeypatch.delitem(sys.modules, "otelkata.cli.watch", raising=False)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert run("--watch", tmp_path) == 2
    assert "pip install 'otelkata[grade]'" in capsys.readouterr().err
