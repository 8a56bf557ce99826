"""What git ignores: `.gitignore` in each directory, up to the repository's root."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignored:
    """The patterns of one directory."""

    folder: str
    spec: GitIgnoreSpec

    def says(self, path: str) -> bool | None:
        """Tell whether the absolute `path` (a directory: with a slash at its end) is ignored.

        None if no pattern speaks of it: then those of the directory above decide.
        """
        relative = path[len(self.folder) :].lstrip(os.sep)
        return self.spec.check_file(relative.replace(os.sep, "/")).include


def read(folder: str, name: str = ".gitignore") -> Ignored | None:
    """Return the patterns in `folder`; None if there are none."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
            lines = [line for line in stream.read().splitlines() if line.strip()]
    except OSError:
        return None
    if all(line.startswith("#") for line in lines):
        return None
    return Ignored(folder, _spec(lines))


def _spec(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 (not every tree has patterns)

    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        # Git takes a pattern that makes no sense for one that matches nothing.
        return GitIgnoreSpec.from_lines([line for line in lines if _makes_sense(line)])


def _makes_sense(line: str) -> bool:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 (as above)

    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def above(folder: str) -> tuple[Ignored, ...]:
    """Return the patterns of the directories above `folder`, from the repository's root down.

    Outside of a repository none apply, nor do those by which `folder` itself is ignored: whoever
    names an ignored directory wants it linted.
    """
    found: list[Ignored] = []
    current = folder
    while not os.path.exists(os.path.join(current, ".git")):
        up = os.path.dirname(current)
        if up == current:
            return ()
        current = up
        patterns = read(current)
        found += [patterns] if patterns else []
    excluded = read(current, os.path.join(".git", "info", "exclude"))
    found += [Ignored(current, excluded.spec)] if excluded else []
    inward = tuple(reversed(found))
    return () if is_ignored(inward, folder + os.sep) else inward


def is_ignored(patterns: Sequence[Ignored], path: str) -> bool:
    """Tell whether `path` is ignored: the innermost patterns that speak of it decide."""
    for one in reversed(patterns):
        said = one.says(path)
        if said is not None:
            return said
    return False
