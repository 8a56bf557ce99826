"""Show spans that some path leaves open, and look-alikes that are sound."""

from __future__ import annotations

import asyncio
import atexit
import functools
import queue
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import langfuse
import mlflow
import pytest
import requests
import sentry_sdk
from celery import shared_task
from celery.signals import task_postrun, task_prerun
from ddtrace import tracer as dd_tracer
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, use_span
from opentelemetry.trace import Tracer as OtelTracer
from opentelemetry.trace import get_tracer as tracer_for
from shop.jobs import Job, finish_job, is_ready, run_job
from shop.orders import (
    Order,
    build_headers,
    charge,
    charge_async,
    find_stock,
    probe,
    reserve,
    settle,
)
from shop.stream import Chunk, complete, decode, open_connection, stream_response
from shop.timeline import Timeline

app = FastAPI()
tracer = trace.get_tracer(__name__)


def start_order_span(number: str) -> Span:
    return tracer.start_span("order", attributes={"shop.order": number})


def shop_tracer() -> OtelTracer:
    return otel_trace.get_tracer("shop")


def note_order(span: Span, order: Order) -> None:
    span.set_attribute("shop.order", order.number)
    span.add_event("order noted")


def finish(span: Span, outcome: str) -> None:
    span.set_attribute("shop.outcome", outcome)
    span.end()


# ---------------- left open on the normal path


def faulty_return_before_the_end(order: Order) -> str | None:
    span = tracer.start_span("reserve")  # expect: OTK101:error
    if not order.lines:
        return None
    span.end()
    return order.number


def faulty_never_ended(order: Order) -> str:
    span = tracer.start_span("charge", kind=SpanKind.CLIENT)  # expect: OTK101:error
    span.set_attribute("shop.order", order.number)
    return charge(order)


def faulty_dropped_at_once(order: Order) -> None:
    tracer.start_span("reserve")  # expect: OTK101:error
    reserve(order)


def faulty_bound_to_underscore(order: Order) -> None:
    _ = tracer.start_span("reserve")  # expect: OTK101:error
    reserve(order)


def faulty_end_without_a_call(order: Order) -> None:
    span = tracer.start_span("reserve")  # expect: OTK101:error
    try:
        reserve(order)
    finally:
        span.end


def faulty_ended_only_if_it_went_well(url: str) -> int:
    span = tracer.start_span("callback", kind=SpanKind.CLIENT)  # expect: OTK101:error
    response = requests.post(url, timeout=5)
    if response.ok:
        span.end()
    return response.status_code


def faulty_use_span_does_not_end(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:error
    with trace.use_span(span):
        return charge(order)


def faulty_use_span_by_keyword(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:error
    with use_span(span=span, end_on_exit=False):
        return charge(order)


def faulty_only_a_parent_of_others(orders: list[Order]) -> None:
    batch = tracer.start_span("batch")  # expect: OTK101:error
    parent = trace.set_span_in_context(batch)
    for order in orders:
        with tracer.start_as_current_span("order", context=parent):
            charge(order)


def faulty_name_bound_again_by_with(order: Order) -> str:
    span = tracer.start_span("checkout")  # expect: OTK101:error
    span.set_attribute("shop.order", order.number)
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.card", "visa")
        return charge(order)


def faulty_bound_again_before_the_end(order: Order) -> None:
    span = tracer.start_span("reserve")  # expect: OTK101:error
    reserve(order)
    span = tracer.start_span("charge")
    try:
        charge(order)
    finally:
        span.end()


def faulty_caller_of_a_sound_factory(order: Order) -> str:
    span = start_order_span(order.number)  # expect: OTK101:error
    span.add_event("accepted")
    return charge(order)


class FaultyCallerOfItsOwnFactory:
    """A client whose `_begin` is sound and whose `send` is not."""

    def __init__(self, tracer: OtelTracer) -> None:
        self._tracer = tracer

    def _begin(self, name: str) -> Span:
        return self._tracer.start_span(name, kind=SpanKind.CLIENT)

    def send(self, order: Order) -> str:
        span = self._begin("send")  # expect: OTK101:error
        span.add_event("sending")
        return charge(order)


class FaultyTracerFromAProvider:
    """A worker whose tracer comes from a provider that it was given."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("shop.worker")

    def work(self, job: Job) -> None:
        span = self._tracer.start_span("job")  # expect: OTK101:error
        span.set_attribute("shop.job", job.name)
        run_job(job)


def faulty_tracer_by_another_name(order: Order) -> str:
    span = tracer_for("shop").start_span("charge")  # expect: OTK101:error
    span.add_event("charging")
    return charge(order)


def faulty_tracer_from_a_function(order: Order) -> str:
    span = shop_tracer().start_span("charge")  # expect: OTK101:error
    span.add_event("charging")
    return charge(order)


def faulty_helper_only_notes(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:error
    note_order(span, order)
    return charge(order)


async def faulty_one_branch_hands_over(request: Request, *, stream: bool) -> Any:
    span = tracer.start_span("chat", kind=SpanKind.CLIENT)  # expect: OTK101:error
    if stream:
        return stream_response(span, request)
    return await complete(request)


class FaultyAttributeBoundAgain:
    """A session that loses the span of its first phase."""

    def __init__(self) -> None:
        self._span = trace.INVALID_SPAN

    def run(self, order: Order) -> None:
        self._span = tracer.start_span("reserve")  # expect: OTK101:error
        reserve(order)
        self._span = tracer.start_span("charge")
        try:
            charge(order)
        finally:
            self._span.end()


def faulty_continue_before_the_end(orders: list[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")  # expect: OTK101:error
        if order.cancelled:
            continue
        reserve(order)
        span.end()


def faulty_break_before_the_end(orders: Iterable[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")  # expect: OTK101:error
        if order.last:
            break
        span.end()


def faulty_bound_again_by_the_loop(orders: list[Order]) -> None:
    span = trace.INVALID_SPAN
    for order in orders:
        span = tracer.start_span("order")  # expect: OTK101:error
        reserve(order)
    span.end()


def faulty_deleted_without_an_end(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:error
    span.add_event("charging")
    del span
    return charge(order)


def faulty_match_without_a_default(event: dict[str, str]) -> None:
    span = tracer.start_span("event")  # expect: OTK101:error
    match event:
        case {"type": "created"}:
            span.add_event("created")
            span.end()
        case {"type": "deleted"}:
            span.add_event("deleted")
            span.end()


def faulty_loop_falls_through(replicas: list[str]) -> str | None:
    span = tracer.start_span("probe")  # expect: OTK101:error
    try:
        for replica in replicas:
            if probe(replica):
                span.end()
                return replica
    except Exception:
        span.end()
        raise
    return None


def faulty_while_loop_breaks(jobs: queue.Queue[Job]) -> None:
    span = tracer.start_span("drain")  # expect: OTK101:error
    while True:
        job = jobs.get()
        if job.stop:
            break
        if job.last:
            span.end()
            return


def faulty_return_in_finally(order: Order, *, dry_run: bool) -> None:
    span = tracer.start_span("charge")  # expect: OTK101:error
    try:
        charge(order)
    finally:
        if dry_run:
            return
        span.end()


def faulty_cast_hides_the_start(order: Order) -> str:
    span = cast(Span, tracer.start_span("charge"))  # expect: OTK101:error
    span.add_event("charging")
    return charge(order)


def faulty_walrus(order: Order) -> str:
    if (span := tracer.start_span("charge")).is_recording():  # expect: OTK101:error
        span.set_attribute("shop.order", order.number)
    return charge(order)


def faulty_handler_returns_without_an_end(prices: dict[str, int], sku: str) -> int | None:
    span = tracer.start_span("price")  # expect: OTK101
    try:
        price = prices[sku]
    except KeyError:
        return None
    span.end()
    return price


def faulty_inner_function() -> Callable[[Order], str]:
    def on_order(order: Order) -> str:
        span = tracer.start_span("order")  # expect: OTK101:error
        span.add_event("received")
        return charge(order)

    return on_order


@app.post("/orders/{number}")
async def faulty_route(number: str, request: Request) -> dict[str, str]:
    span = tracer.start_span("validate")  # expect: OTK101:error
    body = await request.json()
    if "sku" not in body:
        return {"error": "invalid"}
    span.end()
    return {"order": number}


@shared_task(bind=True, max_retries=3)
def faulty_task(task: Any, number: str) -> str | None:
    span = tracer.start_span("settle", kind=SpanKind.CONSUMER)  # expect: OTK101:error
    span.set_attribute("shop.order", number)
    if task.request.retries > 2:
        return None
    receipt = settle(number)
    span.end()
    return receipt


# ---------------- left open by an exception


def faulty_work_may_raise(url: str) -> bytes:
    span = tracer.start_span("download", kind=SpanKind.CLIENT)  # expect: OTK101:warning
    response = requests.get(url, timeout=5)
    span.end()
    return response.content


def faulty_raise_before_the_end(quantity: int) -> None:
    span = tracer.start_span("validate")  # expect: OTK101:warning
    if quantity < 1:
        raise ValueError("quantity")
    span.end()


def faulty_one_exception_of_many(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    try:
        receipt = charge(order)
    except ValueError as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.end()
    return receipt


def faulty_handler_raises_another(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    try:
        receipt = charge(order)
    except Exception as exc:
        raise RuntimeError("charge") from exc
    span.end()
    return receipt


def faulty_try_begins_too_late(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    headers = build_headers(order)
    try:
        return charge(order, headers)
    finally:
        span.end()


def faulty_inner_finally_only(order: Order) -> str:
    span = tracer.start_span("checkout")  # expect: OTK101:warning
    with open_connection():
        reserve(order)
        try:
            return charge(order)
        finally:
            span.end()


async def faulty_await_before_the_try(client: httpx.AsyncClient, url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)  # expect: OTK101:warning
    response = await client.get(url)
    try:
        return response.status_code
    finally:
        span.end()


def faulty_end_after_use_span(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    with trace.use_span(span, end_on_exit=False):
        receipt = charge(order)
    span.end()
    return receipt


def faulty_decorator(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        span = tracer.start_span(func.__qualname__)  # expect: OTK101:warning
        result = func(*args, **kwargs)
        span.end()
        return result

    return wrapper


def faulty_factory_works_before_it_returns(order: Order) -> tuple[Span, dict[str, str]]:
    span = tracer.start_span("charge", kind=SpanKind.CLIENT)  # expect: OTK101:warning
    headers = build_headers(order)
    return span, headers


@contextmanager
def faulty_context_manager(name: str) -> Iterator[None]:
    span = tracer.start_span(name)  # expect: OTK101:warning
    yield
    span.end()


@contextmanager
def faulty_context_manager_that_lends(name: str) -> Iterator[Span]:
    span = tracer.start_span(name)  # expect: OTK101:warning
    yield span
    span.end()


@asynccontextmanager
async def faulty_async_context_manager(name: str) -> AsyncIterator[None]:
    span = tracer.start_span(name)  # expect: OTK101:warning
    yield
    span.end()


class FaultyEnterRaisesAfterTheStart:
    """A connection: `__exit__` does not run when `__enter__` raised."""

    def __enter__(self) -> FaultyEnterRaisesAfterTheStart:
        self._span = tracer.start_span("connection")  # expect: OTK101:warning
        self._connection = open_connection()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._span.end()


def faulty_generator_ends_when_exhausted(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")  # expect: OTK101:warning
    for chunk in chunks:
        yield decode(chunk)
    span.end()


class FaultyIterableEndsWhenExhausted:
    """Rows whose span ends only after the last one."""

    def __init__(self, rows: Iterable[bytes]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Chunk]:
        span = tracer.start_span("rows")  # expect: OTK101:warning
        for row in self._rows:
            yield decode(row)
        span.end()


# ---------------- left open by cancellation or close


async def faulty_except_exception_around_await(client: httpx.AsyncClient, url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)  # expect: OTK101:note
    try:
        response = await client.get(url)
    except Exception as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR, str(exc)))
        span.end()
        raise
    span.end()
    return response.status_code


async def faulty_async_twin(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:note
    try:
        receipt = await charge_async(order)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    else:
        span.end()
    return receipt


async def faulty_async_with_and_for(client: httpx.AsyncClient, url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)  # expect: OTK101:note
    size = 0
    try:
        async with client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
    except Exception:
        span.end()
        raise
    span.end()
    return size


def faulty_generator_closed_early(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")  # expect: OTK101:note
    try:
        for chunk in chunks:
            yield decode(chunk)
    except Exception:
        span.end()
        raise
    span.end()


async def faulty_async_generator_closed_early(
    chunks: AsyncIterator[bytes],
) -> AsyncIterator[Chunk]:
    span = tracer.start_span("decode")  # expect: OTK101:note
    try:
        async for chunk in chunks:
            yield decode(chunk)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    else:
        span.end()


# ---------------- ended on every path


def clean_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_with_start_span(order: Order) -> str:
    with tracer.start_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_try_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        span.end()


async def clean_async_try_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return await charge_async(order)
    except Exception as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR, str(exc)))
        raise
    finally:
        span.end()


def clean_start_inside_the_try(order: Order) -> str:
    try:
        span = tracer.start_span("charge")
        return charge(order)
    finally:
        span.end()


def clean_sync_twin(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    else:
        span.end()
    return receipt


def clean_status_set_before_the_end(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
    except Exception as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR, str(exc)))
        span.end()
        raise
    span.set_status(Status(StatusCode.OK))
    span.end()
    return receipt


async def clean_base_exception(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = await charge_async(order)
    except BaseException as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.end()
    return receipt


async def clean_bare_except(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = await charge_async(order)
    except:
        span.end()
        raise
    span.end()
    return receipt


async def clean_cancellation_has_its_handler(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = await charge_async(order)
    except asyncio.CancelledError:
        span.add_event("cancelled")
        span.end()
        raise
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.end()
    return receipt


def clean_nothing_between_may_raise(size: int) -> None:
    span = tracer.start_span("batch")
    span.set_attribute("shop.batch_size", size)
    span.add_event("accepted")
    span.end()


def clean_nested_try_finally(order: Order) -> str:
    span = tracer.start_span("checkout")
    try:
        connection = open_connection()
        try:
            reserve(order)
            return charge(order)
        finally:
            connection.close()
    finally:
        span.end()


def clean_return_in_finally(order: Order) -> str | None:
    receipt = None
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
    finally:
        span.end()
        return receipt


def clean_use_span_ends(order: Order) -> str:
    span = tracer.start_span("charge")
    with trace.use_span(span, end_on_exit=True):
        return charge(order)


def clean_use_span_by_keyword(order: Order) -> str:
    span = tracer.start_span("charge")
    with use_span(span=span, end_on_exit=True):
        return charge(order)


def clean_use_span_binds_the_same_name(order: Order) -> str:
    span = tracer.start_span("charge")
    with use_span(span, end_on_exit=True) as span:
        span.add_event("charging")
        return charge(order)


def clean_use_span_inside_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        with trace.use_span(span):
            return charge(order)
    finally:
        span.end()


def clean_start_inside_use_span(order: Order) -> str:
    with use_span(tracer.start_span("charge"), end_on_exit=True) as span:
        span.add_event("charging")
        return charge(order)


def clean_several_items(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span, open_connection():
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_several_items_in_parentheses(order: Order) -> str:
    with (
        open_connection(),
        tracer.start_span("charge", kind=SpanKind.CLIENT) as span,
    ):
        span.set_attribute("shop.order", order.number)
        return charge(order)


@tracer.start_as_current_span("charge")
def clean_decorated(order: Order) -> str:
    return charge(order)


def clean_decorator(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        span = tracer.start_span(func.__qualname__)
        try:
            return func(*args, **kwargs)
        finally:
            span.end()

    return wrapper


def clean_walrus(order: Order) -> str:
    if (span := tracer.start_span("charge")).is_recording():
        span.add_event("charging")
    try:
        return charge(order)
    finally:
        span.end()


def clean_match_with_a_default(event: dict[str, str]) -> None:
    span = tracer.start_span("event")
    match event:
        case {"type": "created"}:
            span.add_event("created")
            span.end()
        case {"type": "deleted"}:
            span.add_event("deleted")
            span.end()
        case _:
            span.end()


def clean_for_else(replicas: list[str]) -> str | None:
    span = tracer.start_span("probe")
    try:
        for replica in replicas:
            if probe(replica):
                break
        else:
            replica = None
    except Exception:
        span.end()
        raise
    span.end()
    return replica


def clean_while_true(jobs: queue.Queue[Job]) -> None:
    span = tracer.start_span("drain")
    try:
        while True:
            job = jobs.get()
            if job.stop:
                break
            run_job(job)
        span.add_event("drained")
    finally:
        span.end()


def clean_while_true_leaves_by_return(jobs: queue.Queue[Job]) -> Job:
    while True:
        span = tracer.start_span("take")
        try:
            job = jobs.get(timeout=1)
            ready = is_ready(job)
        except BaseException:
            span.end()
            raise
        if ready:
            span.end()
            return job
        span.end()


def clean_one_span_per_iteration(orders: list[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")
        try:
            if order.cancelled:
                continue
            if order.last:
                break
            reserve(order)
        finally:
            span.end()


def clean_bound_again_after_the_end(order: Order) -> None:
    span = tracer.start_span("reserve")
    try:
        reserve(order)
    finally:
        span.end()
    span = tracer.start_span("charge")
    try:
        charge(order)
    finally:
        span.end()


def clean_deleted_after_the_end(order: Order) -> None:
    span = tracer.start_span("charge")
    try:
        charge(order)
    finally:
        span.end()
        del span


def clean_cast(order: Order) -> str:
    span = cast(Span, tracer.start_span("charge"))
    try:
        return charge(order)
    finally:
        span.end()


def clean_guarded_by_is_recording(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        if span.is_recording():
            span.end()


def clean_generator_with_finally(chunks: Iterable[bytes]) -> Iterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        for chunk in chunks:
            yield decode(chunk)
    finally:
        span.end()


async def clean_async_generator_with_finally(
    chunks: AsyncIterator[bytes],
) -> AsyncIterator[Chunk]:
    span = tracer.start_span("decode")
    try:
        async for chunk in chunks:
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


@pytest.fixture
def clean_fixture() -> Iterator[Span]:
    span = tracer.start_span("test")
    yield span
    span.end()


# ---------------- started on some paths only


def clean_conditional_span(order: Order, *, enabled: bool) -> str:
    span = tracer.start_span("charge") if enabled else None
    try:
        return charge(order)
    finally:
        if span:
            span.end()


def clean_conditional_span_is_not_none(order: Order, *, enabled: bool) -> str:
    span = None
    if enabled:
        span = tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        if span is not None:
            span.end()


def clean_none_leaves_early(order: Order, *, enabled: bool) -> str:
    span = tracer.start_span("charge") if enabled else None
    if span is None:
        return charge(order)
    try:
        return charge(order)
    finally:
        span.end()


def clean_invalid_span_otherwise(order: Order, *, enabled: bool) -> str:
    span = tracer.start_span("charge") if enabled else trace.INVALID_SPAN
    try:
        return charge(order)
    finally:
        span.end()


def clean_given_or_started(order: Order, given: Span | None) -> str:
    span = given or tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        span.end()


class CleanFlag:
    """A client that traces only when it was told to."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled

    def send(self, order: Order) -> str:
        if self.enabled:
            span = tracer.start_span("send")
        try:
            return charge(order)
        finally:
            if self.enabled:
                span.end()


def clean_flag_in_a_local(order: Order, *, enabled: bool) -> str:
    if enabled:
        span = tracer.start_span("send")
    try:
        receipt = charge(order)
    except Exception:
        if enabled:
            span.end()
        raise
    if enabled:
        span.end()
    return receipt


def clean_span_or_nothing_entered_later(order: Order, *, enabled: bool) -> str:
    scope = tracer.start_as_current_span("charge") if enabled else nullcontext()
    with scope:
        return charge(order)


# ---------------- handed over


def clean_returned() -> Span:
    span = tracer.start_span("charge")
    span.set_attribute("shop.step", "charge")
    return span


def clean_returned_in_a_tuple() -> tuple[Span, dict[str, str]]:
    headers: dict[str, str] = {}
    span = tracer.start_span("charge")
    return span, headers


def clean_returned_by_a_lambda() -> Callable[[str], Span]:
    return lambda name: tracer.start_span(name)


def clean_both_branches_hand_over(job: Job, *, later: bool) -> Span | None:
    span = tracer.start_span("job")
    if later:
        job.span = span
        return None
    return span


def clean_handed_over_or_ended(job: Job, *, later: bool) -> None:
    span = tracer.start_span("job")
    if later:
        job.span = span
        return
    span.end()


class CleanStoredInSelf:
    """A listener whose span begins in one callback and ends in another."""

    def __init__(self) -> None:
        self._span: Span | None = None

    def on_request_start(self, name: str) -> None:
        self._span = tracer.start_span(name, kind=SpanKind.CLIENT)

    def on_request_end(self) -> None:
        if self._span is not None:
            self._span.end()
            self._span = None


class CleanAttributeEndedBeforeTheNext:
    """Phases that follow one another, each with its span."""

    def __init__(self) -> None:
        self._span: Span | None = None

    def enter(self, phase: str) -> None:
        if self._span is not None:
            self._span.end()
        self._span = tracer.start_span(phase)

    def close(self) -> None:
        if self._span is not None:
            self._span.end()


class CleanSpansByRun:
    """The callback handler of an agent: it keeps a span for each run."""

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}

    def on_tool_start(self, run_id: str, name: str) -> None:
        span = tracer.start_span(name, kind=SpanKind.INTERNAL)
        self._spans[run_id] = span

    def on_tool_end(self, run_id: str) -> None:
        span = self._spans.pop(run_id, None)
        if span is not None:
            span.end()

    def on_tool_error(self, run_id: str, error: BaseException) -> None:
        span = self._spans.pop(run_id)
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR))
        span.end()


class CleanEnterStartsLast:
    """A connection whose span starts when nothing can fail any more."""

    def __enter__(self) -> CleanEnterStartsLast:
        self._connection = open_connection()
        self._span = tracer.start_span("connection")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._span.end()
        self._connection.close()


class CleanEnterEndsWhatItStarted:
    """A connection that ends its span when it cannot be opened."""

    def __enter__(self) -> CleanEnterEndsWhatItStarted:
        self._span = tracer.start_span("connection")
        try:
            self._connection = open_connection()
        except BaseException as exc:
            self._span.record_exception(exc)
            self._span.end()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._span.end()


class CleanManagerEnteredByHand:
    """Middleware that enters a span in one hook and leaves it in another."""

    def before(self) -> None:
        self._scope = tracer.start_as_current_span("request", kind=SpanKind.SERVER)
        self._span = self._scope.__enter__()

    def after(self) -> None:
        self._scope.__exit__(None, None, None)


def clean_put_on_a_queue(spans: queue.Queue[Span]) -> None:
    span = tracer.start_span("job")
    spans.put_nowait(span)


def clean_put_in_a_list(spans: list[Span]) -> None:
    spans.append(tracer.start_span("job"))


def clean_put_in_the_request(request: Request) -> None:
    span = tracer.start_span("request", kind=SpanKind.SERVER)
    request.state.span = span


def clean_put_in_a_mapping(environ: dict[str, Any]) -> None:
    span = tracer.start_span("request", kind=SpanKind.SERVER)
    environ["shop.span"] = span
    span.add_event("received")


@task_prerun.connect
def clean_put_in_the_task(task: Any, **_kwargs: Any) -> None:
    task.request.shop_span = tracer.start_span("task", kind=SpanKind.CONSUMER)


@task_postrun.connect
def clean_taken_from_the_task(task: Any, **_kwargs: Any) -> None:
    task.request.shop_span.end()


def clean_set_by_name(request: object) -> None:
    span = tracer.start_span("request")
    setattr(request, "_shop_span", span)


_session: Span | None = None


def clean_global_start() -> None:
    global _session
    _session = tracer.start_span("session")


def clean_global_end() -> None:
    if _session is not None:
        _session.end()


def clean_nonlocal() -> tuple[Callable[[], None], Callable[[], None]]:
    span = trace.INVALID_SPAN

    def start() -> None:
        nonlocal span
        span = tracer.start_span("session")

    def stop() -> None:
        span.end()

    return start, stop


def clean_passed_to_another_module(job: Job) -> None:
    span = tracer.start_span("job")
    finish_job(job, span)


def clean_passed_as_it_starts(job: Job) -> None:
    finish_job(job, span=tracer.start_span("job"))


def clean_passed_to_a_function_that_ends_it(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
    except Exception:
        finish(span, "failed")
        raise
    finish(span, "charged")
    return receipt


class CleanPassedToItsOwnMethod:
    """A client that ends its spans in one place."""

    def _finish(self, span: Span) -> None:
        span.set_attribute("shop.client", "v2")
        span.end()

    def send(self, order: Order) -> str:
        span = tracer.start_span("send")
        try:
            return charge(order)
        finally:
            self._finish(span)


def clean_passed_in_a_partial(task: asyncio.Task[None]) -> None:
    span = tracer.start_span("task")
    task.add_done_callback(functools.partial(finish_job, span))


def clean_ended_by_a_lambda(task: asyncio.Task[None]) -> None:
    span = tracer.start_span("task")
    task.add_done_callback(lambda _task: span.end())


def clean_ended_by_a_callback(task: asyncio.Task[None]) -> None:
    span = tracer.start_span("task")

    def on_done(done: asyncio.Task[None]) -> None:
        if done.cancelled():
            span.add_event("cancelled")
        span.end()

    task.add_done_callback(on_done)


def clean_end_handed_over() -> None:
    span = tracer.start_span("process")
    atexit.register(span.end)


def clean_streaming_response(chunks: Iterable[bytes]) -> StreamingResponse:
    span = tracer.start_span("stream")

    def body() -> Iterator[bytes]:
        try:
            yield from chunks
        finally:
            span.end()

    return StreamingResponse(body())


def clean_yielded_to_the_consumer(names: Iterable[str]) -> Iterator[Span]:
    for name in names:
        yield tracer.start_span(name)


def clean_comprehension_returned(names: list[str]) -> list[Span]:
    return [tracer.start_span(name) for name in names]


def clean_comprehension_ended(names: list[str], order: Order) -> None:
    spans = {name: tracer.start_span(name) for name in names}
    try:
        charge(order)
    finally:
        for span in spans.values():
            span.end()


def clean_exit_stack(order: Order) -> str:
    with ExitStack() as stack:
        span = stack.enter_context(tracer.start_as_current_span("charge"))
        span.add_event("charging")
        return charge(order)


def clean_exit_stack_calls_the_end(order: Order) -> str:
    with ExitStack() as stack:
        span = tracer.start_span("charge")
        stack.callback(span.end)
        return charge(order)


async def clean_async_exit_stack(order: Order) -> str:
    async with AsyncExitStack() as stack:
        span = stack.enter_context(use_span(tracer.start_span("charge"), end_on_exit=True))
        span.add_event("charging")
        return await charge_async(order)


def clean_cast_of_an_exit_stack(order: Order) -> str:
    with ExitStack() as stack:
        span = cast(Span, stack.enter_context(tracer.start_as_current_span("charge")))
        span.add_event("charging")
        return charge(order)


class Ending:
    """End the span that it was given when its block is left."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        return self._span

    def __exit__(self, *exc_info: object) -> None:
        self._span.end()


def clean_wrapper_that_ends(order: Order) -> str:
    with Ending(tracer.start_span("charge")) as span:
        span.add_event("charging")
        return charge(order)


def clean_wrapper_around_a_name(order: Order) -> str:
    span = tracer.start_span("charge")
    with Ending(span):
        return charge(order)


def clean_caller_of_a_factory(order: Order) -> str:
    span = start_order_span("unknown")
    try:
        return charge(order)
    finally:
        span.end()


def clean_caller_of_a_factory_in_use_span(order: Order) -> str:
    with use_span(start_order_span(order.number), end_on_exit=True):
        return charge(order)


# ---------------- no span was started here


def clean_current_span(order: Order) -> str:
    span = trace.get_current_span()
    span.set_attribute("shop.order", order.number)
    return charge(order)


def clean_non_recording_span(span_context: trace.SpanContext, order: Order) -> str:
    span = trace.NonRecordingSpan(span_context)
    with trace.use_span(span):
        return charge(order)


def clean_span_of_the_caller(span: Span, order: Order) -> str:
    span.set_attribute("shop.order", order.number)
    return charge(order)


def clean_sentry(order: Order) -> str:
    span = sentry_sdk.start_span(op="shop.charge")
    span.set_data("order", order.number)
    return charge(order)


def clean_langfuse(order: Order) -> str:
    client = langfuse.get_client()
    span = client.start_span(name="charge")
    span.update(input=order.number)
    return charge(order)


def clean_langfuse_module(order: Order) -> str:
    span = langfuse.start_span(name="charge")
    span.update(input=order.number)
    return charge(order)


def clean_ddtrace(order: Order) -> str:
    span = dd_tracer.start_span("charge")
    span.set_tag("order", order.number)
    return charge(order)


def clean_mlflow(order: Order) -> str:
    mlflow.start_span("charge")
    return charge(order)


class Tracer:
    """The project's own stopwatch, named like a tracer."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    def start_span(self, name: str) -> str:
        self.marks.append(name)
        return name


def clean_own_tracer(order: Order) -> str:
    stopwatch = Tracer()
    stopwatch.start_span("charge")
    return charge(order)


def clean_own_tracer_as_a_parameter(tracer: Tracer, order: Order) -> str:
    mark = tracer.start_span("charge")
    return charge(order) + mark


class CleanTimeline:
    """A report that draws spans of time on a line."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def draw(self, order: Order) -> str:
        bar = self.timeline.start_span("charge")
        bar.color = "red"
        return find_stock(order)


def keep_apart(order: Order) -> None:
    raise ValueError(order.number)


def describe_order(span: Span, order: Order) -> None:
    try:
        keep_apart(order)
    except Exception:
        span.add_event("order kept apart")
    if order.total > 100:
        span.set_attribute("shop.large", True)


class Meter:
    def __init__(self, number: str) -> None:
        self.number = number
        self.steps: list[str] = []


def clean_helper_that_raises_nothing(order: Order) -> str:
    span = tracer.start_span("charge")
    describe_order(span, order)
    meter = Meter(order.number)
    try:
        return charge(order) + meter.number
    finally:
        span.end()


def faulty_helper_that_raises(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    keep_apart(order)
    try:
        return charge(order)
    finally:
        span.end()


def stock_lines(order: Order) -> Iterator[str]:
    yield find_stock(order)
    raise ValueError(order.number)


def clean_generator_that_is_only_made(order: Order) -> list[str]:
    span = tracer.start_span("charge")
    lines = stock_lines(order)
    try:
        return list(lines)
    finally:
        span.end()


def clean_time_of_the_start(order: Order) -> Span:
    span = tracer.start_span("charge")
    span.set_attribute("shop.started", datetime.now(UTC).isoformat())
    return span


def clean_key_in_a_variable(order: Order) -> Span:
    span = tracer.start_span("charge")
    for key in ("size", "color"):
        value = order.options.get(key)
        if value:
            span.set_attribute(key, value)
    return span


def faulty_address_in_a_variable(order: Order, address: str) -> Span:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    requests.get(address, timeout=2)
    return span


def faulty_described_by_a_helper(order: Order) -> str:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    note_order(span, order)
    result = charge(order)
    span.end()
    return result


class Runner:
    def run(self, order: Order) -> Any:
        span = tracer.start_span("run")
        result = None
        try:
            with use_span(span, end_on_exit=False):
                result = charge(order)
                is_stream = hasattr(result, "__iter__") and not isinstance(result, str)
                if is_stream:
                    return self.stream(result, span)
            note_order(span, order)
            return result
        except Exception as error:
            span.record_exception(error)
            raise
        finally:
            if result is not None:
                is_stream = hasattr(result, "__iter__") and not isinstance(result, str)
            else:
                is_stream = False
            if not is_stream:
                span.end()

    def stream(self, lines: Any, span: Span) -> Iterator[str]:
        try:
            yield from lines
        finally:
            span.end()


def faulty_test_of_another_result(order: Order) -> Any:
    span = tracer.start_span("run")  # expect: OTK101:error
    result = charge(order)
    is_large = hasattr(result, "lines")
    if is_large:
        span.set_attribute("shop.large", True)
    result = settle(order.number)
    is_large = hasattr(result, "lines")
    if not is_large:
        span.end()
    return result


class Recorder:
    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}

    def open(self, name: str, *, at_once: bool = False) -> Span:
        span = tracer.start_span(name)
        if at_once:
            span.end()
        return span

    def clean_only_noted(self, number: str) -> None:
        self.open(number, at_once=True)

    def clean_kept_if_it_records(self, number: str) -> None:
        span = tracer.start_span(number)
        if not isinstance(span, trace.NonRecordingSpan):
            self.spans[number] = span


def clean_looked_up_where_it_is(order: Order, *args: str) -> Span:
    span = tracer.start_span("charge")
    number = args[0] if len(args) > 0 else None
    if "size" in order.options:
        number = order.options["size"]
    if number is not None:
        span.set_attribute("shop.number", number)
    return span


def faulty_looked_up_anywhere(order: Order, *args: str) -> Span:
    span = tracer.start_span("charge")  # expect: OTK101:warning
    number = args[0] if order.is_new else None
    if number is not None:
        span.set_attribute("shop.number", number)
    return span


def clean_exception_that_is_only_made(order: Order) -> Span:
    span = tracer.start_span("charge")
    if order.is_new:
        span.record_exception(ValueError("new"))
    return span
