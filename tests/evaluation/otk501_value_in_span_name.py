"""Show span names with a value of one request in them, and names of which there are few."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import mlflow
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, Request
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer
from shop.jobs import Job, run_job
from shop.orders import Order, charge, charge_async, settle
from shop.timeline import Timeline
from shop.users import User, greet

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)

SERVICE = "shop.payment"
STEP = "charge"


# ---------------- a value of one request


def faulty_fstring(order_id: str, order: Order) -> str:
    with tracer.start_as_current_span(f"checkout {order_id}"):  # expect: OTK501
        return charge(order)


def faulty_attribute(user: User) -> str:
    with tracer.start_as_current_span(f"greet {user.email}") as span:  # expect: OTK501
        span.add_event("greeting")
        return greet(user)


def faulty_percent(order_id: str, order: Order) -> str:
    with tracer.start_as_current_span("checkout-%s" % order_id):  # expect: OTK501
        return charge(order)


def faulty_format(user_id: str, user: User) -> str:
    with tracer.start_as_current_span("greet {}".format(user_id)):  # expect: OTK501
        return greet(user)


def faulty_concatenation(url: str) -> int:
    with tracer.start_as_current_span("GET " + url, kind=SpanKind.CLIENT):  # expect: OTK501
        return requests.get(url, timeout=5).status_code


def faulty_keyword(order_id: str, order: Order) -> str:
    span = tracer.start_span(name=f"checkout/{order_id}")  # expect: OTK501
    try:
        return charge(order)
    finally:
        span.end()


async def faulty_url(client: httpx.AsyncClient, request: httpx.Request) -> int:
    with tracer.start_as_current_span(f"{request.method} {request.url}"):  # expect: OTK501
        response = await client.send(request)
        return response.status_code


def faulty_on_a_line_of_its_own(order_id: str, order: Order) -> str:
    with tracer.start_as_current_span(
        f"checkout {order_id}",  # expect: OTK501
        kind=SpanKind.CLIENT,
        attributes={"shop.lines": len(order.lines)},
    ):
        return charge(order)


def faulty_random(job: Job) -> None:
    with tracer.start_as_current_span(f"job {uuid.uuid4()}"):  # expect: OTK501
        run_job(job)


class FaultyAgent:
    """An agent that names its spans after the conversation."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def run(self, session_id: str, order: Order) -> str:
        with self._tracer.start_as_current_span(f"session {session_id}"):  # expect: OTK501
            return await charge_async(order)


@shared_task
def faulty_task(order_id: str) -> str:
    with tracer.start_as_current_span("settle:" + order_id):  # expect: OTK501
        return settle(order_id)


@app.get("/orders/{order_id}")
async def faulty_route(order_id: str) -> dict[str, str]:
    with tracer.start_as_current_span(f"GET /orders/{order_id}"):  # expect: OTK501
        return {"receipt": settle(order_id)}


# ---------------- one of a few


def clean_constant(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_constants_of_the_module(order: Order) -> str:
    with tracer.start_as_current_span(f"{SERVICE}.{STEP}"):
        return charge(order)


def clean_concatenated_constants(order: Order) -> str:
    with tracer.start_as_current_span(SERVICE + "." + STEP):
        return charge(order)


def clean_formatted_constants(order: Order) -> str:
    with tracer.start_as_current_span("%s.charge" % SERVICE):
        return charge(order)


def clean_fstring_without_a_value(order: Order) -> str:
    with tracer.start_as_current_span(f"charge"):
        return charge(order)


def clean_given_by_the_caller(name: str, order: Order) -> str:
    with tracer.start_as_current_span(name):
        return charge(order)


def clean_value_as_an_attribute(order_id: str, order: Order) -> str:
    with tracer.start_as_current_span("checkout", attributes={"shop.order": f"no. {order_id}"}):
        return charge(order)


@app.get("/orders/{order_id}/lines")
async def clean_route_template(order_id: str) -> dict[str, str]:
    with tracer.start_as_current_span("GET /orders/{order_id}/lines"):
        return {"receipt": settle(order_id)}


async def clean_method_and_route(request: Request, call_next: Callable[..., Any]) -> Any:
    method = request.method
    route = request.scope["route"].path
    with tracer.start_as_current_span(f"{method} {route}", kind=SpanKind.SERVER):
        return await call_next(request)


async def clean_method_of_the_request(request: httpx.Request, client: httpx.AsyncClient) -> int:
    with tracer.start_as_current_span(f"HTTP {request.method}", kind=SpanKind.CLIENT):
        response = await client.send(request)
        return response.status_code


def clean_decorator(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span(f"{func.__module__}.{func.__qualname__}"):
            return func(*args, **kwargs)

    return wrapper


class CleanNameOfTheClass:
    """A step whose span is named after its class."""

    def run(self, order: Order) -> str:
        with tracer.start_as_current_span(f"{type(self).__name__}.run"):
            return charge(order)

    def check(self, order: Order) -> str:
        with tracer.start_as_current_span(f"{self.__class__.__name__}.check"):
            return charge(order)


def clean_logged(order_id: str, order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        logger.info(f"checkout {order_id}")
        return charge(order)


def clean_sentry(order_id: str, order: Order) -> str:
    with sentry_sdk.start_span(op="checkout", name=f"checkout {order_id}"):
        return charge(order)


def clean_mlflow(order_id: str, order: Order) -> str:
    with mlflow.start_span(f"checkout {order_id}"):
        return charge(order)


class CleanTimeline:
    """A report that draws a bar for each order."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def draw(self, order_id: str) -> None:
        self.timeline.start_span(f"order {order_id}")


def clean_database_span(operation: str, table: str, order: Order) -> str:
    with tracer.start_as_current_span(f"{operation} {table}", kind=SpanKind.CLIENT):
        return charge(order)


def clean_model_span(model: str, order: Order) -> str:
    with tracer.start_as_current_span(f"chat {model}", kind=SpanKind.CLIENT):
        return charge(order)


def clean_tool_span(tool_name: str, order: Order) -> str:
    with tracer.start_as_current_span(f"execute_tool {tool_name}"):
        return charge(order)
