"""Show what is written to a span after its end, where nobody keeps it, and what is not."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import requests
from fastapi import FastAPI, Response
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, reserve, settle
from shop.timeline import Section

app = FastAPI()
tracer = trace.get_tracer(__name__)


def finish(span: Span, outcome: str) -> None:
    span.set_attribute("shop.outcome", outcome)
    span.end()


# ---------------- used after the end


def faulty_attribute_after_the_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
    span.set_attribute("shop.receipt", receipt)  # expect: OTK106
    return receipt


async def faulty_attribute_after_the_with_of_a_coroutine(
    client: httpx.AsyncClient, url: str
) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = await client.get(url)
    span.set_attribute("http.response.status_code", response.status_code)  # expect: OTK106
    return response.status_code


def faulty_exception_recorded_outside_the_with(order: Order) -> str:
    try:
        with tracer.start_as_current_span("charge") as span:
            return charge(order)
    except ValueError as exc:
        span.record_exception(exc)  # expect: OTK106
        raise


def faulty_status_after_the_with(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
    if response.status_code >= 500:
        span.set_status(Status(StatusCode.ERROR))  # expect: OTK106
    return response.status_code


def faulty_event_after_the_end(size: int) -> None:
    span = tracer.start_span("batch")
    span.set_attribute("shop.batch_size", size)
    span.end()
    span.add_event("accepted")  # expect: OTK106


def faulty_wrong_order_in_finally(order: Order) -> str:
    outcome = "failed"
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        outcome = "charged"
        return receipt
    finally:
        span.end()
        span.set_attribute("shop.outcome", outcome)  # expect: OTK106


def faulty_name_after_the_end(route: str, order: Order) -> str:
    span = tracer.start_span("request", kind=SpanKind.SERVER)
    try:
        return charge(order)
    finally:
        span.end()
        span.update_name(route)  # expect: OTK106


def faulty_after_use_span(order: Order) -> str:
    span = tracer.start_span("charge")
    with use_span(span, end_on_exit=True):
        receipt = charge(order)
    span.add_event("charged")  # expect: OTK106
    return receipt


def faulty_after_the_with_of_start_span(order: Order) -> str:
    with tracer.start_span("charge") as span:
        receipt = charge(order)
    span.set_attribute("shop.receipt", receipt)  # expect: OTK106
    return receipt


def faulty_inner_with_took_the_name(order: Order) -> str:
    with tracer.start_as_current_span("checkout") as span:
        span.set_attribute("shop.order", order.number)
        with tracer.start_as_current_span("charge") as span:
            receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)  # expect: OTK106
    return receipt


def faulty_in_the_loop(orders: list[Order]) -> None:
    for order in orders:
        with tracer.start_as_current_span("reserve") as span:
            reserve(order)
        span.add_event("reserved")  # expect: OTK106


def faulty_after_a_function_that_ends_it(size: int) -> None:
    span = tracer.start_span("batch")
    finish(span, "accepted")
    span.set_attribute("shop.batch_size", size)  # expect: OTK106


class FaultyMethod:
    """A client that adds to a span what comes after it."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        with self._tracer.start_as_current_span("send") as span:
            receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)  # expect: OTK106
        return receipt


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("settle") as span:
        receipt = settle(number)
    span.set_attribute("shop.receipt", receipt)  # expect: OTK106
    return {"receipt": receipt}


# ---------------- used while it is open, or only read afterwards


def clean_inside_the_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)
    return receipt


def clean_before_the_end(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)
        return receipt
    finally:
        span.add_event("done")
        span.end()


def clean_exception_recorded_inside_the_with(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ValueError as exc:
            span.add_event("invalid", {"shop.reason": str(exc)})
            raise


def clean_context_read_after_the_end(order: Order, response: Response) -> str:
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
    response.headers["x-trace-id"] = format(span.get_span_context().trace_id, "032x")
    return receipt


def clean_recording_asked_after_the_end(size: int) -> bool:
    span = tracer.start_span("batch")
    span.set_attribute("shop.batch_size", size)
    span.end()
    return span.is_recording()


def clean_early_return(size: int) -> int:
    span = tracer.start_span("batch")
    if size == 0:
        span.end()
        return 0
    span.set_attribute("shop.batch_size", size)
    span.end()
    return 1


def clean_bound_again(order: Order) -> str:
    with tracer.start_as_current_span("reserve") as span:
        reserve(order)
    with tracer.start_as_current_span("charge") as span:
        span.add_event("charging")
        return charge(order)


def clean_bound_to_the_current_span(order: Order) -> None:
    with tracer.start_as_current_span("reserve") as span:
        reserve(order)
    span = trace.get_current_span()
    span.add_event("reserved")


def clean_next_iteration(orders: list[Order]) -> None:
    for order in orders:
        span = tracer.start_span("order")
        try:
            span.set_attribute("shop.order", order.number)
            reserve(order)
        finally:
            span.end()


def clean_inner_has_its_own_name(order: Order) -> str:
    with tracer.start_as_current_span("checkout") as span:
        with tracer.start_as_current_span("charge") as child:
            child.add_event("charging")
            receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)
    return receipt


def clean_end_on_exit_disabled(order: Order) -> str:
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            receipt = charge(order)
        except BaseException:
            span.end()
            raise
    span.set_attribute("shop.receipt", receipt)
    span.end()
    return receipt


def clean_use_span_without_end(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        with use_span(span):
            receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)
        return receipt
    finally:
        span.end()


async def clean_handler_ends_and_leaves(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = await charge_async(order)
    except BaseException:
        span.end()
        raise
    span.set_attribute("shop.receipt", receipt)
    span.end()
    return receipt


def clean_flag_remembers_the_end(chunks: Iterable[bytes]) -> int:
    size = 0
    ended = False
    span = tracer.start_span("head")
    try:
        for chunk in chunks:
            size += len(chunk)
            if not ended:
                span.set_attribute("shop.head", size)
                span.end()
                ended = True
        return size
    finally:
        if not ended:
            span.add_event("no head")
            span.end()


def clean_function_that_ends_it_comes_last(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        span.set_attribute("shop.receipt", receipt)
        return receipt
    finally:
        finish(span, "left")


class CleanStored:
    """A listener whose hooks write to the span and end it in the last one."""

    def on_start(self) -> None:
        self._span = tracer.start_span("request")

    def on_headers(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)

    def on_end(self) -> None:
        self._span.add_event("end")
        self._span.end()


def clean_section_of_a_timeline(section: Section) -> None:
    section.end()
    section.set_attribute("color", "red")
    section.add_event("drawn")
