"""The span that covers an incoming request."""

import asyncio
import contextvars

import pytest
from asgi_call import Call, call
from checkout.application import create_application
from checkout.server_span import ServerSpans
from opentelemetry import trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.test.test_base import TestBase
from opentelemetry.trace import SpanKind, StatusCode
from span_reading import exceptions
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# The status of the answer, and what the span says of it.
STATUSES = [
    (200, StatusCode.UNSET, None),
    (204, StatusCode.UNSET, None),
    (302, StatusCode.UNSET, None),
    (404, StatusCode.UNSET, None),
    (422, StatusCode.UNSET, None),
    (499, StatusCode.UNSET, None),
    (500, StatusCode.ERROR, "500"),
    (502, StatusCode.ERROR, "502"),
    (504, StatusCode.ERROR, "504"),
]

# What is asked for, the name of the span, and the method on it.
NAMES = [
    ("GET", "/status/404", "GET /status/{status}", "GET"),
    ("GET", "/status/200", "GET /status/{status}", "GET"),
    ("POST", "/status/200", "POST /status/{status}", "POST"),
    ("GET", "/nowhere/42", "GET", "GET"),
    ("BREW", "/status/200", "HTTP /status/{status}", "_OTHER"),
    ("BREW", "/nowhere/42", "HTTP", "_OTHER"),
]


class TestServerSpan(TestBase):
    def app(self) -> ASGIApp:
        app = create_application(self.tracer_provider)

        @app.get("/status/{status}")
        async def status(status: int) -> JSONResponse:
            return JSONResponse(None, status)

        @app.get("/bug")
        async def bug(_request: Request) -> JSONResponse:
            raise KeyError("a bug")

        @app.get("/slow")
        async def slow(_request: Request) -> StreamingResponse:
            async def body():
                trace.get_current_span().add_event("first byte")
                yield b"1"
                trace.get_current_span().add_event("last byte")
                yield b"2"

            return StreamingResponse(body())

        return ServerSpans(app, self.tracer_provider.get_tracer("test"))

    def the_span(self):
        (span,) = self.memory_exporter.get_finished_spans()
        self.memory_exporter.clear()
        return span

    def test_only_a_5xx_is_an_error(self):
        for status, shown, error_type in STATUSES:
            with self.subTest(status):
                assert call(self.app(), method="GET", path=f"/status/{status}").status == status
                span = self.the_span()
                assert span.status.status_code is shown
                assert span.attributes["http.response.status_code"] == status
                assert span.attributes.get("error.type") == error_type
                assert exceptions(span) == []

    def test_the_name_is_the_route(self):
        for method, path, name, shown in NAMES:
            with self.subTest(f"{method} {path}"):
                call(self.app(), method=method, path=path)
                span = self.the_span()
                assert (span.name, span.attributes["http.request.method"]) == (name, shown)

    def test_one_server_span_says_what_was_asked(self):
        """One, although a global provider is set, which turns FastAPI's own tracing on."""
        call(self.app(), method="GET", path="/status/200")
        span = self.the_span()
        assert span.kind is SpanKind.SERVER
        assert dict(span.attributes) == {
            "http.request.method": "GET",
            "url.scheme": "http",
            "url.path": "/status/200",
            "http.route": "/status/{status}",
            "server.address": "shop.example",
            "server.port": 8080,
            "http.response.status_code": 200,
        }

    def test_an_unhandled_exception_is_recorded_once_and_answered(self):
        request = Call(method="GET", path="/bug")
        with self.disable_logging(), pytest.raises(KeyError):
            asyncio.run(request.run(self.app()))
        assert (request.status, request.answer) == (500, b'{"error":"internal_error"}')
        span = self.the_span()
        assert span.status.status_code is StatusCode.ERROR
        assert exceptions(span) == ["KeyError"]
        assert span.attributes["error.type"] == "KeyError"
        assert span.attributes["http.route"] == "/bug"

    def test_the_span_lasts_until_the_last_byte(self):
        assert call(self.app(), method="GET", path="/slow").answer == b"12"
        assert [event.name for event in self.the_span().events] == ["first byte", "last byte"]

    def test_a_cancelled_request_ends_its_span(self):
        started = asyncio.Event()

        async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
            started.set()
            await asyncio.Event().wait()

        async def hang_up() -> None:
            app = ServerSpans(never, self.tracer_provider.get_tracer("test"))
            request = asyncio.create_task(Call().run(app))
            await started.wait()
            request.cancel()
            await asyncio.wait([request])

        asyncio.run(hang_up())
        span = self.the_span()
        assert span.status.status_code is StatusCode.UNSET
        assert exceptions(span) == []

    def test_nothing_is_inherited_from_the_server_and_nothing_is_left_behind(self):
        async def serve() -> None:
            tracer = self.tracer_provider.get_tracer("test")
            token = attach(set_baggage("user.id", "someone else"))
            try:
                with tracer.start_as_current_span("of the server"):
                    before = get_current()
                    await Call(method="GET", path="/status/200").run(self.app())
                    assert get_current() == before
            finally:
                detach(token)

        contextvars.Context().run(lambda: asyncio.run(serve()))
        server, _ = self.memory_exporter.get_finished_spans()
        assert server.parent is None
        assert "user.id" not in server.attributes

    def test_only_requests_have_a_span(self):
        seen: list[str] = []

        async def note(scope: Scope, _receive: Receive, _send: Send) -> None:
            seen.append(scope["type"])

        app = ServerSpans(note, self.tracer_provider.get_tracer("test"))
        for kind in ("lifespan", "websocket"):
            asyncio.run(app({"type": kind}, None, None))
        assert seen == ["lifespan", "websocket"]
        assert not self.memory_exporter.get_finished_spans()
