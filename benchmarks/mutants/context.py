"""Lose the context inside a service: wrong parents, threads, tasks, spans that are not current."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.equivalence import nothing_reads_context
from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import (
    CURRENT_READERS,
    STARTS,
    Start,
    is_server_start,
    reads_current_context,
    starts,
)
from benchmarks.mutants.submission import CONTRACT, Source, Submission
from benchmarks.mutants.syntax import (
    argument,
    code_of,
    expression,
    last_name,
    walk,
    walk_own,
    with_argument,
    without_argument,
)

CONTEXT = "opentelemetry.context"
EMPTY = (
    "C1: 'spans start from the current context or an explicit context= that came from the "
    "request; never from an empty Context()', judged on 'no root of its own'"
)
UNDER_SERVER = (
    "F3: 'its own CLIENT span, under that service's SERVER span'; F4: 'a valid traceparent of the "
    "right trace'; T3: 'one checkout, one trace'"
)


def _children(submission: Submission, *, client: bool) -> Iterator[Start]:
    """Yield the spans inside a service: those of HTTP calls, or all others."""
    for start in starts(submission):
        if not is_server_start(start) and start.http_client is client:
            yield start


def _with_context(start: Start, edit: Edit, value: str) -> Edit:
    """Give a span a context that replaces the one it was given, by position too."""
    arg = argument(start.call, "context", 1)
    call = start.call if arg is None else without_argument(start.call, arg)
    return edit.swap(start.call, with_argument(call, "context", value))


def _from_empty(submission: Submission, *, client: bool) -> Iterator[Edit]:
    for start in _children(submission, client=client):
        edit = Edit(start.source, start.call)
        yield _with_context(start, edit, f"{edit.name(CONTEXT, 'Context')}()")


@operator("C1 F3 F4 T3", EMPTY + "; " + UNDER_SERVER)
def client_span_from_empty_context(submission: Submission) -> Iterator[Edit]:
    """The span of an outgoing request is started from an empty context."""
    yield from _from_empty(submission, client=True)


@operator("C1 T3", EMPTY + "; T3: 'one checkout, one trace'")
def inner_span_from_empty_context(submission: Submission) -> Iterator[Edit]:
    """A database's or the service's own span is started from an empty context."""
    yield from _from_empty(submission, client=False)


def _from_first(submission: Submission, *, client: bool) -> Iterator[Edit]:
    for start in _children(submission, client=client):
        edit = Edit(start.source, start.call, prelude=["FIRST = {}"])
        arg = argument(start.call, "context", 1)
        given = code_of(arg.value) if arg else f"{edit.name(CONTEXT, 'get_current')}()"
        yield _with_context(start, edit, f'FIRST.setdefault("context", {given})')


OTHERS = (
    "C1: never 'a module-level context or span', judged on 'every span belongs to the request "
    "that caused it (… no other request's parent)'"
)


@operator("C1 F3 F4 T3", OTHERS + "; " + UNDER_SERVER)
def client_span_under_first_request(submission: Submission) -> Iterator[Edit]:
    """The spans of all outgoing requests get the first one's parent, kept in a module's global."""
    yield from _from_first(submission, client=True)


@operator("C1 T3", OTHERS + "; T3: 'the right parents and children'")
def inner_span_under_first_request(submission: Submission) -> Iterator[Edit]:
    """A database's or the service's own spans all get the first one's parent."""
    yield from _from_first(submission, client=False)


@operator(
    "C1 F3 F4 T3",
    "C1: spans start from the current context or an explicit context= 'that came from the "
    "request', judged on 'no root of its own'; " + UNDER_SERVER,
)
def child_span_without_context(submission: Submission) -> Iterator[Edit]:
    """A span is started without the context that was handed to the function for it."""
    for start in starts(submission):
        arg = argument(start.call, "context", 1)
        if arg is not None and not is_server_start(start):
            yield Edit(start.source, start.call).swap(start.call, without_argument(start.call, arg))


THREADS = {"to_thread": 0, "run_in_threadpool": 0, "run_sync": 0}
LOST = (
    "C1: never from 'a thread that lost the context', judged on 'no root of its own'; T3: 'one "
    "checkout, one trace'"
)


def _no_span_in_thread(submission: Submission, edit: Edit) -> bool:
    """Nothing that runs in the thread reads the current context."""
    assert isinstance(edit.site, cst.Call)
    return not reads_current_context(submission, edit.site.args[0].value)


@operator("C1 T3", LOST, _no_span_in_thread)
def executor_instead_of_to_thread(submission: Submission) -> Iterator[Edit]:
    """Work goes to a thread by `run_in_executor`, which leaves the context behind."""
    for source in submission:
        for call in source.calls(*THREADS):
            plain = all(arg.keyword is None and not arg.star for arg in call.args)
            if not call.args or not plain or last_name(call.args[0].value) in CONTRACT:
                continue
            edit = Edit(source, call)
            loop = edit.name("asyncio", "get_running_loop")
            args = ", ".join(code_of(arg.value) for arg in call.args)
            yield edit.swap(call, expression(f"{loop}().run_in_executor(None, {args})"))


@operator("C1 F3 F4 T3", LOST + "; " + UNDER_SERVER)
def call_in_own_executor(submission: Submission) -> Iterator[Edit]:
    """A blocking call that is traced inside is handed to an executor, without the context."""
    for source in submission:
        for call in source.all(cst.Call):
            if _blocking(submission, source, call):
                edit = Edit(source, call)
                pool = edit.name("concurrent.futures", "ThreadPoolExecutor")
                args = ", ".join(
                    code_of(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for arg in call.args
                )
                submit = f"{pool}(1).submit({code_of(call.func)}, {args}).result()"
                yield edit.swap(call, expression(submit))


def _blocking(submission: Submission, source: Source, call: cst.Call) -> bool:
    """Say whether a call in a sync function runs to its end there, and starts spans."""
    name, caller = last_name(call.func), source.function(call)
    if caller is None or caller.asynchronous or name in CONTRACT or name in CURRENT_READERS:
        return False
    if caller.name.value in CONTRACT or caller.name.value == "__init__":
        # What is called there only sets up.
        return False
    of_self = isinstance(call.func, cst.Attribute) and last_name(call.func.value) == "self"
    if not of_self and not isinstance(call.func, cst.Name):
        return False
    functions = [
        (where, function)
        for where, function in submission.functions(name)
        if (where.enclosing(function, cst.ClassDef) is not None) is of_self
    ]
    return bool(functions) and all(
        not _is_lazy(function)
        and not _queries(submission, function)
        and reads_current_context(submission, function.body, frozenset({name}), STARTS)
        for _source, function in functions
    )


def _is_lazy(function: cst.FunctionDef) -> bool:
    """Say whether calling a function does not run it: coroutines and generators."""
    return function.asynchronous is not None or any(
        isinstance(node, cst.Yield) for node in walk_own(function.body)
    )


def _queries(submission: Submission, function: cst.FunctionDef) -> bool:
    """Say whether a function queries a database that its caller opened: for one thread only."""
    return any(
        start.database and start.source.function(start.call) is function
        for start in starts(submission)
    )


@operator(
    "C1 F3 F4 T3",
    "C1: 'spans start from the current context', judged on 'no root of its own'; " + UNDER_SERVER,
)
def task_in_empty_context(submission: Submission) -> Iterator[Edit]:
    """A task is created in a context of its own, which is empty."""
    for source in submission:
        for call in source.calls("create_task"):
            edit = Edit(source, call)
            context = edit.name("contextvars", "Context")
            yield edit.swap(call, with_argument(call, "context", f"{context}()"))


@operator(
    "C3 T3",
    "C3: 'inside the client span', judged on 'the header that was sent names the CLIENT span'; "
    "T3: 'each SERVER span under the CLIENT span that called it'",
    nothing_reads_context,
)
def client_span_not_current(submission: Submission) -> Iterator[Edit]:
    """The CLIENT span is managed by `with`, but never made the current one."""
    for start in starts(submission):
        if start.http_client and start.block is not None and start.current:
            yield _not_current(start)


@operator(
    "F3 C1 F4 T3",
    "F3 (contract): 'a descendant of the service's SERVER span'; C1: 'no root of its own'; F4: 'a "
    "valid traceparent of the right trace'; T3: 'the right parents and children'",
)
def server_span_not_current(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is managed by `with`, but never made the current one."""
    for start in starts(submission):
        if start.kind == "SERVER" and start.block is not None and start.current:
            yield _not_current(start)


def _not_current(start: Start) -> Edit:
    func = start.call.func
    assert isinstance(func, cst.Attribute)
    # A span is a context manager, too: it ends when the block is left.
    changed = func.with_changes(attr=cst.Name("start_span"))
    return Edit(start.source, start.call).swap(func, changed)


@operator(
    "F3 T3",
    "F3 (contract, client): 'a descendant of the service's SERVER span and of no other HTTP CLIENT "
    "span of that service'; T3: 'the right parents and children'",
)
def span_left_current(submission: Submission) -> Iterator[Edit]:
    """A span is made the current one and never taken back, so that later ones are its children."""
    for source in submission:
        for call in source.calls("detach"):
            stmt, function = source.statement(call), source.function(call)
            if function is None or not isinstance(stmt, cst.SimpleStatementLine):
                continue
            if any(
                isinstance(node, cst.Call)
                and last_name(node.func) == "attach"
                and "set_span_in_context" in code_of(node)
                for node in walk(function)
            ):
                yield Edit(source, stmt).splice(stmt)


@operator(
    "F3 C3 T3",
    "F3: 'each request that left a service has its own CLIENT span'; C3: 'the header that was "
    "sent names the CLIENT span'; T3: 'each SERVER span under the CLIENT span that called it'",
)
def no_client_span(submission: Submission) -> Iterator[Edit]:
    """No span is opened for the outgoing request; the SERVER span takes what is set on it."""
    for start in starts(submission):
        if start.kind == "CLIENT" and not start.database and start.block is not None:
            edit = Edit(start.source, start.call)
            null = edit.name("contextlib", "nullcontext")
            current = edit.name("opentelemetry.trace", "get_current_span")
            yield edit.swap(start.call, expression(f"{null}({current}())"))


@operator(
    "F3",
    "F3: 'its own CLIENT span'; contract, client: 'one CLIENT span per outgoing request, a "
    "descendant … of no other HTTP CLIENT span of that service'",
)
def client_span_twice(submission: Submission) -> Iterator[Edit]:
    """The same outgoing request is traced by two CLIENT spans, one inside the other."""
    for start in starts(submission):
        if start.kind == "CLIENT" and not start.database:
            yield from _twice(start)


@operator(
    "F2",
    "F2 (contract): 'exactly one SERVER span per request has a remote parent or none; further "
    "SERVER spans descend from it'",
)
def server_span_twice(submission: Submission) -> Iterator[Edit]:
    """The same incoming request is traced by two SERVER spans, side by side."""
    for start in starts(submission):
        # Without a context of its own, the second is the first one's child, which is allowed.
        if start.kind == "SERVER" and argument(start.call, "context", 1) is not None:
            yield from _twice(start)


def _twice(start: Start) -> Iterator[Edit]:
    block = start.block
    if block is None or start.item is None:
        return
    first = start.item.with_changes(asname=None, comma=cst.Comma(cst.SimpleWhitespace("")))
    first = first.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    items = [
        each for item in block.items for each in ((first, item) if item is start.item else (item,))
    ]
    yield Edit(start.source, start.call).swap(block, block.with_changes(items=items))
