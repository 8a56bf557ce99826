"""Show a Starlette application whose provider nobody can reach again."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from shop.orders import find_stock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def set_up_tracing() -> None:
    resource = Resource.create({"service.name": "inventory", "service.version": "1.0"})
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


async def stock(request: Request) -> JSONResponse:
    with trace.get_tracer(__name__).start_as_current_span("stock"):
        return JSONResponse({"stock": find_stock(request.path_params["sku"])})


set_up_tracing()
app = Starlette(routes=[Route("/stock/{sku}", stock)])
