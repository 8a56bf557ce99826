"""Walk what a libcst tree means, and leave out how it is laid out.

libcst's own visitors rebuild every node and visit each blank and comma; a rule needs neither. Its
nodes have an abstract base, so that `isinstance` is slow where the answer is no: not used here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

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


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that mean something; none of what is no node."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        fields = dataclasses.fields(kind) if issubclass(kind, cst.CSTNode) else ()
        self[kind] = tuple(
            field.name
            for field in fields
            if field.name not in _LAYOUT and not field.name.startswith("whitespace")
        )
        return self[kind]


class _IsNode(dict[type, bool]):
    """Whether a value of each type is a node."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode)
        return self[kind]


# What has no parts is by far the most.
_FIELDS = _Fields({cst.Name: (), cst.SimpleString: (), cst.Integer: ()})
_IS_NODE = _IsNode()


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the direct parts of `node` that mean something."""
    found: list[cst.CSTNode] = []
    for name in _FIELDS[node.__class__]:
        value = getattr(node, name)
        kind = value.__class__
        if kind is tuple or kind is list:
            found += value
        elif _IS_NODE[kind]:
            found.append(value)
    return found


def walk(node: cst.CSTNode, *, into_scopes: bool = True) -> Iterator[cst.CSTNode]:
    """Yield `node` and all below it, in the order of the source as far as fields have it.

    Without `into_scopes`, functions, classes and lambdas below `node` are yielded, not entered.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not into_scopes and current.__class__ in SCOPES and current is not node:
            continue
        below = children(current)
        below.reverse()
        waiting += below
