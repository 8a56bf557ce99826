"""A worker that is killed takes nobody's result with it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import Hanging, Marked, hanging, nothings, open_folder, run, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what runs")

KILLED = "the grader's process ended while it ran it"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that every user can get through."""
    with open_folder() as made:
        yield made


@pytest.fixture
def marked(folder: Path) -> Iterator[Marked]:
    """Return what the processes of a test share; at its end none is left that could still write."""
    made = Marked(folder / "scratch")
    yield made
    made.wait_for_end()


def kill_worker_of(hangs: Hanging, marked: Marked, times: int) -> str:
    """Kill the only worker as often as it runs the submission; return the last keeper."""
    keeper = ""
    for _ in range(times):
        keeper = hangs.keeper(after=keeper)
        [worker] = marked.find("otelkata.batch.worker")
        os.kill(worker, signal.SIGKILL)
    return keeper


def test_one_that_kills_its_worker_twice_is_an_error_and_no_other_is(
    folder: Path, marked: Marked
) -> None:
    others = nothings(folder / "class", 8)
    with hanging(folder) as hangs:
        arguments = [hangs.path, *others, "--isolation", "process", "--jobs", "1"]
        arguments += ["--cache", folder / "kept"]
        with started(*arguments, **marked.environment) as grader:
            keeper = kill_worker_of(hangs, marked, times=2)
            shown = grader.rest()
        assert grader.process.returncode == 3
        assert f"! {hangs.path}  {KILLED}" in shown
        assert shown.count("this folder is empty") == len(others)
        assert "9 submissions: 0 passed, 8 failed, 1 error" in shown
        # An error is neither kept nor gone on with: it is run again.
        with started(*arguments, "--resume", **marked.environment) as again:
            told = [again.line() for _ in others]
            assert all(line.endswith("(from before)") for line in told)
            hangs.keeper(after=keeper)


def test_one_that_was_there_once_when_its_worker_died_is_graded(
    folder: Path, marked: Marked
) -> None:
    others = nothings(folder / "class", 3)
    with hanging(folder) as hangs:
        arguments = [hangs.path, *others, "--isolation", "process", "--jobs", "1", "--quick"]
        with started(*arguments, **marked.environment) as grader:
            hangs.keeper()
            # What is run again is another content: it does not hang.
            (hangs.path / "checkout.py").write_text("")
            [worker] = marked.find("otelkata.batch.worker")
            os.kill(worker, signal.SIGKILL)
            shown = grader.rest()
    assert "4 submissions: 0 passed, 4 failed, 0 error" in shown
    assert KILLED not in shown


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ('#!/bin/sh\nexec {python} -S "$@"\n', 3, "has no module"),
        ("#!/bin/sh\nexit 7\n", 3, "ended with status 7"),
        (None, 2, "cannot be run"),
    ],
    ids=["lacks modules", "ends at once", "is none"],
)
def test_an_interpreter_that_can_host_nothing_is_told_once(
    script: str | None, code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    if script is not None:
        python.write_text(script.format(python=sys.executable))
        python.chmod(0o755)
    nothings(tmp_path / "class", 3)
    assert run("--each", tmp_path / "class", "--jobs", 2, "--python", python) == code
    shown = capsys.readouterr()
    assert shown.err.count(message) == 1
    assert "Traceback" not in shown.err
