"""Show current spans that a generator holds while its consumer runs, and yields that are fine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sentry_sdk
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer, use_span
from shop.orders import Order, find_stock
from shop.stream import Chunk, decode, open_connection

tracer = trace.get_tracer(__name__)


# ---------------- the span stays current while the consumer runs


def faulty_generator(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with tracer.start_as_current_span("decode"):
        for chunk in chunks:
            yield decode(chunk)  # expect: OTK107


async def faulty_async_generator(client: httpx.AsyncClient, url: str) -> AsyncIterator[bytes]:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        async with client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                yield chunk  # expect: OTK107


def faulty_yield_from(chunks: Iterable[bytes]) -> Iterator[bytes]:
    with tracer.start_as_current_span("read"):
        yield from chunks  # expect: OTK107


def faulty_use_span(span: Span, chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with use_span(span, end_on_exit=True):
        for chunk in chunks:
            yield decode(chunk)  # expect: OTK107


def faulty_use_span_with_finally(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        with trace.use_span(span):
            for chunk in chunks:
                yield decode(chunk)  # expect: OTK107
    finally:
        span.end()


def faulty_second_item_of_the_with(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with open_connection(), tracer.start_as_current_span("decode") as span:
        span.set_attribute("shop.codec", "v2")
        for chunk in chunks:
            yield decode(chunk)  # expect: OTK107


class FaultyAgent:
    """An agent that streams the tokens of its answer."""

    def __init__(self, tracer: Tracer, model: Any) -> None:
        self._tracer = tracer
        self._model = model

    async def run(self, prompt: str) -> AsyncIterator[str]:
        with self._tracer.start_as_current_span("agent.run") as span:
            span.set_attribute("shop.prompt_size", len(prompt))
            async for token in self._model.stream(prompt):
                yield token  # expect: OTK107


class FaultyIterable:
    """Rows that are decoded under a span as they are asked for."""

    def __init__(self, rows: Iterable[bytes]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Chunk]:
        with tracer.start_as_current_span("rows"):
            for row in self._rows:
                yield decode(row)  # expect: OTK107


def faulty_inner_generator(app: FastAPI, source: AsyncIterator[bytes]) -> None:
    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            with tracer.start_as_current_span("stream"):
                async for chunk in source:
                    yield chunk  # expect: OTK107

        return StreamingResponse(body())


def faulty_span_per_item(orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        with tracer.start_as_current_span("find"):
            yield find_stock(order)  # expect: OTK107


def faulty_yield_takes_a_value(prompt: str) -> Iterator[str]:
    with tracer.start_as_current_span("dialogue") as span:
        answer = yield prompt  # expect: OTK107
        span.set_attribute("shop.answer_size", len(answer))


# ---------------- the span is not current there, or the generator is not driven by a consumer


@contextmanager
def clean_context_manager(name: str) -> Iterator[Span]:
    with tracer.start_as_current_span(name) as span:
        yield span


@contextlib.contextmanager
def clean_context_manager_by_its_module(name: str) -> Iterator[Span]:
    with tracer.start_as_current_span(name) as span:
        yield span


@asynccontextmanager
async def clean_async_context_manager(name: str) -> AsyncIterator[Span]:
    with tracer.start_as_current_span(name) as span:
        yield span


@asynccontextmanager
async def clean_lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    with tracer.start_as_current_span("lifespan"):
        async with httpx.AsyncClient() as client:
            yield {"client": client, "title": app.title}


class CleanContextManagerMethod:
    """A client whose scope is a context manager of its own."""

    @contextmanager
    def scope(self, name: str) -> Iterator[Span]:
        span = tracer.start_span(name)
        with use_span(span, end_on_exit=True):
            yield span


@pytest.fixture
def clean_fixture() -> Iterator[Span]:
    with tracer.start_as_current_span("test") as span:
        yield span


@pytest.fixture(scope="session")
def clean_fixture_with_arguments() -> Iterator[Span]:
    with tracer.start_as_current_span("session") as span:
        yield span


@pytest_asyncio.fixture
async def clean_async_fixture() -> AsyncIterator[Span]:
    with tracer.start_as_current_span("test") as span:
        yield span


def clean_yield_after_the_with(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    for chunk in chunks:
        with tracer.start_as_current_span("decode"):
            decoded = decode(chunk)
        yield decoded


def clean_yield_from_after_the_with(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with tracer.start_as_current_span("decode"):
        decoded = [decode(chunk) for chunk in chunks]
    yield from decoded


def clean_yield_before_the_with(chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield b"begin"
    with tracer.start_as_current_span("join"):
        joined = b"".join(chunks)
    yield joined


def clean_span_is_not_current(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        for chunk in chunks:
            yield decode(chunk)
    finally:
        span.end()


def clean_with_start_span_is_not_current(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with tracer.start_span("decode"):
        for chunk in chunks:
            yield decode(chunk)


async def clean_current_only_while_it_works(
    chunks: AsyncIterator[bytes],
) -> AsyncIterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        async for chunk in chunks:
            with use_span(span):
                decoded = decode(chunk)
            yield decoded
    finally:
        span.end()


def clean_inner_generator_is_defined_only(chunks: Iterable[bytes]) -> Callable[[], Iterator[bytes]]:
    with tracer.start_as_current_span("prepare"):

        def body() -> Iterator[bytes]:
            yield from chunks

    return body


def clean_generator_expression(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with tracer.start_as_current_span("prepare"):
        return (decode(chunk) for chunk in chunks)


async def clean_await_is_no_yield(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        response = await client.get(url)
    return response.status_code


def clean_sentry(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with sentry_sdk.start_span(op="decode"):
        for chunk in chunks:
            yield decode(chunk)


def clean_another_with(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    with open_connection():
        for chunk in chunks:
            yield decode(chunk)
