"""Show a lifespan that sets tracing up and takes nothing down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    resource = Resource.create({SERVICE_NAME: app.title, SERVICE_VERSION: app.version})
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    async with httpx.AsyncClient() as client:
        yield {"client": client}


app = FastAPI(title="gateway", version="1.0", lifespan=lifespan)
