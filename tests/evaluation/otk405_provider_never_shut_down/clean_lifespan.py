"""Show a lifespan that shuts down what it set up, in bounded time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def shut_down(provider: TracerProvider, timeout: float) -> bool:
    thread = threading.Thread(target=provider.shutdown, daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    resource = Resource.create({"service.name": app.title, "service.version": app.version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        await asyncio.to_thread(shut_down, provider, 5.0)


app = FastAPI(title="gateway", version="1.0", lifespan=lifespan)
