"""A reader that goes before the report is over, as `head` does, is no failure of a command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from evidence_builder import lose, planted, sound
from submissions import PATIENCE
from test_cli import kept
from test_merge import FAILED, PASSED, a_file

from otelkata.cli.guard import NOBODY_READS

Arguments = Callable[[Path], list[str]]


def evidence(folder: Path, *names: str) -> str:
    found = {name: planted(lose("success/payment")) if name == "a" else sound() for name in names}
    return str(kept(folder / "kept", **found))


def faulty(folder: Path) -> str:
    (folder / "app.py").write_text(
        "from opentelemetry import trace\ntracer = trace.get_tracer(__name__)\n"
        "def run(f):\n    span = tracer.start_span('x')\n    f()\n    span.end()\n"
    )
    return str(folder)


COMMANDS: dict[str, tuple[str, Arguments]] = {
    "one": ("grade", lambda folder: ["--regrade", evidence(folder, "a")]),
    "one in JSON": ("grade", lambda f: ["--regrade", evidence(f, "a"), "--format", "json"]),
    "batch": ("grade", lambda folder: ["--regrade", evidence(folder, "a", "b")]),
    "batch in JSON": ("grade", lambda f: ["--regrade", evidence(f, "a", "b"), "--format", "json"]),
    "explained": ("grade", lambda _: ["--explain", "T3"]),
    "merged": ("merge", lambda folder: [str(a_file(folder / "r", PASSED, FAILED))]),
    "merged in JSON": (
        "merge",
        lambda folder: [str(a_file(folder / "r", PASSED, FAILED)), "--format", "json"],
    ),
    "linted": ("lint", lambda folder: [faulty(folder)]),
    "rule explained": ("lint", lambda _: ["--explain", "OTK101"]),
    "new": ("new", lambda folder: [str(folder / "mine")]),
}


@pytest.mark.parametrize(("command", "arguments"), COMMANDS.values(), ids=COMMANDS)
def test_it_ends_quietly(command: str, arguments: Arguments, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        finished = subprocess.run(
            [sys.executable, "-m", f"otelkata.cli.{command}", *arguments(tmp_path)],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    # What a batch came to is told beside its JSON.
    said = [line for line in finished.stderr.splitlines() if "submission  1" not in line]
    assert (finished.returncode, said) == (NOBODY_READS, [])


def test_what_was_read_to_its_end_keeps_its_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "otelkata.cli.grade", "--regrade", evidence(tmp_path, "a")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
