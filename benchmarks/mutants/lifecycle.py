"""Leave spans open, and end them too early."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import Start, injects, is_server_start, opens_span, starts
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    body_of,
    code_of,
    statement,
    walk,
    with_argument,
)

OPEN = (
    "T2: 'every span that was started has ended', judged on 'no span stays open in any "
    "scenario'; C2: 'it ends on return, on exception and on cancellation'"
)


def finally_ends(
    submission: Submission,
) -> Iterator[tuple[Source, cst.Try, cst.SimpleStatementLine]]:
    """Yield each `span.end()` in the `finally` of a `try`."""
    for start in starts(submission):
        if not start.variable or start.item is not None:
            continue
        function = start.source.function(start.call)
        for block in walk(function) if function is not None else ():
            if isinstance(block, cst.Try) and block.finalbody is not None:
                for stmt in block.finalbody.body.body:
                    if _is_end(stmt, start.variable):
                        assert isinstance(stmt, cst.SimpleStatementLine)
                        yield start.source, block, stmt


def _is_end(stmt: cst.CSTNode, name: str) -> bool:
    return (
        isinstance(stmt, cst.SimpleStatementLine)
        and isinstance(stmt.body[0], cst.Expr)
        and code_of(stmt.body[0].value) == f"{name}.end()"
    )


@operator("T2 C2", OPEN)
def drop_end(submission: Submission) -> Iterator[Edit]:
    """A span that was started by hand is never ended."""
    for source, _block, stmt in finally_ends(submission):
        yield Edit(source, stmt).splice(stmt)


@operator("T2 C2", OPEN)
def end_on_exit_false(submission: Submission) -> Iterator[Edit]:
    """The `with` of a span is told not to end it."""
    for start in starts(submission):
        if start.current and start.block is not None:
            call = with_argument(start.call, "end_on_exit", "False")
            yield Edit(start.source, start.call).swap(start.call, call)


@operator("T2 C2", OPEN)
def end_after_with(submission: Submission) -> Iterator[Edit]:
    """A span is ended by hand behind its block, where no return and no exception comes by."""
    for start in starts(submission):
        block, item = start.block, start.item
        if block is None or item is None or not start.current:
            continue
        edit = Edit(start.source, start.call)
        used = edit.name("opentelemetry.trace", "use_span")
        func = start.call.func
        if not isinstance(func, cst.Attribute):
            continue
        opened = start.call.with_changes(func=func.with_changes(attr=cst.Name("start_span")))
        name = start.variable or "opened"
        asname = item.asname or cst.AsName(cst.Name(name))
        changed = item.with_changes(item=cst.Call(cst.Name(used), [cst.Arg(opened)]), asname=asname)
        items = [changed if each is item else each for each in block.items]
        yield edit.splice(block, block.with_changes(items=items), statement(f"{name}.end()"))


@operator("T2 C2", OPEN)
def end_at_end_of_try(submission: Submission) -> Iterator[Edit]:
    """`end()` moves from the `finally` to the end of the `try`, which not every path reaches."""
    for source, block, stmt in finally_ends(submission):
        assert block.finalbody is not None
        body = body_of(block)
        last = body[-1]
        leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(
            last.body[0], cst.Return | cst.Raise
        )
        place = len(body) - 1 if leaves else len(body)
        changed = block.with_changes(
            body=block.body.with_changes(body=[*body[:place], stmt, *body[place:]]),
            finalbody=_shorter(block.finalbody, stmt),
        )
        if changed.finalbody is None and not changed.handlers:
            continue
        yield Edit(source, stmt).swap(block, changed)


def _shorter(final: cst.Finally, stmt: cst.BaseStatement) -> cst.Finally | None:
    rest = [each for each in final.body.body if each is not stmt]
    return final.with_changes(body=final.body.with_changes(body=rest)) if rest else None


@operator("T2 C2", OPEN)
def end_not_on_cancellation(submission: Submission) -> Iterator[Edit]:
    """A span is ended at every return and in each handler, but not when the call is cancelled."""
    for source, block, stmt in finally_ends(submission):
        assert block.finalbody is not None
        if len(block.finalbody.body.body) > 1 or not block.handlers:
            continue
        body = block.body.visit(_EndBeforeReturn(stmt))
        assert isinstance(body, cst.IndentedBlock)
        if not _leaves(body.body[-1]):
            body = body.with_changes(body=[*body.body, stmt])
        handlers = [
            handler.with_changes(
                body=handler.body.with_changes(
                    body=[*body_of(handler)[:-1], stmt, body_of(handler)[-1]]
                )
            )
            for handler in block.handlers
        ]
        changed = block.with_changes(body=body, handlers=handlers, finalbody=None)
        yield Edit(source, stmt).swap(block, changed)


def _leaves(stmt: cst.CSTNode) -> bool:
    return isinstance(stmt, cst.SimpleStatementLine) and isinstance(
        stmt.body[0], cst.Return | cst.Raise
    )


class _EndBeforeReturn(cst.CSTTransformer):
    def __init__(self, end: cst.SimpleStatementLine) -> None:
        super().__init__()
        self.end = end

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: ARG002, N802 (libcst's names)
        return False

    def leave_SimpleStatementLine(  # noqa: N802 (libcst's name)
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.BaseStatement]:
        if isinstance(original_node.body[0], cst.Return):
            return cst.FlattenSentinel([self.end, updated_node])
        return updated_node


@operator("T2 C2", OPEN)
def forgotten_span(submission: Submission) -> Iterator[Edit]:
    """One more span is started for a step of the work, and nobody ends it."""
    for start in starts(submission):
        if start.block is not None and isinstance(start.call.func, cst.Attribute):
            tracer = code_of(start.call.func.value)
            block = start.block
            new = statement(f'{tracer}.start_span("prepare")')
            body = block.body.with_changes(body=[new, *body_of(block)])
            yield Edit(start.source, start.call).swap(block, block.with_changes(body=body))


@operator(
    "F3 F5 F6",
    "contract, client: 'it lasts at least until the response's headers arrived' (F3); what is set "
    "later is lost: 'http.response.status_code' (F5), '4xx: ERROR on CLIENT' (F6)",
)
def client_span_ends_before_send(submission: Submission) -> Iterator[Edit]:
    """The CLIENT span is ended before its request is sent."""
    for inject in injects(submission):
        if inject.span:
            edit = Edit(inject.source, inject.statement)
            yield edit.insert_after(inject.statement, f"{inject.span}.end()")


@operator(
    "F3 F5 F6 C4 T4",
    "contract, client: 'it lasts at least until the response's headers arrived' (F3); what is set "
    "later is lost: the status code (F5), ERROR (F6) and the exception of a call that failed (C4, "
    "T4)",
)
def request_sent_after_client_span(submission: Submission) -> Iterator[Edit]:
    """Only the headers are made in the CLIENT span; the request is sent when it has ended."""
    for inject in injects(submission):
        block = inject.source.parents[inject.source.parents[inject.statement]]
        if not isinstance(block, cst.With) or not opens_span(block.items[0]):
            continue
        body = body_of(block)
        cut = next(i for i, stmt in enumerate(body) if stmt is inject.statement) + 1
        inner = block.with_changes(body=block.body.with_changes(body=body[:cut]))
        yield Edit(inject.source, block).splice(block, inner, *body[cut:])


@operator(
    "F5 F6",
    "what is set after the end is lost: contract, attributes: 'http.response.status_code' (F5); "
    "status: '5xx: ERROR on SERVER' (F6)",
)
def server_span_ends_early(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is ended before the request is handled."""
    for start in starts(submission):
        if start.kind == "SERVER" and start.block is not None and start.variable:
            yield _ended_first(start)


def _ended_first(start: Start) -> Edit:
    block = start.block
    assert block is not None
    new = statement(f"{start.variable}.end()")
    body = block.body.with_changes(body=[new, *body_of(block)])
    return Edit(start.source, start.call).swap(block, block.with_changes(body=body))


@operator(
    "F5 F6",
    "F5: 'attributes: names, types, values true to what the wire showed'; F6: 'each failed "
    "operation's span has ERROR, no sound one has'",
)
def span_kept_on_self(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is kept on the middleware itself, which all requests share."""
    for start in starts(submission):
        function = start.source.function(start.call)
        if function is None or start.item is None or not is_server_start(start):
            continue
        if not start.variable or not function.asynchronous:
            continue
        if function.params.params and function.params.params[0].name.value == "self":
            edit = Edit(start.source, start.call)
            for node in walk(function):
                if _is_variable(start.source, node, start.variable):
                    edit.swap(node, cst.Attribute(cst.Name("self"), cst.Name(start.variable)))
            yield edit


def _is_variable(source: Source, node: cst.CSTNode, name: str) -> bool:
    """Say whether a node is a variable of this name, and no parameter, attribute or keyword."""
    if not isinstance(node, cst.Name) or node.value != name:
        return False
    parent = source.parents[node]
    return (
        not isinstance(parent, cst.Param)
        and getattr(parent, "attr", None) is not node
        and getattr(parent, "keyword", None) is not node
    )
