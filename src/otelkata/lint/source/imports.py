"""Tell which files of a folder the others import, by their text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def reached(folder: Path, begun: set[Path], others: set[Path]) -> set[Path]:
    """Return those of `others` that the files `begun` import, directly or through one another.

    All are below `folder`, which is where imports are looked up.
    """
    found: set[Path] = set()
    paths: dict[str, list[Path]] = {}
    for path in others:
        paths.setdefault(".".join(_module(path, folder)), []).append(path)
    left = list(begun)
    while left and paths:
        for name in _imported(left.pop(), folder):
            new = paths.pop(name, [])
            found.update(new)
            left += new
    return found


def _module(path: Path, folder: Path) -> tuple[str, ...]:
    parts = path.relative_to(folder).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _imported(path: Path, folder: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return  # told by whoever lints it
    here = path.relative_to(folder).parent.parts
    for node in ast.walk(tree):
        names: list[tuple[str, ...]] = []
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: max(0, len(here) - node.level + 1)] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            names = [(*base, alias.name) for alias in node.names]
        for name in names:
            # A package runs before what is in it.
            yield from (".".join(name[:end]) for end in range(1, len(name) + 1))
