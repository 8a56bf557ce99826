"""What a directory is called ends no batch, and nothing obeys it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from otelkata.batch.progress import Watch
from otelkata.report.words import cut, cut_line, file_name

NAMES = [
    b"escape-\x1b[31m",
    b"[bold]",
    b"line\n::error::hello",
    "bidi-\u202e\u2066".encode(),
    b"x" * 250,
    *([b"no-text-\xff"] if sys.platform == "linux" else []),
]
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|^::", re.MULTILINE)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("form", ["text", "json"])
def test_every_name_is_graded_and_told_as_text(form: str, tmp_path: Path) -> None:
    folder, reports, evidence = (tmp_path / name for name in ("class", "reports", "evidence"))
    folder.mkdir()
    for name in NAMES:
        os.mkdir(os.fsencode(folder) + b"/" + name)  # noqa: PTH102 (a name that is no text)
    command = [sys.executable, "-m", "otelkata.cli.grade", "--each", str(folder), "--jobs", "2"]
    kept = ["--reports", str(reports), "--evidence", str(evidence)]
    run = subprocess.run([*command, *kept, "--format", form], capture_output=True, check=False)
    shown = run.stdout.decode() + run.stderr.decode()
    assert run.returncode == 1, shown
    assert not OBEYED.search(shown)
    assert len(list(evidence.iterdir())) == len(NAMES)
    written = sorted(reports.iterdir())
    assert len(written) == len(NAMES)
    for path in written:
        assert not OBEYED.search(path.name)
        assert not OBEYED.search(path.read_text("utf-8"))


def test_a_name_is_no_markup_on_a_terminal() -> None:
    with Watch(["[bold]a[/bold]", "b[/]"]) as watch:
        watch.begin(0)
        watch.begin(1)
        watch.finish(0)
        console = Console(force_terminal=True, width=200)
        with console.capture() as shown:
            console.print(watch.shown())
    assert "b[/]" in shown.get()


def test_a_line_stays_one() -> None:
    assert cut_line("a\nb\x1b") == "a\\nb\\x1b"
    assert len(cut_line("\n" * 10_000)) < 5_000


@pytest.mark.parametrize("command", ["::error::x", "  ::stop-commands::x", "##[error]", "##vso["])
def test_nothing_is_a_command_to_a_runner(command: str) -> None:
    """Also where a reader's own wrapping begins a line with it."""
    shown = cut(f"said {command}\n{command}")
    assert not re.search(r"::\w|##\[|##vso", shown)
    assert re.sub(r"\\", "", shown) == f"said {command}\n{command}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("mine", "mine"),
        ("some/mine", "mine"),
        ("a b", "a b"),
        ("é\n$(x)", "é___x_"),
        ("-rf", "_rf"),
        (".hidden", "_hidden"),
        ("x" * 300, "x" * 120),
        ("é" * 300, "é" * 60),
    ],
)
def test_files_have_names_that_every_system_takes(path: str, name: str) -> None:
    assert re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{8}}\.txt", file_name(path, ".txt"))


def test_no_two_files_have_one_name() -> None:
    names = [file_name(path, times=times) for path in ("a/x", "b/x", "x") for times in (0, 1, 2)]
    assert len({*names}) == 9
