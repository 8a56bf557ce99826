"""What has been graded holds until something changes that it depends on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import planted
import pytest
from batches import nothings, run

from otelkata import content
from otelkata.batch import fingerprint
from otelkata.batch.fingerprint import of_submission, of_terms
from otelkata.batch.task import Terms

TERMS = Terms(python="python3")


def is_from_before(shown: str, path: Path) -> bool:
    """Tell whether the line on `path` says that it was not run."""
    [line] = [line for line in shown.splitlines() if str(path) in line and "0/18" in line]
    return line.endswith("(from before)")


@pytest.fixture(autouse=True)
def _own_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELKATA_CACHE", str(tmp_path / "kept"))


def test_only_what_has_changed_is_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = nothings(tmp_path / "class", 2)
    run("--each", tmp_path / "class")
    (other / "README").write_text("new")
    capsys.readouterr()
    assert run("--each", tmp_path / "class") == 1
    shown = capsys.readouterr().out
    assert (is_from_before(shown, one), is_from_before(shown, other)) == (True, False)


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ([], [], True),
        (["--seed", "1"], ["--seed", "1"], True),
        (["--seed", "1"], ["--seed", "2"], False),
        (["--seed", "1"], [], False),
        ([], ["--quick"], False),
        ([], ["--isolation", "process"], False),
        ([], ["--no-cache"], False),
        ([], ["--format", "text", "--jobs", "1"], True),
        ([], ["--evidence", "kept-evidence"], False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_decide_whether_it_holds(
    first: list[str],
    second: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    holds: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    [path] = nothings(tmp_path / "class", 1)
    run("--each", tmp_path / "class", *first)
    capsys.readouterr()
    run("--each", tmp_path / "class", *second)
    assert is_from_before(capsys.readouterr().out, path) == holds


def test_a_partial_result_is_gone_on_with_and_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "class" / "solution"
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    shutil.copytree(planted.REFERENCE, path, ignore=ignored)
    nothings(tmp_path / "class", 1)
    arguments = ["--each", tmp_path / "class", "--quick"]
    run(*arguments)
    assert len([*(tmp_path / "kept" / "results").iterdir()]) == 1
    capsys.readouterr()
    run(*arguments, "--resume")
    assert capsys.readouterr().out.count("(from before)") == 2


def test_kept_results_are_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothings(tmp_path / "class", 2)
    arguments = ["--each", tmp_path / "class", "--format", "json", "--output"]
    run(*arguments, tmp_path / "first")
    run(*arguments, tmp_path / "second")
    assert "(from before)" in capsys.readouterr().err
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def a_submission(folder: Path) -> Path:
    """Return a submission with one of everything."""
    folder.mkdir()
    (folder / "checkout.py").write_text("first")
    (folder / "link").symlink_to("checkout.py")
    for name in ("package", "node_modules", ".git", ".git/shown", "package/env", "../beside"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("first")
    (folder / "venv").symlink_to(".git/shown")
    (folder / "env").symlink_to("../beside")
    return folder


def write(name: str, text: str = "second, and longer") -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)

    return change


def point_elsewhere(path: Path) -> None:
    (path / "link").unlink()
    (path / "link").symlink_to("package")


def replace_by_a_link(path: Path) -> None:
    (path / "checkout.py").unlink()
    (path / "checkout.py").symlink_to("package/file")


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (write("checkout.py"), True),
        (write("package/file"), True),
        (write("another.txt"), True),
        (write("package/.hidden"), True),
        (lambda path: (path / "package" / "file").unlink(), True),
        (lambda path: (path / "package" / "file").rename(path / "package" / "renamed"), True),
        (lambda path: (path / "empty").mkdir(), True),
        (lambda path: (path / "checkout.py").chmod(0o755), True),
        (point_elsewhere, True),
        (replace_by_a_link, True),
        (write("node_modules/file"), True),
        (write("node_modules/another"), True),
        (write("node_modules/__pycache__/module.pyc"), True),
        (write("node_modules/.git/file"), True),
        (write("node_modules/env/file"), True),
        (lambda path: (path / "node_modules" / "file").chmod(0o755), True),
        (lambda path: (path / "node_modules" / "link").symlink_to("file"), True),
        (write(".git/shown/file"), True),
        (write("checkout.py", "first"), False),
        (write(".git/file"), False),
        (write("package/__pycache__/module.pyc"), False),
        (write("package/env/file"), False),
        (write("env/file"), False),
    ],
)
def test_content_decides_whether_it_holds(
    change: Callable[[Path], None], tmp_path: Path, *, matters: bool
) -> None:
    path = a_submission(tmp_path / "submission")
    before = of_submission(str(path), "terms")
    assert of_submission(str(path), "terms") == before
    change(path)
    assert (of_submission(str(path), "terms") != before) == matters


def test_what_is_too_large_or_gone_never_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_submission(str(tmp_path / "gone"), "") != of_submission(str(tmp_path / "gone"), "")
    path = str(a_submission(tmp_path / "submission"))
    monkeypatch.setattr(fingerprint, "FILES_LIMIT", 1)
    assert of_submission(path, "") != of_submission(path, "")
    monkeypatch.setattr(fingerprint, "FILES_LIMIT", 2)
    assert of_submission(path, "") == of_submission(path, "")
    monkeypatch.setattr(fingerprint, "BYTES_LIMIT", 9)
    assert of_submission(path, "") != of_submission(path, "")


def test_many_dependencies_are_not_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_submission(tmp_path / "submission")
    for number in range(9):
        (path / "node_modules" / f"{number}").write_text("module")
    monkeypatch.setattr(fingerprint, "FILES_LIMIT", 5)
    assert of_submission(str(path), "") == of_submission(str(path), "")


def test_terms_are_those_of_grader_checks_interpreter_options_and_isolation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, list[object]] = {"python3": ["3.12", []], "other": ["3.13", []]}
    monkeypatch.setattr(fingerprint, "_ask", asked.get)
    seen = {of_terms(TERMS, "sandbox")}
    assert of_terms(TERMS, "sandbox") in seen

    def adds_one() -> bool:
        count = len(seen)
        seen.add(of_terms(TERMS, "sandbox"))
        return len(seen) == count + 1

    seen |= {of_terms(TERMS, "process"), of_terms(Terms(python="other"), "sandbox")}
    seen.add(of_terms(Terms(python="python3", quick=True), "sandbox"))
    assert len(seen) == 4
    asked["python3"] = ["3.12", [["fastapi", "1"]]]
    assert adds_one()
    monkeypatch.setattr(fingerprint, "distributions", list)
    assert adds_one()
    folders = {name: tmp_path / name for name in ("checks", "ast_rules")}
    for name, folder in folders.items():
        shutil.copytree(content.folder(name), folder)
    monkeypatch.setattr(content, "folder", folders.__getitem__)
    for folder in folders.values():
        first = min(folder.glob("*.py"))
        first.write_text(first.read_text("utf-8") + "# changed\n", "utf-8")
        assert adds_one()
