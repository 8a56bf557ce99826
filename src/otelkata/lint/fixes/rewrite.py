"""Blocks of statements: find a place in one, and make new ones that are laid out alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import libcst as cst

from otelkata.lint.meaning.module import Module

Block: TypeAlias = cst.IndentedBlock | cst.Module
Lines: TypeAlias = Sequence[cst.BaseStatement]


def line_at(block: Block, at: int) -> cst.SimpleStatementLine:
    """Return the line of simple statements that stands at `at`."""
    line = block.body[at]
    assert isinstance(line, cst.SimpleStatementLine)
    return line


def spot(module: Module, node: cst.CSTNode) -> tuple[Block, int] | None:
    """Return the block in which `node` has a line of its own, and which; None if it has none."""
    small = module.statement(node)
    line = module.parent(small) if small is not None else None
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return None
    return block, position(block, line)


def position(block: Block, statement: cst.CSTNode) -> int:
    """Return where `statement` stands in `block`."""
    return next(at for at, found in enumerate(block.body) if found is statement)


def inner(
    block: Block, statements: Lines, header: cst.TrailingWhitespace | None = None
) -> cst.IndentedBlock:
    """Return a block one step further in, indented as `block` is."""
    indent = block.indent if isinstance(block, cst.IndentedBlock) else None
    return cst.IndentedBlock(
        body=statements, indent=indent, header=header or cst.TrailingWhitespace()
    )


def lifted(statements: Lines) -> tuple[list[cst.EmptyLine], list[cst.BaseStatement]]:
    """Return the blank lines before `statements`, and the statements without them."""
    first, *rest = statements
    lines = list(leading(first))
    blanks: list[cst.EmptyLine] = []
    while lines and lines[0].comment is None:
        blanks.append(lines.pop(0))
    return blanks, [first.with_changes(leading_lines=lines), *rest]


def leading(statement: cst.BaseStatement) -> Sequence[cst.EmptyLine]:
    """Return the blank lines and comments before `statement`."""
    found: Sequence[cst.EmptyLine] = statement.leading_lines  # type: ignore[attr-defined]
    return found


def after(lines: Sequence[cst.EmptyLine], statement: cst.BaseStatement) -> cst.BaseStatement:
    """Return `statement` with `lines` before what stands before it."""
    return statement.with_changes(leading_lines=[*lines, *leading(statement)])


def with_finally(block: Block, body: Lines, end: cst.BaseStatement) -> cst.BaseStatement:
    """Return a `try` around `body`, or `body` itself if it is one, with `end` in its `finally`."""
    blanks, plain = lifted([end])
    last = cst.Finally(body=inner(block, plain), leading_lines=blanks)
    only = body[0]
    if len(body) == 1 and isinstance(only, cst.Try | cst.TryStar) and only.finalbody is None:
        return only.with_changes(finalbody=last)
    blanks, body = lifted(body)
    return cst.Try(body=inner(block, body), finalbody=last, leading_lines=blanks)


def has_comment(*nodes: cst.CSTNode | None) -> bool:
    """Tell whether a comment stands anywhere in `nodes`."""
    search = _Comments()
    for node in nodes:
        if node is not None:
            node.visit(search)
    return search.found


class _Comments(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_Comment(self, node: cst.Comment) -> None:  # noqa: ARG002, N802
        self.found = True
