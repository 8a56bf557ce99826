"""What a long session drops, so that limits made for a grading hold for what is under way."""

import asyncio

import pytest

from otelkata.deploy import network
from otelkata.deploy.link import Observations
from otelkata.deploy.network import OwnNetwork
from otelkata.drive import record
from otelkata.drive.collector import Collector
from otelkata.drive.record import Record, TooMany
from otelkata.evidence.model import Delivery, ExportedSpan
from otelkata.host import wire

NOON = 1_000


def span(span_id: str, start_ns: int) -> ExportedSpan:
    attributes: wire.Attributes = {}
    data = wire.Span(
        trace_id="0" * 32,
        span_id=span_id,
        parent_id=None,
        kind="SERVER",
        name="",
        start_ns=start_ns,
        end_ns=start_ns,
        status="UNSET",
        status_message="",
        attributes=attributes,
        events=[],
        links=[],
        resource=attributes,
        scope="",
    )
    return ExportedSpan("", "gateway", data)


def started(span_id: str, time_ns: int) -> wire.Started:
    return wire.Started(
        "gateway", "0" * 32, span_id, None, "SERVER", "", time_ns, "gateway", 1, "", "", 0
    )


def test_observations_keep_what_belongs_to_spans_that_began_since() -> None:
    seen = Observations()
    for span_id, at in (("old", NOON - 1), ("new", NOON)):
        seen.started.append(started(span_id, at))
        # What began before may end after.
        seen.ended.append(wire.Ended("gateway", span_id, NOON + 1))
        seen.spans.append(span(span_id, at))
    seen.queries.append(wire.Query("inventory", 1, "SELECT"))
    seen.bytes, seen.reports = 10, 4
    seen.forget(NOON)
    assert [s.span_id for s in seen.started] == ["new"]
    assert [e.span_id for e in seen.ended] == ["new"]
    assert [s.span.span_id for s in seen.spans] == ["new"]
    assert (seen.queries, seen.bytes, seen.reports) == ([], 0, 0)


def test_a_record_keeps_what_is_under_way() -> None:
    kept = Record()
    numbers = {}
    for name, ended_ns in (("over", NOON - 1), ("since", NOON), ("under way", 0)):
        draft = kept.note("client>gateway", "")
        draft.ended_ns, numbers[draft.number] = ended_ns, name
    kept.forget(NOON)
    assert [numbers[exchange.number] for exchange in kept] == ["since", "under way"]


def test_a_record_takes_more_when_it_has_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "EXCHANGES_LIMIT", 2)
    kept = Record()
    for _ in range(2):
        kept.finish(kept.begin("gateway>inventory", "gateway"))
    with pytest.raises(TooMany):
        kept.begin("gateway>inventory", "gateway")
    kept.forget(2**63)
    kept.begin("gateway>inventory", "gateway")


def test_a_collector_drops_spans_and_deliveries() -> None:
    async def forget() -> Collector:
        collector = Collector()
        collector.spans = [span("old", NOON - 1), span("new", NOON)]
        collector.deliveries = [Delivery("gateway", "http/protobuf", 2)]
        collector.forget(NOON)
        return collector

    collector = asyncio.run(forget())
    assert [exported.span.span_id for exported in collector.spans] == ["new"]
    assert collector.deliveries == []


def test_a_network_counts_anew_but_for_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "CONNECTIONS_TOTAL", 2)
    monkeypatch.setattr(network, "CONNECTIONS_LIMIT", 2)
    counted = OwnNetwork()
    for _ in range(2):
        assert counted.enter()
    counted.leave()
    counted.renew()
    assert counted.enter()
    assert not counted.enter(), "three are open at a time"
