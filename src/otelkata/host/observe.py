"""Observe a provider from inside its process: what it starts, ends, exports and logs.

Spans are serialised in `export`, at the moment in which they would leave: a filter that only runs
afterwards must not look as if it worked.
"""

import functools
import logging
import math
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from . import wire
from .channel import Channel
from .place import Places
from .wire import text

cause: ContextVar[tuple[str, int]] = ContextVar("cause", default=("", 0))
"""The request that is being handled in this context: the start that does, and the port from which
it came; 0: none is."""


DELAY = 0.5
"""Seconds that an exporter takes which was told to delay."""


class RecordingExporter(SpanExporter):
    """Hand every exported span to the driver; once armed, delay that, hang, fail or raise."""

    def __init__(self, start: str, channel: Channel) -> None:
        self._start = start
        self._channel = channel
        self.behaviour: wire.Behaviour = "collect"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Serialise `spans` as they are now."""
        if self.behaviour == "delay":
            time.sleep(DELAY)
        if self._collects:
            self._channel.observe(*(wire.Exported(self._start, serialise(span)) for span in spans))
            return SpanExportResult.SUCCESS
        self._misbehave()
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 (SDK interface)
        """Flush nothing: nothing is held back."""
        return self._collects or self._misbehave()

    def shutdown(self) -> None:
        """Release nothing: nothing is held."""
        if not self._collects:
            self._misbehave()

    @property
    def _collects(self) -> bool:
        return self.behaviour in {"collect", "delay"}

    def _misbehave(self) -> bool:
        if self.behaviour == "hang":
            threading.Event().wait()
        if self.behaviour == "raise":
            raise RuntimeError("the exporter failed: connection to the collector lost")
        return False


class SpanCounter(SpanProcessor):
    """Report starts and ends by id; the spans that are open are those not counted as ended."""

    def __init__(self, start: str, channel: Channel, places: Places) -> None:
        self._start = start
        self._channel = channel
        self._places = places
        self._open: set[str] = set()
        self._changed = threading.Condition()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Count a start, with the request and the line of code that caused it."""
        context = span.get_span_context()
        if context is None:
            return
        span_id = trace.format_span_id(context.span_id)
        handler, port = cause.get()
        path, line = self._places.of_frame(sys._getframe(1))  # noqa: SLF001 (no public equal)
        with self._changed:
            self._open.add(span_id)
        self._channel.observe(
            wire.Started(
                start=self._start,
                trace_id=trace.format_trace_id(context.trace_id),
                span_id=span_id,
                parent_id=trace.format_span_id(span.parent.span_id) if span.parent else None,
                kind=span.kind.name,
                name=text(span.name),
                time_ns=span.start_time or time.time_ns(),
                handler=handler,
                cause=port,
                scope=text(span.instrumentation_scope.name) if span.instrumentation_scope else "",
                path=path,
                line=line,
            )
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Count an end."""
        context = span.get_span_context()
        if context is None:
            return
        span_id = trace.format_span_id(context.span_id)
        self._channel.observe(wire.Ended(self._start, span_id, span.end_time or time.time_ns()))
        with self._changed:
            self._open.discard(span_id)
            self._changed.notify_all()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 (SDK interface)
        """Succeed: nothing is held back. Older SDKs take a missing answer for a failure."""
        return True

    def wait_until_none_is_open(self, seconds: float) -> bool:
        """Wait until every started span has ended; False when `seconds` went by before."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout=seconds)


class LogObserver(logging.Handler):
    """Pass on the warnings of the OpenTelemetry libraries, which tell of misuse."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(level=logging.WARNING)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Report one warning and the request in which it was logged."""
        context = trace.get_current_span().get_span_context()
        self._channel.observe(
            wire.Logged(
                logger=record.name,
                message=text(record.getMessage()),
                trace_id=trace.format_trace_id(context.trace_id) if context.is_valid else "",
                cause=cause.get()[1],
            )
        )


def observe_queries(channel: Channel) -> None:
    """Report the statements of every SQLite connection that is opened from now on."""
    # An audit hook would do without a patch, but in Python 3.11 and 3.12 it is called with a
    # connection that is not ready yet.
    connect = sqlite3.connect

    def report(statement: str) -> None:
        channel.observe(wire.Query(*cause.get(), text(statement)))

    @functools.wraps(connect)
    def observed(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(report)
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = observed  # type: ignore[assignment]


def serialise(span: ReadableSpan) -> wire.Span:
    """Return `span` as plain data, with texts cut at `TEXT_LIMIT` characters."""
    context = span.get_span_context()
    return wire.Span(
        trace_id=trace.format_trace_id(context.trace_id) if context else "",
        span_id=trace.format_span_id(context.span_id) if context else "",
        parent_id=trace.format_span_id(span.parent.span_id) if span.parent else None,
        kind=span.kind.name,
        name=text(span.name),
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        status=span.status.status_code.name,
        status_message=text(span.status.description or ""),
        attributes=attributes(span.attributes),
        events=[
            wire.Event(text(event.name), event.timestamp, attributes(event.attributes))
            for event in span.events
        ],
        links=[
            wire.Link(
                trace.format_trace_id(link.context.trace_id),
                trace.format_span_id(link.context.span_id),
                attributes(link.attributes),
            )
            for link in span.links
        ],
        resource=attributes(span.resource.attributes),
        scope=text(span.instrumentation_scope.name) if span.instrumentation_scope else "",
    )


def attributes(values: Mapping[str, Any] | None) -> wire.Attributes:
    """Return attributes as JSON can carry them."""
    return {text(key): _value(value) for key, value in (values or {}).items()}


def _value(value: object) -> wire.Value:
    if isinstance(value, (list, tuple)):
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> wire.Scalar:
    if isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    return text(value)
