"""Show attributes under the names that the conventions have given up, and under those of today."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import requests
import sentry_sdk
from ddtrace import tracer as dd_tracer
from fastapi import FastAPI, Request
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanKind, Tracer
from shop.forms import Form
from shop.orders import Order, charge, settle

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


# ---------------- given up


def faulty_method(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        span.set_attribute("http.method", "GET")  # expect: OTK503:note
        return requests.get(url, timeout=5).status_code


async def faulty_status_code(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = await client.get(url)
        span.set_attribute("http.status_code", response.status_code)  # expect: OTK503:note
        return response.status_code


def faulty_url(url: str) -> int:
    with tracer.start_as_current_span("GET", attributes={"http.url": url}):  # expect: OTK503:note
        return requests.get(url, timeout=5).status_code


@app.post("/orders/{number}")
async def faulty_target(number: str, request: Request) -> dict[str, str]:
    trace.get_current_span().set_attribute("http.target", request.url.path)  # expect: OTK503:note
    return {"receipt": settle(number)}


def faulty_statement(sku: str) -> None:
    with tracer.start_as_current_span("SELECT stock", kind=SpanKind.CLIENT) as span:
        span.set_attribute("db.system.name", "sqlite")
        span.set_attribute("db.statement", "SELECT quantity FROM stock")  # expect: OTK503:note
        span.set_attribute("shop.sku", sku)


def faulty_system(sku: str) -> None:
    with tracer.start_as_current_span(
        "SELECT stock",
        kind=SpanKind.CLIENT,
        attributes={
            "db.system": "sqlite",  # expect: OTK503:note
            "db.query.text": "SELECT quantity FROM stock WHERE sku = ?",
            "shop.sku": sku,
        },
    ):
        pass


def faulty_peer(span: Span, host: str) -> None:
    span.set_attribute("net.peer.name", host)  # expect: OTK503:note


def faulty_several_at_once(span: Span, request: Request) -> None:
    span.set_attributes(
        {
            "http.method": request.method,  # expect: OTK503:note
            "url.path": request.url.path,
            "http.route": "/orders/{number}",
        }
    )


class FaultyMethod:
    """A client that names things as it always did."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, url: str) -> int:
        with self._tracer.start_as_current_span("send", kind=SpanKind.CLIENT) as span:
            span.set_attribute("http.url", url)  # expect: OTK503:note
            return requests.post(url, timeout=5).status_code


def faulty_two_of_them(url: str) -> int:
    span = tracer.start_span("GET", kind=SpanKind.CLIENT)
    try:
        span.set_attribute("http.method", "GET")  # expect: OTK503:note
        span.set_attribute("http.url", url)  # expect: OTK503:note
        return requests.get(url, timeout=5).status_code
    finally:
        span.end()


# ---------------- of today, or no attribute of a span


def clean_client(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("url.full", url)
        response = requests.get(url, timeout=5)
        span.set_attribute("http.response.status_code", response.status_code)
        return response.status_code


def clean_server(request: Request, status: int) -> None:
    trace.get_current_span().set_attributes(
        {
            "http.request.method": request.method,
            "http.route": "/orders/{number}",
            "http.response.status_code": status,
            "url.path": request.url.path,
            "url.scheme": request.url.scheme,
            "user_agent.original": request.headers["user-agent"],
        }
    )


def clean_address(url: str) -> int:
    with tracer.start_as_current_span("GET", attributes={"server.address": "inventory"}):
        return requests.get(url, timeout=5).status_code


def clean_database(span: Span) -> None:
    span.set_attribute("db.system.name", "sqlite")
    span.set_attribute("db.query.text", "SELECT quantity FROM stock WHERE sku = ?")
    span.set_attribute("db.operation.name", "SELECT")


def clean_own_names(span: Span) -> None:
    span.set_attribute("shop.http.method", "GET")
    span.set_attribute("shop.db.system", "archive")


def clean_key_of_the_caller(span: Span, key: str, value: str) -> None:
    span.set_attribute(key, value)


def clean_read(span: ReadableSpan) -> Any:
    attributes = span.attributes or {}
    return attributes.get("http.method") or attributes["http.url"]


def clean_log(request: Request) -> None:
    logger.info("request", extra={"http.method": request.method})


def clean_body_of_a_request(url: str) -> int:
    return requests.post(url, json={"http.url": url}, timeout=5).status_code


def clean_element_of_a_form(form: Form) -> None:
    form.set_attribute("http.method", "post")


def clean_sentry(order: Order) -> str:
    with sentry_sdk.start_span(op="charge") as span:
        span.set_data("http.method", "POST")
        return charge(order)


def clean_ddtrace(order: Order) -> str:
    span = dd_tracer.start_span("charge")
    span.set_tag("http.method", "POST")
    return charge(order)
