"""Receive OTLP over HTTP as a collector does, and hang like one where asked to.

Each host exports to a path of its own, so that what arrives names its sender.
Protocol: OTLP specification 1.x, section OTLP/HTTP, binary protobuf.
"""

import asyncio
import math
import zlib
from collections.abc import Callable, Collection, Iterable

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from otelkata.deploy.network import Network, OwnNetwork
from otelkata.evidence.model import Delivery, ExportedSpan
from otelkata.host.wire import TEXT_LIMIT, Attributes, Event, Link, Scalar, Span, Value

from .http import HOST, Connection, Request, Response, listen, port_of

UNPACKED_LIMIT = 4 * 1024 * 1024
SPANS_LIMIT = 20_000
"""Most spans, and deliveries, of a run; an honest submission stays below a tenth of it."""

PARTS_LIMIT = 200_000
"""Most attributes, values, events and links of them all; an empty one takes two bytes to send, and
a hundred times as much as an object."""

BYTES_LIMIT = 32 * 1024 * 1024
"""Most bytes, unpacked, of all that a run exports."""

_ANY_HEADER = 32
"""Added to the window size, it lets zlib read gzip and deflate headers."""

_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}
_PROTOBUF = "application/x-protobuf"
_PREFIX = "SPAN_KIND_"


class Collector:
    """A receiver of traces: what arrived, from which host, over which protocol.

    Requests that could be read are shown to `pass_on` as well.
    """

    def __init__(self, pass_on: Callable[[Request], None] = lambda _: None) -> None:
        self._pass_on = pass_on
        self.spans: list[ExportedSpan] = []
        self.deliveries: list[Delivery] = []
        self._bytes = 0
        self._parts = 0
        self._network: Network = OwnNetwork()
        self._hanging: set[str] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def open(self, network: Network | None = None) -> None:
        """Begin to listen."""
        self._network = network or self._network
        self._server = await listen(self._receive, self._network)
        self._port = port_of(self._server)

    def endpoint(self, host: str) -> str:
        """Return the value of OTEL_EXPORTER_OTLP_ENDPOINT for the host `host`."""
        return f"http://{HOST}:{self._port}/{host}"

    def hang(self, host: str) -> None:
        """Answer the requests of `host` no more."""
        self._hanging.add(host)

    def forget(self, before_ns: int) -> None:
        """Drop spans that began before a moment, and begin to count anew."""
        self.spans = [exported for exported in self.spans if exported.span.start_ns >= before_ns]
        self.deliveries = []
        self._bytes = self._parts = 0

    def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    async def _receive(self, connection: Connection, request: Request) -> None:
        if excess := self._excess():
            self._network.exceed(excess)
            connection.reset()
            return
        if request.method == "PRI":
            self.deliveries.append(Delivery("", "grpc", 0))
            connection.reset()
            return
        host, _, signal = request.target.lstrip("/").partition("/")
        if host in self._hanging:
            await asyncio.Event().wait()
        if signal != "v1/traces":
            connection.answer(Response(404, [], b""))
            return
        protocol = _content_type(request)
        if protocol != _PROTOBUF:
            self.deliveries.append(Delivery(host, protocol, 0))
            connection.answer(Response(415, [], b""))
            return
        try:
            body = _body(request)
            self._bytes += len(body)
            spans = list(self._spans(body))
        except (DecodeError, ValueError, zlib.error):
            self.deliveries.append(Delivery(host, "unreadable", 0))
            connection.answer(Response(400, [], b""))
            return
        self.deliveries.append(Delivery(host, "http/protobuf", len(spans)))
        self.spans += [ExportedSpan("", host, span) for span in spans]
        self._pass_on(request)
        answer = ExportTraceServiceResponse().SerializeToString()
        connection.answer(Response(200, [("Content-Type", _PROTOBUF)], answer))

    def _spans(self, body: bytes) -> Iterable[Span]:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            self._count(resource_spans.resource.attributes)
            resource = _attributes(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                self._count(())
                for span in scope_spans.spans:
                    self._count(span.attributes)
                    for pairs in _parts(span):
                        self._count(pairs)
                    yield _span(span, resource, scope_spans.scope.name)

    def _count(self, pairs: Collection[KeyValue]) -> None:
        # Before any of it becomes an object.
        self._parts += 1 + len(pairs) + sum(len(pair.value.array_value.values) for pair in pairs)
        if self._parts > PARTS_LIMIT:
            raise ValueError("there is no end to its spans")

    def _excess(self) -> str:
        if max(len(self.spans), len(self.deliveries)) >= SPANS_LIMIT:
            return f"it exported more than {SPANS_LIMIT} spans"
        if self._parts > PARTS_LIMIT:
            return f"it exported spans with more than {PARTS_LIMIT} attributes, events and links"
        if self._bytes >= BYTES_LIMIT:
            return f"it exported more than {BYTES_LIMIT // 2**20} MiB"
        return ""


def _content_type(request: Request) -> str:
    for name, value in request.headers:
        if name.lower() == "content-type":
            return value.partition(";")[0].strip()
    return ""


def _body(request: Request) -> bytes:
    encodings = [value for name, value in request.headers if name.lower() == "content-encoding"]
    if not set(encodings) & {"gzip", "deflate"}:
        return request.body
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | _ANY_HEADER)
    body = unpacking.decompress(request.body, UNPACKED_LIMIT)
    if unpacking.unconsumed_tail:
        raise ValueError(f"the body unpacks to more than {UNPACKED_LIMIT} bytes")
    return body


def _parts(span: trace_pb2.Span) -> Iterable[Collection[KeyValue]]:
    yield from (event.attributes for event in span.events)
    yield from (link.attributes for link in span.links)


def _span(span: trace_pb2.Span, resource: Attributes, scope: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix(_PREFIX),
        name=span.name[:TEXT_LIMIT],
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=_STATUS.get(span.status.code, "UNSET"),
        status_message=span.status.message[:TEXT_LIMIT],
        attributes=_attributes(span.attributes),
        events=[
            Event(event.name[:TEXT_LIMIT], event.time_unix_nano, _attributes(event.attributes))
            for event in span.events
        ],
        links=[
            Link(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes))
            for link in span.links
        ],
        resource=resource,
        scope=scope[:TEXT_LIMIT],
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key[:TEXT_LIMIT]: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    if value.WhichOneof("value") == "array_value":
        return [_scalar(item) for item in value.array_value.values]
    return _scalar(value)


def _scalar(value: AnyValue) -> Scalar:
    kind = value.WhichOneof("value")
    if kind == "bool_value":
        return value.bool_value
    if kind == "int_value":
        return value.int_value
    if kind == "double_value" and math.isfinite(value.double_value):
        return value.double_value
    text = value.string_value if kind == "string_value" else str(value).strip()
    return text[:TEXT_LIMIT]
