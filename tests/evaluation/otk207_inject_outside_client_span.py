"""Show headers that name another span than their request's CLIENT span, and those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiohttp
import httpx
import requests
from fastapi import FastAPI
from opentelemetry import context, propagate, trace
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from shop.mail import Producer
from shop.orders import Order
from shop.plugins import Plugins

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- the headers name the caller's span


def faulty_before_the_span(url: str) -> int:
    headers: dict[str, str] = {}
    inject(headers)  # expect: OTK207
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        return requests.get(url, headers=headers, timeout=5).status_code


async def faulty_before_the_span_of_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    headers = {"accept": "application/json"}
    propagate.inject(headers)  # expect: OTK207
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT) as span:
        response = await client.get(url, headers=headers)
        span.set_attribute("http.response.status_code", response.status_code)
    return response.status_code


def faulty_span_is_not_current(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        headers: dict[str, str] = {}
        inject(headers)  # expect: OTK207
        return requests.get(url, headers=headers, timeout=5).status_code
    finally:
        span.end()


def faulty_with_start_span_is_not_current(url: str) -> int:
    with tracer.start_span("GET", kind=SpanKind.CLIENT):
        headers: dict[str, str] = {}
        inject(headers)  # expect: OTK207
        return requests.get(url, headers=headers, timeout=5).status_code


def faulty_before_use_span(url: str) -> int:
    headers: dict[str, str] = {}
    inject(headers)  # expect: OTK207
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    with use_span(span, end_on_exit=True):
        return requests.get(url, headers=headers, timeout=5).status_code


def faulty_between_start_and_use_span(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        headers: dict[str, str] = {}
        inject(headers)  # expect: OTK207
        with use_span(span):
            return requests.get(url, headers=headers, timeout=5).status_code
    finally:
        span.end()


@app.post("/orders/{number}")
async def faulty_in_the_server_span(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("order", kind=SpanKind.SERVER):
        headers: dict[str, str] = {}
        inject(headers)  # expect: OTK207
        with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
            async with httpx.AsyncClient() as client:
                await client.post("http://payment/payments", headers=headers)
    return {"order": number}


class FaultyMethod:
    """A client that prepares its headers too early."""

    def __init__(self, session: aiohttp.ClientSession, tracer: Tracer) -> None:
        self._session = session
        self._tracer = tracer

    async def send(self, url: str) -> int:
        headers = {"accept": "application/json"}
        TraceContextTextMapPropagator().inject(carrier=headers)  # expect: OTK207
        with self._tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
            async with self._session.post(url, headers=headers) as response:
                return response.status


def faulty_positional_kind(url: str) -> int:
    headers: dict[str, str] = {}
    inject(headers)  # expect: OTK207
    with tracer.start_as_current_span("GET", None, SpanKind.CLIENT):
        return requests.get(url, headers=headers, timeout=5).status_code


# ---------------- the headers name the CLIENT span, or there is none here


@contextmanager
def client_span(name: str) -> Iterator[Span]:
    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT) as span:
        yield span


def clean_inside_the_span(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        headers: dict[str, str] = {}
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


async def clean_inside_the_span_of_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        propagate.inject(headers)
        response = await client.get(url, headers=headers)
    return response.status_code


def clean_context_as_an_argument(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        headers: dict[str, str] = {}
        inject(headers, context=set_span_in_context(span))
        return requests.get(url, headers=headers, timeout=5).status_code
    finally:
        span.end()


def clean_context_bound_to_a_name(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        scope = trace.set_span_in_context(span)
        headers: dict[str, str] = {}
        inject(headers, scope)
        return requests.get(url, headers=headers, timeout=5).status_code
    finally:
        span.end()


def clean_inside_use_span(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    with use_span(span, end_on_exit=True):
        headers: dict[str, str] = {}
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_attached(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        token = context.attach(set_span_in_context(span))
        try:
            headers: dict[str, str] = {}
            inject(headers)
            return requests.get(url, headers=headers, timeout=5).status_code
        finally:
            context.detach(token)
    finally:
        span.end()


def clean_exit_stack(url: str) -> int:
    with ExitStack() as stack:
        stack.enter_context(tracer.start_as_current_span("GET", kind=SpanKind.CLIENT))
        headers: dict[str, str] = {}
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


@tracer.start_as_current_span("GET", kind=SpanKind.CLIENT)
def clean_decorated(url: str) -> int:
    headers: dict[str, str] = {}
    inject(headers)
    return requests.get(url, headers=headers, timeout=5).status_code


def clean_context_manager_of_the_module(url: str) -> int:
    with client_span("GET"):
        headers: dict[str, str] = {}
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_inner_span(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        with tracer.start_as_current_span("prepare"):
            headers = {"accept": "application/json"}
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_one_in_each_of_two(stock: str, payment: str) -> int:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        requests.get(stock, headers=headers, timeout=5)
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        inject(headers)
        return requests.post(payment, headers=headers, timeout=5).status_code


def clean_instrumented_client(url: str) -> int:
    headers: dict[str, str] = {}
    inject(headers)
    return requests.get(url, headers=headers, timeout=5).status_code


def clean_prepares_for_another() -> dict[str, str]:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("prepare"):
        inject(headers)
    return headers


def clean_message(producer: Producer, order: Order) -> None:
    with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER):
        headers: dict[str, str] = {}
        inject(headers)
        producer.publish(order, headers=headers)


def clean_message_after_a_request(url: str, producer: Producer, order: Order) -> None:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        inject(headers)
        requests.post(url, headers=headers, timeout=5)
    message: dict[str, str] = {}
    with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER):
        inject(message)
        producer.publish(order, headers=message)


def clean_inject_of_plugins(plugins: Plugins, url: str) -> Any:
    headers = {"accept": "application/json"}
    plugins.inject(headers)
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).json()
