"""`kata-grade`: options, exit codes, and reports that are there whole or not at all."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence_builder import lose, planted, sound
from terminal import ESCAPES

from otelkata import __version__
from otelkata.cli.grade import main
from otelkata.cli.guard import NOBODY_READS
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.judge import registry

REFERENCE = Path(__file__).parents[1] / "reference_solution"
COMMAND = [sys.executable, "-m", "otelkata.cli.grade"]


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """Return a directory that is no submission: graded without running anything."""
    path = tmp_path / "nothing"
    path.mkdir()
    return path


def kept(folder: Path, **evidence: Evidence | bytes) -> Path:
    """Return `folder` with files of evidence in it."""
    folder.mkdir(exist_ok=True)
    for name, content in evidence.items():
        path = folder / f"{name}.evidence.json.gz"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            store.write(content, path)
    return folder


def run(*arguments: object) -> int:
    """Run the command in this process; return its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)


WRONG = planted(lose("success/payment"))


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ({"a": sound()}, 0),
        ({"a": sound(), "b": sound()}, 0),
        ({"a": sound(), "b": WRONG}, 1),
        ({"a": sound(), "b": b"{}"}, 3),
        ({"a": WRONG, "b": b"", "c": sound()}, 3),
    ],
    ids=["passed", "all passed", "one failed", "one unreadable", "both"],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_exit_code_is_that_of_the_worst(
    evidence: dict[str, Evidence | bytes],
    code: int,
    form: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--regrade", kept(tmp_path / "kept", **evidence), "--format", form) == code
    shown = capsys.readouterr()
    if form == "json":
        json.loads(shown.out)
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least one directory"),
        (["no/such/folder"], "no/such/folder: there is nothing of that name"),
        ([__file__], "that is no directory"),
        (["--each", "no/such/folder"], "that is no directory"),
        (["--regrade", "no/such/folder"], "that is no directory"),
        (["--output", "no/such/file", "."], "there is no directory no/such; make it first"),
        (["--output", ".", "."], "that is a directory; name a file in it"),
        (["--output", f"{__file__}/x", "."], "test_cli.py is no directory"),
        (["--format", "xml", "."], "invalid choice"),
        (["--seed", "one", "."], "invalid int value"),
        (["--unknown", "."], "unrecognized arguments"),
        (["--python", "no/such/interpreter", "."], "no/such/interpreter cannot be run"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_has_the_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    usage, hint, error = capsys.readouterr().err.splitlines()
    assert usage == "usage: kata-grade [options] PATH…"
    assert error.startswith("kata-grade: error: ")
    assert message in error
    assert hint == "kata-grade --help shows the options"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["mine"], "mine"),
        (["--seed", "1", "--quick"], "--quick, --seed"),
        (["--each", "."], "--each"),
        (["--engine", "dask"], "--engine"),
        (["--no-cache", "--cache", "results"], "--cache, --no-cache"),
        ([], ""),
    ],
)
def test_what_regrade_makes_no_use_of_is_told_and_forbids_nothing(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--regrade", kept(tmp_path / "kept", a=WRONG), *arguments) == 1
    told = capsys.readouterr().err
    assert told.endswith(f"it makes no use of {named}\n") if named else not told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--jobs", "2"], "--jobs"),
        (["--no-cache", "--resume"], "--resume, --no-cache"),
        (["--cache", "results"], ""),
    ],
)
def test_what_one_submission_makes_no_use_of_is_told(
    arguments: list[str],
    named: str,
    nothing: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(nothing.parent)
    assert run(nothing, *arguments) == 1
    told = capsys.readouterr().err
    assert told.endswith(f"it makes no use of {named}\n") if named else not told


def test_each_of_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--each", tmp_path) == 2
    assert f"--each {tmp_path}: there is no directory in it" in capsys.readouterr().err


def test_evidence_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--regrade", tmp_path) == 2
    assert f"--regrade {tmp_path}: there is no evidence in it" in capsys.readouterr().err


def test_where_a_report_goes_is_checked_before_anything_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("otelkata.cli.grade._grade", lambda *_: pytest.fail("it was graded"))
    (tmp_path / "closed").mkdir(mode=0o500)
    monkeypatch.setattr(os, "access", lambda path, _: "closed" not in str(path))
    assert run(REFERENCE, "--output", tmp_path / "closed" / "report") == 2
    assert "closed: permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--output", "--evidence"])
def test_what_cannot_be_written_is_no_verdict(
    option: str, nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(nothing, option, tmp_path / "file" / "below") in {2, 3}
    shown = capsys.readouterr()
    assert "file/below" in shown.err + shown.out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"kata-grade {__version__}\n"


def test_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "0 all passed, 1 some failed, 2 wrong usage, 3 the grader itself failed" in shown


def graded(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """Return what the command says in JSON."""
    run(*arguments, "--format", "json")
    return json.loads(capsys.readouterr().out)


def test_one_path_gives_an_object_and_several_a_list_in_their_order(
    nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "another"
    other.mkdir()
    assert graded(capsys, nothing)["submission"] == str(nothing)
    found = graded(capsys, nothing, other, nothing)
    assert [one["submission"] for one in found] == [str(nothing), str(other), str(nothing)]


def test_each_grades_every_folder_in_the_order_of_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b", "a b", "c"):
        (tmp_path / "all" / name).mkdir(parents=True)
    (tmp_path / "all" / "file.txt").write_text("")
    found = graded(capsys, "--each", tmp_path / "all")
    assert [Path(one["submission"]).name for one in found] == ["a b", "b", "c"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_report_that_nobody_reads_is_no_verdict_and_no_traceback(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = kept(tmp_path / "kept", a=sound())
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert run("--regrade", folder, "--format", form) == NOBODY_READS
    assert "Traceback" not in capfd.readouterr().err


def test_each_of_a_folder_without_any_is_wrong_usage(tmp_path: Path) -> None:
    assert run("--each", tmp_path) == 2


def test_a_folder_that_is_no_submission_has_failed_and_says_why(
    nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = graded(capsys, nothing, "--seed", 7)
    assert (found["verdict"], found["seed"]) == ("failed", 7)
    checks = {check["id"]: check for check in found["checks"]}
    assert "this folder is empty" in checks["submission.runs"]["message"]
    assert "passed" not in {check["status"] for check in found["checks"]}


def test_without_a_seed_each_run_has_its_own(
    nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graded(capsys, nothing)["seed"] != graded(capsys, nothing)["seed"]


def test_an_interpreter_that_cannot_host_is_the_graders_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "checkout.py").write_text("")
    assert run(tmp_path / "mine", "--python", python) == 3
    assert "has no module" in " ".join(capsys.readouterr().out.split())


def test_output_is_written_whole_and_nothing_else(
    nothing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert run(nothing, "--output", out / "report.json", "--format", "json") == 1
    assert json.loads((out / "report.json").read_text())["verdict"] == "failed"
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_output_into_a_pipe_goes_through_it(nothing: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", MAIN, str(nothing), "--output", str(pipe)]
    with subprocess.Popen(command) as process:
        told = pipe.read_text("utf-8")
    assert (process.returncode, pipe.is_fifo()) == (1, True)
    assert "failed" in told


def test_output_through_a_link_leaves_the_link(nothing: Path, tmp_path: Path) -> None:
    report, link = tmp_path / "report.txt", tmp_path / "link.txt"
    report.write_text("the old one")
    link.symlink_to(report)
    assert run(nothing, "--output", link) == 1
    assert link.is_symlink()
    assert "failed" in report.read_text("utf-8")


def test_output_that_cannot_be_finished_leaves_the_old_report(
    nothing: Path, tmp_path: Path
) -> None:
    """The disk is full after the first bytes."""
    out = tmp_path / "out"
    out.mkdir()
    report = out / "report.txt"
    report.write_text("the old one")
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); {MAIN}"
    command = [sys.executable, "-c", limited, str(nothing), "--output", str(report)]
    # What is measured of this process could not be written either.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    finished = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert finished.returncode not in {0, 1}
    assert report.read_text() == "the old one"
    assert [path.name for path in out.iterdir()] == ["report.txt"]


MAIN = "import sys; from otelkata.cli.grade import main; sys.exit(main())"


def test_evidence_that_was_kept_gives_the_same_verdict_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_in = tmp_path / "kept"
    arguments = (REFERENCE, "--quick", "--seed", 5)
    first = graded(capsys, *arguments, "--evidence", kept_in)
    (file,) = kept_in.iterdir()
    assert re.fullmatch(r"reference_solution-[0-9a-f]{8}\.evidence\.json\.gz", file.name)
    again = graded(capsys, "--regrade", kept_in)
    for verdict in (first, again):
        del verdict["duration_s"]
        for check in verdict["checks"]:
            del check["duration_s"]
    assert again == first
    assert (first["verdict"], first["partial"], first["seed"]) == ("passed", True, 5)


def test_evidence_of_submissions_of_one_name_is_kept_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/same", "b/same"):
        (tmp_path / name).mkdir(parents=True)
    both = [str(tmp_path / "a/same"), str(tmp_path / "b/same")]
    run(*both, both[0], "--evidence", tmp_path / "kept")
    capsys.readouterr()
    assert len([*(tmp_path / "kept").iterdir()]) == 3
    found = graded(capsys, "--regrade", tmp_path / "kept")
    assert sorted(one["submission"] for one in found) == [both[0], *both]


def test_who_is_graded_again_is_judged_again_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also as another one of a class that has grown."""
    folders = [tmp_path / name for name in ("ann", "bob", "cy")]
    for folder in folders:
        folder.mkdir()
    for some in (folders[1:], folders, folders[2:]):
        run(*some, "--evidence", tmp_path / "kept", "--reports", tmp_path / "reports")
    capsys.readouterr()
    found = graded(capsys, "--regrade", tmp_path / "kept")
    assert [one["submission"] for one in found] == [str(folder) for folder in folders]
    assert len([*(tmp_path / "reports").iterdir()]) == 3


def test_what_was_left_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path / "kept", a=replace(sound(), left_out=["lifespan_hanging"]))
    assert run("--regrade", tmp_path / "kept") == 0
    assert "partial: left out lifespan hanging" in capsys.readouterr().out
    assert graded(capsys, "--regrade", tmp_path / "kept")["partial"] is True


def on_a_terminal(command: list[str], **environment: str) -> str:
    """Return what a terminal of 80 columns would get."""
    here, there = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **environment}
    with subprocess.Popen(command, stdout=there, stderr=there, env=variables):
        os.close(there)
        shown = b""
        while True:
            try:
                data = os.read(here, 65_536)
            except OSError:
                break
            if not data:
                break
            shown += data
    os.close(here)
    return shown.decode()


def through_a_pipe(command: list[str], **environment: str) -> str:
    variables = {**os.environ, "TERM": "xterm-256color", **environment}
    return subprocess.run(
        command, capture_output=True, text=True, env=variables, check=False
    ).stdout


@pytest.mark.parametrize(
    ("show", "environment", "coloured"),
    [
        (on_a_terminal, {}, True),
        (on_a_terminal, {"NO_COLOR": "1"}, False),
        (on_a_terminal, {"TERM": "dumb"}, False),
        (through_a_pipe, {}, False),
        (through_a_pipe, {"NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    show: Callable[..., str], environment: dict[str, str], tmp_path: Path, *, coloured: bool
) -> None:
    command = [*COMMAND, "--regrade", str(kept(tmp_path / "kept", a=WRONG))]
    for name in ("NO_COLOR", "FORCE_COLOR"):
        assert name not in os.environ
    shown = show(command, **environment)
    assert "failed" in shown
    assert ("\x1b[3" in shown or "\x1b[1;3" in shown) == coloured


def test_progress_is_shown_on_a_terminal(nothing: Path) -> None:
    shown = on_a_terminal([*COMMAND, str(nothing)])
    assert "grading " in shown


LONG_ID = "broken_chain.server_is_under_the_client"
TRACE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def test_through_a_pipe_lines_are_whole_and_have_nothing_at_their_ends(tmp_path: Path) -> None:
    """Whoever reads them wraps, cuts or searches them."""
    command = [*COMMAND, "--regrade", str(kept(tmp_path / "kept", a=WRONG))]
    shown = through_a_pipe(command, COLUMNS="40")
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []
    assert "…" not in shown
    titles = [check.title for check in registry.load() if check.id == LONG_ID]
    assert f"{titles[0]}  {LONG_ID}" in shown
    assert "[order placed]  (child of the caller's span)" in shown
    assert shown.count("✓ F1") == 1
    assert not re.search("✓.*✓", shown), "one criterion is one line"


def test_the_lines_of_a_batch_are_whole_through_a_pipe(tmp_path: Path) -> None:
    folder = kept(tmp_path / "kept", a=WRONG, b=sound())
    shown = through_a_pipe([*COMMAND, "--regrade", str(folder)], COLUMNS="40")
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []
    assert re.search(rf"^  T3 .* {LONG_ID}  submission$", shown, re.MULTILINE)


@pytest.mark.parametrize("files", [{"a": WRONG}, {"a": WRONG, "b": WRONG}], ids=["one", "batch"])
def test_a_narrow_terminal_splits_no_id(files: dict[str, Evidence], tmp_path: Path) -> None:
    command = [*COMMAND, "--regrade", str(kept(tmp_path / "kept", **files))]
    whole = through_a_pipe(command)
    narrow = ESCAPES.sub("", on_a_terminal(command, COLUMNS="60")).replace("\r", "")
    ids = {check.id for check in registry.load()}
    assert {*whole.split()} & ids == {*narrow.split()} & ids
    assert {*TRACE_ID.findall(whole)} == {*TRACE_ID.findall(narrow)}
    # The bar of a batch comes first, and does not stay.
    begin = "✗ submission: " if len(files) == 1 else "2 submissions: "
    lines = [line.rstrip() for line in narrow[narrow.index(begin) :].splitlines()]
    assert max(map(len, lines)) <= 60
    assert "…" not in narrow
    if len(files) == 1:
        assert "  ? F5  attributes follow the semantic conventions:\n        blocked\n" in (
            "\n".join(lines)
        )


def test_a_fault_of_the_driver_is_held_against_no_submission(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr("otelkata.drive.run.process_card", fail)
    assert main([str(REFERENCE), "--only", "T3"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "RuntimeError: no such luck" in said.err
    assert said.err.endswith("kata-grade failed; the submission is not to blame\n")
