"""The source of a submission is read as a learner wrote it: all of it, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lint_sources import CLEAN, LEAK, tree

from otelkata.lint import submission
from otelkata.lint.finding import Unread
from otelkata.lint.rule import load


def answers(*orders: dict[str, object]) -> list[dict[str, Any]]:
    """Return what the linter's process says to `orders`, by their numbers."""
    command = [sys.executable, "-m", "otelkata.lint.submission"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(json.dumps(order) + "\n" for order in orders).encode())
        process.stdin.flush()
        # It ends with its input, whatever it still has to read.
        said = [json.loads(process.stdout.readline()) for _ in orders]
        process.stdin.close()
    return sorted(said, key=lambda answer: int(answer["number"]))


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
    (tmp_path / "outside.py").symlink_to("/etc/hostname")
    (tmp_path / "nowhere.py").symlink_to("nothing")
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "checkout" / "text.py").symlink_to("../notes.txt")
    found = [path.relative_to(tmp_path).as_posix() for path in submission.sources(tmp_path)]
    assert found == ["checkout/a.py", "checkout/b.py", "checkout/text.py", "main.py"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import checkout.tests.impl", ["checkout/tests/__init__.py", "checkout/tests/impl.py"]),
        ("from .tests import impl", ["checkout/tests/__init__.py", "checkout/tests/impl.py"]),
        ("from .tests.impl import run", ["checkout/tests/__init__.py", "checkout/tests/impl.py"]),
        ("def f():\n    from checkout.env import *", ["checkout/env/__init__.py"]),
        ("from . import test_all", ["checkout/test_all.py", "tests/helper.py"]),
        ("from .. import tests", []),
        ("from ..... import tests", []),
        ("import tests.helper", ["tests/helper.py"]),
        ("import httpx, test_all", []),
        ("import (", []),
        ("nothing = 0", []),
    ],
)
def test_what_others_import_is_read_whatever_it_is_called(
    source: str, found: list[str], tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {
        "checkout/__init__.py": source,
        "checkout/env/__init__.py": "",
        "checkout/test_all.py": "from tests.helper import one",
        "checkout/tests/__init__.py": "",
        "checkout/tests/impl.py": "",
        "checkout/tests/test_impl.py": "from . import impl",
        "tests/helper.py": "",
        ".venv/lib/site-packages/httpx/__init__.py": "",
    }
    tree(tmp_path, files)
    read = [path.relative_to(tmp_path).as_posix() for path in submission.sources(tmp_path)]
    assert read == sorted(["checkout/__init__.py", *found])


def test_all_rules_read_every_file_and_comments_keep_nothing_quiet(tmp_path: Path) -> None:
    quiet = LEAK.replace(b'"reserve")', b'"reserve")  # kata-lint: ignore')
    tree(tmp_path, {"a.py": LEAK, "b.py": CLEAN, "c.py": quiet})
    found, unread = submission.examine(tmp_path, load())
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
    found, unread = submission.examine(tmp_path, load())
    assert {item.path for item in found} == {"a.py"}
    assert unread[0].reason.startswith("syntax error at 1:7: ")
    assert unread[1:] == [Unread("c.py", "cannot be read: Permission denied")]


def test_the_command_prints_what_fails_a_criterion_and_what_is_advice(tmp_path: Path) -> None:
    guessed = LEAK.replace(b'trace.get_tracer("shop")', b"make()")
    tree(tmp_path, {"a.py": LEAK, "b.py": b"\xff", "c.py": guessed})
    (answer,) = answers({"number": 7, "folder": str(tmp_path), "limit": 60})
    assert answer["number"] == 7
    said = answer["read"]
    told = [
        (r["code"], r["path"], r["line"], r["criteria"], r["if_started"]) for r in said["remarks"]
    ]
    assert told == [
        ("OTK101", "a.py", 7, ["C2"], []),
        ("OTK102", "a.py", 7, ["C2"], []),
        ("OTK101", "c.py", 7, [], ["C2"]),
        ("OTK102", "c.py", 7, [], ["C2"]),
    ]
    assert said["remarks"][0]["steps"][0] == "line 7: the span starts here"
    assert [item.partition(": ")[0] for item in said["unread"]] == ["b.py"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork there is one process for all")
def test_a_source_that_takes_too_long_is_given_up_and_others_are_read(tmp_path: Path) -> None:
    tree(tmp_path / "one", {"a.py": LEAK})
    tree(tmp_path / "two", {"a.py": CLEAN})
    late, fine = answers(
        {"number": 1, "folder": str(tmp_path / "one"), "limit": 0},
        {"number": 2, "folder": str(tmp_path / "two"), "limit": 60},
    )
    assert late["failed"] == "was not done after 0 s"
    assert fine["read"] == {"remarks": [], "unread": []}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork there is one process for all")
def test_a_reader_that_crashes_takes_nobody_along(tmp_path: Path) -> None:
    tree(tmp_path / "two", {"a.py": CLEAN})
    missing, fine = answers(
        {"number": 1, "limit": 60},
        {"number": 2, "folder": str(tmp_path / "two"), "limit": 60},
    )
    assert missing["failed"] == "ended with status 1"
    assert fine["read"] == {"remarks": [], "unread": []}
