"""A submission is copied once: what is a program's file, and nothing that is no file."""

import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from otelkata.deploy.source import (
    ABOVE,
    BYTES_LIMIT,
    DEPENDENCIES,
    DEPTH_LIMIT,
    FILES_LIMIT,
    LEFT_OUT,
    UnusableSubmission,
    copy,
)


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    (path / "checkout").mkdir(parents=True)
    (path / "checkout" / "__init__.py").write_text("VALUE = 1\n")
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_submission_is_copied_whole(submission: Path, scratch: Path) -> None:
    (submission / "requirements.txt").write_text("httpx\n")
    (submission / "checkout" / "data").mkdir()
    (submission / "checkout" / "data" / "ä b.json").write_text("{}")
    copied = copy(submission, scratch)
    assert names_in(copied) == names_in(submission)
    assert (copied / "checkout" / "__init__.py").read_text() == "VALUE = 1\n"


def test_a_module_is_a_submission_too(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "checkout.py").write_text("")
    shutil.rmtree(scratch)
    scratch = Path(tempfile.mkdtemp())
    try:
        assert (copy(tmp_path, scratch) / "checkout.py").is_file()
    finally:
        shutil.rmtree(scratch)


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_what_no_program_needs_is_left_out(name: str, submission: Path, scratch: Path) -> None:
    for folder in (submission, submission / "checkout"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("")
    assert not [found for found in names_in(copy(submission, scratch)) if name in found]


@pytest.mark.parametrize("name", sorted(DEPENDENCIES))
def test_a_folder_of_dependencies_is_linked(name: str, submission: Path, scratch: Path) -> None:
    (submission / name / "package").mkdir(parents=True)
    linked = copy(submission, scratch) / name
    assert linked.is_symlink()
    assert linked.resolve() == (submission / name).resolve()


def test_a_folder_of_dependencies_that_leads_out_is_left_out(
    submission: Path, scratch: Path, tmp_path: Path
) -> None:
    """What is linked is shown to hosts: nothing of the grader's may be."""
    outside = tmp_path / "home"
    outside.mkdir()
    (submission / "node_modules").symlink_to(outside)
    linked = copy(submission, scratch) / "node_modules"
    assert not linked.exists()
    assert not linked.is_symlink()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix, tempfile.TemporaryDirectory() as short:
        unix.bind(f"{short}/s")
        shutil.move(f"{short}/s", path)


@pytest.mark.parametrize("make", [_pipe, _socket])
def test_what_is_no_file_is_left_out(
    make: Callable[[Path], None], submission: Path, scratch: Path
) -> None:
    make(submission / "checkout" / "special")
    assert names_in(copy(submission, scratch)) == ["checkout", "checkout/__init__.py"]


def test_links_are_copied_as_links(submission: Path, scratch: Path) -> None:
    (submission / "to_nothing").symlink_to("missing")
    (submission / "to_all").symlink_to("/")
    (submission / "to_itself").symlink_to("to_itself")
    copied = copy(submission, scratch)
    for name in ("to_nothing", "to_all", "to_itself"):
        assert (copied / name).is_symlink()


def _many_files(submission: Path) -> None:
    for number in range(FILES_LIMIT + 1):
        (submission / f"{number}").touch()


def _a_large_file(submission: Path) -> None:
    with (submission / "large").open("wb") as file:
        file.truncate(BYTES_LIMIT + 1)


@pytest.mark.parametrize("grow", [_many_files, _a_large_file])
def test_what_is_too_large_is_refused(
    grow: Callable[[Path], None], submission: Path, scratch: Path
) -> None:
    grow(submission)
    with pytest.raises(UnusableSubmission, match="too large to grade"):
        copy(submission, scratch)


def test_what_dependencies_weigh_does_not_count(submission: Path, scratch: Path) -> None:
    (submission / "node_modules").mkdir()
    _a_large_file(submission / "node_modules")
    copy(submission, scratch)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "this folder is empty"),
        (["a.py", "docs/b.md"], "it holds a.py, docs"),
        (["kata.toml"], "it has a kata.toml"),
        (["checkout/gateway.py"], r"checkout/ is no package: it has no __init__.py"),
        ([f"{number}.py" for number in range(9)], r"it holds 0.py, .*, 7.py$"),
    ],
)
def test_without_a_checkout_there_is_nothing_to_grade(
    files: list[str], message: str, tmp_path: Path
) -> None:
    submission = tmp_path / "mine"
    submission.mkdir()
    for name in files:
        (submission / name).parent.mkdir(exist_ok=True)
        (submission / name).write_text("")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(UnusableSubmission, match=message):
        copy(submission, scratch)


@pytest.mark.parametrize(
    ("files", "named", "told"),
    [
        (["mine/checkout.py"], ".", "mine looks like the submission: name that"),
        (["a/mine/checkout.py"], "a", "a/mine looks like the submission: name that"),
        (["mine/checkout/__init__.py"], "mine/checkout", "; mine looks like the submission"),
        (["mine/checkout.py", "mine/a/b/c.py"], "mine/a/b", "; mine looks like the submission"),
        (["a/checkout.py", "b/checkout.py"], ".", "a and b look like submissions"),
        ([f"{n}/checkout.py" for n in "abcd"], ".", "a and 3 more look like submissions"),
        (["a/checkout.py", "b/checkout.py"], ".", "all with `kata-grade --each .`"),
    ],
)
def test_where_the_submission_is_elsewhere_it_is_named_by_the_path_that_was_given(
    files: list[str],
    named: str,
    told: str,
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One folder too high, or too deep: that is the most frequent slip."""
    for name in files:
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_text("")
    monkeypatch.chdir(tmp_path / "all")
    with pytest.raises(UnusableSubmission) as refused:
        copy(Path(named), scratch)
    assert told in refused.value.told(named)
    assert refused.value.stage == "elsewhere"


def test_a_submission_is_not_looked_for_far_above(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path.joinpath("mine", *["deep"] * (ABOVE + 1))
    folder.mkdir(parents=True)
    (tmp_path / "mine" / "checkout.py").write_text("")
    with pytest.raises(UnusableSubmission, match="this folder is empty"):
        copy(folder, scratch)


def test_a_folder_that_cannot_be_copied_is_refused_with_the_reason(
    submission: Path, scratch: Path
) -> None:
    (scratch / "submission").mkdir()
    with pytest.raises(UnusableSubmission, match=r"cannot be read: .*exists"):
        copy(submission, scratch)


def test_a_file_that_cannot_be_copied_is_named(submission: Path, scratch: Path) -> None:
    (submission / "large.bin").write_bytes(b"x" * 1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(UnusableSubmission, match=r"cannot be read: large\.bin: .*too large"):
            copy(submission, scratch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_directories_nested_too_deeply_are_told(submission: Path, scratch: Path) -> None:
    (submission / "/".join(["d"] * DEPTH_LIMIT)).mkdir(parents=True)
    copy(submission, scratch)
    (submission / "/".join(["d"] * (DEPTH_LIMIT + 1))).mkdir()
    with pytest.raises(UnusableSubmission, match="nested too deeply"):
        copy(submission, scratch / "submission")


def test_a_copy_runs_as_nobody_else(submission: Path, scratch: Path) -> None:
    """A copy belongs to who grades: with the bits of the original, it would run as them."""
    for name, mode in (("program", 0o6755), ("data", 0o4666)):
        (submission / name).touch()
        (submission / name).chmod(mode)
    copied = copy(submission, scratch)
    assert (copied / "program").stat().st_mode & 0o7777 == 0o755
    assert (copied / "data").stat().st_mode & 0o7777 == 0o644
