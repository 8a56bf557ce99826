"""The start of a tracer, and its end in bounded time."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from checkout import create_gateway, create_inventory, create_payment, init_tracer, shutdown_tracer
from checkout.application import SHUTDOWN_SECONDS
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.test.test_base import TestBase
from starlette.types import ASGIApp, Message

HANGS = threading.Event()  # is never set


def hang(*_arguments: object) -> bool:
    """Hang for as long as the process runs."""
    return HANGS.wait()


def fail(*_arguments: object) -> SpanExportResult:
    """Report a failure."""
    return SpanExportResult.FAILURE


def crash(*_arguments: object) -> SpanExportResult:
    """Raise what no exporter should."""
    raise OSError("no route to the collector")


def made(**methods: object) -> SpanExporter:
    """An exporter that is sound but for the methods given."""
    return type("Exporter", (InMemorySpanExporter,), methods)()


# An exporter, whether a span is pending, and whether all was exported.
SHUTDOWNS = [
    ("sound", {}, True, True),
    ("nothing pending", {"export": crash}, False, True),
    ("export fails", {"export": fail}, True, False),
    ("export raises", {"export": crash}, True, False),
    ("shutdown raises", {"shutdown": crash}, True, False),
    ("export hangs", {"export": hang}, True, False),
    ("shutdown hangs", {"shutdown": hang}, True, False),
    ("all hangs", {"export": hang, "shutdown": hang, "force_flush": hang}, True, False),
]

EXIT = """
import sys
import threading
sys.path.insert(0, {path!r})
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from checkout import init_tracer, shutdown_tracer

def hang(*_):
    threading.Event().wait()

hangs = dict(export=hang, shutdown=hang, force_flush=hang)
exporter = type("Hanging", (InMemorySpanExporter,), hangs)()
provider = init_tracer("shop", "1", exporter=exporter)
provider.get_tracer("test").start_span("pending").end()
print(shutdown_tracer(provider, 0.1), shutdown_tracer(provider, 0.1))
"""


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Receive OTLP over HTTP."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def live(app: ASGIApp) -> list[str]:
    """Start and stop an application."""
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Message:
        return next(events)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    return sent


class TestTracer(TestBase):
    def test_shutdown_tells_whether_all_was_exported(self):
        for name, methods, pending, exported in SHUTDOWNS:
            with self.subTest(name), self.disable_logging():
                exporter = made(**methods)
                provider = init_tracer("shop", "1", exporter=exporter)
                if pending:
                    provider.get_tracer("test").start_span("pending").end()
                timeout = 0.1 if hang in methods.values() else 60
                assert shutdown_tracer(provider, timeout) is exported
                if exported and pending:
                    assert [span.name for span in exporter.get_finished_spans()] == ["pending"]

    def test_an_earlier_failure_is_not_forgotten(self):
        with self.disable_logging():
            provider = init_tracer("shop", "1", exporter=made(export=fail))
            provider.get_tracer("test").start_span("lost").end()
            provider.force_flush()
            assert shutdown_tracer(provider, 60) is False

    def test_a_second_shutdown_does_no_harm(self):
        provider = init_tracer("shop", "1", exporter=made())
        assert [shutdown_tracer(provider, 60) for _ in range(2)] == [True, True]

    def test_a_process_exits_although_its_exporter_hangs(self):
        code = EXIT.format(path=str(Path(__file__).parents[1]))
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        assert run.stdout == "False False\n"

    def test_each_provider_is_its_own_and_none_is_global(self):
        exporters = [made(), made()]
        providers = [init_tracer("shop", "1", exporter=exporter) for exporter in exporters]
        providers[0].get_tracer("test").start_span("one").end()
        for provider in providers:
            assert shutdown_tracer(provider, 60)
        assert [len(exporter.get_finished_spans()) for exporter in exporters] == [1, 0]
        assert not self.memory_exporter.get_finished_spans()

    def test_personal_data_is_not_exported(self):
        exporter = made()
        provider = init_tracer("shop", "1", exporter=exporter)
        provider.get_tracer("test").start_span("mail to jane@example.com").end()
        assert shutdown_tracer(provider, 60)
        assert [span.name for span in exporter.get_finished_spans()] == ["mail to [redacted]"]

    def test_the_resource_names_the_service_and_takes_the_rest_from_the_environment(self):
        environment = {
            "OTEL_SERVICE_NAME": "other",
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=0,team=checkout",
        }
        with patch.dict("os.environ", environment):
            attributes = init_tracer("shop", "1.2.3", exporter=made()).resource.attributes
        assert attributes["service.name"] == "shop"
        assert attributes["service.version"] == "1.2.3"
        assert attributes["team"] == "checkout"

    def test_the_environment_decides_what_is_sampled(self):
        for sampler, exported in (("always_on", 1), ("always_off", 0)):
            with self.subTest(sampler), patch.dict("os.environ", OTEL_TRACES_SAMPLER=sampler):
                exporter = made()
                provider = init_tracer("shop", "1", exporter=exporter)
                provider.get_tracer("test").start_span("s").end()
                assert shutdown_tracer(provider, 60)
                assert len(exporter.get_finished_spans()) == exported

    def test_without_an_exporter_spans_go_where_the_environment_says(self):
        with collector() as (url, received):
            with patch.dict("os.environ", OTEL_EXPORTER_OTLP_ENDPOINT=url):
                provider = init_tracer("shop", "1")
            provider.get_tracer("test").start_span("s").end()
            assert shutdown_tracer(provider, 60)
        (request,) = received
        assert request.resource_spans[0].scope_spans[0].spans[0].name == "s"

    def test_every_service_shuts_its_tracer_down_with_its_lifespan(self):
        services = {
            "gateway": lambda p: create_gateway(
                p, inventory_url="http://a", payment_url="http://b"
            ),
            "inventory": lambda p: create_inventory(p, database="stock.db"),
            "payment": lambda p: create_payment(p, processor_url="http://c"),
        }
        for name, create in services.items():
            with self.subTest(name):
                exporter = made()
                provider = init_tracer(name, "1", exporter=exporter)
                provider.get_tracer("test").start_span("pending").end()
                assert live(create(provider)) == [
                    "lifespan.startup.complete",
                    "lifespan.shutdown.complete",
                ]
                assert len(exporter.get_finished_spans()) == 1
                assert exporter._stopped
        assert 5 <= SHUTDOWN_SECONDS <= 10
