"""Show shutdowns that wait as long as an exporter hangs, and those that do not."""

from __future__ import annotations

import atexit
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http.server import HTTPServer
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from shop.orders import serve


def described(name: str, version: str) -> Resource:
    return Resource.create({"service.name": name, "service.version": version})


# ---------------- waits for the exporter


def faulty_function(provider: TracerProvider) -> None:
    provider.shutdown()  # expect: OTK406


def faulty_flush_first(provider: TracerProvider) -> None:
    provider.force_flush(5000)
    provider.shutdown()  # expect: OTK406


def faulty_lifespan(provider: TracerProvider) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        provider.shutdown()  # expect: OTK406

    return FastAPI(lifespan=lifespan)


def faulty_finally(name: str, version: str, exporter: SpanExporter) -> None:
    provider = TracerProvider(resource=described(name, version))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        serve(provider)
    finally:
        provider.shutdown()  # expect: OTK406


@contextmanager
def faulty_context_manager(name: str, version: str) -> Iterator[TracerProvider]:
    provider = TracerProvider(resource=described(name, version))
    try:
        yield provider
    finally:
        provider.shutdown()  # expect: OTK406


class FaultyMethod:
    """A set-up that closes what it opened."""

    def __init__(self, name: str, version: str) -> None:
        self._provider = TracerProvider(resource=described(name, version))

    def close(self) -> None:
        self._provider.shutdown()  # expect: OTK406


def faulty_processor(exporter: SpanExporter) -> None:
    processor = BatchSpanProcessor(exporter)
    processor.force_flush()
    processor.shutdown()  # expect: OTK406


def faulty_processor_of_the_caller(processor: BatchSpanProcessor) -> bool:
    processor.shutdown()  # expect: OTK406
    return True


def faulty_lambda_at_exit(provider: TracerProvider) -> None:
    atexit.register(lambda: provider.shutdown())  # expect: OTK406


def faulty_signal_handler(provider: TracerProvider) -> None:
    def on_signal(_number: int, _frame: Any) -> None:
        provider.shutdown()  # expect: OTK406
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, on_signal)


def faulty_thread_that_is_no_daemon(provider: TracerProvider, timeout: float) -> None:
    def stop() -> None:
        provider.shutdown()  # expect: OTK406

    thread = threading.Thread(target=stop)
    thread.start()
    thread.join(timeout)


def faulty_join_without_a_timeout(provider: TracerProvider) -> None:
    def stop() -> None:
        provider.shutdown()  # expect: OTK406

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    thread.join()


# ---------------- bounded, or something else


def clean_daemon_thread(provider: TracerProvider, timeout: float) -> bool:
    thread = threading.Thread(target=provider.shutdown, daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


def clean_function_in_a_daemon_thread(provider: TracerProvider, timeout: float) -> bool:
    done: list[bool] = []

    def stop() -> None:
        provider.shutdown()
        done.append(True)

    thread = threading.Thread(target=stop, name="otel-shutdown", daemon=True)
    thread.start()
    thread.join(timeout=timeout)
    return bool(done)


def clean_lambda_in_a_daemon_thread(provider: TracerProvider, timeout: float) -> None:
    thread = threading.Thread(target=lambda: provider.shutdown(), daemon=True)
    thread.start()
    thread.join(timeout)


def clean_event_of_a_daemon_thread(provider: TracerProvider, timeout: float) -> bool:
    finished = threading.Event()

    def stop() -> None:
        try:
            provider.force_flush()
            provider.shutdown()
        finally:
            finished.set()

    threading.Thread(target=stop, daemon=True).start()
    return finished.wait(timeout)


class CleanMethod:
    """A set-up that closes in a thread which nobody has to wait for."""

    def __init__(self, name: str, version: str) -> None:
        self._provider = TracerProvider(resource=described(name, version), shutdown_on_exit=False)

    def close(self, timeout: float) -> None:
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(timeout)


class CleanWrapper(SpanProcessor):
    """A processor that passes everything on to another."""

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self._inner.on_end(span)

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


class CleanFanOut(SpanProcessor):
    """A processor that passes everything on to several."""

    def __init__(self, *processors: BatchSpanProcessor) -> None:
        self._processors = processors

    def shutdown(self) -> None:
        for processor in self._processors:
            processor.shutdown()


class CleanProcessor(BatchSpanProcessor):
    """A processor that says when it is done."""

    def shutdown(self) -> None:
        super().shutdown()
        logging.getLogger(__name__).info("spans are out")


def clean_metrics(provider: MeterProvider) -> None:
    provider.shutdown(timeout_millis=5000)


def clean_executor(executor: ThreadPoolExecutor) -> None:
    executor.shutdown(wait=False)


def clean_server(server: HTTPServer) -> None:
    server.shutdown()


def clean_socket(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def clean_logging() -> None:
    logging.shutdown()


def clean_shutdown_of_the_caller(shutdown: Callable[[float], bool]) -> bool:
    return shutdown(5.0)


def clean_tracer_is_no_provider(name: str) -> trace.Tracer:
    return trace.get_tracer(name)
