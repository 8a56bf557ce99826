"""Show spans in and out of the strict form: `with`, or `end()` in a `finally` after the start.

This is the one file on which OTK102 runs, so a span that is open on some path is marked OTK101 too.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, build_headers, charge, charge_async, reserve, settle
from shop.stream import Chunk, decode, open_connection

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- ended on every path that can be seen, but not managed


def faulty_except_and_else(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK102
    try:
        receipt = charge(order)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    else:
        span.end()
    return receipt


def faulty_except_and_after(order: Order) -> str:
    span = tracer.start_span("charge", kind=SpanKind.CLIENT)  # expect: OTK102
    try:
        receipt = charge(order)
    except Exception as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR))
        span.end()
        raise
    span.end()
    return receipt


async def faulty_base_exception(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK102
    try:
        receipt = await charge_async(order)
    except BaseException:
        span.end()
        raise
    span.end()
    return receipt


def faulty_ended_on_each_branch(size: int) -> int:
    span = tracer.start_span("batch")  # expect: OTK102
    if size == 0:
        span.add_event("empty")
        span.end()
        return 0
    span.set_attribute("shop.batch_size", size)
    span.end()
    return 1


class FaultyMethod:
    """A client that ends its span in the handler and after it."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        span = self._tracer.start_span("send", kind=SpanKind.CLIENT)  # expect: OTK102
        try:
            receipt = charge(order)
        except Exception as exc:
            span.record_exception(exc)
            span.end()
            raise
        span.end()
        return receipt


# ---------------- open on some path, and not managed


def faulty_never_ended(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:error, OTK102
    span.set_attribute("shop.order", order.number)
    return charge(order)


def faulty_straight_line(url: str) -> bytes:
    span = tracer.start_span("download", kind=SpanKind.CLIENT)  # expect: OTK101:warning, OTK102
    response = requests.get(url, timeout=5)
    span.end()
    return response.content


def faulty_try_begins_too_late(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning, OTK102
    headers = build_headers(order)
    try:
        return charge(order, headers)
    finally:
        span.end()


async def faulty_except_exception_around_await(client: httpx.AsyncClient, url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)  # expect: OTK101:note, OTK102
    try:
        response = await client.get(url)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.end()
    return response.status_code


def faulty_use_span_leaves_the_end_to_others(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning, OTK102
    with trace.use_span(span):
        receipt = charge(order)
    span.end()
    return receipt


def faulty_finally_of_an_inner_try(order: Order) -> str:
    span = tracer.start_span("checkout")  # expect: OTK101:warning, OTK102
    reserve(order)
    try:
        return charge(order)
    finally:
        span.end()


@contextmanager
def faulty_context_manager_without_finally(name: str) -> Iterator[None]:
    span = tracer.start_span(name)  # expect: OTK101:warning, OTK102
    yield
    span.end()


@app.get("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    span = tracer.start_span("settle")  # expect: OTK101:warning, OTK102
    receipt = settle(number)
    span.end()
    return {"receipt": receipt}


def faulty_decorator(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        span = tracer.start_span(func.__qualname__)  # expect: OTK101:warning, OTK102
        result = func(*args, **kwargs)
        span.end()
        return result

    return wrapper


# ---------------- managed


def clean_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_with_start_span(order: Order) -> str:
    with tracer.start_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


async def clean_with_in_a_coroutine(order: Order) -> str:
    with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT):
        return await charge_async(order)


def clean_several_items(order: Order) -> str:
    with open_connection(), tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_use_span_around_the_start(order: Order) -> str:
    with use_span(tracer.start_span("charge"), end_on_exit=True) as span:
        span.add_event("charging")
        return charge(order)


def clean_use_span_right_after_the_start(order: Order) -> str:
    span = tracer.start_span("charge")
    with trace.use_span(span, end_on_exit=True):
        return charge(order)


async def clean_use_span_by_keyword(order: Order) -> str:
    span = tracer.start_span("charge")
    with trace.use_span(span=span, end_on_exit=True):
        return await charge_async(order)


def clean_try_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        span.end()


async def clean_try_finally_with_a_handler(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return await charge_async(order)
    except Exception as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR, str(exc)))
        raise
    finally:
        span.end()


def clean_use_span_inside_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        with trace.use_span(span):
            return charge(order)
    finally:
        span.end()


def clean_generator_with_finally(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        for chunk in chunks:
            yield decode(chunk)
    finally:
        span.end()


@contextmanager
def clean_context_manager(name: str) -> Iterator[Span]:
    span = tracer.start_span(name)
    try:
        yield span
    finally:
        span.end()


@asynccontextmanager
async def clean_async_context_manager(name: str) -> AsyncIterator[Span]:
    span = tracer.start_span(name)
    try:
        yield span
    except Exception as exc:
        span.record_exception(exc)
        raise
    finally:
        span.end()


def clean_user_of_the_context_manager(order: Order) -> str:
    with clean_context_manager("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_exit_stack(order: Order) -> str:
    with ExitStack() as stack:
        span = stack.enter_context(tracer.start_as_current_span("charge"))
        span.add_event("charging")
        return charge(order)


async def clean_async_exit_stack(order: Order) -> str:
    async with AsyncExitStack() as stack:
        stack.enter_context(use_span(tracer.start_span("charge"), end_on_exit=True))
        return await charge_async(order)


def clean_exit_stack_calls_the_end(order: Order) -> str:
    with ExitStack() as stack:
        span = tracer.start_span("charge")
        stack.callback(span.end)
        return charge(order)


def clean_span_per_iteration(orders: list[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")
        try:
            reserve(order)
        finally:
            span.end()


@tracer.start_as_current_span("charge")
def clean_decorated(order: Order) -> str:
    return charge(order)


@shared_task
def clean_task(number: str) -> str:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER) as span:
        span.set_attribute("shop.order", number)
        return settle(number)


def clean_current_span(order: Order) -> str:
    span = trace.get_current_span()
    span.set_attribute("shop.order", order.number)
    return charge(order)


def clean_no_tracer(order: Order) -> str:
    span = sentry_sdk.start_span(op="shop.charge")
    receipt = charge(order)
    span.finish()
    return receipt
