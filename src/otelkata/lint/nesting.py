"""Tell how deeply a source is nested, before a parser that overflows its stack does."""

from __future__ import annotations

import ast
import re
import warnings

BRACKETS = 200
"""How many brackets may be open at once; CPython's own limit."""
DEEPEST = 2_000
"""How deep the tree of a statement may be; libcst's time grows with its square."""

_LONG = 4_000
"""Bytes: a statement has to be this long to be too deep without brackets."""
_BRACKETS = re.compile(rb"[(\[{]+|[)\]}]+")
_NO_CODE = re.compile(
    rb"""#[^\n]*|\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z)|'''(?:\\.|[^\\])*?(?:'''|\Z)"""
    rb"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)
_LONG_LINE = re.compile(rb"[^\n]{%d}" % _LONG)
_OPENING = frozenset(b"([{")


def too_deep(source: bytes) -> str | None:
    """Say why `source` cannot be parsed; None if nothing speaks against it."""
    depth, longest = _brackets(source)
    if depth > BRACKETS:
        depth, _ = _brackets(_NO_CODE.sub(b"", source))
    if depth > BRACKETS:
        return f"has {depth:,} brackets open at once; Python itself allows {BRACKETS}"
    if (longest > _LONG or _LONG_LINE.search(source)) and _depth(source) > DEEPEST:
        return f"has an expression that is nested more than {DEEPEST:,} deep"
    return None


def _brackets(source: bytes) -> tuple[int, int]:
    """Return how many brackets are open at most, and the bytes between the widest pair."""
    depth = deepest = longest = start = 0
    for found in _BRACKETS.finditer(source):
        run = found[0]
        if run[0] in _OPENING:
            start = start if depth else found.start()
            depth += len(run)
            deepest = max(deepest, depth)
        else:
            depth = max(0, depth - len(run))
            longest = longest if depth else max(longest, found.end() - start)
    return deepest, longest if not depth else len(source) - start


def _depth(source: bytes) -> int:
    """Return the depth of the tree; 0 for what this Python cannot parse, which libcst may."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            level: list[ast.AST] = [ast.parse(source)]
    except (SyntaxError, ValueError):
        return 0
    except (RecursionError, MemoryError):
        return DEEPEST + 1
    depth = 0
    while level and depth <= DEEPEST:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth
