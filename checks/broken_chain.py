"""T3: is one checkout one trace, from end to end?"""

from otelkata.check import (
    Cases,
    CaseView,
    Fault,
    Findings,
    Unjudged,
    View,
    check,
    expect,
)


@check(
    "T3",
    why="Only a chain without a gap shows who waited for whom.",
    fix="Find the first edge that is missing: `inject(headers)` inside the CLIENT span in "
    "the caller, `context=extract(headers)` at the start of the SERVER span in the "
    "callee.",
)
def server_is_under_the_client(
    success: Cases, concurrent: Cases, retried: Cases, view: View
) -> Findings:
    """Each SERVER span is the child of the CLIENT span that called it."""
    for case in [*success, *concurrent, *retried]:
        for call in case.sent:
            if call.callee is None:
                continue
            if not {call.caller, call.callee.name} <= view.exporting:
                yield Unjudged(f"in {case.title}, no span of one of the two services arrived")
                continue
            if call.server is None or call.client is None:
                what = "SERVER" if call.server is None else "CLIENT"
                message = f"in {case.title}, the chain breaks: {call} has not one {what} span"
                yield Fault(message, case, call=call)
                continue
            server, client = call.server.data, call.client.data
            yield expect(
                (server.trace_id, server.parent_id) == (client.trace_id, client.span_id),
                f"in {case.title}, {call.server} is not the child of {call.client}",
                case,
                call.server,
                call.client,
                call=call,
            )


@check(
    "T3",
    why="A checkout that is spread over several traces cannot be read as one.",
    fix="Pass the context on at every hop (`inject(headers)`, `extract(headers)`); keep "
    "nothing of a request in a place that others share.",
)
def one_checkout_is_one_trace(success: Cases, concurrent: Cases) -> Findings:
    """All spans of a checkout are in one trace, and in no other checkout's."""
    owner: dict[str, CaseView] = {}
    for case in [*success, *concurrent]:
        traces = {span.data.trace_id for span in case.spans}
        if len({span.service for span in case.spans}) < 3:
            yield Unjudged(f"in {case.title}, not every service left a span")
            continue
        other = next((owner[trace] for trace in traces if trace in owner), None)
        owner |= dict.fromkeys(traces, case)
        services = ", ".join(sorted({span.service for span in case.spans}))
        yield expect(
            len(traces) == 1,
            f"{case.title} is spread over {len(traces)} traces ({services})",
            case,
            *(span for span in case.spans if span.parent is None),
        )
        yield expect(
            other is None,
            f"{case.title} shares a trace with {other.title if other else ''}",
            case,
            *(span for span in case.spans if span.parent is None),
        )
