"""T1: does each service continue the trace that it was called in?"""

from otelkata.check import (
    Call,
    Cases,
    CaseView,
    Fault,
    Finding,
    Findings,
    TraceParent,
    Unjudged,
    View,
    check,
    expect,
)


@check(
    "C3",
    "F4",
    "T1",
    why="A SERVER span that does not continue the caller's trace is an orphan: the checkout falls "
    "apart into traces that nobody can put together.",
    fix="Extract the context from the incoming headers before the SERVER span is started, and "
    "start it in that context: `start_as_current_span(name, context=extract(headers))`.",
)
def continues_the_trace(continued: Cases, answered: Cases, view: View) -> Findings:
    """Each service that received a valid traceparent continues it."""
    for case in {case.data.name: case for case in [*continued, *answered]}.values():
        for call in case.served:
            parent = call.parent
            if parent is None:
                continue
            if call.server is None:
                yield _without_server(case, call, parent, view)
                continue
            server = call.server.data
            yield expect(
                (server.trace_id, server.parent_id) == (parent.trace_id, parent.span_id),
                f"in {case.title}, {call.callee_service} received the trace {parent.trace_id} "
                f"with parent {parent.span_id}, but its SERVER span is in {server.trace_id} "
                + (f"under {server.parent_id}" if server.parent_id else "without a parent"),
                case,
                call.server,
                call=call,
            )


def _without_server(case: CaseView, call: Call, parent: TraceParent, view: View) -> Finding:
    # Without a SERVER span, another span may still continue the trace; then only F2 is at fault.
    spans = [span.data for span in call.spans]
    continued = any((s.trace_id, s.parent_id) == (parent.trace_id, parent.span_id) for s in spans)
    if continued or call.callee is None or call.callee.name not in view.exporting:
        return Unjudged(f"in {case.title}, {call.callee_service} has not one SERVER span")
    message = (
        f"in {case.title}, {call.callee_service} received the trace {parent.trace_id} with parent "
        f"{parent.span_id}, but no span of it continues that trace"
    )
    return Fault(message, case, call=call)
