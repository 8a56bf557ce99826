"""Show spans that `end_on_exit=False` leaves open, and those that somebody ends all the same."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import requests
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, settle
from shop.stream import Reply, ask, finish_reply, stream_reply

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- left open on the normal path


def faulty_never_ended(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:  # expect: OTK104:error
        span.set_attribute("shop.order", order.number)
        return charge(order)


def faulty_span_without_a_name(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False):  # expect: OTK104:error
        return charge(order)


async def faulty_in_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span(  # expect: OTK104:error
        "GET", kind=SpanKind.CLIENT, end_on_exit=False
    ) as span:
        response = await client.get(url)
        span.set_attribute("http.response.status_code", response.status_code)
    return response.status_code


def faulty_ended_only_if_it_went_well(url: str) -> int:
    with tracer.start_as_current_span("POST", end_on_exit=False) as span:  # expect: OTK104:error
        response = requests.post(url, timeout=5)
        if response.ok:
            span.end()
    return response.status_code


class FaultyMethod:
    """A client that asks for a span that stays open."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        with self._tracer.start_as_current_span("send", end_on_exit=False):  # expect: OTK104:error
            return charge(order)


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("settle", end_on_exit=False) as span:  # expect: OTK104:error
        span.set_attribute("shop.order", number)
        return {"receipt": settle(number)}


def faulty_one_branch_hands_over(prompt: str, *, stream: bool) -> Iterator[str] | Reply:
    with tracer.start_as_current_span("chat", end_on_exit=False) as span:  # expect: OTK104:error
        if stream:
            return stream_reply(prompt, span)
        return ask(prompt)


def faulty_return_before_the_end(order: Order) -> str | None:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:  # expect: OTK104:error
        if order.cancelled:
            return None
        receipt = charge(order)
        span.end()
        return receipt


# ---------------- left open by an exception, or by cancellation


def faulty_end_after_the_block(order: Order) -> str:
    with tracer.start_as_current_span("pay", end_on_exit=False) as span:  # expect: OTK104:warning
        receipt = charge(order)
    span.end()
    return receipt


def faulty_end_at_the_end_of_the_block(order: Order) -> str:
    with tracer.start_as_current_span("pay", end_on_exit=False) as span:  # expect: OTK104:warning
        receipt = charge(order)
        span.end()
    return receipt


async def faulty_one_exception_of_many(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", end_on_exit=False) as span:  # expect: OTK104:warning
        try:
            response = await client.get(url)
        except httpx.ConnectError:
            span.end()
            raise
        span.end()
    return response.status_code


async def faulty_cancelled(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:  # expect: OTK104:note
        try:
            receipt = await charge_async(order)
        except Exception as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR, str(exc)))
            span.end()
            raise
        span.end()
    return receipt


def faulty_decorator(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span(  # expect: OTK104:warning
            func.__qualname__, end_on_exit=False
        ) as span:
            result = func(*args, **kwargs)
            span.end()
            return result

    return wrapper


# ---------------- ended, handed over, or not asked for


def clean_default(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_end_on_exit(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=True):
        return charge(order)


def clean_finally(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            return charge(order)
        finally:
            span.end()


async def clean_finally_in_a_coroutine(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            return await charge_async(order)
        except Exception as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR, str(exc)))
            raise
        finally:
            span.end()


def clean_every_branch(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            receipt = charge(order)
        except Exception as exc:
            span.record_exception(exc)
            span.end()
            raise
        else:
            span.end()
    return receipt


def clean_ended_by_use_span(order: Order) -> str:
    with (
        tracer.start_as_current_span("charge", end_on_exit=False) as span,
        use_span(span, end_on_exit=True),
    ):
        return charge(order)


def clean_ended_by_the_exit_stack(order: Order) -> str:
    with ExitStack() as stack:
        span = stack.enter_context(tracer.start_as_current_span("charge", end_on_exit=False))
        stack.callback(span.end)
        return charge(order)


def clean_returned() -> Span:
    with tracer.start_as_current_span("session", end_on_exit=False) as span:
        return span


def clean_passed_to_the_stream(prompt: str) -> Iterator[str]:
    with tracer.start_as_current_span("chat", end_on_exit=False) as span:
        return stream_reply(prompt, span)


def clean_passed_to_another_module(order: Order) -> None:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        finish_reply(order, span)


class CleanStored:
    """A run whose span ends when the run is closed."""

    def open(self) -> None:
        with tracer.start_as_current_span("run", end_on_exit=False) as span:
            self._span = span

    def close(self) -> None:
        self._span.end()


class CleanSpansByRun:
    """An agent's callbacks: a span for each run, ended when the run ends."""

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}

    def on_start(self, run_id: str) -> None:
        with tracer.start_as_current_span("run", end_on_exit=False) as self._spans[run_id]:
            pass

    def on_end(self, run_id: str) -> None:
        self._spans.pop(run_id).end()


@app.get("/stream")
async def clean_captured_by_the_body(source: AsyncIterator[bytes]) -> StreamingResponse:
    with tracer.start_as_current_span("stream", end_on_exit=False) as span:

        async def body() -> AsyncIterator[bytes]:
            try:
                async for chunk in source:
                    yield chunk
            finally:
                span.end()

        return StreamingResponse(body())


def clean_captured_by_a_callback(task: asyncio.Task[None]) -> None:
    with tracer.start_as_current_span("task", end_on_exit=False) as span:
        task.add_done_callback(lambda _task: span.end())


@contextmanager
def clean_context_manager(name: str) -> Iterator[Span]:
    with tracer.start_as_current_span(name, end_on_exit=False) as span:
        try:
            yield span
        finally:
            span.end()


def clean_decided_by_the_caller(order: Order, *, end_on_exit: bool) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=end_on_exit):
        return charge(order)


def clean_use_span_of_the_caller(span: Span, order: Order) -> str:
    with trace.use_span(span, end_on_exit=False):
        return charge(order)


class Recorder:
    """The project's own recorder, whose method is named like a tracer's."""

    @contextmanager
    def start_as_current_span(self, name: str, *, end_on_exit: bool) -> Iterator[str]:
        yield name if end_on_exit else ""


def clean_own_recorder(order: Order) -> str:
    recorder = Recorder()
    with recorder.start_as_current_span("charge", end_on_exit=False):
        return charge(order)
