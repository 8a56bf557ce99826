"""Take lines out of statements, and with them what is nothing without them."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from otelkata.lint.fixes.rewrite import Lines, after, has_comment, leading


def without(statements: Lines, lines: Collection[cst.CSTNode]) -> list[cst.BaseStatement]:
    """Return `statements` without `lines`, which stand in blocks inside of them.

    An `else` or `finally` that is left with nothing goes as well, and a last handler of one of
    `statements` that only raises again; a `try` that has lost both gives what it tried.
    """
    removal = _Removal(lines)
    found: list[cst.BaseStatement] = []
    for statement in statements:
        new = statement.visit(removal)
        assert isinstance(new, cst.BaseStatement)
        if isinstance(statement, cst.Try) and isinstance(new, cst.Try):
            found += _reduced(statement, new, lines)
        else:
            found.append(new)
    return found


def can_open(node: cst.Try) -> bool:
    """Tell whether the body of a `try` can take its place without loss of a comment."""
    body = node.body
    return isinstance(body, cst.IndentedBlock) and not has_comment(body.header, *body.footer)


def _reduced(old: cst.Try, new: cst.Try, lines: Collection[cst.CSTNode]) -> list[cst.BaseStatement]:
    """Return `new` without the handlers and the `finally` that do nothing any more."""
    handlers = list(new.handlers)
    finalbody = new.finalbody if new.finalbody and new.finalbody.body.body else None
    while (
        handlers
        and new.orelse is None
        and (len(handlers) > 1 or finalbody or can_open(old))
        and _is_idle(old.handlers[len(handlers) - 1], handlers[-1], lines)
    ):
        handlers.pop()
    if handlers or finalbody:
        return [new.with_changes(handlers=handlers, finalbody=finalbody)]
    first, *rest = new.body.body
    assert isinstance(first, cst.BaseStatement)
    return [after(new.leading_lines, first), *rest]


def _is_idle(
    old: cst.ExceptHandler, new: cst.ExceptHandler, lines: Collection[cst.CSTNode]
) -> bool:
    """Tell whether a handler has lost a line, and does no more than to raise again."""
    only = new.body.body[0] if len(new.body.body) == 1 else None
    return (
        any(line in lines for line in old.body.body)
        and isinstance(only, cst.SimpleStatementLine)
        and isinstance(only.body[0], cst.Raise)
        and only.body[0].exc is None
        and not has_comment(old)
    )


class _Removal(cst.CSTTransformer):
    def __init__(self, lines: Collection[cst.CSTNode]) -> None:
        super().__init__()
        self._lines = lines

    def leave_IndentedBlock(  # noqa: N802
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        if not any(line in self._lines for line in original_node.body):
            return updated_node
        kept: list[cst.BaseStatement] = []
        waiting: list[cst.EmptyLine] = []
        for old, new in zip(original_node.body, updated_node.body, strict=True):
            if old in self._lines:
                waiting += leading(old)
            else:
                kept.append(after(waiting, new))
                waiting = []
        if not any(line.comment is not None for line in waiting):
            return updated_node.with_changes(body=kept)
        return updated_node.with_changes(body=kept, footer=[*waiting, *updated_node.footer])

    def leave_Else(  # type: ignore[override]  # noqa: N802
        self, original_node: cst.Else, updated_node: cst.Else
    ) -> cst.Else | cst.RemovalSentinel:
        emptied = bool(original_node.body.body) and not updated_node.body.body
        return cst.RemovalSentinel.REMOVE if emptied else updated_node
