"""Break what the services tell each other in headers: extract, inject, trace context."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import (
    Inject,
    Start,
    has_extract,
    injects,
    is_extracted,
    is_server_start,
    new_carrier,
    opens_span,
    starts,
)
from benchmarks.mutants.submission import Source, Submission
from benchmarks.mutants.syntax import (
    argument,
    body_of,
    code_of,
    expression,
    last_name,
    statement,
    walk,
    with_argument,
    with_value,
    without_argument,
)

TRACE = "opentelemetry.trace"
CONTEXT = "opentelemetry.context"
CONTINUES = (
    "C3: 'extract from the incoming headers before the server span starts', judged on 'SERVER's "
    "parent is what the header said'; T1: 'a service that received a valid traceparent continues "
    "it'; F4: 'an incoming one is understood'; T3: 'each SERVER span under the CLIENT span that "
    "called it'"
)
NAMES_CLIENT = (
    "C3: 'inject into the outgoing headers before the request is sent, inside the client span', "
    "judged on 'the header that was sent names the CLIENT span'; T3: 'each SERVER span under the "
    "CLIENT span that called it'"
)
CARRIES = (
    "F4: 'every outgoing request carries a valid traceparent of the right trace'; C3: 'the header "
    "that was sent names the CLIENT span'; T3: 'one checkout, one trace'"
)


def server_parents(submission: Submission) -> Iterator[tuple[Start, cst.Arg]]:
    """Yield the SERVER spans that are given the extracted context as `context=`."""
    for start in starts(submission):
        arg = argument(start.call, "context", 1)
        if (
            arg is not None
            and is_server_start(start)
            and is_extracted(start.source, start.call, arg.value)
        ):
            yield start, arg


def trace_extracts(submission: Submission) -> Iterator[tuple[Source, cst.Call]]:
    """Yield the calls that read the trace context from the headers of a request."""
    for source in submission:
        for call in source.calls("extract"):
            if has_extract(call) and call.args:
                yield source, call


@operator("T1 C3 F4 T3", CONTINUES)
def server_span_without_context(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is started without the context that was extracted for it."""
    for start, arg in server_parents(submission):
        yield Edit(start.source, start.call).swap(start.call, without_argument(start.call, arg))


@operator(
    "T1 C3 F4 T3 C1",
    CONTINUES + "; C1: 'never from an empty Context()'",
)
def server_span_from_empty_context(submission: Submission) -> Iterator[Edit]:
    """An empty context takes the place of the one in the incoming headers."""
    for source, call in trace_extracts(submission):
        edit = Edit(source, call)
        yield edit.swap(call, expression(f"{edit.name(CONTEXT, 'Context')}()"))


@operator("T1 C3 F4 T3", CONTINUES)
def extract_from_no_headers(submission: Submission) -> Iterator[Edit]:
    """The context is extracted from an empty carrier instead of from the request's headers."""
    for source, call in trace_extracts(submission):
        if argument(call, "getter", 2) is None:
            yield Edit(source, call).swap(call, with_value(call, call.args[0], "{}"))


@operator("T1 C3 F4 T3", CONTINUES)
def link_instead_of_parent(submission: Submission) -> Iterator[Edit]:
    """The SERVER span links to the caller's span instead of being its child."""
    for start, arg in server_parents(submission):
        if argument(start.call, "links") is not None:
            continue
        edit = Edit(start.source, start.call)
        link, span = edit.name(TRACE, "Link"), edit.name(TRACE, "get_current_span")
        links = f"[{link}({span}({code_of(arg.value)}).get_span_context())]"
        call = with_argument(without_argument(start.call, arg), "links", links)
        yield edit.swap(start.call, call)


@operator(
    "T1 C3 T3 C1",
    CONTINUES + "; C1: 'no other request's parent', never 'a module-level context'",
)
def server_parent_from_first_request(submission: Submission) -> Iterator[Edit]:
    """Every SERVER span continues what the first request carried, kept in a module's global."""
    for source, call in trace_extracts(submission):
        edit = Edit(source, call, prelude=["FIRST = {}"])
        yield edit.swap(call, expression(f'FIRST.setdefault("context", {code_of(call)})'))


@operator("C3 T1 F4 T3", CONTINUES)
def extract_after_start(submission: Submission) -> Iterator[Edit]:
    """The context is extracted only when the SERVER span has been started."""
    for start in starts(submission):
        if is_server_start(start):
            yield from _extract_later(submission, start)


def _extract_later(submission: Submission, start: Start) -> Iterator[Edit]:
    source, block = start.source, start.block
    arg = argument(start.call, "context", 1)
    if block is not None and len(block.items) > 1 and arg is None:
        yield from _swap_items(submission, start, block)
    elif arg is not None and block is not None and has_extract(arg.value):
        edit = Edit(source, start.call)
        attach = statement(f"{edit.name(CONTEXT, 'attach')}({code_of(arg.value)})")
        edit.swap(start.call, without_argument(start.call, arg))
        # Around the edit of the call, as a node is replaced with all that is in it.
        changed = edit.within(block, start.call, without_argument(start.call, arg))
        body = changed.body.with_changes(body=[attach, *body_of(block)])
        edit.replacements = {block: changed.with_changes(body=body)}
        yield edit
    elif arg is not None and isinstance(arg.value, cst.Name):
        yield from _swap_statements(start, arg)


def _swap_items(submission: Submission, start: Start, block: cst.With) -> Iterator[Edit]:
    """Swap `with incoming_context(…), start_as_current_span(…)`."""
    own = next(i for i, item in enumerate(block.items) if item is start.item)
    for index, item in enumerate(block.items[:own]):
        functions = submission.functions(last_name(item.item))
        if any(has_extract(function) for _source, function in functions):
            items = list(block.items)
            items[index], items[own] = (
                items[own].with_changes(comma=items[index].comma),
                items[index].with_changes(comma=items[own].comma),
            )
            yield Edit(start.source, block.items[0]).swap(block, block.with_changes(items=items))


def _swap_statements(start: Start, arg: cst.Arg) -> Iterator[Edit]:
    """Put `parent = extract(…)` behind the statement that starts the span."""
    source = start.source
    stmt = source.statement(start.call)
    if not isinstance(stmt, cst.SimpleStatementLine):
        return
    for earlier in source.before(stmt):
        if (
            isinstance(earlier, cst.SimpleStatementLine)
            and isinstance(earlier.body[0], cst.Assign)
            and last_name(earlier.body[0].targets[0].target) == last_name(arg.value)
            and has_extract(earlier)
        ):
            edit = Edit(source, earlier)
            late = edit.within(stmt, start.call, without_argument(start.call, arg))
            yield edit.splice(earlier).splice(stmt, late, earlier)


def _moved(inject: Inject) -> list[cst.BaseStatement]:
    """Return the statements that move with an `inject`: its carrier's, if that is new."""
    carrier = new_carrier(inject)
    return [inject.statement] if carrier is None else [carrier, inject.statement]


@operator("C3 T3", NAMES_CLIENT)
def inject_before_client_span(submission: Submission) -> Iterator[Edit]:
    """The context is injected before the CLIENT span is started."""
    for inject in injects(submission):
        source, moved = inject.source, _moved(inject)
        block = source.parents[source.parents[inject.statement]]
        entered = next(
            (
                stmt
                for stmt in source.before(inject.statement)
                if isinstance(stmt, cst.SimpleStatementLine)
                and isinstance(stmt.body[0], cst.Assign)
                and last_name(stmt.body[0].value) == "enter_context"
            ),
            None,
        )
        edit = Edit(source, inject.statement)
        if entered is not None:
            for stmt in moved:
                edit.swap(stmt, cst.RemoveFromParent())
            yield edit.splice(entered, *moved, entered)
        elif isinstance(block, cst.With) and opens_span(block.items[0]):
            rest = [stmt for stmt in body_of(block) if all(stmt is not each for each in moved)]
            inner = block.with_changes(body=block.body.with_changes(body=rest))
            yield edit.splice(block, *moved, inner)


@operator("C3 T3", NAMES_CLIENT)
def inject_callers_context(submission: Submission) -> Iterator[Edit]:
    """The context that the CLIENT span was started from is injected, without that span."""
    for inject in injects(submission):
        arg = inject.context
        if arg is None or not isinstance(arg.value, cst.Call):
            continue
        if last_name(arg.value) == "set_span_in_context" and len(arg.value.args) == 2:
            given = code_of(arg.value.args[1].value)
            yield Edit(inject.source, inject.call).swap(
                inject.call, with_value(inject.call, arg, given)
            )


@operator("F4 C3 T3", CARRIES)
def inject_after_send(submission: Submission) -> Iterator[Edit]:
    """The context is injected into the headers when they have been sent already."""
    for inject in injects(submission):
        user = next(
            (
                stmt
                for stmt in inject.source.after(inject.statement)
                if any(isinstance(n, cst.Name) and n.value == inject.carrier for n in walk(stmt))
            ),
            None,
        )
        returns = isinstance(user, cst.SimpleStatementLine) and isinstance(user.body[0], cst.Return)
        if isinstance(user, cst.SimpleStatementLine | cst.BaseCompoundStatement) and not returns:
            edit = Edit(inject.source, inject.statement)
            edit.splice(inject.statement).splice(user, user, inject.statement)
            yield edit


@operator("F4 C3 T3", CARRIES)
def drop_inject(submission: Submission) -> Iterator[Edit]:
    """The context is not injected at all."""
    for inject in injects(submission):
        yield Edit(inject.source, inject.statement).splice(inject.statement)


@operator("F4 C3 T3", CARRIES)
def inject_into_copy(submission: Submission) -> Iterator[Edit]:
    """The context is injected into a copy of the headers, which is not sent."""
    for inject in injects(submission):
        yield Edit(inject.source, inject.call).swap(
            inject.call, with_value(inject.call, inject.call.args[0], f"dict({inject.carrier})")
        )


@operator("F4 C3 T3", CARRIES)
def headers_not_sent(submission: Submission) -> Iterator[Edit]:
    """The request is sent without the headers that the context was injected into."""
    for inject in injects(submission):
        function = inject.source.function(inject.call)
        if function is None or new_carrier(inject) is None:
            continue
        for call in (node for node in walk(function) if isinstance(node, cst.Call)):
            arg = argument(call, "headers")
            if arg is not None and code_of(arg.value) == inject.carrier:
                yield Edit(inject.source, call).swap(call, without_argument(call, arg))


@operator("F4 C3 T3", CARRIES)
def trace_id_in_own_header(submission: Submission) -> Iterator[Edit]:
    """The trace's id travels in a header of the shop's own, instead of in `traceparent`."""
    for inject in injects(submission):
        edit = Edit(inject.source, inject.statement)
        context = _span_context(edit, inject)
        line = f'{inject.carrier}["x-trace-id"] = format({context}.trace_id, "032x")'
        yield edit.splice(inject.statement, statement(line))


def _span_context(edit: Edit, inject: Inject) -> str:
    given = code_of(inject.context.value) if inject.context is not None else ""
    return f"{edit.name(TRACE, 'get_current_span')}({given}).get_span_context()"


@operator(
    "F4 C3 T3",
    "F4: 'every outgoing request carries a valid traceparent of the right trace'; contract, "
    "client: 'the traceparent on the wire carries that CLIENT span's id, and no two requests the "
    "same one' (C3, T3)",
)
def headers_of_first_request(submission: Submission) -> Iterator[Edit]:
    """The headers are made for the first request and sent with each one after it."""
    for inject in injects(submission):
        into_cache = with_value(inject.call, inject.call.args[0], "HEADERS")
        lines = (
            f"if not HEADERS:\n    {code_of(into_cache)}\n",
            f"{inject.carrier}.update(HEADERS)",
        )
        edit = Edit(inject.source, inject.statement, prelude=["HEADERS = {}"])
        yield edit.splice(inject.statement, *map(statement, lines))


@operator("C3 T3", NAMES_CLIENT)
def made_up_span_id(submission: Submission) -> Iterator[Edit]:
    """The `traceparent` is put together by hand, with a span id that no span has."""
    for inject in injects(submission):
        edit = Edit(inject.source, inject.statement)
        context = _span_context(edit, inject)
        ids = edit.name("opentelemetry.sdk.trace.id_generator", "RandomIdGenerator")
        line = (
            f'{inject.carrier}["traceparent"] = '
            f'f"00-{{{context}.trace_id:032x}}-{{{ids}().generate_span_id():016x}}-'
            f'{{{context}.trace_flags:02x}}"'
        )
        yield edit.insert_after(inject.statement, line)


@operator("F4", "F4: 'every outgoing request carries a valid traceparent …, and tracestate'")
def drop_tracestate(submission: Submission) -> Iterator[Edit]:
    """The caller's `tracestate` is not passed on."""
    for inject in injects(submission):
        line = f'{inject.carrier}.pop("tracestate", None)'
        yield Edit(inject.source, inject.statement).insert_after(inject.statement, line)


def _flags(inject: Inject, flags: str) -> Edit:
    header = f'{inject.carrier}["traceparent"]'
    line = f'{header} = {header}[:-2] + "{flags}"'
    return Edit(inject.source, inject.statement).insert_after(inject.statement, line)


@operator(
    "C6",
    "C6: 'OTEL_TRACES_SAMPLER and an incoming unsampled flag decide'; contract, sampling: judged "
    "'by what is exported and by the bit in traceparent'",
)
def force_sampled_flag(submission: Submission) -> Iterator[Edit]:
    """Every outgoing `traceparent` says that the trace is sampled."""
    yield from (_flags(inject, "01") for inject in injects(submission))


@operator(
    "C6 T3",
    "C6: the incoming flag decides, judged 'by the bit in traceparent'; T3: 'one checkout, one "
    "trace', as the services called do not export their part of a sampled trace",
)
def clear_sampled_flag(submission: Submission) -> Iterator[Edit]:
    """Every outgoing `traceparent` says that the trace is not sampled."""
    yield from (_flags(inject, "00") for inject in injects(submission))
