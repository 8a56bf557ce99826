"""Show a service that keeps the tracer and forgets where it came from."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer
from shop.orders import settle


def make_tracer() -> Tracer:
    resource = Resource.create({"service.name": "payment", "service.version": "1.0"})
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("payment")


tracer = make_tracer()
app = FastAPI()


@app.post("/payments/{number}")
async def payment(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("settle"):
        return {"receipt": settle(number)}
