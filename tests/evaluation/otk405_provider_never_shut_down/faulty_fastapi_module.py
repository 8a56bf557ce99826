"""Show an application whose provider is made on import and forgotten."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from shop.orders import settle

_provider = TracerProvider(  # expect: OTK405
    resource=Resource.create({"service.name": "gateway", "service.version": "1.0"})
)
_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(_provider)

tracer = trace.get_tracer(__name__)
app = FastAPI()


@app.post("/orders/{number}")
async def order(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("settle"):
        return {"receipt": settle(number)}
