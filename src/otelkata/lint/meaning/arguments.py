"""Read the arguments of calls, and literals."""

from __future__ import annotations

import libcst as cst


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.Arg | None:
    """Return the argument that `call` gives by `keyword`, or at `position`; None if it does not."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg
    if position is None:
        return None
    for index, arg in enumerate(call.args):
        if arg.keyword is not None or arg.star:
            return None
        if index == position:
            return arg
    return None


def text_of(node: cst.BaseExpression) -> str | None:
    """Return the value of a literal string; None if `node` is something else."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def is_literal(node: cst.BaseExpression, name: str) -> bool:
    """Tell whether `node` is the constant `name`: True, False or None."""
    return isinstance(node, cst.Name) and node.value == name
