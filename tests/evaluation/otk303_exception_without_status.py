"""Show exceptions that are recorded and swallowed without a status, and the full form."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, find_stock, settle
from shop.reports import History, mark_failed

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


def set_error(span: Span, reason: str) -> None:
    span.set_status(Status(StatusCode.ERROR, reason))


# ---------------- recorded, swallowed, and the span looks clean


def faulty_recorded_only(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)  # expect: OTK303
            return None


def faulty_recorded_and_logged(order: Order) -> bool:
    with tracer.start_as_current_span("charge") as span:
        try:
            charge(order)
        except Exception as exc:
            logger.exception("charge failed")
            span.record_exception(exc)  # expect: OTK303
            return False
        return True


@app.post("/checkout")
async def faulty_turned_into_a_response(order: dict[str, Any]) -> JSONResponse:
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as span:
        async with httpx.AsyncClient() as client:
            try:
                response = await client.post("http://payment/payments", json=order)
            except httpx.HTTPError as exc:
                span.record_exception(exc)  # expect: OTK303
                return JSONResponse({"error": "bad_gateway"}, 502)
        return JSONResponse(response.json(), response.status_code)


async def faulty_current_span(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return await charge_async(order)
        except ConnectionError as exc:
            trace.get_current_span().record_exception(exc)  # expect: OTK303
            return None


def faulty_span_with_finally(order: Order) -> str | None:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    except ConnectionError as exc:
        span.record_exception(exc)  # expect: OTK303
        return None
    finally:
        span.end()


def faulty_with_attributes(span: Span, order: Order) -> str | None:
    with use_span(span, end_on_exit=True):
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc, attributes={"shop.attempt": 1})  # expect: OTK303
            return None


def faulty_falls_through(url: str) -> None:
    with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT) as span:
        try:
            requests.post(url, timeout=5)
        except requests.RequestException as exc:
            span.record_exception(exc)  # expect: OTK303
        logger.info("notified")


class FaultyMethod:
    """A client that answers a failure with a default."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        with self._tracer.start_as_current_span("send") as span:
            try:
                return charge(order)
            except ConnectionError as exc:
                span.set_attribute("shop.fallback", True)
                span.record_exception(exc)  # expect: OTK303
                return "unknown"


@shared_task
def faulty_task(number: str) -> str | None:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER) as span:
        try:
            return settle(number)
        except requests.RequestException as exc:
            span.record_exception(exc)  # expect: OTK303
    return None


# ---------------- the status is set, or the exception goes on


def clean_status_afterwards(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR, str(exc)))
            return None


def clean_status_before(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.set_status(StatusCode.ERROR)
            span.record_exception(exc)
            return None


async def clean_status_of_the_current_span(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return await charge_async(order)
        except ConnectionError as exc:
            span = trace.get_current_span()
            span.record_exception(exc)
            span.set_status(trace.Status(trace.StatusCode.ERROR))
            return None


def clean_raised_again(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            raise


@app.get("/stock/{sku}")
async def clean_raised_as_another(sku: str) -> dict[str, str]:
    with tracer.start_as_current_span("stock") as span:
        try:
            return {"stock": find_stock(sku)}
        except OSError as exc:
            span.record_exception(exc)
            raise HTTPException(500) from exc


def clean_raised_after_the_end(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    except ConnectionError as exc:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()


def clean_status_by_a_function(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            set_error(span, str(exc))
            return None


def clean_status_by_another_module(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            mark_failed(span, exc)
            return None


def clean_status_after_the_try(order: Order) -> str | None:
    receipt = None
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
        if receipt is None:
            span.set_status(Status(StatusCode.ERROR, "no receipt"))
    return receipt


def clean_status_after_the_last_attempt(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        for _attempt in range(2):
            try:
                return charge(order)
            except ConnectionError as exc:
                span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR, "no attempt succeeded"))
        return None


def clean_recorded_marked_and_raised(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            raise


class CleanListener:
    """A listener that is told of failures; no handler swallows anything."""

    def on_failure(self, span: Span, error: BaseException) -> None:
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, str(error)))
        span.end()


def clean_history_of_the_project(history: History, order: Order) -> str | None:
    try:
        return charge(order)
    except ConnectionError as exc:
        history.record_exception(exc)
        return None


def clean_sentry(order: Order) -> str | None:
    with sentry_sdk.start_span(op="charge"):
        try:
            return charge(order)
        except ConnectionError as exc:
            sentry_sdk.capture_exception(exc)
            return None
