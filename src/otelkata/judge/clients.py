"""Find the CLIENT span of each request that left a service, and the request that caused it."""

from collections.abc import Iterable

from otelkata.evidence.model import Request

from . import traceparent
from .calls import Call, ServiceSpan
from .traceparent import TraceParent
from .url import port_of

CLOCK_NOISE_NS = 2_000_000
"""Nanoseconds by which the clocks of two processes may differ."""

_PORT_KEYS = ("server.port", "net.peer.port")
_URL_KEYS = ("url.full", "http.url")


def handled_meanwhile(call: Call, calls: Iterable[Call]) -> Call | None:
    """Return the latest of `calls` that the caller was handling when it sent `call`."""
    handled = [
        other
        for other in calls
        if other.callee is not None
        and other.callee.name == call.caller
        and other.data.received_ns <= call.data.received_ns
    ]
    return max(handled, key=lambda other: other.data.received_ns, default=None)


def match_clients(incoming: Call) -> None:
    """Give each request that left while `incoming` was handled its CLIENT span.

    The id on the wire decides; where it names no CLIENT span, port and time do.
    """
    free = sorted(
        (span for span in incoming.spans if span.is_http_client),
        key=lambda span: span.data.start_ns,
    )
    unmatched = []
    for call in incoming.outgoing:
        named = _sent_parent(call)
        span = next((span for span in free if named and span.id == named.span_id), None)
        if span is None:
            unmatched.append(call)
        else:
            call.client = span
            free.remove(span)
    for call in unmatched:
        # Of a refused request nothing is known but that it was one.
        span = min((span for span in free if _may_be(span, call)), key=_is_other, default=None)
        if span is not None:
            call.client = span
            free.remove(span)


def _sent_parent(call: Call) -> TraceParent | None:
    return traceparent.of_headers(call.data.request.headers) if call.data.request else None


def _may_be(span: ServiceSpan, call: Call) -> bool:
    if call.data.request is None:
        return True
    port = _port_of(span)
    sent_to = _sent_to(call.data.request)
    if port and sent_to and port != sent_to:
        return False
    return span.data.start_ns <= call.data.received_ns + CLOCK_NOISE_NS


def _is_other(span: ServiceSpan) -> bool:
    return not any(key.startswith(("http.", "url.")) for key in span.attributes)


def _port_of(span: ServiceSpan) -> int | None:
    port = span.first(*_PORT_KEYS)
    if isinstance(port, int):
        return port
    return port_of(span.first(*_URL_KEYS) or "")


def _sent_to(request: Request) -> int | None:
    host = "".join(traceparent.values_of(request.headers, "host"))
    return port_of(f"//{host}")
