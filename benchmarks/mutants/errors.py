"""Hide failures, and report successes as failures."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.equivalence import raised_in_with
from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import (
    Start,
    is_current_span,
    opens_span,
    receiver,
    starts,
    statements_of,
)
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    body_of,
    code_of,
    last_name,
    statement,
    text_of,
    walk,
    with_argument,
)

TRACE = "opentelemetry.trace"
CATCH_ALL = ("Exception", "BaseException")
STATUS = (
    "F6: 'each failed operation's span has ERROR'; C4: 'status ERROR and the exception recorded "
    "when an operation fails, also when the exception is handled and turned into a response'; T4: "
    "'a failed operation shows ERROR … on its span, never a clean one'"
)
EVENT = (
    "C4: 'handled failures, status and exception where one occurred'; T4: 'a failed operation "
    "shows ERROR and the exception on its span'; F6: 'record errors and exceptions on the span "
    "they happened in'"
)


def error_statuses(
    submission: Submission,
) -> Iterator[tuple[Source, cst.Call, cst.SimpleStatementLine]]:
    """Yield the statements that mark a span as failed.

    Not those on the current span: that is mostly the SERVER span, which the answer marks as well.
    """
    for source, call, stmt in statements_of(submission, "set_status"):
        if "ERROR" in code_of(call) and not is_current_span(source, call):
            yield source, call, stmt


@operator("F6 C4 T4", STATUS, raised_in_with)
def drop_error_status(submission: Submission) -> Iterator[Edit]:
    """The status of a span that failed is not set."""
    for source, _call, stmt in error_statuses(submission):
        yield Edit(source, stmt).splice(stmt)


@operator("F6 C4 T4", STATUS, raised_in_with)
def error_as_attribute(submission: Submission) -> Iterator[Edit]:
    """A failure is an attribute `error`, as in OpenTracing, instead of the span's status."""
    for source, call, stmt in error_statuses(submission):
        line = f'{receiver(call)}.set_attribute("error", True)'
        yield Edit(source, stmt).splice(stmt, statement(line))


@operator("F6 C4 T4", STATUS, raised_in_with)
def status_as_text(submission: Submission) -> Iterator[Edit]:
    """The status is given as a text, which the SDK ignores."""
    for source, call, stmt in error_statuses(submission):
        yield Edit(source, stmt).splice(stmt, statement(f'{receiver(call)}.set_status("ERROR")'))


def _recorded(
    submission: Submission,
) -> Iterator[tuple[Source, cst.Call, cst.SimpleStatementLine]]:
    """Yield the statements that record an exception.

    Not those in a handler of last resort around a whole request: the failures that the contract
    names are recorded where they happen.
    """
    inner = {
        (start.source.function(start.call), start.variable)
        for start in starts(submission)
        if start.kind != "SERVER"
    }
    for source, call, stmt in statements_of(submission, "record_exception"):
        handler = source.enclosing(call, cst.ExceptHandler)
        any_kind = handler is not None and last_name(handler.type) in {"", *CATCH_ALL}
        if not any_kind or (source.function(call), receiver(call)) in inner:
            yield source, call, stmt


@operator("C4 T4 F6", EVENT, raised_in_with)
def drop_record_exception(submission: Submission) -> Iterator[Edit]:
    """An exception that is handled is not recorded."""
    for source, _call, stmt in _recorded(submission):
        yield Edit(source, stmt).splice(stmt)


@operator("C4 T4 F6", EVENT, raised_in_with)
def exception_as_own_event(submission: Submission) -> Iterator[Edit]:
    """An exception becomes an event of the shop's own, instead of being recorded as one."""
    for source, call, stmt in _recorded(submission):
        reason = f"type({code_of(call.args[0].value)}).__name__"
        line = f'{receiver(call)}.add_event("failure", {{"reason": {reason}}})'
        yield Edit(source, stmt).splice(stmt, statement(line))


def _operations(submission: Submission) -> Iterator[Start]:
    """Yield the starts of spans of calls and queries, which record what is raised in them."""
    for start in starts(submission):
        operation = start.kind == "CLIENT" or start.database or _opens_db(start)
        if operation and start.current and (start.block is not None or _is_entered(start)):
            yield start


def _is_entered(start: Start) -> bool:
    parent = start.source.parents[start.call]
    return (
        isinstance(parent, cst.Arg) and last_name(start.source.parents[parent]) == "enter_context"
    )


def _opens_db(start: Start) -> bool:
    block = start.block
    return block is not None and any(
        isinstance(node, cst.Call) and code_of(node.func) == "sqlite3.connect"
        for item in block.items
        for node in walk(item)
    )


@operator("C4 T4 F6", EVENT)
def record_exception_off(submission: Submission) -> Iterator[Edit]:
    """The span of a call or query is told not to record what is raised in it."""
    for start in _operations(submission):
        call = with_argument(start.call, "record_exception", "False")
        yield Edit(start.source, start.call).swap(start.call, call)


@operator("F6 C4 T4", STATUS)
def status_on_exception_off(submission: Submission) -> Iterator[Edit]:
    """The span of a call or query is told to stay clean when an exception passes through it."""
    for start in _operations(submission):
        call = with_argument(start.call, "set_status_on_exception", "False")
        yield Edit(start.source, start.call).swap(start.call, call)


@operator("C4 T4 F6", STATUS)
def swallow_in_span(submission: Submission) -> Iterator[Edit]:
    """An exception is caught inside the span and handled outside of it, so the span stays clean."""
    for start in _operations(submission):
        block = start.block
        if block is None:
            continue
        inner = cst.Try(
            body=block.body,
            handlers=[
                cst.ExceptHandler(
                    type=cst.Name("Exception"),
                    name=cst.AsName(cst.Name("error")),
                    body=cst.IndentedBlock([statement("failure = error")]),
                )
            ],
        )
        changed = block.with_changes(body=block.body.with_changes(body=[inner]))
        yield Edit(start.source, start.call).splice(
            block,
            statement("failure = None"),
            changed,
            statement("if failure is not None:\n    raise failure\n"),
        )


@operator("C4 T4 F6", STATUS + "; " + EVENT)
def failure_not_recorded(submission: Submission) -> Iterator[Edit]:
    """A helper that marks a span as failed is not called for a failure that is handled."""
    helpers = {
        function.name.value
        for source in submission
        for function in source.all(cst.FunctionDef)
        if {"record_exception", "set_status"}
        <= {last_name(node.func) for node in walk(function) if isinstance(node, cst.Call)}
    }
    opened = {
        (start.source.function(start.call), start.variable)
        for start in starts(submission)
        if start.kind != "SERVER"
    }
    for source in submission:
        for call in source.calls(*sorted(helpers)):
            stmt, handler = source.statement(call), source.enclosing(call, cst.ExceptHandler)
            if handler is None or not isinstance(stmt, cst.SimpleStatementLine) or not call.args:
                continue
            if (source.function(call), code_of(call.args[0].value)) in opened:
                yield Edit(source, stmt).splice(stmt)


@operator(
    "F6 C4 T4",
    STATUS + "; contract, status: '5xx: ERROR on SERVER and CLIENT', and OK, once set, is final",
)
def status_ok_at_start(submission: Submission) -> Iterator[Edit]:
    """The status is set to OK at the start of the span, and OK is final."""
    for start in starts(submission):
        if start.kind in {"SERVER", "CLIENT", "ANY"} and start.variable:
            edit = Edit(start.source, start.call)
            code = edit.name(TRACE, "StatusCode")
            new = statement(f"{start.variable}.set_status({code}.OK)")
            block, stmt = start.block, start.source.statement(start.call)
            if block is not None:
                body = block.body.with_changes(body=[new, *body_of(block)])
                yield edit.swap(block, block.with_changes(body=body))
            elif isinstance(stmt, cst.SimpleStatementLine):
                first = start.source.after(stmt)
                if first and isinstance(first[0], cst.Try):
                    body = first[0].body.with_changes(body=[new, *body_of(first[0])])
                    yield edit.swap(first[0], first[0].with_changes(body=body))
                else:
                    yield edit.splice(stmt, stmt, new)


def _guards(submission: Submission) -> Iterator[tuple[Source, cst.If, cst.Call]]:
    """Yield each `if` that marks a span as failed by the status of an answer."""
    for source, call, stmt in error_statuses(submission):
        block = source.parents[source.parents[stmt]]
        if isinstance(block, cst.If):
            yield source, block, call


def _thresholds(
    submission: Submission, least: str
) -> Iterator[tuple[Source, cst.ComparisonTarget]]:
    for source, block, _call in _guards(submission):
        for node in walk(block.test):
            if (
                isinstance(node, cst.ComparisonTarget)
                and isinstance(node.operator, cst.GreaterThanEqual)
                and code_of(node.comparator) == least
            ):
                yield source, node


@operator("F6 C4 T4", "contract, status: '4xx: ERROR on CLIENT'; " + STATUS)
def client_4xx_not_an_error(submission: Submission) -> Iterator[Edit]:
    """The span of an outgoing request is marked for a 5xx only."""
    for source, node in _thresholds(submission, "400"):
        yield Edit(source, node).swap(node, node.with_changes(comparator=cst.Integer("500")))


@operator("F6 C4 T4", "contract, status: '5xx: ERROR on SERVER'; " + STATUS)
def status_500_not_an_error(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is marked for what is above 500, and not for 500."""
    for source, node in _thresholds(submission, "500"):
        above = cst.GreaterThan(
            node.operator.whitespace_before,  # type: ignore[attr-defined]  # not of `not in`
            node.operator.whitespace_after,  # type: ignore[attr-defined]
        )
        yield Edit(source, node).swap(node, node.with_changes(operator=above))


@operator("F6", "F6: 'no sound one has [ERROR]'; contract, status: 'Success: not ERROR'")
def error_on_success(submission: Submission) -> Iterator[Edit]:
    """The span is marked as failed whatever was answered."""
    for source, block, call in _guards(submission):
        if block.orelse is None and not isinstance(source.parents[block], cst.If):
            edit = Edit(source, block)
            # Without a description, which may be there in a failure only.
            always = f"{receiver(call)}.set_status({edit.name(TRACE, 'StatusCode')}.ERROR)"
            yield edit.splice(block, statement(always), block)


@operator("F6", "F6 (contract, status): 'Success: not ERROR, also after a retry'")
def retry_marks_server_span(submission: Submission) -> Iterator[Edit]:
    """A call that a retry saved leaves ERROR on the SERVER span."""
    for source, call, stmt in statements_of(submission, "add_event"):
        if call.args and "retry" in text_of(call.args[0].value):
            edit = Edit(source, stmt)
            code = edit.name(TRACE, "StatusCode")
            yield edit.insert_after(stmt, f"{receiver(call)}.set_status({code}.ERROR)")


@operator(
    "F6 C4 T4",
    "F6 (contract, status): 'a call that … timed out: ERROR on the CLIENT span'; C4, T4 (contract, "
    "exceptions): 'timed out: the CLIENT span'; a timeout around the span cancels it, and a "
    "cancelled span stays clean",
)
def timeout_around_span(submission: Submission) -> Iterator[Edit]:
    """The timeout is set around the CLIENT span instead of inside it."""
    for source in submission:
        for call in source.calls("timeout"):
            if code_of(call.func) != "asyncio.timeout":
                continue
            item = source.parents[call]
            if isinstance(item, cst.WithItem):
                yield from _outward(source, call, item)
            elif isinstance(item, cst.Arg):
                yield from _entered_earlier(source, call)


def _outward(source: Source, call: cst.Call, item: cst.WithItem) -> Iterator[Edit]:
    """Take `async with asyncio.timeout(…)` out of the block that manages the span."""
    inner = source.parents[item]
    outer = next(
        (
            each
            for each in source.ancestors(inner)
            if (isinstance(each, cst.With) and not each.asynchronous)
            or isinstance(each, cst.Try | cst.FunctionDef)
        ),
        None,
    )
    if not isinstance(inner, cst.With) or not isinstance(outer, cst.With | cst.Try):
        return
    if not _manages_span(outer):
        return
    others = [each for each in inner.items if each is not item]
    if others:
        others[-1] = others[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        kept: list[cst.BaseStatement] = [inner.with_changes(items=others)]
    else:
        kept = body_of(inner)
    edit = Edit(source, inner)
    within = edit.within(outer, inner, cst.FlattenSentinel(kept))
    around = statement(f"async with {code_of(call)}:\n    pass\n")
    assert isinstance(around, cst.With)
    yield edit.swap(outer, around.with_changes(body=cst.IndentedBlock([within])))


def _manages_span(block: cst.With | cst.Try) -> bool:
    """Say whether a `with` opens a span, or the `finally` of a `try` ends one."""
    if isinstance(block, cst.With):
        return any(opens_span(item) for item in block.items)
    return block.finalbody is not None and ".end()" in code_of(block.finalbody)


def _entered_earlier(source: Source, call: cst.Call) -> Iterator[Edit]:
    """Enter the timeout into the exit stack before the span."""
    stmt = source.statement(call)
    if not isinstance(stmt, cst.SimpleStatementLine):
        return
    for earlier in source.before(stmt):
        if isinstance(earlier, cst.SimpleStatementLine) and "start_as_current_span" in code_of(
            earlier
        ):
            yield Edit(source, stmt).splice(stmt).splice(earlier, stmt, earlier)
