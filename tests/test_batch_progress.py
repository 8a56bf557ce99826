"""What is shown while a batch runs: a bar on a terminal, plain lines elsewhere."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from batches import COMMAND, nothings
from submissions import PATIENCE

BAR = "━"


def on_a_terminal(command: list[str], stdout: int | None) -> str:
    """Return what a terminal gets; `stdout` leads elsewhere, if given."""
    here, there = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=stdout or there, stderr=there, env=variables) as process:
        os.close(there)
        shown = b""
        while True:
            try:
                data = os.read(here, 65_536)
            except OSError:
                break
            shown += data
        process.wait(PATIENCE)
    os.close(here)
    return shown.decode()


def what_stays(shown: str) -> list[str]:
    """Return the lines that stay on the terminal, without colours."""
    rows = [""]
    row = column = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", shown):
        if part in {"\r", "\n"}:
            column = 0
            row += part == "\n"
            rows += [""] * (row == len(rows))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            rows[row] = ""
        elif not part.startswith("\x1b"):
            rows[row] = rows[row][:column] + part + rows[row][column + len(part) :]
            column += len(part)
    return rows


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    nothings(tmp_path / "class", 3)
    return [*COMMAND, "--each", str(tmp_path / "class"), "--no-cache"]


def test_a_terminal_gets_a_bar_that_does_not_stay(command: list[str], tmp_path: Path) -> None:
    shown = on_a_terminal(command, None)
    assert BAR in shown
    assert "3/3" in shown
    assert re.search(r"\d:\d\d:\d\d", shown), "the time left is told"
    stays = what_stays(shown)
    assert not [line for line in stays if BAR in line]
    lines = [line for line in stays if "0/18" in line]
    paths = sorted((tmp_path / "class").iterdir())
    assert sorted(lines) == [f"✗ {path}  0/18 +0  this folder is empty" for path in paths]
    assert "3 submissions: 0 passed, 3 failed, 0 error" in stays


def test_the_bar_says_what_is_running(command: list[str]) -> None:
    assert re.search(r"student0\d.*", on_a_terminal(command, None).partition("0/18")[0])


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_report_goes_to_the_file_and_not_to_the_terminal(
    form: str, command: list[str], tmp_path: Path
) -> None:
    with (tmp_path / "report").open("wb") as file:
        shown = on_a_terminal([*command, "--format", form], file.fileno())
    report = (tmp_path / "report").read_text("utf-8")
    assert BAR in shown
    assert "\x1b" not in report
    if form == "json":
        assert len(json.loads(report)) == 3
        assert "0/18" in shown, "the lines are told beside it"
    else:
        assert report.count("0/18") == 3
        assert "3 submissions" in report
        assert "0/18" not in shown


def test_without_a_terminal_there_are_plain_lines(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert answer.stderr == ""
    assert "\x1b" not in answer.stdout
    assert "\r" not in answer.stdout
    assert answer.stdout.count("0/18") == 3
