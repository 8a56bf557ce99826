"""Carry trace context and baggage from service to service in HTTP headers (F4, C3)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import attach, detach
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

TRACE_CONTEXT = TraceContextTextMapPropagator()
TRACE_CONTEXT_AND_BAGGAGE = CompositePropagator([TRACE_CONTEXT, W3CBaggagePropagator()])


class HeaderGetter(Getter[Headers]):
    """Read the raw headers of an ASGI request: a name comes in any case, and more than once."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        """Join the fields of one name, as RFC 9110, section 5.3, prescribes."""
        name = key.lower().encode("latin-1")
        fields = [value.decode("latin-1") for field, value in carrier if field.lower() == name]
        if not fields or (key == "traceparent" and len(fields) > 1):
            # Nobody can tell which of two parents is the true one, so there is none.
            return None
        joined = ",".join(fields)
        if key == "baggage":
            # The SDK would take a member's properties, which follow a ";", for a part of its value.
            joined = ",".join(member.split(";")[0] for member in joined.split(","))
        return [joined]

    def keys(self, carrier: Headers) -> list[str]:
        """List the names of all fields."""
        return [field.decode("latin-1").lower() for field, _ in carrier]


HEADER_GETTER = HeaderGetter()


@contextmanager
def incoming_context(headers: Headers) -> Iterator[None]:
    """Make what the caller sent the current context, in place of anything that was current before.

    `extract` without a `context` argument starts from an empty one: a request without headers
    begins a trace of its own, and never continues one that happens to be current in the server.
    """
    token = attach(TRACE_CONTEXT_AND_BAGGAGE.extract(headers, getter=HEADER_GETTER))
    try:
        yield
    finally:
        detach(token)
