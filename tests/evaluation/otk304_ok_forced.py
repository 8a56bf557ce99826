"""Show OK that is set whatever happened, and OK that was earned."""

from __future__ import annotations

import logging
from typing import Any

import grpc
import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, Response
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.orders import Order, charge, charge_async, reserve, settle

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


# ---------------- set whatever happened


def faulty_in_finally(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    finally:
        span.set_status(Status(StatusCode.OK))  # expect: OTK304
        span.end()


async def faulty_in_finally_of_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            response = await client.get(url)
            return response.status_code
        finally:
            span.set_status(StatusCode.OK)  # expect: OTK304


def faulty_in_finally_after_a_handler(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return None
        finally:
            span.set_status(Status(StatusCode.OK))  # expect: OTK304


def faulty_after_a_handler(order: Order) -> str | None:
    receipt = None
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR, str(exc)))
        span.set_status(Status(StatusCode.OK))  # expect: OTK304
    return receipt


async def faulty_after_a_handler_of_a_coroutine(order: Order) -> str | None:
    receipt = None
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = await charge_async(order)
        except ConnectionError as exc:
            span.set_status(StatusCode.ERROR)
            span.record_exception(exc)
        span.set_attribute("shop.charged", receipt is not None)
        span.set_status(StatusCode.OK, "")  # expect: OTK304
    return receipt


def faulty_after_an_error_status(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        if response.status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("http.response.status_code", response.status_code)
        span.set_status(Status(StatusCode.OK))  # expect: OTK304
        return response.status_code


def faulty_before_the_handler(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        span.set_status(Status(StatusCode.OK))  # expect: OTK304
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            raise


def faulty_current_span(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        finally:
            trace.get_current_span().set_status(trace.Status(trace.StatusCode.OK))  # expect: OTK304


class FaultyMethod:
    """A client that closes every span as if it had gone well."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        span = self._tracer.start_span("send")
        with use_span(span, end_on_exit=True):
            try:
                reserve(order)
                return charge(order)
            finally:
                logger.info("sent")
                span.set_status(Status(StatusCode.OK))  # expect: OTK304


@shared_task
def faulty_task(number: str) -> str:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER) as span:
        try:
            return settle(number)
        finally:
            span.set_status(Status(status_code=StatusCode.OK))  # expect: OTK304


# ---------------- earned, or not a span's


def clean_at_the_end_of_the_block(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        receipt = charge(order)
        span.set_status(Status(StatusCode.OK))
    return receipt


def clean_at_the_end_of_the_try(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
            span.set_status(Status(StatusCode.OK))
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return None
    return receipt


async def clean_in_the_else(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = await charge_async(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            raise
        else:
            span.set_status(StatusCode.OK)
        return receipt


def clean_after_a_handler_that_raises(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            raise
        span.set_status(Status(StatusCode.OK))
        return receipt


def clean_after_a_handler_that_returns(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return None
        span.set_status(Status(StatusCode.OK))
        return receipt


def clean_one_or_the_other(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        if response.status_code >= 400:
            span.set_status(Status(StatusCode.ERROR))
        else:
            span.set_status(Status(StatusCode.OK))
        return response.status_code


def clean_chosen_by_the_outcome(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        span.set_status(StatusCode.OK if response.ok else StatusCode.ERROR)
        return response.status_code


def clean_error_leaves_early(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        response = requests.get(url, timeout=5)
        if response.status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))
            return 502
        span.set_status(Status(StatusCode.OK))
        return response.status_code


def clean_finally_asks_first(order: Order) -> str:
    charged = False
    span = tracer.start_span("charge")
    try:
        receipt = charge(order)
        charged = True
        return receipt
    finally:
        if charged:
            span.set_status(Status(StatusCode.OK))
        span.end()


def clean_after_the_attempt_that_succeeded(order: Order) -> str:
    with tracer.start_as_current_span("charge") as span:
        for _attempt in range(2):
            try:
                receipt = charge(order)
            except ConnectionError:
                continue
            span.set_status(Status(StatusCode.OK))
            return receipt
        raise ConnectionError("payment")


def clean_error_in_finally(order: Order) -> str:
    charged = False
    with tracer.start_as_current_span("charge") as span:
        try:
            receipt = charge(order)
            charged = True
            return receipt
        finally:
            if not charged:
                span.set_status(Status(StatusCode.ERROR))


def clean_status_of_sentry(order: Order) -> str:
    with sentry_sdk.start_span(op="charge") as span:
        try:
            return charge(order)
        finally:
            span.set_status("ok")


class CleanStatusOfGrpc:
    """A servicer whose code has the same name."""

    def charge(self, order: Order, context: grpc.ServicerContext) -> str:
        try:
            return charge(order)
        finally:
            context.set_code(grpc.StatusCode.OK)


@app.get("/health")
def clean_status_of_a_response(response: Response) -> dict[str, Any]:
    try:
        return {"healthy": True}
    finally:
        response.status_code = 200


def clean_given_by_the_caller(span: Span, status: Status, order: Order) -> str:
    try:
        return charge(order)
    finally:
        span.set_status(status)
