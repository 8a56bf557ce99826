"""Show headers that get their trace context when the request has gone, and others in time."""

from __future__ import annotations

import http.client
import logging
import urllib.request
from typing import Any

import aiohttp
import httpx
import requests
from dependency_injector.wiring import inject as wire
from fastapi import FastAPI, Response
from opentelemetry import propagate, trace
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from shop.mail import Producer
from shop.orders import Order
from shop.plugins import Plugins

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


# ---------------- the request has gone


def faulty_built_request(client: httpx.Client, url: str, order: dict[str, Any]) -> int:
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        request = client.build_request("POST", url, json=order)
        response = client.send(request)
        inject(request.headers)  # expect: OTK206
        return response.status_code


async def faulty_built_request_of_a_coroutine(client: httpx.AsyncClient, url: str) -> bytes:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        request = client.build_request("GET", url)
        response = await client.send(request)
        propagate.inject(request.headers)  # expect: OTK206
        return response.content


def faulty_prepared_request(session: requests.Session, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        prepared = requests.Request("GET", url).prepare()
        response = session.send(prepared, timeout=5)
        inject(prepared.headers)  # expect: OTK206
        return response.status_code


def faulty_dictionary(url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        response = requests.get(url, headers=headers, timeout=5)
        inject(headers)  # expect: OTK206
        logger.debug("sent %s", headers)
        return response.status_code


async def faulty_dictionary_of_a_coroutine(
    client: httpx.AsyncClient, url: str
) -> tuple[int, dict[str, str]]:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        response = await client.get(url, headers=headers)
        TraceContextTextMapPropagator().inject(headers)  # expect: OTK206
    return response.status_code, headers


async def faulty_aiohttp(session: aiohttp.ClientSession, url: str) -> dict[str, str]:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        async with session.post(url, headers=headers) as response:
            inject(headers)  # expect: OTK206
            response.raise_for_status()
    return headers


def faulty_connection(host: str, body: bytes) -> dict[str, str]:
    headers = {"content-type": "application/json"}
    connection = http.client.HTTPSConnection(host, timeout=5)
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        connection.request("POST", "/payments", body, headers)
        propagate.inject(carrier=headers)  # expect: OTK206
        connection.getresponse()
    return headers


def faulty_urllib(url: str) -> bytes:
    request = urllib.request.Request(url)
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        with urllib.request.urlopen(request, timeout=5) as response:
            inject(request.headers)  # expect: OTK206
            return response.read()


class FaultyMethod:
    """A client that thinks of the trace when the answer is there."""

    def __init__(self, client: httpx.Client, tracer: Tracer) -> None:
        self._client = client
        self._tracer = tracer

    def send(self, url: str) -> int:
        with self._tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
            request = self._client.build_request("GET", url)
            response = self._client.send(request)
            span.set_attribute("http.response.status_code", response.status_code)
            inject(request.headers)  # expect: OTK206
            return response.status_code


# ---------------- in time


def clean_before_the_send(url: str) -> int:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_between_build_and_send(client: httpx.Client, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        request = client.build_request("GET", url)
        inject(request.headers)
        return client.send(request).status_code


async def clean_before_the_send_of_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        response = await client.get(url, headers=headers)
        return response.status_code


def clean_each_attempt(url: str) -> int:
    for _attempt in range(2):
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
            headers: dict[str, str] = {}
            inject(headers)
            response = requests.get(url, headers=headers, timeout=5)
        if response.status_code < 500:
            return response.status_code
    return 502


def clean_same_headers_for_each_attempt(url: str) -> int:
    headers = {"accept": "application/json"}
    for _attempt in range(2):
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
            inject(headers)
            response = requests.get(url, headers=headers, timeout=5)
        if response.ok:
            return response.status_code
    return 502


def clean_second_request(stock: str, payment: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        first: dict[str, str] = {}
        inject(first)
        requests.get(stock, headers=first, timeout=5)
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        second: dict[str, str] = {}
        inject(second)
        return requests.post(payment, headers=second, timeout=5).status_code


def clean_same_headers_for_the_second_request(stock: str, payment: str) -> int:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        requests.get(stock, headers=headers, timeout=5)
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        inject(headers)
        return requests.post(payment, headers=headers, timeout=5).status_code


@app.get("/stock/{sku}")
def clean_headers_of_the_answer(sku: str, response: Response) -> dict[str, Any]:
    headers: dict[str, str] = {}
    inject(headers)
    stock = requests.get(f"http://inventory/{sku}", headers=headers, timeout=5)
    inject(response.headers)
    return dict(stock.json())


def clean_message_after_a_request(url: str, producer: Producer, order: Order) -> None:
    headers: dict[str, str] = {}
    inject(headers)
    requests.post(url, headers=headers, timeout=5)
    with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER):
        message: dict[str, str] = {}
        inject(message)
        producer.publish(order, headers=message)


def clean_prepares_for_another() -> dict[str, str]:
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def clean_inject_of_plugins(plugins: Plugins, url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        response = requests.get(url, headers=headers, timeout=5)
        plugins.inject(headers)
        return response.status_code


@wire
def clean_inject_of_dependencies(client: httpx.Client, url: str) -> int:
    return client.get(url).status_code
