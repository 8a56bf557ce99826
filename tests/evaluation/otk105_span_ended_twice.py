"""Show spans that are ended again, and ends that only look like a second one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, reserve, settle
from shop.stream import Chunk, decode, open_connection
from shop.timeline import Section

app = FastAPI()
tracer = trace.get_tracer(__name__)


def finish(span: Span, outcome: str) -> None:
    span.set_attribute("shop.outcome", outcome)
    span.end()


# ---------------- ended again


def faulty_in_try_and_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        span.end()
        return receipt
    finally:
        span.end()  # expect: OTK105


def faulty_in_handler_and_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    finally:
        span.end()  # expect: OTK105


async def faulty_in_handler_and_finally_of_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        response = await client.get(url)
        return response.status_code
    except httpx.HTTPError as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR))
        span.end()
        raise
    finally:
        span.end()  # expect: OTK105


def faulty_after_the_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
    span.end()  # expect: OTK105
    return receipt


def faulty_after_the_with_of_start_span(order: Order) -> str:
    with tracer.start_span("charge") as span:
        receipt = charge(order)
    span.end()  # expect: OTK105
    return receipt


def faulty_after_use_span(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        with use_span(span, end_on_exit=True):
            return charge(order)
    finally:
        span.end()  # expect: OTK105


def faulty_name_bound_again_by_with(order: Order) -> str:
    span = tracer.start_span("checkout")  # expect: OTK101:error
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
    span.end()  # expect: OTK105
    return receipt


def faulty_branch_falls_through(size: int) -> None:
    span = tracer.start_span("batch")
    if size == 0:
        span.add_event("empty")
        span.end()
    span.end()  # expect: OTK105


def faulty_each_attempt(order: Order) -> str:
    span = tracer.start_span("charge")
    while True:
        try:
            return charge(order)
        except ConnectionError:
            continue
        finally:
            span.end()  # expect: OTK105


def faulty_inner_and_outer_finally(order: Order) -> str:
    span = tracer.start_span("checkout")
    try:
        connection = open_connection()
        try:
            return charge(order)
        finally:
            connection.close()
            span.end()
    finally:
        span.end()  # expect: OTK105


def faulty_after_a_function_that_ends_it(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        finish(span, "charged")
        return receipt
    finally:
        span.end()  # expect: OTK105


class FaultyMethod:
    """A client that ends in the `else` what the `finally` ends."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        span = self._tracer.start_span("send", kind=SpanKind.CLIENT)
        try:
            receipt = charge(order)
        except ValueError as exc:
            span.record_exception(exc)
            raise
        else:
            span.end()
        finally:
            span.end()  # expect: OTK105
        return receipt


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    span = tracer.start_span("settle")
    try:
        receipt = settle(number)
        span.end()
    finally:
        span.end()  # expect: OTK105
    return {"receipt": receipt}


# ---------------- ended once


def clean_every_branch(order: Order) -> str:
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


def clean_early_return(size: int) -> int:
    span = tracer.start_span("batch")
    if size == 0:
        span.end()
        return 0
    span.set_attribute("shop.batch_size", size)
    span.end()
    return 1


def clean_opposite_conditions(size: int) -> None:
    span = tracer.start_span("batch")
    empty = size == 0
    if empty:
        span.add_event("empty")
        span.end()
    if not empty:
        span.set_attribute("shop.batch_size", size)
        span.end()


def clean_flag_remembers_the_end(chunks: Iterable[bytes]) -> int:
    size = 0
    ended = False
    span = tracer.start_span("head")
    try:
        for chunk in chunks:
            if not ended:
                span.end()
                ended = True
            size += len(chunk)
        return size
    finally:
        if not ended:
            span.end()


def clean_none_remembers_the_end(chunks: Iterable[bytes]) -> int:
    size = 0
    span = tracer.start_span("head")
    try:
        for chunk in chunks:
            if span is not None:
                span.end()
                span = None
            size += len(chunk)
        return size
    finally:
        if span is not None:
            span.end()


def clean_guarded_by_is_recording(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        span.end()
        return receipt
    finally:
        if span.is_recording():
            span.end()


def clean_one_span_after_another(order: Order) -> None:
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


def clean_one_span_per_iteration(orders: list[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")
        try:
            reserve(order)
        finally:
            span.end()


def clean_loop_leaves_after_the_end(order: Order) -> str:
    span = tracer.start_span("charge")
    while True:
        try:
            receipt = charge(order)
        except ConnectionError:
            continue
        except BaseException:
            span.end()
            raise
        span.end()
        return receipt


def clean_two_spans(order: Order) -> str:
    outer = tracer.start_span("checkout")
    try:
        inner = tracer.start_span("charge")
        try:
            return charge(order)
        finally:
            inner.end()
    finally:
        outer.end()


def clean_use_span_without_end(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        with use_span(span):
            return charge(order)
    finally:
        span.end()


def clean_end_on_exit_disabled(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            return charge(order)
        finally:
            span.end()


def clean_inner_with_binds_another_name(order: Order) -> str:
    span = tracer.start_span("checkout")
    try:
        with tracer.start_as_current_span("charge") as child:
            child.add_event("charging")
            return charge(order)
    finally:
        span.end()


async def clean_handlers_exclude_each_other(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = await charge_async(order)
    except ConnectionError as exc:
        span.record_exception(exc)
        span.end()
        raise
    except BaseException:
        span.end()
        raise
    span.end()
    return receipt


def clean_inner_function_has_its_own(order: Order) -> Callable[[], str]:
    span = tracer.start_span("prepare")
    span.add_event("prepared")
    span.end()

    def run() -> str:
        span = tracer.start_span("charge")
        try:
            return charge(order)
        finally:
            span.end()

    return run


class CleanStored:
    """A listener: each hook ends the span, and no hook runs after it."""

    def on_start(self) -> None:
        self._span = tracer.start_span("request")

    def on_success(self) -> None:
        self._span.end()

    def on_failure(self, error: BaseException) -> None:
        self._span.record_exception(error)
        self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def clean_match_of_a_pattern(text: str) -> list[int]:
    match = re.search(r"order", text)
    return [match.end(), match.end()] if match else []


def clean_section_of_a_timeline(section: Section, chunk: bytes) -> Chunk:
    section.end()
    decoded = decode(chunk)
    section.end()
    return decoded
