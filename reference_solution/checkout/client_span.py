"""Open one CLIENT span for each call that leaves the service (F3, F6)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue


@contextmanager
def client_span(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue]
) -> Iterator[Span]:
    """Cover a call with a span that shows the exception, if one leaves the block.

    `start_as_current_span` ends the span in any case, and records each `Exception` with status
    ERROR. It leaves the span clean on `CancelledError`. That is right for a caller who hung up, and
    wrong for a timeout: put `asyncio.timeout` inside the block, so that it is a `TimeoutError` that
    passes here.
    """
    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute(ERROR_TYPE, type(error).__qualname__)
            raise
