"""Look at a libcst tree, and build pieces of one."""

from collections.abc import Iterator
from functools import cache

import libcst as cst

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


LAYOUT = (
    cst.BaseParenthesizableWhitespace,
    cst.TrailingWhitespace,
    cst.EmptyLine,
    cst.Newline,
    cst.LeftParen,
    cst.RightParen,
)


@cache
def children(node: cst.CSTNode) -> tuple[cst.CSTNode, ...]:
    """List what a node consists of, but for the layout; libcst looks it up each time."""
    return tuple(child for child in node.children if not isinstance(child, LAYOUT))


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all that is in it, in the order of the code."""
    yield node
    for child in children(node):
        yield from walk(child)


def walk_own(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Walk what runs when `node` runs: no function, lambda or class that is only defined in it."""
    yield node
    for child in children(node):
        if not isinstance(child, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            yield from walk_own(child)


def last_name(node: cst.CSTNode | None) -> str:
    """Return `c` for `a.b.c`, `c` and calls of them."""
    match node:
        case cst.Name():
            return node.value
        case cst.Attribute():
            return node.attr.value
        case cst.Call():
            return last_name(node.func)
        case _:
            return ""


def code_of(node: cst.CSTNode) -> str:
    """Return the code of one node."""
    return cst.Module([]).code_for_node(node)


def calls(tree: cst.CSTNode, *names: str) -> list[cst.Call]:
    """Find the calls whose last name is one of `names`."""
    return [
        node for node in walk(tree) if isinstance(node, cst.Call) and last_name(node.func) in names
    ]


def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.Arg | None:
    """Find an argument by its keyword, or by its position."""
    for index, arg in enumerate(call.args):
        if arg.keyword is not None and arg.keyword.value == keyword:
            return arg
        if arg.keyword is None and not arg.star and index == position:
            return arg
    return None


def without_argument(call: cst.Call, arg: cst.Arg) -> cst.Call:
    """Return the call without one of its arguments."""
    return call.with_changes(args=[each for each in call.args if each is not arg])


def with_argument(call: cst.Call, keyword: str, value: str) -> cst.Call:
    """Return the call with one more keyword argument, in place of an older one of that name."""
    new = cst.parse_expression(f"f({keyword}={value})")
    assert isinstance(new, cst.Call)
    args = [arg for arg in call.args if arg.keyword is None or arg.keyword.value != keyword]
    return call.with_changes(args=[*args, new.args[0]])


def with_value(call: cst.Call, arg: cst.Arg, value: str) -> cst.Call:
    """Return the call with another value for one of its arguments."""
    changed = arg.with_changes(value=expression(value))
    return call.with_changes(args=[changed if each is arg else each for each in call.args])


def expression(code: str) -> cst.BaseExpression:
    """Parse an expression."""
    return cst.parse_expression(code)


def statement(code: str) -> Statement:
    """Parse a statement."""
    return cst.parse_statement(code)


def text_of(node: cst.CSTNode | None) -> str:
    """Return the value of a string literal, and nothing for any other node."""
    if isinstance(node, cst.SimpleString) and isinstance(node.evaluated_value, str):
        return node.evaluated_value
    return ""


def body_of(node: cst.CSTNode) -> list[cst.BaseStatement]:
    """Return the statements of a compound statement's own block."""
    block = getattr(node, "body", None)
    if not isinstance(block, cst.IndentedBlock):
        return []
    return list(block.body)


def is_constant(name: str) -> bool:
    """Tell names such as `HTTP_ROUTE` from others."""
    return name.isupper()
