"""Make a web application that takes its tracer down when it stops (F7, C7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from checkout.answers import answer_exceptions
from checkout.http_client import HttpClient
from checkout.tracer import shutdown_tracer

SHUTDOWN_SECONDS = 8.0


def create_application(provider: TracerProvider, client: HttpClient | None = None) -> FastAPI:
    """Make an application that closes its client and then shuts its tracer down.

    The server's lifespan does it, as a process ended by SIGTERM runs no `atexit` handler.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # An exit stack unwinds in reverse: the tracer goes last, when nothing can start a span any
        # more.
        async with AsyncExitStack() as stack:
            # In a thread, as it blocks: the event loop may serve others.
            stack.push_async_callback(
                asyncio.to_thread, shutdown_tracer, provider, SHUTDOWN_SECONDS
            )
            if client is not None:
                await stack.enter_async_context(client)
            yield

    # FastAPI's own tracing would add a second SERVER span to each request.
    app = FastAPI(lifespan=lifespan, openapi_url=None, telemetry={"tracing": False})
    answer_exceptions(app)
    return app
