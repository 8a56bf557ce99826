"""Show a provider of the module that a shutdown hook takes down."""

from __future__ import annotations

import threading

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(
    resource=Resource.create({"service.name": "gateway", "service.version": "1.0"}),
    shutdown_on_exit=False,
)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
app = FastAPI()


@app.on_event("shutdown")
def take_down_tracing() -> None:
    def stop() -> None:
        provider.shutdown()

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    thread.join(5.0)
