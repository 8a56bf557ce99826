"""Show a factory of applications that makes a provider for each and keeps none."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def create_app(name: str, version: str) -> FastAPI:
    resource = Resource.create({"service.name": name, "service.version": version})
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    app = FastAPI(title=name)

    @app.get("/health")
    async def health() -> dict[str, bool]:
        return {"healthy": True}

    return app
