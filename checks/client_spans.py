"""F3: does every request that left a service have its CLIENT span, and show the time it took?"""

from collections.abc import Iterable

from otelkata.check import (
    CLOCK_NOISE_NS,
    Call,
    Cases,
    CaseView,
    Fault,
    Finding,
    Findings,
    ServiceSpan,
    Unjudged,
    View,
    check,
    expect,
    too_slow,
)


@check(
    "F3",
    why="Without a CLIENT span the time on the network and in the other service looks like the "
    "caller's own work.",
    fix="Open a span of kind CLIENT for each request, retries included, while the SERVER span is "
    "current: `with tracer.start_as_current_span(name, kind=SpanKind.CLIENT)`. Take the tracer "
    "from the service's own provider: `trace.get_tracer(name)` is of the global one.",
)
def one_per_request(answered: Cases, view: View) -> Findings:
    """Each request that left a service has a CLIENT span of its own, under its SERVER span."""
    for case in answered:
        for call in case.sent:
            incoming = call.incoming
            if incoming is None or call.caller in view.tracing - view.exporting:
                yield Unjudged(f"in {case.title}, no span of {call.caller_service} arrived")
                continue
            if call.client is None:
                message = f"in {case.title}, {call} has no CLIENT span of its own"
                yield Fault(message, case, call=call)
                continue
            yield _is_under_its_server(case, incoming, call.client)


def _is_under_its_server(case: CaseView, incoming: Call, client: ServiceSpan) -> Finding:
    if not any(span.kind == "SERVER" for span in incoming.spans):
        return Unjudged(f"in {case.title}, {incoming.callee_service} has no SERVER span")
    above = list(client.ancestors)
    outer = next((span for span in above if span.is_http_client), None)
    if outer is not None:
        message = f"in {case.title}, {client} is inside another CLIENT span, {outer.name!r}"
        return Fault(message, case, (client, outer))
    return expect(
        any(span.kind == "SERVER" and span.call is incoming for span in above),
        f"in {case.title}, {client} is not under the SERVER span of its request",
        case,
        client,
    )


@check(
    "F3",
    why="A CLIENT span that ends early, or starts late, shows less time than the call took.",
    fix="Keep the span open around the whole call: send the request and `await` the answer "
    "inside the `with` block.",
)
def lasts_until_the_answer(answered: Cases) -> Findings:
    """Each CLIENT span covers its request, from before it was sent until the answer's headers."""
    for case in answered:
        for call in case.sent:
            client = call.client
            if client is None or call.data.request is None:
                if call.data.request is not None:
                    yield Unjudged(f"in {case.title}, {call} has no CLIENT span")
                continue
            span = client.data
            yield expect(
                span.start_ns <= call.data.received_ns + CLOCK_NOISE_NS,
                f"in {case.title}, {client} started after its request had been received",
                case,
                client,
            )
            if call.incoming is not None:
                early = (call.incoming.data.received_ns - span.start_ns) / 1e6
                yield expect(
                    span.start_ns >= call.incoming.data.received_ns - CLOCK_NOISE_NS,
                    f"in {case.title}, {client} says that it started {early:.0f} ms before the "
                    f"request to {call.caller_service} that caused it had been received",
                    case,
                    client,
                )
            if call.data.answered_ns and not call.is_contested:
                early = (call.data.answered_ns - span.end_ns) / 1e6
                yield expect(
                    span.end_ns >= call.data.answered_ns - CLOCK_NOISE_NS,
                    f"in {case.title}, {client} ended {early:.0f} ms before the answer came",
                    case,
                    client,
                )


@check(
    "F3",
    why="When a checkout takes 5 s instead of 0.5 s, the trace must show where the time went: "
    "network, database, external API or the service's own work.",
    fix="Open a span around exactly the operation that waits, `with "
    "tracer.start_as_current_span(name):`, and nothing around it that does not.",
)
def show_where_the_time_went(slow: Cases, view: View) -> Findings:
    """In each slow scenario, the span with the largest time of its own is the one that waited."""
    for case in slow:
        delay = case.data.delay
        if case.entry is None or case.entry.status != 200 or delay is None:
            continue  # a submission need not wait for a lock
        waited = _waited(case, delay.where)
        if not waited:
            yield Unjudged(f"in {case.title}, the span that should show the delay is missing")
            continue
        if unseen := next((call for call in case.served if call.server is None), None):
            # Its time is its caller's, as far as spans tell; F2 is about that.
            yield Unjudged(f"in {case.title}, {unseen.callee_service} has not one SERVER span")
            continue
        own = {span.id: _own_time(span, case) for span in case.spans}
        right = max(waited, key=lambda span: own[span.id])
        allowed = {span.id for span in waited}
        others = [span for span in case.spans if span.id not in allowed]
        slowest = max(others, key=lambda span: own[span.id], default=right)
        held = delay.until_ns - delay.from_ns
        rest = case.entry.data.ended_ns - case.entry.data.received_ns - held
        if rest > held:
            reason = f"in {case.title}, the machine was slower than the delay"
            yield too_slow(reason, view.evidence.patience)
            continue
        # A lock is waited for from the query on, not from the request on.
        seen = delay.where == "query" or _total(waited) >= held * 0.8
        yield expect(
            seen and own[slowest.id] <= own[right.id],
            f"in {case.title}, {held / 1e6:.0f} ms were spent on the {delay.where}, but "
            f"{slowest if own[slowest.id] > own[right.id] else right} shows "
            f"{max(own[slowest.id], own[right.id]) / 1e6:.0f} ms of its own and {right} "
            f"{own[right.id] / 1e6:.0f} ms",
            case,
            right,
            slowest,
        )


def _waited(case: CaseView, where: str) -> list[ServiceSpan]:
    # The spans that may show the delay: the one that waited and, inside its service, those below.
    if where == "query":
        spans = [s for c in case.calls if c.callee_service == "inventory" for s in c.spans]
        queries = [span for span in spans if span.is_query]
        return _with_those_below(queries, spans) if queries else spans
    hop = {"network": "gateway>inventory", "processor": "payment>processor"}[where]
    calls = [call for call in case.calls if call.data.hop == hop]
    clients = [call.client for call in calls if call.client is not None]
    return _with_those_below(clients, case.spans)


def _with_those_below(tops: list[ServiceSpan], spans: Iterable[ServiceSpan]) -> list[ServiceSpan]:
    below = [s for s in spans if any(top in s.ancestors for top in tops)]
    return [*tops, *below]


def _own_time(span: ServiceSpan, case: CaseView) -> int:
    # Duration without what children cover; the callee's SERVER span is a child by what the wire
    # showed, whatever it claims, also of spans below the CLIENT span that wait for the callee.
    children = [other for other in case.spans if other.parent is span]
    waiting = [span, *span.ancestors]
    for call in case.calls:
        if call.client in waiting:
            children += call.servers
    covered = 0
    until = span.data.start_ns
    for child in sorted(children, key=lambda child: child.data.start_ns):
        begin = max(child.data.start_ns, until)
        end = min(child.data.end_ns, span.data.end_ns)
        if end > begin:
            covered += end - begin
            until = end
    return span.data.end_ns - span.data.start_ns - covered


def _total(spans: Iterable[ServiceSpan]) -> int:
    return max(span.data.end_ns - span.data.start_ns for span in spans)
