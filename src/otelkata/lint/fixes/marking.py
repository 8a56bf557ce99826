"""Write into a handler what shows a failure on its span."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from otelkata.lint.fixes.change import Change, Part
from otelkata.lint.fixes.imports import imports
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Caught
from otelkata.lint.patterns.hidden import Hidden
from otelkata.lint.patterns.opened import Open

_NAMES = ("error", "failure", "caught")


def mark_failure(module: Module, hidden: Hidden) -> Change | None:
    """Record the exception and set the status where a handler begins; None if not safe."""
    handler, span = hidden.caught.node, hidden.span.name or current_span(module, hidden.span)
    if not isinstance(handler, cst.ExceptHandler) or span is None or not hidden.span.certain:
        return None
    if hidden.caught.work in module.ancestors(hidden.span.node):
        return None  # what it opens may have ended by then, or never have begun
    named = with_name(module, handler)
    code = status_code(module)
    if named is None or code is None or named.name is None:
        return None
    error = dotted(named.name.name)
    lines = [f"{span}.record_exception({error})", f"{span}.set_status({code[0]}.ERROR)"]
    changed = named.with_changes(body=_begin(named.body, lines))
    return _change(module, handler, changed, must_import=code[1])


def _change(
    module: Module, old: cst.ExceptHandler, new: cst.ExceptHandler, *, must_import: bool
) -> Change:
    """Put a new handler in the place of one, and import `StatusCode` if it needs that."""
    handler = Part((old,), (new,))
    if not must_import:
        return (handler,)
    last = imports(module).last
    assert last is not None  # `status_code` asks for no import without one to put it behind
    line = cst.parse_statement("from opentelemetry.trace import StatusCode")
    return handler, Part((last,), (last, line))


def current_span(module: Module, span: Open) -> str | None:
    """Return how to get at a span without a name that is current; None if there is no way."""
    name = imports(module).trace
    called = module.called(span.node) if isinstance(span.node, cst.Call) else None
    is_current = called is not None and called.kind == "Tracer.start_as_current_span"
    return f"{name}.get_current_span()" if name and is_current else None


def with_name(module: Module, handler: cst.ExceptHandler) -> cst.ExceptHandler | None:
    """Return `handler` with a name for its exception; None if there is no free one."""
    if handler.name is not None:
        return handler
    if handler.type is None:
        return None
    scope = module.scope(handler)
    free = [name for name in _NAMES if not scope.lookup(name)]
    if not free:
        return None
    return handler.with_changes(
        name=cst.AsName(cst.Name(free[0])), whitespace_after_except=cst.SimpleWhitespace(" ")
    )


def status_code(module: Module) -> tuple[str, bool] | None:
    """Return how this file writes `StatusCode`, and whether that must be imported first."""
    known = imports(module)
    if known.status is not None:
        return known.status, False
    if known.trace is not None:
        return f"{known.trace}.StatusCode", False
    if "StatusCode" in module.index.module.names or known.last is None:
        return None
    return "StatusCode", True


def _begin(body: cst.BaseSuite, lines: Sequence[str]) -> cst.BaseSuite:
    """Return a block that begins with `lines`; a lone `pass` gives way."""
    new = [cst.parse_statement(line) for line in lines]
    if isinstance(body, cst.SimpleStatementSuite):
        old: list[cst.BaseStatement] = [
            cst.SimpleStatementLine([small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            for small in body.body
            if not isinstance(small, cst.Pass)
        ]
        return cst.IndentedBlock([*new, *old], header=body.trailing_whitespace)
    assert isinstance(body, cst.IndentedBlock)
    kept = [item for item in body.body if not _is_bare_pass(item)]
    return body.with_changes(body=[*new, *kept])


def _is_bare_pass(statement: cst.BaseStatement) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.Pass()]):
            has_comment = statement.trailing_whitespace.comment is not None
            return not has_comment and not statement.leading_lines
        case _:
            return False


def add_to_handler(
    module: Module,
    caught: Caught,
    call: cst.Call,
    line: str,
    *,
    before: bool = False,
    must_import: bool = False,
) -> Change | None:
    """Write `line` after the statement `call` in its handler, or before; None if not safe.

    `{error}` in `line` becomes the name of the exception, which the handler is given if need be.
    """
    small = module.parent(call)
    statement = module.parent(small) if isinstance(small, cst.Expr) else None
    block = module.parent(statement) if statement is not None else None
    handler = caught.node
    if not isinstance(block, cst.IndentedBlock) or not isinstance(handler, cst.ExceptHandler):
        return None
    named = with_name(module, handler)
    if named is None or named.name is None:
        return None
    new = cst.parse_statement(line.format(error=dotted(named.name.name)))
    body: list[cst.BaseStatement] = []
    for item in block.body:
        added = (new, item) if before else (item, new)
        body += added if item is statement else (item,)
    changed = named.deep_replace(block, block.with_changes(body=body))
    assert isinstance(changed, cst.ExceptHandler)
    return _change(module, handler, changed, must_import=must_import)
