"""What git ignores: `.gitignore` in each directory, up to the repository's root."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from otelkata.lint.finding import Unread
from otelkata.lint.source import reading
from otelkata.lint.source.glob import Pattern
from otelkata.lint.source.glob import read as read_pattern

LARGEST = 100_000
"""Bytes of a file with patterns: all are asked about every name."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The patterns of one directory, the last one first: it decides."""

    folder: str
    patterns: tuple[Pattern, ...]

    def says(self, path: str) -> bool | None:
        """Tell whether the absolute `path` (a directory: with a slash at its end) is ignored.

        None if no pattern speaks of it: then those of the directory above decide. That a directory
        above `path` is ignored is not said.
        """
        is_folder = path.endswith(os.sep)
        relative = path[len(self.folder) :].strip(os.sep).replace(os.sep, "/")
        name = relative.rpartition("/")[2]
        for pattern in self.patterns:
            if pattern.only_folders and not is_folder:
                continue
            if pattern.expression.fullmatch(name if pattern.by_name else relative):
                return pattern.ignores
        return None


def read(folder: str, name: str = ".gitignore") -> Ignored | Unread | None:
    """Return the patterns in `folder`, or why they cannot be read; None if there are none."""
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    source = reading.read(path, LARGEST, "read")
    if isinstance(source, Unread):
        return source
    text = source.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    patterns = [pattern for pattern in map(read_pattern, lines) if pattern is not None]
    return Ignored(folder, tuple(reversed(patterns))) if patterns else None


def above(folder: str, unread: list[Unread]) -> tuple[Ignored, ...]:
    """Return the patterns of the directories above `folder`, from the repository's root down.

    Outside of a repository none apply, nor do those by which `folder` itself is ignored: whoever
    names an ignored directory wants it linted. What cannot be read is added to `unread`.
    """
    found: list[Ignored | Unread | None] = []
    current = folder
    while not os.path.exists(os.path.join(current, ".git")):
        up = os.path.dirname(current)
        if up == current:
            return ()
        current = up
        found.append(read(current))
    excluded = read(current, os.path.join(".git", "info", "exclude"))
    found.append(excluded)
    unread += [one for one in found if isinstance(one, Unread)]
    inward = tuple(one for one in reversed(found) if isinstance(one, Ignored))
    return () if _is_within_ignored(inward, current, folder) else inward


def _is_within_ignored(patterns: Sequence[Ignored], root: str, folder: str) -> bool:
    current = folder
    while current != root:
        outside = [one for one in patterns if len(one.folder) < len(current)]
        if is_ignored(outside, current + os.sep):
            return True
        current = os.path.dirname(current)
    return False


def is_ignored(patterns: Sequence[Ignored], path: str) -> bool:
    """Tell whether `path` is ignored: the innermost patterns that speak of it decide."""
    for one in reversed(patterns):
        said = one.says(path)
        if said is not None:
            return said
    return False
