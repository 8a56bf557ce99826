"""Show a provider whose shutdown an exit stack calls."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def shut_down(provider: TracerProvider, timeout: float) -> None:
    thread = threading.Thread(target=provider.shutdown, daemon=True)
    thread.start()
    thread.join(timeout)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        resource = Resource.create({"service.name": app.title, "service.version": app.version})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        stack.callback(shut_down, provider, 5.0)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        yield


app = FastAPI(title="gateway", version="1.0", lifespan=lifespan)
