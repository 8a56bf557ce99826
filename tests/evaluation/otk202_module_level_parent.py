"""Show spans whose parent belongs to the module and not to the request, and names that look so."""

from __future__ import annotations

import atexit
import threading
from contextvars import ContextVar
from typing import Any

from celery import shared_task
from fastapi import FastAPI, Request
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, Span, SpanKind, Tracer, set_span_in_context, use_span
from shop.orders import Order, charge, charge_async, settle
from shop.pages import Page

app = FastAPI()
tracer = trace.get_tracer(__name__)

STARTUP = get_current()
TENANT = baggage.set_baggage("tenant.id", "shop")
PROCESS = tracer.start_span("process")
atexit.register(PROCESS.end)

NO_PARENT = None
_parent: Context | None = None
_waiting: dict[str, Context] = {}
_current: ContextVar[Context | None] = ContextVar("current", default=None)
_local = threading.local()


def remember_the_parent() -> None:
    global _parent
    _parent = get_current()


# ---------------- the parent is the module's


def faulty_current_span(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=STARTUP):  # expect: OTK202
        return charge(order)


def faulty_start_span(order: Order) -> str:
    span = tracer.start_span("charge", context=STARTUP)  # expect: OTK202
    try:
        return charge(order)
    finally:
        span.end()


def faulty_positional(order: Order) -> str:
    with tracer.start_as_current_span("charge", STARTUP):  # expect: OTK202
        return charge(order)


def faulty_context_with_baggage(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=TENANT):  # expect: OTK202
        return charge(order)


def faulty_on_a_line_of_its_own(order: Order) -> str:
    with tracer.start_as_current_span(
        "charge",
        context=STARTUP,  # expect: OTK202
        kind=SpanKind.CLIENT,
        attributes={"shop.order": order.number},
    ):
        return charge(order)


def faulty_module_level_span(order: Order) -> str:
    with tracer.start_as_current_span(
        "charge",
        context=set_span_in_context(PROCESS),  # expect: OTK202
    ):
        return charge(order)


def faulty_use_span(order: Order) -> str:
    with use_span(PROCESS):  # expect: OTK202
        with tracer.start_as_current_span("charge"):
            return charge(order)


async def faulty_use_span_by_keyword(order: Order) -> str:
    with trace.use_span(span=PROCESS, end_on_exit=False):  # expect: OTK202
        with tracer.start_as_current_span("charge"):
            return await charge_async(order)


def faulty_global_of_another_function(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=_parent):  # expect: OTK202
        return charge(order)


class FaultyMethod:
    """A client whose spans all hang on the start of the process."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        with self._tracer.start_as_current_span("send", context=STARTUP):  # expect: OTK202
            return charge(order)


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("settle", context=STARTUP):  # expect: OTK202
        return {"receipt": settle(number)}


@shared_task
def faulty_task(number: str) -> str:
    with tracer.start_as_current_span(
        "settle",
        context=TENANT,  # expect: OTK202
        kind=SpanKind.CONSUMER,
    ):
        return settle(number)


# ---------------- the parent is the caller's


def clean_no_context(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_taken_in_the_function(order: Order) -> str:
    parent = get_current()
    with tracer.start_as_current_span("charge", context=parent):
        return charge(order)


def clean_parameter_of_the_same_name(STARTUP: Context, order: Order) -> str:
    with tracer.start_as_current_span("charge", context=STARTUP):
        return charge(order)


def clean_local_of_the_same_name(headers: dict[str, str], order: Order) -> str:
    _parent = propagate.extract(headers)
    with tracer.start_as_current_span("charge", context=_parent):
        return charge(order)


def clean_local_span_of_the_same_name(order: Order) -> str:
    with tracer.start_as_current_span("batch") as PROCESS:
        with tracer.start_as_current_span("charge", context=set_span_in_context(PROCESS)):
            return charge(order)


def clean_none_of_the_module(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=NO_PARENT):
        return charge(order)


def clean_context_variable(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=_current.get()):
        return charge(order)


def clean_thread_local(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=_local.parent):
        return charge(order)


def clean_looked_up_by_order(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=_waiting[order.number]):
        return charge(order)


def clean_taken_out_by_order(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=_waiting.pop(order.number)):
        return charge(order)


def clean_linked_to_the_process(order: Order) -> str:
    with tracer.start_as_current_span("charge", links=[Link(PROCESS.get_span_context())]):
        return charge(order)


def clean_noted_on_the_process(order: Order) -> str:
    PROCESS.add_event("order received")
    return charge(order)


def clean_span_of_the_caller(span: Span, order: Order) -> str:
    with use_span(span):
        return charge(order)


@app.get("/orders/{number}")
async def clean_extracted(number: str, request: Request) -> dict[str, str]:
    parent = propagate.extract(request.headers)
    with tracer.start_as_current_span("order", context=parent, kind=SpanKind.SERVER):
        return {"receipt": settle(number)}


class CleanStored:
    """A run that keeps the context in which it was made."""

    def __init__(self) -> None:
        self._parent = get_current()

    def step(self, order: Order) -> str:
        with tracer.start_as_current_span("step", context=self._parent):
            return charge(order)


def clean_context_of_a_page(page: Page) -> Any:
    return page.render(context=STARTUP)
