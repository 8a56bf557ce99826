"""Show SERVER spans that start before the caller's context is extracted, and other extractions."""

from __future__ import annotations

import tarfile
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
from aiohttp import web
from fastapi import FastAPI, Request
from flask import request as flask_request
from opentelemetry import context, propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from shop.mail import Message
from shop.orders import Order, charge, settle
from shop.texts import extract as extract_words

app = FastAPI()
tracer = trace.get_tracer(__name__)
propagator = TraceContextTextMapPropagator()


# ---------------- too late for the SERVER span


@app.post("/orders/{number}")
async def faulty_inside_the_span(number: str, request: Request) -> dict[str, str]:
    with tracer.start_as_current_span("POST /orders/{number}", kind=SpanKind.SERVER):
        token = attach(propagate.extract(request.headers))  # expect: OTK205
        try:
            return {"receipt": settle(number)}
        finally:
            detach(token)


@app.post("/settlements/{number}")
async def faulty_bound_inside_the_span(number: str, request: Request) -> dict[str, str]:
    with tracer.start_as_current_span("settlement", kind=SpanKind.SERVER):
        parent = extract(request.headers)  # expect: OTK205
        with tracer.start_as_current_span("settle", context=parent):
            return {"receipt": settle(number)}


async def faulty_propagator(request: Request, order: Order) -> str:
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as span:
        span.set_attribute("shop.order", order.number)
        parent = propagator.extract(carrier=dict(request.headers))  # expect: OTK205
        with tracer.start_as_current_span("charge", context=parent):
            return charge(order)


async def faulty_after_start_span(request: Request, order: Order) -> str:
    span = tracer.start_span("checkout", kind=SpanKind.SERVER)
    try:
        token = context.attach(extract(request.headers))  # expect: OTK205
        try:
            return charge(order)
        finally:
            context.detach(token)
    finally:
        span.end()


async def faulty_aiohttp(request: web.Request) -> web.Response:
    with tracer.start_as_current_span("order", kind=trace.SpanKind.SERVER):
        parent = TraceContextTextMapPropagator().extract(request.headers)  # expect: OTK205
        with tracer.start_as_current_span("settle", context=parent):
            return web.Response(text=settle(request.match_info["number"]))


def faulty_flask() -> str:
    with tracer.start_as_current_span("order", kind=SpanKind.SERVER):
        parent = propagate.extract(flask_request.headers)  # expect: OTK205
        with tracer.start_as_current_span("settle", context=parent):
            return settle(flask_request.args["number"])


def faulty_wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER):
        headers = {"traceparent": environ.get("HTTP_TRACEPARENT", "")}
        parent = propagate.extract(headers)  # expect: OTK205
        with tracer.start_as_current_span("settle", context=parent):
            start_response("200 OK", [])
            return [settle(environ["PATH_INFO"]).encode()]


class FaultyMiddleware:
    """ASGI middleware whose span is already open when it looks for its parent."""

    def __init__(self, app: Callable[..., Awaitable[None]], tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        with self._tracer.start_as_current_span("request", kind=SpanKind.SERVER):
            token = context.attach(propagate.extract(headers))  # expect: OTK205
            try:
                await self._app(scope, receive, send)
            finally:
                context.detach(token)


class FaultyServicer:
    """A gRPC servicer that reads the metadata under its span."""

    def charge(self, order: Order, call: grpc.ServicerContext) -> str:
        with tracer.start_as_current_span("shop.Payment/Charge", kind=SpanKind.SERVER):
            parent = extract(dict(call.invocation_metadata()))  # expect: OTK205
            with tracer.start_as_current_span("charge", context=parent):
                return charge(order)


# ---------------- in time, or for another span


@app.get("/orders/{number}")
async def clean_before_the_span(number: str, request: Request) -> dict[str, str]:
    parent = propagate.extract(request.headers)
    with tracer.start_as_current_span("order", context=parent, kind=SpanKind.SERVER):
        return {"receipt": settle(number)}


@app.get("/settlements/{number}")
async def clean_as_the_argument(number: str, request: Request) -> dict[str, str]:
    with tracer.start_as_current_span(
        "settlement", context=extract(request.headers), kind=SpanKind.SERVER
    ):
        return {"receipt": settle(number)}


async def clean_after_the_kind(request: Request, order: Order) -> str:
    with tracer.start_as_current_span(
        "checkout",
        kind=SpanKind.SERVER,
        attributes={"shop.order": order.number},
        context=propagator.extract(dict(request.headers)),
    ):
        return charge(order)


async def clean_attached_before_the_span(request: Request, order: Order) -> str:
    token = context.attach(propagate.extract(request.headers))
    try:
        with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER):
            return charge(order)
    finally:
        context.detach(token)


def clean_before_start_span(environ: dict[str, str], order: Order) -> str:
    parent = extract({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
    span = tracer.start_span("request", context=parent, kind=SpanKind.SERVER)
    try:
        return charge(order)
    finally:
        span.end()


class CleanMiddleware:
    """ASGI middleware that extracts first."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        parent = propagate.extract(headers)
        with tracer.start_as_current_span("request", parent, SpanKind.SERVER):
            await self._app(scope, receive, send)


def clean_links_of_a_batch(messages: list[Message]) -> None:
    with tracer.start_as_current_span("poll", kind=SpanKind.CONSUMER) as span:
        for message in messages:
            sender = trace.get_current_span(propagate.extract(message.headers))
            span.add_link(sender.get_span_context())


def clean_one_parent_for_each_message(messages: list[Message]) -> None:
    with tracer.start_as_current_span("poll"):
        for message in messages:
            parent = extract(message.headers)
            with tracer.start_as_current_span("process", parent, SpanKind.CONSUMER):
                settle(message.number)


async def clean_events_of_a_webhook(request: Request) -> None:
    parent = extract(request.headers)
    with tracer.start_as_current_span("webhook", context=parent, kind=SpanKind.SERVER):
        for event in await request.json():
            sender = trace.get_current_span(extract(event["carrier"]))
            with tracer.start_as_current_span("event", links=[Link(sender.get_span_context())]):
                settle(event["number"])


def clean_extracted_elsewhere(parent: Context, order: Order) -> str:
    with tracer.start_as_current_span("checkout", context=parent, kind=SpanKind.SERVER):
        return charge(order)


def clean_extracts_for_another(headers: dict[str, str]) -> Context:
    return propagate.extract(headers)


def clean_words_of_a_text(text: str) -> list[str]:
    with tracer.start_as_current_span("index", kind=SpanKind.SERVER):
        return list(extract_words(text))


def clean_member_of_an_archive(archive: tarfile.TarFile, name: str) -> None:
    with tracer.start_as_current_span("upload", kind=SpanKind.SERVER):
        archive.extract(name)
