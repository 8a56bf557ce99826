"""Show handlers that set ERROR and forget the exception, and errors that have none to record."""

from __future__ import annotations

import logging
from typing import Any

import grpc
import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, find_stock, settle
from shop.reports import mark_failed

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


def fail(span: Span, exc: Exception) -> None:
    span.record_exception(exc)
    span.set_status(Status(StatusCode.ERROR, str(exc)))


# ---------------- the exception is forgotten


def faulty_status_only(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError:
            span.set_status(Status(StatusCode.ERROR))  # expect: OTK302
            return None


def faulty_description_only(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.set_status(Status(StatusCode.ERROR, str(exc)))  # expect: OTK302
            return None


@app.post("/checkout")
async def faulty_turned_into_a_response(order: dict[str, Any]) -> JSONResponse:
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as span:
        async with httpx.AsyncClient() as client:
            try:
                response = await client.post("http://payment/payments", json=order)
            except httpx.HTTPError:
                span.set_status(StatusCode.ERROR, "payment")  # expect: OTK302
                return JSONResponse({"error": "bad_gateway"}, 502)
        return JSONResponse(response.json(), response.status_code)


def faulty_by_its_module(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return requests.get(url, timeout=5).status_code
        except requests.RequestException:
            span.set_status(trace.Status(trace.StatusCode.ERROR))  # expect: OTK302
            return 0


async def faulty_current_span(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return await charge_async(order)
        except ConnectionError:
            trace.get_current_span().set_status(StatusCode.ERROR)  # expect: OTK302
            return None


def faulty_span_with_finally(order: Order) -> str | None:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    except ConnectionError:
        logger.error("charge failed")
        span.set_status(Status(status_code=StatusCode.ERROR))  # expect: OTK302
        return None
    finally:
        span.end()


def faulty_type_as_an_attribute(span: Span, order: Order) -> str | None:
    with use_span(span, end_on_exit=True):
        try:
            return charge(order)
        except ConnectionError as exc:
            span.set_attribute("error.type", type(exc).__name__)
            span.set_status(Status(StatusCode.ERROR))  # expect: OTK302
            return None


class FaultyMethod:
    """A client that tells the caller, and not the span, what went wrong."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> dict[str, str]:
        with self._tracer.start_as_current_span("send") as span:
            try:
                return {"receipt": charge(order)}
            except ConnectionError as exc:
                span.set_status(Status(StatusCode.ERROR))  # expect: OTK302
                return {"error": str(exc)}


@shared_task
def faulty_task(number: str) -> str | None:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER) as span:
        try:
            return settle(number)
        except requests.RequestException:
            span.set_status(Status(StatusCode.ERROR, "not settled"))  # expect: OTK302
    return None


# ---------------- recorded, recorded by the span itself, or nothing to record


def clean_recorded_before(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return None


def clean_recorded_afterwards(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.set_status(Status(StatusCode.ERROR, str(exc)))
            logger.warning("charge failed")
            span.record_exception(exc, attributes={"shop.attempt": 1})
            return None


async def clean_recorded_on_the_current_span(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return await charge_async(order)
        except ConnectionError as exc:
            span = trace.get_current_span()
            span.set_status(StatusCode.ERROR)
            span.record_exception(exc)
            return None


def clean_recorded_by_a_function(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            fail(span, exc)
            return None


def clean_recorded_by_another_module(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.set_status(Status(StatusCode.ERROR))
            mark_failed(span, exc)
            return None


def clean_raised_through_the_span(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError:
            span.set_status(Status(StatusCode.ERROR, "payment is down"))
            raise


@app.get("/stock/{sku}")
async def clean_raised_as_another_through_the_span(sku: str) -> dict[str, str]:
    with tracer.start_as_current_span("stock") as span:
        try:
            return {"stock": find_stock(sku)}
        except OSError as exc:
            span.set_status(Status(StatusCode.ERROR, "stock"))
            raise HTTPException(500) from exc


def clean_no_exception(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 400:
            span.set_status(Status(StatusCode.ERROR))
        return response.status_code


async def clean_no_exception_in_the_try(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            response = await client.get(url)
            if response.is_error:
                span.set_status(Status(StatusCode.ERROR))
        except httpx.HTTPError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return 502
        return response.status_code


def clean_no_exception_in_the_else(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            raise
        else:
            if receipt == "declined":
                span.set_status(Status(StatusCode.ERROR, "declined"))
        return receipt


def clean_no_exception_after_the_loop(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        for _attempt in range(3):
            receipt = charge(order)
            if receipt:
                return receipt
        span.set_status(Status(StatusCode.ERROR, "no receipt"))
        return None


def clean_status_of_sentry(order: Order) -> str | None:
    with sentry_sdk.start_span(op="charge") as span:
        try:
            return charge(order)
        except ConnectionError:
            span.set_status("internal_error")
            return None


class CleanStatusOfGrpc:
    """A servicer that answers failures with a code."""

    def charge(self, order: Order, context: grpc.ServicerContext) -> str:
        try:
            return charge(order)
        except ConnectionError:
            context.set_code(grpc.StatusCode.UNAVAILABLE)
            return ""
