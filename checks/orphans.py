"""T1: does each service continue the trace that it was called in?"""

from otelkata.check import (
    Cases,
    Findings,
    Unjudged,
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
def continues_the_trace(continued: Cases, answered: Cases) -> Findings:
    """Each service that received a valid traceparent continues it."""
    for case in {case.data.name: case for case in [*continued, *answered]}.values():
        for call in case.served:
            parent = call.parent
            if parent is None:
                continue
            if call.server is None:
                yield Unjudged(f"in {case.title}, {call.callee_service} has not one SERVER span")
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
