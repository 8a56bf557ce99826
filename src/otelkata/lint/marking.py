"""Write into a handler what shows a failure on its span."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from .hidden import Hidden
from .module import Module
from .scopes import dotted

STATUS = "opentelemetry.trace.StatusCode"
_NAMES = ("error", "failure", "caught")


def mark_failure(module: Module, hidden: Hidden) -> cst.Module | None:
    """Return `module` with the exception recorded and the status set; None if that is not safe."""
    handler, span = hidden.caught.node, hidden.span.name
    if not isinstance(handler, cst.ExceptHandler) or span is None or not hidden.span.certain:
        return None
    if module.parent(hidden.span.node) is hidden.caught.work or "." in span:
        return None
    named = with_name(module, handler)
    code = status_code(module)
    if named is None or code is None or named.name is None:
        return None
    error = dotted(named.name.name)
    lines = [f"{span}.record_exception({error})", f"{span}.set_status({code[0]}.ERROR)"]
    changed = named.with_changes(body=_begin(named.body, lines))
    return _finish(module, handler, changed, code[1])


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
    for name, bindings in module.index.module.names.items():
        for binding in bindings:
            origin = binding.origin or ""
            if origin.startswith("opentelemetry.trace") and origin.endswith(".StatusCode"):
                return name, False
    for name, bindings in module.index.module.names.items():
        if any(binding.origin == "opentelemetry.trace" for binding in bindings):
            return f"{name}.StatusCode", False
    if "StatusCode" in module.index.module.names or _last_import(module) is None:
        return None
    return "StatusCode", True


def _last_import(module: Module) -> int | None:
    """Return where in the file the last import from OpenTelemetry stands."""
    found = None
    for index, statement in enumerate(module.tree.body):
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                source = dotted(small.module) if isinstance(small, cst.ImportFrom) else None
                if (source or "").split(".")[0] == "opentelemetry":
                    found = index
    return found


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


def after_statement(
    module: Module, statement: cst.CSTNode, line: str, *, before: bool = False
) -> cst.BaseSuite | None:
    """Return the block of `statement`, a line of its own, with `line` after or before it."""
    block = module.parent(statement)
    if not isinstance(block, cst.IndentedBlock):
        return None
    body = list(block.body)
    index = next(i for i, item in enumerate(body) if item is statement)
    body.insert(index if before else index + 1, cst.parse_statement(line))
    return block.with_changes(body=body)


def _finish(
    module: Module,
    old: cst.CSTNode,
    new: cst.CSTNode,
    must_import: bool,  # noqa: FBT001
) -> cst.Module | None:
    tree = module.tree.deep_replace(old, new)
    index = _last_import(module)
    if not must_import or index is None:
        return tree if isinstance(tree, cst.Module) else None
    assert isinstance(tree, cst.Module)
    line = cst.parse_statement("from opentelemetry.trace import StatusCode")
    return tree.with_changes(body=[*tree.body[: index + 1], line, *tree.body[index + 1 :]])
