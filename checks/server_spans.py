"""F2: does every request that a service answered have its SERVER span?"""

from otelkata.check import (
    Call,
    Cases,
    Findings,
    Unjudged,
    View,
    check,
    expect,
)


@check(
    "F2",
    why="The SERVER span is the service's part in the trace: without it, its time is nobody's, and "
    "with two, the request counts twice.",
    fix="Open one span of kind SERVER around the whole request, `with "
    "tracer.start_as_current_span(name, kind=SpanKind.SERVER)`, errors and 4xx answers "
    "included, with a tracer of the service's own provider, and turn off a second "
    "instrumentation (FastAPI's own: `telemetry={'tracing': False}`).",
)
def one_per_request(answered: Cases, view: View) -> Findings:
    """Each request that a service answered has exactly one SERVER span of its own."""
    for case in answered:
        for call in case.served:
            assert call.callee is not None
            if call.callee.name in view.tracing and call.callee.name not in view.exporting:
                yield Unjudged(f"no span of {call.callee.service} reached its exporter")
                continue
            servers = call.servers
            message = f"in {case.title}, {_missing(call) if not servers else _many(call)}"
            yield expect(len(servers) == 1, message, case, *servers, call=call)


def _missing(call: Call) -> str:
    request = call.data.request
    what = f"{request.method} {request.target}" if request else "a request"
    spans = ", ".join(f"{span.kind} {span.name!r}" for span in call.spans[:3])
    left = f"it left {spans}" if spans else "it left no span at all"
    return f"{call.callee_service} answered {what} with {call.status} without a SERVER span: {left}"


def _many(call: Call) -> str:
    names = " and ".join(repr(span.name) for span in call.servers)
    return (
        f"{call.callee_service} has {len(call.servers)} SERVER spans for one request ({names}), "
        "of which none is above the other"
    )
