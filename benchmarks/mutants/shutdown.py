"""Lose spans at exit, and hang there."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.equivalence import nothing_pending, second_shutdown_returns
from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.setup import providers
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    Statement,
    argument,
    code_of,
    expression,
    last_name,
    statement,
    walk,
    without_argument,
)

BOUND = (
    "C7: 'shutdown bounded in time, even when the exporter hangs'; contract: shutdown_tracer "
    "'returns within timeout seconds … whatever the exporter does'"
)
LOST = "F7: 'nothing is lost at exit (lifespan, SIGTERM, pending spans)'"
LIFESPAN = (
    "contract: 'on ASGI lifespan shutdown it calls shutdown_tracer with a timeout of 5 to 10 s'"
)


def _scope(submission: Submission) -> Iterator[tuple[Source, cst.FunctionDef]]:
    """Yield the functions that shut down: the contract's, and those that it calls by name."""
    todo, seen = ["shutdown_tracer"], set[str]()
    while todo:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for source, function in submission.functions(name):
            yield source, function
            todo += [
                called
                for node in walk(function)
                if isinstance(node, cst.Call)
                and (called := last_name(node.func)) not in {"shutdown", "force_flush"}
            ]


def _waits(submission: Submission) -> Iterator[tuple[Source, cst.Call, cst.Arg]]:
    """Yield where the shutdown waits, at most for the time that it was given."""
    for source, function in _scope(submission):
        for node in walk(function):
            if isinstance(node, cst.Call) and last_name(node.func) in {"join", "wait", "result"}:
                arg = argument(node, "timeout", 0)
                if arg is not None and "timeout" in code_of(arg.value):
                    yield source, node, arg


@operator("C7", BOUND)
def unbounded_shutdown(submission: Submission) -> Iterator[Edit]:
    """The shutdown waits for as long as it takes."""
    for source, call, arg in _waits(submission):
        yield Edit(source, call).swap(call, without_argument(call, arg))


@operator("C7", BOUND)
def shutdown_timeout_in_code(submission: Submission) -> Iterator[Edit]:
    """The shutdown waits for a minute, and not for the time that it was given."""
    for source, call, arg in _waits(submission):
        yield Edit(source, call).swap(arg.value, expression("60.0"))


def _threads(submission: Submission) -> Iterator[tuple[Source, cst.Call]]:
    for source, function in _scope(submission):
        for node in walk(function):
            if isinstance(node, cst.Call) and last_name(node.func) == "Thread":
                yield source, node


@operator("C7", "contract: shutdown_tracer 'must not keep the process alive afterwards'; " + BOUND)
def shutdown_thread_not_daemon(submission: Submission) -> Iterator[Edit]:
    """The thread that shuts down is waited for when the process ends."""
    for source, call in _threads(submission):
        if (arg := argument(call, "daemon")) is not None:
            yield Edit(source, call).swap(call, without_argument(call, arg))


@operator("C7", BOUND)
def shutdown_thread_run_not_started(submission: Submission) -> Iterator[Edit]:
    """`run()` is called in place of `start()`, so that the caller's own thread does the work."""
    for source, thread in _threads(submission):
        function = source.function(thread)
        for call in source.calls("start"):
            if source.function(call) is function and isinstance(call.func, cst.Attribute):
                edit = Edit(source, call)
                edit.swap(call.func, call.func.with_changes(attr=cst.Name("run")))
                # A thread that was never started cannot be joined.
                for join in source.calls("join"):
                    stmt = source.statement(join)
                    if source.function(join) is function and stmt is not None:
                        edit.splice(stmt)
                yield edit


@operator(
    "C7",
    "contract: 'it must not keep the process alive afterwards'; C7: 'exit is bounded when the "
    "exporter hangs', which the provider's own shutdown at exit is not",
    second_shutdown_returns,
)
def shutdown_at_exit_too(submission: Submission) -> Iterator[Edit]:
    """The provider shuts down once more at exit, without a bound."""
    for source, call in providers(submission):
        if (arg := argument(call, "shutdown_on_exit")) is not None:
            yield Edit(source, call).swap(call, without_argument(call, arg))


def _provider_shutdowns(submission: Submission) -> Iterator[tuple[Source, cst.SimpleStatementLine]]:
    """Yield the statements that shut the provider down."""
    for source, function in _scope(submission):
        for node in walk(function):
            if isinstance(node, cst.Call) and last_name(node.func) == "shutdown":
                stmt = source.statement(node)
                if isinstance(stmt, cst.SimpleStatementLine):
                    yield source, stmt


@operator("F7", LOST, nothing_pending)
def shutdown_does_nothing(submission: Submission) -> Iterator[Edit]:
    """The provider is neither flushed nor shut down, though success is reported."""
    for source, stmt in _provider_shutdowns(submission):
        edit = Edit(source, stmt).splice(stmt)
        for earlier in source.before(stmt):
            flush = next((n for n in walk(earlier) if _is_flush(n)), None)
            if flush is not None:
                edit.swap(flush, cst.Name("True"))
        yield edit


def _is_flush(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) and last_name(node.func) == "force_flush"


def _shutdown_flushes(_submission: Submission, edit: Edit) -> bool:
    """The provider is shut down next, which exports what is pending."""
    stmt = edit.source.statement(edit.site)
    return stmt is not None and any(
        last_name(node.func) == "shutdown"
        for later in edit.source.after(stmt)
        for node in walk(later)
        if isinstance(node, cst.Call)
    )


@operator("F7", LOST, _shutdown_flushes)
def skip_flush(submission: Submission) -> Iterator[Edit]:
    """The provider is not flushed before it is shut down, or flushed without a shutdown."""
    for source, function in _scope(submission):
        for node in walk(function):
            if _is_flush(node):
                yield Edit(source, node).swap(node, cst.Name("True"))


@operator("F7", LOST)
def processor_keeps_shutdown_to_itself(submission: Submission) -> Iterator[Edit]:
    """A processor around another does not pass the shutdown on."""
    for source in submission:
        for call in source.calls("shutdown"):
            stmt, function = source.statement(call), source.function(call)
            around = source.enclosing(call, cst.ClassDef)
            if around is None or function is None or not isinstance(stmt, cst.SimpleStatementLine):
                continue
            processes = any(
                last_name(base.value).endswith("SpanProcessor") for base in around.bases
            )
            if processes and function.name.value == "shutdown":
                yield Edit(source, stmt).splice(stmt)


def lifespan_calls(submission: Submission) -> Iterator[tuple[Source, cst.Call, Statement]]:
    """Yield where an application shuts its tracer down, directly or by `to_thread` and the like."""
    for source in submission:
        for name in source.all(cst.Name):
            if name.value != "shutdown_tracer" or source.function(name) is None:
                continue
            parent = source.parents[name]
            call = parent if isinstance(parent, cst.Call) else source.parents[parent]
            stmt = source.statement(name)
            if isinstance(call, cst.Call) and isinstance(stmt, cst.SimpleStatementLine):
                yield source, call, stmt


@operator("F7", LIFESPAN + "; " + LOST, nothing_pending)
def no_shutdown_in_lifespan(submission: Submission) -> Iterator[Edit]:
    """The application does not shut its tracer down when it stops."""
    for source, _call, stmt in lifespan_calls(submission):
        yield Edit(source, stmt).splice(stmt)


@operator("F7", LIFESPAN + "; " + LOST, nothing_pending)
def atexit_instead_of_lifespan(submission: Submission) -> Iterator[Edit]:
    """The shutdown is left to `atexit`, which does not run when SIGTERM ends the server."""
    for source, call, stmt in lifespan_calls(submission):
        edit = Edit(source, stmt)
        register = edit.name("atexit", "register")
        args = [code_of(arg.value) for arg in call.args]
        if last_name(call.func) != "shutdown_tracer":
            while args and args[0] != "shutdown_tracer":
                args.pop(0)
        else:
            args.insert(0, "shutdown_tracer")
        yield edit.splice(stmt, statement(f"{register}({', '.join(args)})"))


def _seconds(submission: Submission) -> Iterator[tuple[Source, cst.BaseExpression]]:
    """Yield the number that the lifespan's shutdown is given, by way of its name if it has one."""
    done: set[cst.CSTNode] = set()
    for source, call, _stmt in lifespan_calls(submission):
        last = call.args[-1].value
        found: list[tuple[Source, cst.BaseExpression]] = []
        if isinstance(last, cst.Integer | cst.Float):
            found = [(source, last)]
        elif isinstance(last, cst.Name):
            found = [
                (each, node.value)
                for each in submission
                for node in each.all(cst.Assign)
                if last_name(node.targets[0].target) == last.value
            ]
        for each, number in found:
            if number not in done:
                done.add(number)
                yield each, number


@operator("C7", LIFESPAN + "; C7: 'exit is bounded when the exporter hangs'")
def lifespan_shutdown_takes_long(submission: Submission) -> Iterator[Edit]:
    """The application gives its shutdown two minutes."""
    for source, number in _seconds(submission):
        yield Edit(source, number).swap(number, expression("120.0"))


@operator("F7", LIFESPAN + "; " + LOST, nothing_pending)
def lifespan_shutdown_without_time(submission: Submission) -> Iterator[Edit]:
    """The application gives its shutdown no time at all."""
    for source, number in _seconds(submission):
        yield Edit(source, number).swap(number, expression("0.0"))


@operator(
    "C7 F7",
    "contract: 'True if everything was exported, False if time ran out or an export failed "
    "visibly'; of what C7 (bounded) and F7 (nothing lost) say, this is how a caller gets to know",
    nothing_pending,
)
def shutdown_claims_success(submission: Submission) -> Iterator[Edit]:
    """`shutdown_tracer` returns True whatever came of it."""
    for source, function in _scope(submission):
        for node in walk(function):
            if (
                isinstance(node, cst.Return)
                and node.value is not None
                and source.function(node) is function
                and not _hands_on(submission, node.value)
            ):
                yield from _always_true(source, node)


def _hands_on(submission: Submission, value: cst.BaseExpression) -> bool:
    """Say whether the value is that of another function of the submission."""
    return isinstance(value, cst.Call) and bool(submission.functions(last_name(value.func)))


def _always_true(source: Source, node: cst.Return) -> Iterator[Edit]:
    stmt = source.statement(node)
    if not isinstance(stmt, cst.SimpleStatementLine) or node.value is None:
        return
    waits = any(
        isinstance(n, cst.Call) and last_name(n.func) in {"wait", "join"} for n in walk(node)
    )
    kept = [statement(code_of(node.value))] if waits else []
    yield Edit(source, stmt).splice(stmt, *kept, statement("return True"))
