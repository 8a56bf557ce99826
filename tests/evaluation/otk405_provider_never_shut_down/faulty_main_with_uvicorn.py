"""Show a service that serves until it is told to stop, and then just stops."""

from __future__ import annotations

import os

import uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

app = FastAPI()


def main() -> None:
    resource = Resource.create({"service.name": "gateway", "service.version": "1.0"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))


if __name__ == "__main__":
    main()
