"""F4 and C3: does trace context travel as W3C Trace Context has it, from the right span?"""

from collections import Counter

from otelkata.check import (
    SOUND,
    Call,
    Cases,
    CaseView,
    Fault,
    Finding,
    Findings,
    Unjudged,
    View,
    check,
    expect,
    parse,
    state_of,
    values_of,
)


@check(
    "F4",
    why="The next service can continue the trace only if the request says which one it is.",
    fix="Call `inject(headers)` inside the CLIENT span and send these headers.",
)
def sends_traceparent(answered: Cases, unsampled_parent: Cases) -> Findings:
    """Every request that leaves a service carries one valid traceparent of the service's trace."""
    for case in [*answered, *unsampled_parent]:
        for call in case.sent:
            if call.data.request is not None:
                yield _carries_context(case, call)


def _carries_context(case: CaseView, call: Call) -> Finding:
    sent = values_of(call.data.request.headers if call.data.request else [], "traceparent")
    if len(sent) != 1:
        count = "no traceparent" if not sent else f"{len(sent)} traceparent headers"
        return Fault(f"in {case.title}, {call} carried {count}", case, call=call)
    parent = parse(sent[0])
    if parent is None:
        message = f"in {case.title}, {call} carried the invalid traceparent {sent[0]!r}"
        return Fault(message, case, call=call)
    if "unsampled" in case.data.tags:
        return SOUND  # which trace the service is in is not exported
    server = call.incoming.server if call.incoming else None
    if server is None:
        return Unjudged(f"in {case.title}, {call.caller_service} has not one SERVER span")
    return expect(
        parent.trace_id == server.data.trace_id,
        f"in {case.title}, {call} carried the trace id {parent.trace_id}, but {server} belongs to "
        f"{server.data.trace_id}",
        case,
        server,
        call.client,
        call=call,
    )


@check(
    "F4",
    why="Other tracing systems on the way keep their part of the context in tracestate.",
    fix="Use the SDK's own propagator, `extract(carrier)` and `inject(headers)`: it carries "
    "`tracestate` along.",
)
def passes_tracestate_on(tracestate: Cases) -> Findings:
    """Every entry of the incoming tracestate is sent on, in its order."""
    for case in tracestate:
        for call in case.sent:
            incoming = call.incoming
            if incoming is None or incoming.data.request is None or call.data.request is None:
                continue
            received = state_of(incoming.data.request.headers)
            if not received:
                continue  # the service before this one lost it
            sent = state_of(call.data.request.headers)
            yield expect(
                [member for member in sent if member in received] == received,
                f"in {case.title}, {call} carried the tracestate {','.join(sent) or '(none)'!r}; "
                f"{call.caller_service} had received {','.join(received)!r}",
                case,
                call.client,
                call=call,
            )


@check(
    "F4",
    why="A malformed header says nothing: who follows it makes up a trace, who stumbles over it "
    "loses the request.",
    fix="Leave the reading to `extract(carrier)` of the SDK's propagator, and start the SERVER "
    "span in the context that it returns.",
)
def ignores_malformed_traceparent(malformed: Cases, view: View) -> Findings:
    """A malformed traceparent starts a new trace and harms nothing."""
    alike = [case for tag in ("refusal", "direct") for case in view.tagged(tag)]
    sound = {case.data.entry for case in alike if not case.obstacle and not case.data.inner}
    sound -= {case.data.entry for case in alike if case.obstacle and not case.data.inner}
    for case in view.tagged("malformed"):
        # Judged where the service stands alone, and answers well-formed requests as it should.
        alone = not case.data.inner and case.data.entry in sound
        if alone and case.entry is not None and (case.entry.status or 0) >= 500:
            message = f"in {case.title}, {case.data.entry} answered {case.entry.status}"
            yield Fault(message, case, call=case.entry)
    for case in malformed:
        entry = case.entry
        if entry is None or entry.server is None:
            yield Unjudged(f"in {case.title}, {case.data.entry} has not one SERVER span")
            continue
        header = case.data.parent.headers[0][1]
        server = entry.server
        yield expect(
            server.data.parent_id is None and server.data.trace_id not in header,
            f"in {case.title}, {server} took the malformed {header!r} for its parent",
            case,
            server,
        )


@check(
    "C3",
    why="The SERVER span's parent has to be what the request says, and nothing else.",
    fix="Extract from the incoming headers before the SERVER span is started, into an empty "
    "context: `extract(headers, context=Context())`.",
)
def has_no_parent_without_header(root: Cases) -> Findings:
    """A request without traceparent starts a trace of its own."""
    for case in root:
        entry = case.entry
        if entry is None or entry.server is None:
            yield Unjudged(f"in {case.title}, {case.data.entry} has not one SERVER span")
            continue
        yield expect(
            entry.server.data.parent_id is None,
            f"in {case.title}, {entry.server} has a parent, but the request named none",
            case,
            entry.server,
        )


@check(
    "C3",
    why="What is injected outside the CLIENT span names another span, and the next service hangs "
    "in the wrong place of the trace.",
    fix="Call `inject(headers)` inside the CLIENT span, before the request leaves, with its own "
    "headers.",
)
def header_names_the_client_span(answered: Cases) -> Findings:
    """The traceparent on the wire carries the id of the request's own CLIENT span."""
    sent: Counter[str] = Counter()
    for case in answered:
        for call in case.sent:
            if call.data.request is None:
                continue
            header = "".join(values_of(call.data.request.headers, "traceparent")[:1])
            parent = parse(header)
            if call.client is None:
                yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            named = f"carried {header!r}" if header else "carried no traceparent"
            yield expect(
                parent is not None and parent.span_id == call.client.id,
                f"in {case.title}, {call} {named}, which is not the id of {call.client} "
                f"({call.client.id})",
                case,
                call.client,
                call=call,
            )
            if parent is not None:
                sent[parent.span_id] += 1
                yield expect(
                    sent[parent.span_id] == 1,
                    f"in {case.title}, {call} carried the same span id as a request before it",
                    case,
                    call.client,
                    call=call,
                )
