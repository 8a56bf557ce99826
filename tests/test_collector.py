"""The collector: what the SDK's own exporter sends arrives whole, all else is on record."""

import asyncio
import gzip
import math
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from event_loop import in_event_loop
from evidence_builder import sound
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from otelkata.deploy.network import Network, OwnNetwork
from otelkata.drive import collector as collector_module
from otelkata.drive.collector import Collector
from otelkata.drive.http import HOST, Call, CallFailed, Request, Response
from otelkata.evidence import store
from otelkata.evidence.model import Delivery
from otelkata.host.observe import serialise
from otelkata.host.wire import TEXT_LIMIT

PROTOBUF = ("Content-Type", "application/x-protobuf")


@asynccontextmanager
async def collecting(network: Network | None = None) -> AsyncIterator[Collector]:
    collector = Collector()
    await collector.open(network)
    try:
        yield collector
    finally:
        collector.close()


def spans() -> list[ReadableSpan]:
    """Return a parent and a child that hold everything that a span can hold."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "gateway"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("checkout")
    with tracer.start_as_current_span("parent", kind=SpanKind.SERVER) as parent:
        link = Link(parent.get_span_context(), {"why": "test"})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[link]) as child:
            child.set_attribute("flag", True)
            child.set_attribute("int", -(2**62))
            child.set_attribute("float", 1.5)
            child.set_attribute("text", "ä" * 5)
            child.set_attribute("list", ["a", "b"])
            child.add_event("moment", {"n": 1})
            child.set_status(Status(StatusCode.ERROR, "it failed"))
    return [*exporter.get_finished_spans()]


def body_of(**attributes: object) -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, "span"
    for key, value in attributes.items():
        pair = span.attributes.add(key=key)
        if isinstance(value, bytes):
            pair.value.bytes_value = value
        elif isinstance(value, float):
            pair.value.double_value = value
        elif isinstance(value, dict):
            pair.value.kvlist_value.SetInParent()
        else:
            pair.value.string_value = str(value)
    return request.SerializeToString()


async def post(
    collector: Collector,
    body: bytes,
    *headers: tuple[str, str],
    host: str = "main",
    path: str = "/v1/traces",
) -> Response:
    port = int(collector.endpoint(host).split("/")[2].partition(":")[2])
    request = Request("POST", f"/{host}{path}", [*headers], body)
    return await Call(request, set()).send(port)


@pytest.mark.parametrize("compression", list(Compression))
@in_event_loop
async def test_what_the_sdk_exports_arrives_as_it_was(compression: Compression) -> None:
    async with collecting() as collector:
        exporter = OTLPSpanExporter(
            f"{collector.endpoint('main')}/v1/traces", compression=compression
        )
        sent = spans()
        assert await asyncio.to_thread(exporter.export, sent) is SpanExportResult.SUCCESS
        await asyncio.to_thread(exporter.shutdown)
    assert [exported.span for exported in collector.spans] == [serialise(s) for s in sent]
    assert {(e.start, e.host) for e in collector.spans} == {("", "main")}
    assert collector.deliveries == [Delivery("main", "http/protobuf", 2)]


@pytest.mark.parametrize(
    ("headers", "body", "status", "protocol"),
    [
        ([PROTOBUF], body_of(), 200, "http/protobuf"),
        ([("content-type", f"{PROTOBUF[1]}; charset=x")], body_of(), 200, "http/protobuf"),
        (
            [PROTOBUF, ("Content-Encoding", "gzip")],
            gzip.compress(body_of(), mtime=0),
            200,
            "http/protobuf",
        ),
        (
            [PROTOBUF, ("Content-Encoding", "deflate")],
            zlib.compress(body_of()),
            200,
            "http/protobuf",
        ),
        ([("Content-Type", "application/json")], b"{}", 415, "application/json"),
        ([], body_of(), 415, ""),
        ([PROTOBUF], b"\xff\xff no protobuf", 400, "unreadable"),
        ([PROTOBUF, ("Content-Encoding", "gzip")], body_of(), 400, "unreadable"),
        (
            [PROTOBUF, ("Content-Encoding", "gzip")],
            gzip.compress(b"x", mtime=0)[:-9],
            400,
            "unreadable",
        ),
        ([PROTOBUF, ("Content-Encoding", "deflate")], body_of(), 400, "unreadable"),
    ],
)
@in_event_loop
async def test_a_delivery_is_on_record_with_its_protocol(
    headers: list[tuple[str, str]], body: bytes, status: int, protocol: str
) -> None:
    async with collecting() as collector:
        assert (await post(collector, body, *headers)).status == status
    spans_read = 1 if status == 200 else 0
    assert collector.deliveries == [Delivery("main", protocol, spans_read)]
    assert len(collector.spans) == spans_read


@in_event_loop
async def test_other_signals_are_not_taken() -> None:
    async with collecting() as collector:
        assert (await post(collector, b"", PROTOBUF, path="/v1/metrics")).status == 404
    assert collector.deliveries == []


@pytest.mark.parametrize(
    ("limit", "statuses"),
    [("SPANS_LIMIT", [200, 200]), ("BYTES_LIMIT", [200]), ("PARTS_LIMIT", [400])],
)
@in_event_loop
async def test_there_is_an_end_to_what_is_taken(
    limit: str, statuses: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, limit, 2)
    network = OwnNetwork()
    async with collecting(network) as collector:
        answers = [await post(collector, body_of(), PROTOBUF) for _ in statuses]
        assert [answer.status for answer in answers] == statuses
        assert network.excess == ""
        with pytest.raises(CallFailed):
            await post(collector, body_of(), PROTOBUF)
    assert network.excess.startswith("it exported")


@in_event_loop
async def test_what_takes_little_to_send_is_counted_before_it_takes_much_to_keep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector_module, "PARTS_LIMIT", 1000)
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key="k").value.array_value.values.extend([AnyValue()] * 2000)
    async with collecting() as collector:
        answer = await post(collector, request.SerializeToString(), PROTOBUF)
    assert (answer.status, collector.spans) == (400, [])


@in_event_loop
async def test_grpc_is_on_record_and_reset() -> None:
    async with collecting() as collector:
        port = int(collector.endpoint("main").split("/")[2].partition(":")[2])
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
    assert collector.deliveries == [Delivery("", "grpc", 0)]


@in_event_loop
async def test_it_hangs_for_one_host_and_answers_the_others() -> None:
    async with collecting() as collector:
        collector.hang("stuck")
        waiting = asyncio.ensure_future(post(collector, body_of(), PROTOBUF, host="stuck"))
        assert (await post(collector, body_of(), PROTOBUF)).status == 200
        assert not waiting.done()
        waiting.cancel()
    assert [delivery.host for delivery in collector.deliveries] == ["main"]


@pytest.mark.parametrize(
    ("value", "claimed"),
    [
        ("x" * (TEXT_LIMIT + 1), "x" * TEXT_LIMIT),
        (b"\x00\xff", "bytes_value"),
        ({}, "kvlist_value"),
    ],
    ids=["long text", "bytes", "a map"],
)
@in_event_loop
async def test_values_that_spans_seldom_hold_become_text(value: object, claimed: str) -> None:
    async with collecting() as collector:
        await post(collector, body_of(key=value), PROTOBUF)
    assert claimed in str(collector.spans[0].span.attributes["key"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@in_event_loop
async def test_numbers_that_json_lacks_can_be_kept_as_evidence(value: float) -> None:
    async with collecting() as collector:
        await post(collector, body_of(key=value), PROTOBUF)
    evidence = sound()
    evidence.spans.extend(collector.spans)
    assert store.decode(store.encode(evidence)) == evidence


@in_event_loop
async def test_a_kind_that_does_not_exist_loses_no_delivery() -> None:
    request = ExportTraceServiceRequest.FromString(body_of())
    request.resource_spans[0].scope_spans[0].spans[0].kind = 99  # type: ignore[assignment]
    async with collecting() as collector:
        await post(collector, request.SerializeToString(), PROTOBUF)
    assert len(collector.deliveries) == 1


@in_event_loop
async def test_what_unpacks_to_too_much_is_unreadable() -> None:
    bomb = gzip.compress(body_of(key="x" * 64 * 1024 * 1024), mtime=0)
    async with collecting() as collector:
        response = await post(collector, bomb, PROTOBUF, ("Content-Encoding", "gzip"))
    assert response.status in {400, 413}
    assert [delivery.protocol for delivery in collector.deliveries] == ["unreadable"]
