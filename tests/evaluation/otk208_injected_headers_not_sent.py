"""Show trace context that is injected into what nobody sends, and carriers that are sent."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import grpc
import httpx
import requests
from fastapi import FastAPI
from opentelemetry import propagate, trace
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from shop.mail import Producer
from shop.orders import Order
from shop.plugins import Plugins

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- not sent


def faulty_never_used(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        headers: dict[str, str] = {}
        inject(headers)  # expect: OTK208
        return requests.get(url, timeout=5).status_code


async def faulty_never_used_in_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)  # expect: OTK208
        response = await client.post(url, json={"sku": "book"})
        return response.status_code


def faulty_other_headers(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)  # expect: OTK208
        headers = {"accept": "application/json"}
        return requests.get(url, headers=headers, timeout=5).status_code


def faulty_copied_too_early(url: str) -> int:
    headers = {"accept": "application/json"}
    outgoing = dict(headers)
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)  # expect: OTK208
        return requests.get(url, headers=outgoing, timeout=5).status_code


def faulty_literal_headers(url: str, token: str) -> int:
    carrier: dict[str, str] = {}
    with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
        TraceContextTextMapPropagator().inject(carrier=carrier)  # expect: OTK208
        return requests.post(url, headers={"authorization": token}, timeout=5).status_code


def faulty_copy_as_the_carrier(url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(dict(headers))  # expect: OTK208
        return requests.get(url, headers=headers, timeout=5).status_code


def faulty_literal_as_the_carrier(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject({})  # expect: OTK208
        return requests.get(url, timeout=5).status_code


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
            headers: dict[str, str] = {}
            inject(headers)  # expect: OTK208
            await client.post("http://payment/payments", json={"order": number})
    return {"order": number}


class FaultyMethod:
    """A client that injects into one dictionary and sends another."""

    def __init__(self, session: aiohttp.ClientSession, tracer: Tracer) -> None:
        self._session = session
        self._tracer = tracer
        self._headers = {"accept": "application/json"}

    async def send(self, url: str) -> int:
        with self._tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
            carrier: dict[str, str] = {}
            inject(carrier)  # expect: OTK208
            async with self._session.post(url, headers=self._headers) as response:
                return response.status


# ---------------- sent


def clean_as_they_are(url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        return requests.get(url, headers=headers, timeout=5).status_code


async def clean_unpacked(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        response = await client.get(url, headers={"accept": "text/html", **carrier})
        return response.status_code


def clean_merged(url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        return requests.get(url, headers=headers | carrier, timeout=5).status_code


def clean_updated(url: str) -> int:
    headers = {"accept": "application/json"}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        headers.update(carrier)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_copied_afterwards(url: str) -> int:
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        outgoing = dict(headers, accept="application/json")
        return requests.get(url, headers=outgoing, timeout=5).status_code


def clean_one_by_one(url: str) -> bytes:
    request = urllib.request.Request(url)
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        for key, value in carrier.items():
            request.add_header(key, value)
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.read()


def clean_in_keyword_arguments(url: str, **kwargs: Any) -> int:
    headers = dict(kwargs.pop("headers", {}))
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        kwargs["headers"] = headers
        return requests.get(url, timeout=5, **kwargs).status_code


def clean_alias(url: str) -> int:
    headers: dict[str, str] = {}
    carrier = headers
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(carrier)
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_already_in_the_request(url: str) -> dict[str, Any]:
    headers: dict[str, str] = {}
    options: dict[str, Any] = {"headers": headers, "timeout": 5}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        inject(headers)
        return dict(requests.get(url, **options).json())


def clean_headers_of_the_request(client: httpx.Client, url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        request = client.build_request("GET", url)
        inject(request.headers)
        return client.send(request).status_code


def clean_headers_of_the_caller(headers: dict[str, str]) -> None:
    with tracer.start_as_current_span("sign"):
        inject(headers)


def clean_returned() -> dict[str, str]:
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


def clean_yielded(urls: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for url in urls:
        carrier: dict[str, str] = {}
        inject(carrier)
        yield url, carrier


def clean_captured(url: str) -> Callable[[], int]:
    carrier: dict[str, str] = {}
    inject(carrier)
    return lambda: requests.get(url, headers=carrier, timeout=5).status_code


class CleanStored:
    """A message that carries the context in which it was made."""

    def __init__(self, order: Order) -> None:
        carrier: dict[str, str] = {}
        inject(carrier)
        self.order = order
        self.headers = carrier


def clean_stored_in_a_message(message: dict[str, Any]) -> None:
    carrier: dict[str, str] = {}
    inject(carrier)
    message["headers"] = carrier


def clean_headers_of_a_message(producer: Producer, order: Order) -> None:
    with tracer.start_as_current_span("publish", kind=SpanKind.PRODUCER):
        carrier: dict[str, str] = {}
        inject(carrier)
        headers = [(key, value.encode()) for key, value in carrier.items()]
        producer.publish(order, headers=headers)


def clean_metadata_of_a_call(call: grpc.UnaryUnaryMultiCallable, request: bytes) -> Any:
    with tracer.start_as_current_span("shop.Payment/Charge", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        return call(request, metadata=tuple(carrier.items()))


def clean_environment_of_a_process(command: list[str]) -> int:
    with tracer.start_as_current_span("run"):
        environment = dict(os.environ)
        inject(environment)
        return subprocess.run(command, env=environment, check=False).returncode


def clean_written_down() -> str:
    carrier: dict[str, str] = {}
    inject(carrier)
    return json.dumps(carrier)


def clean_one_key_of_it(url: str) -> int:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        inject(carrier)
        headers = {"traceparent": carrier["traceparent"]}
        return requests.get(url, headers=headers, timeout=5).status_code


def clean_inject_of_plugins(plugins: Plugins, url: str) -> int:
    options: dict[str, str] = {}
    plugins.inject(options)
    return requests.get(url, timeout=5).status_code
