"""Walk what a libcst tree means, and leave out how it is laid out.

libcst's own visitors rebuild every node and visit each blank and comma; a rule needs neither.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache

import libcst as cst

_LAYOUT = frozenset(
    {
        "body_indent",
        "colon",
        "comma",
        "dot",
        "equal",
        "footer",
        "header",
        "indent",
        "lbrace",
        "lbracket",
        "leading_lines",
        "lines_after_decorators",
        "lpar",
        "newline",
        "operator",
        "rbrace",
        "rbracket",
        "rpar",
        "semicolon",
        "trailing_whitespace",
    }
)
SCOPES = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in _LAYOUT and not field.name.startswith("whitespace")
    )


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the direct parts of `node` that mean something."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (item for item in value if isinstance(item, cst.CSTNode))


def walk(node: cst.CSTNode, *, into_scopes: bool = True) -> Iterator[cst.CSTNode]:
    """Yield `node` and all below it, in the order of the source as far as fields have it.

    Without `into_scopes`, functions, classes and lambdas below `node` are yielded, not entered.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not into_scopes and current is not node and isinstance(current, SCOPES):
            continue
        waiting.extend(reversed(list(children(current))))
