"""Call another service, traced."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self

import httpx
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.trace import StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from checkout.client_span import client_span
from checkout.messages import MessageT, read_answer

# Servers drop idle connections, uvicorn after 5 s. One that is dropped just as it is used again is
# an error.
CONNECTION_IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answer(Generic[MessageT]):
    """What another service answered; the body is read only from a success."""

    status: int
    body: MessageT | None


class HttpClient:
    """Send requests over one kept pool of connections, each in a CLIENT span of its own.

    `timeout` bounds a whole call, in seconds. httpx's own timeouts bound each step of it, so that a
    server that sends one byte now and then would never time out.
    """

    def __init__(self, tracer: Tracer, *, timeout: float, propagator: TextMapPropagator) -> None:
        self._tracer = tracer
        self._timeout = timeout
        self._propagator = propagator
        self._pool = httpx.AsyncClient(
            timeout=httpx.Timeout(None),
            limits=httpx.Limits(keepalive_expiry=CONNECTION_IDLE_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pool.aclose()

    async def post(
        self, base_url: str, path: str, body: dict[str, str | int], answer: type[MessageT]
    ) -> Answer[MessageT]:
        """Send `body` and read an `answer`.

        Raises `TimeoutError`, `httpx.HTTPError` or `UnreadableAnswerError`, recorded on the CLIENT
        span. An answer that is no success is returned, as it is for the caller to say what it
        means.
        """
        url = httpx.URL(base_url.rstrip("/") + path)
        with client_span(self._tracer, f"POST {path}", request_attributes(url)) as span:
            # Inside the span, so that the header names this span as the parent of what happens over
            # there.
            headers: dict[str, str] = {}
            self._propagator.inject(headers)
            async with (
                asyncio.timeout(self._timeout),
                self._pool.stream("POST", url, json=body, headers=headers) as response,
            ):
                span.set_attribute(HTTP_RESPONSE_STATUS_CODE, response.status_code)
                content = await response.aread()
            if response.is_success:
                return Answer(response.status_code, read_answer(content, answer))
            span.set_status(StatusCode.ERROR)
            span.set_attribute(ERROR_TYPE, str(response.status_code))
            return Answer(response.status_code, None)


def request_attributes(url: httpx.URL) -> dict[str, AttributeValue]:
    """Describe the request, leaving out a password that stands in the URL."""
    return {
        HTTP_REQUEST_METHOD: "POST",
        URL_FULL: str(url.copy_with(userinfo=b"")),
        SERVER_ADDRESS: url.host,
        SERVER_PORT: url.port or (443 if url.scheme == "https" else 80),
    }
