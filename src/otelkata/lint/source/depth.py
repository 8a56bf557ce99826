"""Tell that a source is nested too deeply, before libcst's parser overflows its stack.

An overflow there ends the whole process. Below these limits its time, which grows with the square
of the depth, stays within a second or two as well.
"""

from __future__ import annotations

import ast
import re
import warnings

from otelkata.lint.source.glance import Glance

BRACKETS = 200
"""How many brackets may be open at once: CPython's own limit."""
PATTERN_BRACKETS = 8
"""How many may be open in a pattern of `case`: each makes libcst two to four times as slow."""
LEVELS = 1_000
"""How many levels an expression or statement may have."""

_UNITS = 5
"""What a level counts; less and more are for what takes less and more of the stack."""
_DEFAULT_UNITS = 3 * _UNITS
_LONG = 4_000
"""Bytes that a statement needs at least to reach a depth that does harm."""
_MANY = 500
"""Continued lines, or branches of an `if`, that are worth a look."""
_BRACKET = re.compile(rb"[(\[{]+|[)\]}]+")
_OPENING = frozenset(b"([{")
_NO_CODE = re.compile(
    rb"""#[^\r\n]*|[rbuRBU]{0,2}(?:\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z)|'''(?:\\.|[^\\])*?(?:'''|\Z)"""
    rb"""|"(?:\\.|[^"\\\r\n])*"?|'(?:\\.|[^'\\\r\n])*'?)""",
    re.DOTALL,
)
_CASE = re.compile(rb"^[ \t]*case\b", re.MULTILINE)


def obstacle(source: bytes, glance: Glance | None = None) -> str | None:
    """Say why `source` cannot be given to the parser; None if nothing speaks against it.

    What `ast` has read at a `glance` has no more open brackets than it may.
    """
    longest = 0
    if glance is None:
        deepest, longest = _brackets(source)
        if deepest > BRACKETS:
            deepest, longest = _brackets(_NO_CODE.sub(_code_of, source))
        if deepest > BRACKETS:
            return _too_deep(f"{deepest:,} open brackets", BRACKETS)
    if b"match" in source and (pattern := _pattern_depth(source)) > PATTERN_BRACKETS:
        return _too_deep(f"{pattern:,} open brackets in a pattern", PATTERN_BRACKETS)
    if glance is not None:
        return None if glance.is_shallow else _levels_of(glance.tree)
    if longest > _LONG or _is_long(source):
        return _levels(source)
    return None


def _too_deep(what: str, most: int) -> str:
    return f"is nested too deeply ({what}; at most {most:,})"


def _brackets(source: bytes) -> tuple[int, int]:
    """Return how many brackets are open at most, and the bytes of the widest pair."""
    depth = deepest = longest = start = 0
    for found in _BRACKET.finditer(source):
        run = found[0]
        if run[0] in _OPENING:
            start = start if depth else found.start()
            depth += len(run)
            deepest = max(deepest, depth)
        else:
            depth = max(0, depth - len(run))
            longest = max(longest, found.end() - start)
    return deepest, len(source) - start if depth else longest


def _code_of(found: re.Match[bytes]) -> bytes:
    """Keep what may be a formatted string: there is code in its brackets."""
    before = found.string[max(0, found.start() - 1) : found.start()]
    return found[0] if before in {b"f", b"F", b"t", b"T"} else b""


def _pattern_depth(source: bytes) -> int:
    deepest = 0
    for case in _CASE.finditer(source):
        depth = 0
        for found in _BRACKET.finditer(source, case.end()):
            if not depth and b"\n" in source[case.end() : found.start()]:
                break
            run = found[0]
            depth += len(run) if run[0] in _OPENING else -len(run)
            deepest = max(deepest, depth)
            if depth <= 0:
                break
    return deepest


def _is_long(source: bytes) -> bool:
    return (
        source.count(b"\\\n") + source.count(b"\\\r") > _MANY
        or source.count(b"elif") > _MANY
        or max(map(len, source.splitlines()), default=0) > _LONG
    )


def _levels(source: bytes) -> str | None:
    """Say whether the tree of `source` is too deep, or cannot be told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (RecursionError, MemoryError):
        return f"is nested too deeply (at most {LEVELS:,} levels)"
    except SyntaxError as error:
        return f"syntax error at {error.lineno or 1}:{error.offset or 1}: {error.msg}"
    except ValueError as error:
        return f"cannot be decoded: {error}"
    return _levels_of(tree)


def _levels_of(tree: ast.Module) -> str | None:
    levels = _depth(tree) // _UNITS
    return _too_deep(f"{levels:,} levels", LEVELS) if levels > LEVELS else None


def _depth(tree: ast.AST) -> int:
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(node, ast.BoolOp):
            # Flat here, and as deep as it is long in libcst's tree.
            depth += len(node.values)
        waiting += [(child, depth + _units(node, child)) for child in ast.iter_child_nodes(node)]
    return deepest


def _units(node: ast.AST, child: ast.AST) -> int:
    if isinstance(child, ast.arguments):
        return _DEFAULT_UNITS
    is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
    return 1 if is_elif else _UNITS
