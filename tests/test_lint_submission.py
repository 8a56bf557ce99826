"""The source of a submission is read as a learner wrote it: all of it, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lint_sources import CLEAN, LEAK, tree

from otelkata.lint import submission
from otelkata.lint.finding import Unread


def test_dependencies_tests_and_links_are_left_out(tmp_path: Path) -> None:
    tree(
        tmp_path,
        dict.fromkeys(
            [
                "checkout/b.py",
                "checkout/a.py",
                "main.py",
                "notes.txt",
                "tests/a.py",
                "checkout/test_a.py",
                "conftest.py",
                ".venv/a.py",
                "x/site-packages/a.py",
            ],
            "",
        ),
    )
    (tmp_path / "link.py").symlink_to("main.py")
    found = [path.relative_to(tmp_path).as_posix() for path in submission.sources(tmp_path)]
    assert found == ["checkout/a.py", "checkout/b.py", "main.py"]


def test_all_rules_read_every_file_and_comments_keep_nothing_quiet(tmp_path: Path) -> None:
    quiet = LEAK.replace(b'"reserve")', b'"reserve")  # kata-lint: ignore')
    tree(tmp_path, {"a.py": LEAK, "b.py": CLEAN, "c.py": quiet})
    found, unread, _ = submission.examine(tmp_path)
    assert [(item.path, item.code) for item in found] == [
        (path, code) for path in ("a.py", "c.py") for code in ("OTK101", "OTK102")
    ]
    assert unread == []


def test_what_cannot_be_read_is_told_and_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"a.py": LEAK, "b.py": b"def f(:\n", "c.py": b""})
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "c.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found, unread, _ = submission.examine(tmp_path)
    assert {item.path for item in found} == {"a.py"}
    assert unread[0].reason.startswith("syntax error at 1:7: ")
    assert unread[1:] == [Unread("c.py", "cannot be read: Permission denied")]


def test_the_command_prints_what_fails_a_criterion_and_what_is_advice(tmp_path: Path) -> None:
    guessed = LEAK.replace(b'trace.get_tracer("shop")', b"make()")
    tree(tmp_path, {"a.py": LEAK, "b.py": b"\xff", "c.py": guessed})
    command = [sys.executable, "-m", "otelkata.lint.submission", str(tmp_path)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [(r["code"], r["path"], r["line"], r["criteria"]) for r in said["remarks"]] == [
        ("OTK101", "a.py", 7, ["C2"]),
        ("OTK102", "a.py", 7, ["C2"]),
        ("OTK101", "c.py", 7, []),
        ("OTK102", "c.py", 7, []),
    ]
    assert said["remarks"][0]["steps"][0] == "line 7: the span starts here"
    assert [item.partition(": ")[0] for item in said["unread"]] == ["b.py"]
