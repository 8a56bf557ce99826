"""The patterns of a `.gitignore` mean what they mean to git, and no name takes long to compare."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from lint_sources import tree

from otelkata.lint.source import ignored
from otelkata.lint.source.ignored import Ignored

FILES = [
    *["!a", "#a", "*", "]", "a", "a ", "a b", "a-b", "ab", "abc", "b", "b.py"],
    *["d/a", "d/x/a", "x/a", "x/b.py", "x/y/a", "x/y/z/b.py"],
]
TABLE: list[tuple[list[str], list[str]]] = [
    (["a"], ["a", "d/a", "d/x/a", "x/a", "x/y/a"]),
    (["/a"], ["a"]),
    (["x/a"], ["x/a"]),
    (["d/"], ["d/a", "d/x/a"]),
    (["a/"], []),
    (["a*"], ["a", "a ", "a b", "a-b", "ab", "abc", "d/a", "d/x/a", "x/a", "x/y/a"]),
    (["*b*"], ["a b", "a-b", "ab", "abc", "b", "b.py", "x/b.py", "x/y/z/b.py"]),
    (["a?c"], ["abc"]),
    (["a**c"], ["abc"]),
    (["x/*"], ["x/a", "x/b.py", "x/y/a", "x/y/z/b.py"]),
    (["**/a"], ["a", "d/a", "d/x/a", "x/a", "x/y/a"]),
    (["x/**"], ["x/a", "x/b.py", "x/y/a", "x/y/z/b.py"]),
    (["x/**/a"], ["x/a", "x/y/a"]),
    (["x/**/b.py"], ["x/b.py", "x/y/z/b.py"]),
    (["d/**/**/a"], ["d/a", "d/x/a"]),
    (["/**/x/a"], ["d/x/a", "x/a"]),
    (["[ab]"], ["a", "b", "d/a", "d/x/a", "x/a", "x/y/a"]),
    (["[!ab]"], ["*", "]", "d/a", "d/x/a", "x/a", "x/b.py", "x/y/a", "x/y/z/b.py"]),
    (["[^a-z]*"], ["!a", "#a", "*", "]"]),
    (["[]]"], ["]"]),
    (["a[- ]b"], ["a b", "a-b"]),
    (["a[[:space:]]b"], ["a b"]),
    (["[b-a]"], ["b"]),
    (["x[/]a"], []),
    (["x[!a]a"], []),
    (["[a"], []),
    (["[[:none:]]"], []),
    (["\\*"], ["*"]),
    (["\\#a"], ["#a"]),
    (["\\!a"], ["!a"]),
    (["#a"], []),
    (["a\\ "], ["a "]),
    (["a   "], ["a", "d/a", "d/x/a", "x/a", "x/y/a"]),
    (["a\\"], []),
    (["x\\/a"], ["x/a"]),
    (
        ["*", "!*.py"],
        [
            "!a",
            "#a",
            "*",
            "]",
            "a",
            "a ",
            "a b",
            "a-b",
            "ab",
            "abc",
            "b",
            "d/a",
            "d/x/a",
            "x/a",
            "x/b.py",
            "x/y/a",
            "x/y/z/b.py",
        ],
    ),
    (["a", "!/a", "#"], ["d/a", "d/x/a", "x/a", "x/y/a"]),
    (["!a"], []),
    (["/"], []),
    (["x/*", "!x/y"], ["x/a", "x/b.py"]),
]


def by_git(folder: Path) -> list[str]:
    """Return the files that git ignores in `folder`."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(FILES).encode(),
        cwd=folder,
        capture_output=True,
        check=False,
        env=os.environ | own,
    )
    return sorted(filter(None, asked.stdout.decode().split("\0")))


def by_us(folder: Path) -> list[str]:
    """Return the files that are ignored here, or lie in a directory that is."""
    patterns = ignored.read(str(folder))
    return sorted(path for path in FILES if is_ignored(patterns, folder, path))


def is_ignored(patterns: object, folder: Path, path: str) -> bool:
    parts: Sequence[str] = path.split("/")
    above = ["/".join(parts[:count]) + "/" for count in range(1, len(parts))]
    layers = [patterns] if isinstance(patterns, Ignored) else []
    return any(ignored.is_ignored(layers, f"{folder}/{one}") for one in (*above, path))


@pytest.mark.parametrize(("lines", "expected"), TABLE, ids=lambda value: " ".join(value)[:20])
def test_a_pattern_means_what_it_means_to_git(
    lines: list[str], expected: list[str], tmp_path: Path
) -> None:
    tree(tmp_path, {".gitignore": "\n".join(lines)})
    assert by_us(tmp_path) == expected


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_still_means_that(tmp_path: Path) -> None:
    tree(tmp_path, dict.fromkeys(FILES, ""))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for lines, expected in TABLE:
        tree(tmp_path, {".gitignore": "\n".join(lines)})
        assert by_git(tmp_path) == expected, lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\xef\xbb\xbfa\r\nb\r\n", ["a", "b"]),
        (b"\xff\n/a", ["a"]),
        (b"\x0b/a\n/b", ["b"]),
        (b"/a", ["a"]),
    ],
    ids=["from Windows", "no UTF-8", "an odd blank", "no last newline"],
)
def test_lines_are_those_of_git(text: bytes, expected: list[str], tmp_path: Path) -> None:
    tree(tmp_path, {".gitignore": text})
    assert [path for path in ("a", "b") if path in by_us(tmp_path)] == expected


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 40 + "*b", "a" * 250),
        ("x/" + "*?" * 40 + "*b", "x/" + "a" * 250),
        ("**/a/" * 40 + "b", "a/" * 1000 + "c"),
        ("**/*a*/" * 40 + "b", "aa/" * 1000 + "c"),
        ("x/**/" + "*a" * 40 + "/**/b", "x/" + "a" * 250 + "/c"),
    ],
)
def test_no_pattern_is_tried_in_every_way(pattern: str, path: str, tmp_path: Path) -> None:
    """Each would take longer than the test has, were it so."""
    tree(tmp_path, {".gitignore": pattern})
    patterns = ignored.read(str(tmp_path))
    assert isinstance(patterns, Ignored)
    assert patterns.says(f"{tmp_path}/{path}") is None
