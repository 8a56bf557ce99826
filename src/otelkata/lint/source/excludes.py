"""Patterns of files and directories that are left out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cache

DEFAULT = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)
"""Where nobody's own code is."""


@dataclass(frozen=True, slots=True)
class Excludes:
    """Patterns as fnmatch has them: without a slash for any name, else for a path from `root`."""

    root: str
    patterns: tuple[str, ...] = ()

    def match(self, name: str, path: str) -> bool:
        """Tell whether the entry `name`, of the absolute `path`, is meant."""
        names, by_name, by_path = _compiled(self.patterns)
        if name in names or (by_name is not None and by_name.match(name)):
            return True
        if by_path is None:
            return False
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        return by_path.match(relative) is not None

    def match_within(self, path: str) -> bool:
        """Tell whether the file of this absolute path, or a directory above it, is meant."""
        current = path
        while current != self.root and os.path.dirname(current) != current:
            if self.match(os.path.basename(current), current):
                return True
            current = os.path.dirname(current)
        return False


@cache
def _compiled(
    patterns: tuple[str, ...],
) -> tuple[frozenset[str], re.Pattern[str] | None, re.Pattern[str] | None]:
    cleaned = [pattern.rstrip("/") for pattern in patterns]
    names = [pattern for pattern in cleaned if "/" not in pattern]
    paths = [pattern.removeprefix("./").lstrip("/") for pattern in cleaned if "/" in pattern]
    return (
        frozenset(name for name in names if not set(name) & set("*?[")),
        _any(name for name in names if set(name) & set("*?[")),
        _any(paths),
    )


def _any(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(map(translate, patterns))
    return re.compile(joined) if joined else None
