"""A batch that is cut short has lost nothing, and nothing is left of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import Marked, hanging, nothings, open_folder, run, started
from submissions import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what runs")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that every user can get through."""
    with open_folder() as made:
        yield made


EMPTY = "this folder is empty"


def names(output: str, mark: str) -> set[str]:
    """Return the submissions of the lines that end with `mark`."""
    lines = [line for line in output.splitlines() if line.endswith(mark)]
    return {word for line in lines for word in line.split() if "student" in word}


@pytest.mark.parametrize("seen", [1, 5, 17])
def test_a_killed_grader_loses_no_result_that_it_has_told(
    seen: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(tmp_path / "class", 20)
    # Without what is kept of every batch: what is found again comes from this one's journal.
    arguments = ["--each", tmp_path / "class", "--jobs", "2", "--no-cache"]
    with started(*arguments) as grader:
        told = [grader.line() for _ in range(seen)]
        grader.send(signal.SIGKILL)
        told += grader.rest().splitlines()
    assert run(*arguments, "--resume") == 1
    shown = capsys.readouterr().out
    assert names("\n".join(told), EMPTY) <= names(shown, "(from before)")
    assert names(shown, EMPTY) | names(shown, "(from before)") == {str(p) for p in paths}
    assert f"{len(paths)} submissions: 0 passed, {len(paths)} failed" in shown


def test_without_resume_the_same_batch_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path / "class", 2)
    arguments = ["--each", tmp_path / "class", "--no-cache"]
    run(*arguments)
    run(*arguments)
    assert "from before" not in capsys.readouterr().out


def test_another_batch_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothings(tmp_path / "class", 2)
    run("--each", tmp_path / "class", "--no-cache", "--seed", 1)
    run("--each", tmp_path / "class", "--no-cache", "--seed", 2, "--resume")
    shown = capsys.readouterr()
    assert "from before" not in shown.out
    assert "there is nothing to go on with" in shown.err


def test_nothing_outlives_a_grader_that_is_killed(folder: Path) -> None:
    marked = Marked(folder / "scratch")
    nothings(folder / "class", 1)
    with hanging(folder / "class") as hangs:
        arguments = ["--each", folder / "class", "--jobs", "2", "--isolation", "process"]
        with started(*arguments, **marked.environment) as grader:
            hangs.keeper()
            assert len(marked.find("otelkata.batch.worker")) == 2
            assert marked.find("_otelkata_host")
            assert marked.find("otelkata.lint.submission")
            grader.send(signal.SIGKILL)
            grader.process.wait()
            marked.wait_for_end()
    assert [*(folder / "scratch").iterdir()] == []


def test_ctrl_c_ends_everything_and_says_how_to_go_on(folder: Path) -> None:
    marked = Marked(folder / "scratch")
    nothings(folder / "class", 1)
    with hanging(folder / "class") as hangs:
        arguments = ["--each", folder / "class", "--isolation", "process", "--no-cache"]
        with started(*arguments, **marked.environment) as grader:
            told = grader.line()
            hangs.keeper()
            grader.send(signal.SIGINT)
            rest = grader.rest()
            marked.wait_for_end()
    assert grader.process.returncode == 130
    assert "student01" in told
    assert rest == "kata-grade was interrupted; --resume goes on with this batch\n"


def test_who_reads_a_source_ends_with_the_linter(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.py")
    command = [sys.executable, "-P", "-m", "otelkata.lint.submission"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as linter:
        orders = json.dumps({"number": 1, "folder": str(tmp_path), "limit": PATIENCE})
        assert linter.stdin is not None
        linter.stdin.write(orders.encode() + b"\n")
        linter.stdin.flush()
        # It can be opened when somebody reads it, who would wait for what is never written.
        read = os.open(tmp_path / "endless.py", os.O_WRONLY)
        linter.stdin.close()
        assert linter.wait(PATIENCE) == 0
    with pytest.raises(BrokenPipeError):
        os.write(read, b"x")
    os.close(read)
