"""Show a start-up hook without its counterpart."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

app = FastAPI()


@app.on_event("startup")
async def set_up_tracing() -> None:
    resource = Resource.create({"service.name": "payment", "service.version": "1.0"})
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
