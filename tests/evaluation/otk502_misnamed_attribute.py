"""Show well-known attributes under names of the author's own, and names that are right or own."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, Request
from opentelemetry import baggage, trace
from opentelemetry.trace import Span, SpanKind, Tracer
from selenium.webdriver.remote.webelement import WebElement
from shop.forms import Form
from shop.orders import Order, charge, settle

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


# ---------------- misnamed


def faulty_status_code(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_attribute("http.statuscode", response.status_code)  # expect: OTK502
        return response.status_code


async def faulty_response_status(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = await client.get(url)
        span.set_attribute("http.response.status", response.status_code)  # expect: OTK502
        return response.status_code


def faulty_user(user: str, order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("userid", user)  # expect: OTK502
        return charge(order)


def faulty_verb(url: str) -> int:
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT) as span:
        span.set_attribute("http.verb", "POST")  # expect: OTK502
        return requests.post(url, timeout=5).status_code


def faulty_service(span: Span, order: Order) -> str:
    span.set_attribute("service_name", "payment")  # expect: OTK502
    return charge(order)


def faulty_at_the_start(url: str) -> int:
    with tracer.start_as_current_span("GET", attributes={"http.verb": "GET"}):  # expect: OTK502
        return requests.get(url, timeout=5).status_code


def faulty_on_a_line_of_its_own(user: str, order: Order) -> str:
    span = tracer.start_span(
        "charge",
        attributes={
            "shop.order": order.number,
            "userid": user,  # expect: OTK502
        },
    )
    try:
        return charge(order)
    finally:
        span.end()


def faulty_several_at_once(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_attributes(
            {
                "http.request.method": "GET",
                "http.statuscode": response.status_code,  # expect: OTK502
            }
        )
        return response.status_code


@app.post("/orders/{number}")
async def faulty_current_span(number: str, request: Request) -> dict[str, str]:
    trace.get_current_span().set_attribute("userid", request.headers["x-user"])  # expect: OTK502
    return {"receipt": settle(number)}


class FaultyMethod:
    """A client that invents a name for the status."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, url: str) -> int:
        with self._tracer.start_as_current_span("send", kind=SpanKind.CLIENT) as span:
            response = requests.post(url, timeout=5)
            span.set_attribute("http.response.status", response.status_code)  # expect: OTK502
            return response.status_code


@shared_task
def faulty_task(number: str, user: str) -> str:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER) as span:
        span.set_attribute("shop.order", number)
        span.set_attribute("userid", user)  # expect: OTK502
        return settle(number)


# ---------------- named as the conventions say, named as one likes, or no attribute of a span


def clean_conventions(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("url.full", url)
        span.set_attribute("server.address", "inventory")
        response = requests.get(url, timeout=5)
        span.set_attribute("http.response.status_code", response.status_code)
        return response.status_code


def clean_user(user: str, order: Order) -> str:
    with tracer.start_as_current_span("charge", attributes={"user.id": user}):
        return charge(order)


def clean_end_user(user: str, order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("enduser.id", user)
        return charge(order)


def clean_several_at_once(request: Request, status: int) -> None:
    trace.get_current_span().set_attributes(
        {
            "http.request.method": request.method,
            "http.response.status_code": status,
            "http.route": "/orders/{number}",
            "url.path": request.url.path,
        }
    )


def clean_database(sku: str) -> None:
    with tracer.start_as_current_span("SELECT stock", kind=SpanKind.CLIENT) as span:
        span.set_attribute("db.system.name", "sqlite")
        span.set_attribute("db.query.text", "SELECT quantity FROM stock WHERE sku = ?")
        span.set_attribute("shop.sku", sku)


def clean_own_names(span: Span, order: Order) -> None:
    span.set_attribute("shop.order", order.number)
    span.set_attribute("shop.userid_checked", True)
    span.set_attribute("shop.http.verb", "POST")


def clean_key_of_the_caller(span: Span, key: str, value: str) -> None:
    span.set_attribute(key, value)


def clean_body_of_a_request(url: str, user: str) -> int:
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        return requests.post(url, json={"userid": user}, timeout=5).status_code


def clean_log(user: str) -> None:
    logger.info("checkout", extra={"userid": user, "http.verb": "POST"})


def clean_element_of_a_form(form: Form, user: str) -> None:
    form.set_attribute("userid", user)


def clean_element_of_a_page(element: WebElement) -> str | None:
    return element.get_attribute("userid")


def clean_sentry(user: str, order: Order) -> str:
    with sentry_sdk.start_span(op="charge") as span:
        span.set_data("userid", user)
        return charge(order)


def clean_exported(attributes: dict[str, Any]) -> bool:
    return "http.statuscode" in attributes or "userid" in attributes


def clean_baggage(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("tenant.id", str(baggage.get_baggage("tenant.id")))
        return charge(order)
