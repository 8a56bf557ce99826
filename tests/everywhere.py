"""Plant one fault in every span, request, case or exit at once, with and without obstacles.

Counts tell then whether a check looks at all that it is about, also behind what it cannot judge.
"""

from collections.abc import Callable
from dataclasses import replace

from evidence_builder import (
    Change,
    all_of,
    case_seen,
    exchange,
    exit_seen,
    id_of,
    lose,
    mute,
    never,
    sound,
    trace_of,
)

from otelkata.evidence.model import Evidence, Exit, ServiceStart
from otelkata.host.wire import Logged, Problem, Span

HINDERED = "everywhere, with obstacles: "
"""How the names of faults begin that are planted together with obstacles."""


def spans(change: Callable[[Span], Span]) -> Change:
    """Change every exported span."""

    def everywhere(evidence: Evidence) -> None:
        evidence.spans[:] = [replace(item, span=change(item.span)) for item in evidence.spans]

    return everywhere


def headers(name: str, value: str | None) -> Change:
    """Set a header of every request that a service sent; None removes it."""

    def everywhere(evidence: Evidence) -> None:
        for item in evidence.exchanges:
            if item.request is not None and item.caller:
                kept = [pair for pair in item.request.headers if pair[0].lower() != name]
                item.request.headers[:] = kept + ([(name, value)] if value is not None else [])

    return everywhere


def exits(**changes: object) -> Change:
    """Change what was seen of every exit."""

    def changed(seen: Exit) -> Exit:
        return replace(seen, **changes)  # type: ignore[arg-type]

    def everywhere(evidence: Evidence) -> None:
        evidence.exits[:] = [changed(seen) for seen in evidence.exits]

    return everywhere


def _down(evidence: Evidence) -> None:
    def down(start: ServiceStart) -> ServiceStart:
        return replace(start, serves=False)

    evidence.starts[1:] = [down(start) for start in evidence.starts[1:]]


def _wrong_answers(evidence: Evidence) -> None:
    for index, item in enumerate(evidence.exchanges):
        if item.response is not None and not item.caller:
            wrong = replace(item.response, status=500)
            evidence.exchanges[index] = replace(item, response=wrong)


def _no_requests(evidence: Evidence) -> None:
    evidence.exchanges[:] = [replace(item, request=None) for item in evidence.exchanges]


def _never_ended(evidence: Evidence) -> None:
    evidence.ended.clear()


def _told_twice(evidence: Evidence) -> None:
    texts = ("Setting attribute on ended span.", "nothing", "Failed to detach context")
    evidence.logs.extend(Logged("opentelemetry", text, "", 0) for text in texts * 2)
    evidence.problems.extend(
        Problem(start, "gateway", stage, text, path, line, details)
        for start, stage, text, path, line, details in (
            ("gateway.main", "create", "it broke", "checkout.py", 1, "Traceback"),
            ("gateway.main", "request", "KeyError: 'sku'", "checkout.py", 4, ""),
            ("", "import", "no", "", 0, ""),
            ("gateway.main", "create", "it broke", "checkout.py", 1, "Traceback"),
            ("gateway.main", "create", "it broke", "checkout.py", 2, "Traceback"),
        )
    )


def _named(span: Span) -> Span:
    return replace(span, name=f"{span.name} {span.span_id}")


def _empty(span: Span) -> Span:
    return replace(span, attributes={})


FAULTS: dict[str, Change] = {
    "nothing": all_of(),
    "no attributes": spans(_empty),
    "no events": spans(lambda span: replace(span, events=[])),
    "ERROR": spans(lambda span: replace(span, status="ERROR")),
    "status OK": spans(lambda span: replace(span, status="OK")),
    "no parents": spans(lambda span: replace(span, parent_id=None)),
    "parents of nobody": spans(lambda span: replace(span, parent_id=id_of("nobody"))),
    "INTERNAL": spans(lambda span: replace(span, kind="INTERNAL")),
    "SERVER": spans(lambda span: replace(span, kind="SERVER")),
    "names of their own": spans(_named),
    "no time": spans(lambda span: replace(span, end_ns=span.start_ns)),
    "late": spans(lambda span: replace(span, start_ns=span.end_ns)),
    "no resource": spans(lambda span: replace(span, resource={})),
    "another trace": spans(lambda span: replace(span, trace_id=trace_of(span.span_id))),
    "no traceparent": headers("traceparent", None),
    "one traceparent": headers("traceparent", f"00-{trace_of('one')}-{id_of('one')}-01"),
    "no tracestate": headers("tracestate", None),
    "no baggage": headers("baggage", None),
    "half of the baggage": headers("baggage", "tenant.id=x"),
    "requests unknown": _no_requests,
    "nothing ends": _never_ended,
    "nothing serves": _down,
    "wrong answers": _wrong_answers,
    "logs and problems": _told_twice,
    "exits without an end": exits(took=None, kept_by="Thread-1"),
    "exits too long": exits(took=99.0, path="checkout.py", line=9),
    "exits that raise": exits(raised="ValueError", path="checkout.py", line=9),
    "exits that return None": exits(returned=None, path="checkout.py", line=9),
    "exits that return True": exits(returned=True, path="checkout.py", line=9),
    "exits too late": exits(arrived=[], path="checkout.py", line=9),
    "exits with nothing pending": exits(pending=[]),
}

OBSTACLES = all_of(
    *map(lose, ("success/gateway", "state/payment", "refused/gateway>inventory")),
    *map(lose, ("declined/payment>processor", "unreadable/gateway", "direct.inventory/inventory")),
    *map(never, ("success/gateway>inventory", "network/gateway>inventory", "500/gateway")),
    never("interleaved0/payment"),
    mute("payment.leaving"),
    exchange("retried", "payment>processor", request=None, response=None, outcome="refused"),
    case_seen("success", baggage=False),
    case_seen("state", skipped="it could not be sent"),
    *(
        exit_seen(name, skipped="it did not start", took=None)
        for name in (
            "shutdown_tracer_pending",
            sound().exits[3].name,
            "lifespan.gateway",
            "sigterm.gateway",
            "lifespan_hanging.gateway",
            "sigterm_hanging.gateway",
        )
    ),
)
