"""Show a script, which is no application: the provider's own exit handler runs at its end."""

from __future__ import annotations

import argparse

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from shop.orders import settle


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("number")
    arguments = parser.parse_args()
    resource = Resource.create({"service.name": "settle", "service.version": "1.0"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    with trace.get_tracer(__name__).start_as_current_span("settle"):
        print(settle(arguments.number))


if __name__ == "__main__":
    main()
