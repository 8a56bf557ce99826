"""Show a Litestar application whose provider has no end."""

from __future__ import annotations

from litestar import Litestar, get
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from shop.orders import find_stock

_provider = sdk_trace.TracerProvider(  # expect: OTK405
    resource=Resource.create({"service.name": "inventory", "service.version": "1.0"})
)
_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(_provider)
tracer = trace.get_tracer(__name__)


@get("/stock/{sku:str}")
async def stock(sku: str) -> dict[str, str]:
    with tracer.start_as_current_span("stock"):
        return {"stock": find_stock(sku)}


app = Litestar(route_handlers=[stock])
