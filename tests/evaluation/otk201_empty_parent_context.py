"""Show spans that start from an empty context, and other things named context."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import click
from celery import shared_task
from ddtrace import tracer as dd_tracer
from ddtrace.trace import Context as DatadogContext
from django.template import Context as TemplateContext
from django.template import Template
from fastapi import FastAPI, Request
from opentelemetry import baggage, propagate, trace
from opentelemetry import context as otel_context
from opentelemetry.context import Context, get_current
from opentelemetry.context import Context as OtelContext
from opentelemetry.trace import Link, Span, SpanKind, Tracer, set_span_in_context
from shop.orders import Order, charge, charge_async, settle

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- started from nothing


def faulty_current_span(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=Context()):  # expect: OTK201
        return charge(order)


def faulty_start_span(order: Order) -> str:
    span = tracer.start_span("charge", context=Context())  # expect: OTK201
    try:
        return charge(order)
    finally:
        span.end()


def faulty_positional(order: Order) -> str:
    with tracer.start_as_current_span("charge", Context(), SpanKind.CLIENT):  # expect: OTK201
        return charge(order)


def faulty_bound_to_a_name(order: Order) -> str:
    fresh = Context()
    with tracer.start_as_current_span("charge", context=fresh):  # expect: OTK201
        return charge(order)


def faulty_by_its_module(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=otel_context.Context()):  # expect: OTK201
        return charge(order)


async def faulty_by_another_name(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=OtelContext()):  # expect: OTK201
        return await charge_async(order)


def faulty_on_a_line_of_its_own(order: Order) -> str:
    with tracer.start_as_current_span(
        "charge",
        context=Context(),  # expect: OTK201
        kind=SpanKind.CLIENT,
        attributes={"shop.order": order.number},
    ):
        return charge(order)


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    with tracer.start_as_current_span(
        "settle",
        context=Context(),  # expect: OTK201
        kind=SpanKind.SERVER,
    ):
        return {"receipt": settle(number)}


class FaultyMethod:
    """A client each of whose spans begins a trace."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        with self._tracer.start_as_current_span("send", Context()) as span:  # expect: OTK201
            span.set_attribute("shop.order", order.number)
            return charge(order)


@shared_task
def faulty_task(number: str) -> str:
    parent = otel_context.Context()
    with tracer.start_as_current_span("settle", context=parent):  # expect: OTK201
        return settle(number)


@tracer.start_as_current_span("charge", context=Context())  # expect: OTK201
def faulty_decorated(order: Order) -> str:
    return charge(order)


# ---------------- started from somewhere, or not a span's context


def clean_no_context(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_none(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=None):
        return charge(order)


def clean_current_context(order: Order) -> str:
    with tracer.start_as_current_span("charge", context=get_current()):
        return charge(order)


def clean_given_by_the_caller(parent: Context, order: Order) -> str:
    with tracer.start_as_current_span("charge", context=parent):
        return charge(order)


def clean_optional(parent: Context | None, order: Order) -> str:
    with tracer.start_as_current_span("charge", parent):
        return charge(order)


async def clean_extracted(request: Request) -> str:
    parent = propagate.extract(request.headers)
    with tracer.start_as_current_span("checkout", context=parent, kind=SpanKind.SERVER):
        return settle(request.path_params["number"])


async def clean_extracted_into_an_empty_context(request: Request) -> str:
    parent = propagate.extract(request.headers, context=Context())
    with tracer.start_as_current_span("checkout", context=parent, kind=SpanKind.SERVER):
        return settle(request.path_params["number"])


def clean_extracted_in_the_call(headers: dict[str, str], order: Order) -> str:
    with tracer.start_as_current_span("charge", context=propagate.extract(headers)):
        return charge(order)


def clean_parent_span(parent: Span, order: Order) -> str:
    with tracer.start_as_current_span("charge", context=set_span_in_context(parent)):
        return charge(order)


def clean_with_baggage(tenant: str, order: Order) -> str:
    scope = baggage.set_baggage("tenant.id", tenant)
    with tracer.start_as_current_span("charge", context=scope):
        return charge(order)


def clean_linked(producer: trace.SpanContext, order: Order) -> str:
    with tracer.start_as_current_span("charge", links=[Link(producer)]):
        return charge(order)


def clean_context_of_python(func: Callable[[], str]) -> str:
    return contextvars.Context().run(func)


def clean_context_of_a_template(template: Template, order: Order) -> str:
    return template.render(context=TemplateContext())


def clean_context_of_a_command(command: click.Command) -> Any:
    return command.invoke(click.Context(command))


def clean_context_of_another_tracer(order: Order) -> str:
    span = dd_tracer.start_span("charge", child_of=DatadogContext())
    span.set_tag("order", order.number)
    return charge(order)


class Recorder:
    """The project's own recorder, which takes a context too."""

    def start_span(self, name: str, context: Context) -> str:
        return f"{name} {len(context)}"


def clean_own_recorder(recorder: Recorder) -> str:
    return recorder.start_span("charge", context=Context())
