"""Show status codes that are no numbers, and those that are."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import aiohttp
import httpx
import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from shop.forms import Form
from shop.orders import Order, charge

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- a text


def faulty_str(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_attribute("http.response.status_code", str(response.status_code))  # expect: OTK504
        return response.status_code


async def faulty_str_of_a_coroutine(session: aiohttp.ClientSession, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        async with session.get(url) as response:
            span.set_attribute("http.response.status_code", str(response.status))  # expect: OTK504
            return response.status


def faulty_literal(span: Span) -> None:
    span.set_attribute("http.response.status_code", "200")  # expect: OTK504


async def faulty_fstring(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = await client.get(url)
        status = response.status_code
        span.set_attribute("http.response.status_code", f"{status}")  # expect: OTK504
        return status


def faulty_percent(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", "%d" % status)  # expect: OTK504


def faulty_format(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", "{}".format(status))  # expect: OTK504


def faulty_at_the_start(order: Order) -> str:
    with tracer.start_as_current_span(
        "replay",
        attributes={
            "shop.order": order.number,
            "http.response.status_code": "202",  # expect: OTK504
        },
    ):
        return charge(order)


def faulty_several_at_once(span: Span, status: int) -> None:
    span.set_attributes(
        {
            "http.request.method": "GET",
            "http.response.status_code": str(status),  # expect: OTK504
        }
    )


def faulty_deprecated_name(span: Span, status: int) -> None:
    span.set_attribute("http.status_code", str(status))  # expect: OTK503:note, OTK504


@app.post("/orders/{number}")
async def faulty_route(number: str) -> JSONResponse:
    trace.get_current_span().set_attribute("http.response.status_code", "201")  # expect: OTK504
    return JSONResponse({"order": number}, 201)


class FaultyMethod:
    """A client that notes the status as it prints it."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, url: str) -> int:
        with self._tracer.start_as_current_span("send", kind=SpanKind.CLIENT) as span:
            response = requests.post(url, timeout=5)
            code = response.status_code
            span.set_attribute("http.response.status_code", str(code))  # expect: OTK504
            return code


# ---------------- a number, or another attribute


def clean_attribute_of_the_response(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_attribute("http.response.status_code", response.status_code)
        return response.status_code


async def clean_attribute_of_a_response_of_aiohttp(session: aiohttp.ClientSession, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        async with session.get(url) as response:
            span.set_attribute("http.response.status_code", response.status)
            return response.status


def clean_literal(span: Span) -> None:
    span.set_attribute("http.response.status_code", 200)


def clean_int_of_a_text(span: Span, status_line: str) -> None:
    span.set_attribute("http.response.status_code", int(status_line.split()[1]))


def clean_int_of_a_str(span: Span, status: Any) -> None:
    span.set_attribute("http.response.status_code", int(str(status)))


def clean_constant_of_http(span: Span) -> None:
    span.set_attribute("http.response.status_code", HTTPStatus.OK.value)


def clean_given_by_the_caller(span: Span, status: int) -> None:
    span.set_attributes({"http.response.status_code": status, "http.request.method": "GET"})


def clean_number_bound_to_a_name(span: Span) -> None:
    status = 503
    span.set_attribute("http.response.status_code", status)


def clean_chosen(span: Span, response: httpx.Response | None) -> None:
    span.set_attribute("http.response.status_code", response.status_code if response else 502)


def clean_class_of_the_status(span: Span, status: int) -> None:
    span.set_attribute("shop.status_class", f"{status // 100}xx")


def clean_error_type(span: Span, response: httpx.Response) -> None:
    span.set_attribute("error.type", str(response.status_code))
    span.set_status(Status(StatusCode.ERROR))


def clean_field_of_a_form(form: Form, status: int) -> None:
    form.set_attribute("http.response.status_code", str(status))


def clean_body_of_an_answer(status: int) -> JSONResponse:
    return JSONResponse({"http.response.status_code": str(status)}, status)
