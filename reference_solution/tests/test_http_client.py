"""The span that covers an outgoing request, whatever comes of it."""

import asyncio

import httpx
import pytest
from checkout.http_client import HttpClient, request_attributes
from checkout.messages import Message, UnreadableAnswerError
from checkout.propagation import TRACE_CONTEXT, TRACE_CONTEXT_AND_BAGGAGE
from faulty_server import answers, resets, sends, sends_and_hangs, serving
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.test.test_base import TestBase
from opentelemetry.trace import SpanKind, StatusCode
from span_reading import exceptions

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"
BODY = b'{"payment_id": "p1"}'


class Payment(Message):
    """What the tests ask for."""

    payment_id: str


# What the server does, what the caller gets, and the status that stands on the span.
FAILURES = [
    ("drops", sends(b""), httpx.RemoteProtocolError, None),
    ("drops in the headers", sends(HEAD[:30]), httpx.RemoteProtocolError, None),
    ("drops in the body", sends(HEAD, b"{"), httpx.RemoteProtocolError, 200),
    ("resets", resets, httpx.ReadError, None),
    ("speaks no HTTP", sends(b"220 mail.example ESMTP\r\n"), httpx.RemoteProtocolError, None),
    ("never answers", sends_and_hangs(b""), TimeoutError, None),
    ("hangs in the headers", sends_and_hangs(HEAD[:30]), TimeoutError, None),
    ("hangs in the body", sends_and_hangs(HEAD, b"{"), TimeoutError, 200),
    ("answers text", answers(200, b"<html>"), UnreadableAnswerError, 200),
    ("answers nothing", answers(200, b""), UnreadableAnswerError, 200),
    ("answers another object", answers(200, b"{}"), UnreadableAnswerError, 200),
    ("answers another type", answers(200, b'{"payment_id": ["Jane"]}'), UnreadableAnswerError, 200),
    ("answers too deep", answers(200, b"[" * 10_000), UnreadableAnswerError, 200),
    ("answers no UTF-8", answers(200, b'{"payment_id": "\xff"}'), UnreadableAnswerError, 200),
    (
        "claims to have compressed",
        answers(200, BODY, b"content-encoding: gzip"),
        httpx.DecodingError,
        200,
    ),
]

# The status of an answer, and what the span says of it.
STATUSES = [
    (200, StatusCode.UNSET, None),
    (201, StatusCode.UNSET, None),
    (302, StatusCode.ERROR, "302"),
    (402, StatusCode.ERROR, "402"),
    (404, StatusCode.ERROR, "404"),
    (500, StatusCode.ERROR, "500"),
    (503, StatusCode.ERROR, "503"),
]

URLS = [
    ("http://shop.example/pay", "http://shop.example/pay", "shop.example", 80),
    ("https://shop.example/pay", "https://shop.example/pay", "shop.example", 443),
    ("http://me:secret@[::1]:8080/pay", "http://[::1]:8080/pay", "::1", 8080),
]


class TestHttpClient(TestBase):
    def client(self, timeout: float = 60, propagator=TRACE_CONTEXT_AND_BAGGAGE) -> HttpClient:
        tracer = self.tracer_provider.get_tracer("test")
        return HttpClient(tracer, timeout=timeout, propagator=propagator)

    def the_span(self):
        (span,) = self.memory_exporter.get_finished_spans()
        self.memory_exporter.clear()
        return span

    def test_a_failed_call_shows_its_exception_once(self):
        async def fail(behaviour, error: type[Exception]) -> None:
            timeout = 0.5 if error is TimeoutError else 60
            async with serving(behaviour) as server, self.client(timeout) as client:
                with pytest.raises(error):
                    await client.post(server.url, "/pay", {}, Payment)

        for name, behaviour, error, status in FAILURES:
            with self.subTest(name):
                asyncio.run(fail(behaviour, error))
                span = self.the_span()
                assert span.status.status_code is StatusCode.ERROR
                assert [kind.split(".")[-1] for kind in exceptions(span)] == [error.__name__]
                assert span.attributes["error.type"] == error.__name__
                assert span.attributes.get("http.response.status_code") == status
                assert "Jane" not in span.to_json()

    def test_a_refused_call_shows_its_exception(self):
        async def refuse() -> None:
            async with serving(sends(b"")) as server:
                pass
            async with self.client() as client:
                with pytest.raises(httpx.ConnectError):
                    await client.post(server.url, "/pay", {}, Payment)

        asyncio.run(refuse())
        span = self.the_span()
        assert span.status.status_code is StatusCode.ERROR
        assert exceptions(span) == ["httpx.ConnectError"]

    def test_a_cancelled_call_ends_without_an_error(self):
        async def hang_up() -> None:
            async with serving(sends_and_hangs(b"")) as server, self.client() as client:
                call = asyncio.create_task(client.post(server.url, "/pay", {}, Payment))
                await server.received.wait()
                call.cancel()
                await asyncio.wait([call])
                assert call.cancelled()

        asyncio.run(hang_up())
        span = self.the_span()
        assert span.status.status_code is StatusCode.UNSET
        assert exceptions(span) == []
        assert "error.type" not in span.attributes

    def test_an_answer_of_any_status_is_no_exception(self):
        async def ask(status: int):
            async with serving(answers(status, BODY)) as server, self.client() as client:
                return await client.post(server.url, "/pay", {}, Payment)

        for status, shown, error_type in STATUSES:
            with self.subTest(status):
                answer = asyncio.run(ask(status))
                assert answer.status == status
                assert (answer.body is None) == (shown is StatusCode.ERROR)
                span = self.the_span()
                assert span.status.status_code is shown
                assert span.attributes["http.response.status_code"] == status
                assert span.attributes.get("error.type") == error_type
                assert exceptions(span) == []

    def test_each_request_names_its_own_span_as_the_parent(self):
        async def ask_twice() -> list[str | None]:
            async with serving(answers(503, b"")) as server, self.client() as client:
                for _ in range(2):
                    await client.post(server.url + "/", "/pay", {}, Payment)
                    assert server.requests[-1].startswith(b"POST /pay HTTP/1.1")
                return [server.header("traceparent", request) for request in range(2)]

        with self.tracer_provider.get_tracer("test").start_as_current_span("request") as request:
            sent = asyncio.run(ask_twice())
        first, second, _ = self.memory_exporter.get_finished_spans()
        for span, header in zip((first, second), sent, strict=True):
            assert header.split("-")[1:3] == [
                format(span.context.trace_id, "032x"),
                format(span.context.span_id, "016x"),
            ]
            assert span.kind is SpanKind.CLIENT
            assert span.name == "POST /pay"
            assert span.parent == request.get_span_context()
        assert first.context.span_id != second.context.span_id

    def test_baggage_stays_in_the_shop(self):
        async def ask(propagator) -> str | None:
            async with (
                serving(answers(200, BODY)) as server,
                self.client(propagator=propagator) as client,
            ):
                await client.post(server.url, "/pay", {}, Payment)
                assert server.header("traceparent")
                return server.header("baggage")

        token = attach(set_baggage("user.id", "u 1"))
        try:
            assert asyncio.run(ask(TRACE_CONTEXT_AND_BAGGAGE)) == "user.id=u+1"
            assert asyncio.run(ask(TRACE_CONTEXT)) is None
        finally:
            detach(token)

    def test_the_url_is_shown_without_its_password(self):
        for url, full, address, port in URLS:
            with self.subTest(url):
                assert request_attributes(httpx.URL(url)) == {
                    "http.request.method": "POST",
                    "url.full": full,
                    "server.address": address,
                    "server.port": port,
                }
