"""What OpenTelemetry's names mean, wherever they are imported from.

A name is *canonical* when it is the last part of its dotted origin under `opentelemetry`, with its
class before it if it has one: `get_tracer`, `Tracer.start_span`, `Resource.create`.
"""

from __future__ import annotations

CLASSES = frozenset(
    {
        "BatchSpanProcessor",
        "Context",
        "Resource",
        "SimpleSpanProcessor",
        "Span",
        "SpanProcessor",
        "Status",
        "StatusCode",
        "TextMapPropagator",
        "TraceContextTextMapPropagator",
        "Tracer",
        "TracerProvider",
        "W3CBaggagePropagator",
        "CompositePropagator",
    }
)

MANAGER = "SpanManager"
ATTACHED = "Token"

RESULTS = {
    "get_tracer": "Tracer",
    "TracerProvider.get_tracer": "Tracer",
    "get_tracer_provider": "TracerProvider",
    "Tracer.start_span": "Span",
    "get_current_span": "Span",
    "NonRecordingSpan": "Span",
    "Tracer.start_as_current_span": MANAGER,
    "use_span": MANAGER,
    "extract": "Context",
    "get_current": "Context",
    "set_span_in_context": "Context",
    "set_value": "Context",
    "set_baggage": "Context",
    "Context.copy": "Context",
    "TraceContextTextMapPropagator.extract": "Context",
    "W3CBaggagePropagator.extract": "Context",
    "CompositePropagator.extract": "Context",
    "TextMapPropagator.extract": "Context",
    "get_global_textmap": "CompositePropagator",
    "CompositePropagator": "CompositePropagator",
    "attach": ATTACHED,
    "Resource.create": "Resource",
    "Resource.merge": "Resource",
    "Resource.get_empty": "Resource",
    "get_aggregated_resources": "Resource",
}
"""What a call returns, by the canonical name of what is called."""

SPAN_USES = frozenset(
    {"add_event", "add_link", "record_exception", "set_attribute", "set_attributes", "set_status"}
    | {"update_name"}
)
"""Methods of a span that have no effect once it has ended."""

SPAN_METHODS = SPAN_USES | {"end", "is_recording", "get_span_context"}

FOREIGN = frozenset(
    {
        "agentops",
        "aws_xray_sdk",
        "braintrust",
        "datadog",
        "ddtrace",
        "elasticapm",
        "jaeger_client",
        "langfuse",
        "langsmith",
        "lightstep",
        "logfire",
        "mlflow",
        "newrelic",
        "opencensus",
        "opentracing",
        "scout_apm",
        "sentry_sdk",
        "weave",
    }
)
"""Packages whose tracers have methods of the same names and are none of OpenTelemetry's."""


def canonical(origin: str) -> str | None:
    """Return the canonical name of a dotted origin; None if it is not OpenTelemetry's."""
    parts = origin.split(".")
    if parts[0] != "opentelemetry" or len(parts) < 2:
        return None
    if parts[-2] in CLASSES:
        return f"{parts[-2]}.{parts[-1]}"
    return parts[-1]
