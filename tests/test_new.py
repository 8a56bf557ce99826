"""`kata-new`: a starter that can be graded, in a directory that was nobody's."""

from pathlib import Path

import pytest

from otelkata.cli.new import main

STARTER = Path(__file__).parents[1] / "fixtures" / "starter"


def run(*arguments: object) -> int:
    """Run the command in this process; return its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)


def files(folder: Path) -> dict[str, bytes]:
    """Return what lies in `folder`, by path."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", ["mine", "deep/below/mine", "with space"])
def test_the_starter_and_the_exercise_are_copied(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / name) == 0
    copied = files(tmp_path / name)
    assert copied.pop("KATA.md").startswith(b"# Kata")
    assert copied == files(STARTER)
    assert f"kata-grade {tmp_path / name}" in capsys.readouterr().out


def test_an_empty_directory_may_be_there_already(tmp_path: Path) -> None:
    assert run(tmp_path) == 0


@pytest.mark.parametrize("there", ["folder", "file"])
def test_what_is_there_is_left_alone(
    there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "mine"
    if there == "folder":
        target.mkdir()
        (target / "notes").write_text("kept")
    else:
        target.write_text("kept")
    before = files(tmp_path)
    assert run(target) == 2
    assert "there is something already" in capsys.readouterr().err
    assert files(tmp_path) == before


def test_a_place_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "below") == 2
    assert "Not a directory" in capsys.readouterr().err
