"""Read what a finished span shows."""

from opentelemetry.sdk.trace import ReadableSpan


def exceptions(span: ReadableSpan) -> list[str]:
    """The types of the exceptions recorded on a span."""
    return [
        str((event.attributes or {})["exception.type"])
        for event in span.events
        if event.name == "exception"
    ]


def parent_id(span: ReadableSpan) -> str | None:
    """A span's parent, as it stands in a header."""
    return format(span.parent.span_id, "016x") if span.parent else None


def trace_id(span: ReadableSpan) -> str:
    """A span's trace, as it stands in a header."""
    return format(span.context.trace_id, "032x")
