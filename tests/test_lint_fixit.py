"""`otelkata.lint.fixit`: fixit itself, in its own process, finds and mends what kata-lint does."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fixing_cases import FIXED, SETUP
from lint_sources import CLEAN, LEAK, tree

pytestmark = pytest.mark.skipif(find_spec("fixit") is None, reason="fixit is not installed")

CONFIG = '[tool.fixit]\nroot = true\nenable = ["otelkata.lint.fixit"]\ndisable = ["fixit.rules"]\n'
FAULTY = LEAK + LEAK.replace(b"reserve", b"refund").replace(
    b'tracer.start_span("refund")', b'tracer.start_as_current_span("refund")'
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def by_fixit(folder: Path, name: str) -> tuple[int, set[tuple[int, int, str]]]:
    done = run(folder, "fixit", "lint", name)
    found = re.findall(rf"{name}@(\d+):(\d+) \w+: (OTK\d+) ", done.stdout)
    return done.returncode, {(int(line), int(column), code) for line, column, code in found}


def by_kata_lint(folder: Path, name: str) -> set[tuple[int, int, str]]:
    done = run(folder, "otelkata.cli.lint", "--format=json", name)
    return {(one["line"], one["column"] - 1, one["code"]) for one in json.loads(done.stdout)}


def test_fixit_reports_the_same_codes_at_the_same_places(tmp_path: Path) -> None:
    tree(tmp_path, {"pyproject.toml": CONFIG, "a.py": FAULTY, "b.py": CLEAN})
    expected = by_kata_lint(tmp_path, "a.py")
    assert {code for _, _, code in expected} == {"OTK101", "OTK103"}
    code, found = by_fixit(tmp_path, "a.py")
    assert (code != 0, found) == (True, expected)
    assert by_fixit(tmp_path, "b.py") == (0, set())


@pytest.mark.parametrize("comment", ["lint-ignore: SpanNotEnded", "kata-lint: ignore[OTK101]"])
def test_comments_of_both_keep_a_finding_quiet(tmp_path: Path, comment: str) -> None:
    quiet = LEAK.replace(b'("reserve")', f'("reserve")  # {comment}'.encode())
    tree(tmp_path, {"pyproject.toml": CONFIG, "a.py": quiet})
    assert by_fixit(tmp_path, "a.py") == (0, set())


def test_fixit_finds_the_examples_of_the_rules_as_they_say(tmp_path: Path) -> None:
    tree(tmp_path, {"pyproject.toml": CONFIG})
    done = run(tmp_path, "fixit", "test", "otelkata.lint.fixit")
    assert done.returncode == 0, done.stderr
    assert "NoExceptionIsRecorded.test_INVALID_0" in done.stderr


def test_fixit_mends_what_takes_one_place(tmp_path: Path) -> None:
    before, after = FIXED["straight line"]
    tree(tmp_path, {"pyproject.toml": CONFIG, "a.py": SETUP + before})
    run(tmp_path, "fixit", "fix", "--automatic", "a.py")
    assert (tmp_path / "a.py").read_text() == SETUP + after
