"""Taps: each fault does what it says, over real sockets, and each request finds its case."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from event_loop import in_event_loop, until

from otelkata.deploy.network import OwnNetwork
from otelkata.drive import record as record_module
from otelkata.drive.fault import (
    Answer,
    Break,
    Fault,
    Forward,
    Hang,
    Hold,
    Meet,
    Notice,
    Reserve,
    StripHeaders,
    WriteRaw,
)
from otelkata.drive.gate import MeetingPoint
from otelkata.drive.http import (
    Call,
    CallFailed,
    Connection,
    Request,
    Response,
    listen,
    port_of,
)
from otelkata.drive.play import Play
from otelkata.drive.record import Record
from otelkata.drive.tap import Crossings, Tap, process_card
from otelkata.drive.values import NO_PARENT, Values
from otelkata.evidence.model import Case, Exchange, Hop
from otelkata.host.wire import TEXT_LIMIT

HOP: Hop = "gateway>inventory"
CONTEXT = [("traceparent", "00-a-b-01"), ("TraceState", "a=1"), ("baggage", "k=v")]
MARKS = Values(1).marks()
RESERVED = {"sku": MARKS.sku, "quantity": 3, "unit_price_cents": 1250}


def a_play(*faults: Fault, meeting: MeetingPoint | None = None, route: str = "") -> Play:
    case = Case(
        name="the case",
        title="a case",
        tags=[],
        entry="gateway",
        answers=[200],
        codes=[],
        inner={},
        marks=MARKS,
        parent=NO_PARENT,
        quantity=3,
        unit_price_cents=1250,
        baggage=False,
    )
    return Play(
        case=case,
        entry="gateway.main",
        request=Request("POST", "/checkout", [], b""),
        routes={HOP: route} if route else {},
        faults={HOP: faults} if faults else {},
        meeting=meeting,
    )


@dataclass
class Stage:
    """A tap before a callee that answers 200, and what both of them saw."""

    port: int = 0
    record: Record = field(default_factory=Record)
    network: OwnNetwork = field(default_factory=OwnNetwork)
    ports: dict[str, int] = field(default_factory=dict)
    reached: list[Request] = field(default_factory=list)

    async def send(self, body: object = None) -> Response:
        request = Request(
            "POST",
            "/reservations",
            [("Content-Type", "application/json"), *CONTEXT],
            json.dumps({"sku": MARKS.sku, "quantity": 3} if body is None else body).encode(),
        )
        return await Call(request, set()).send(self.port)

    @property
    def seen(self) -> list[Exchange]:
        return [*self.record]


@asynccontextmanager
async def staged(*plays: Play) -> AsyncIterator[Stage]:
    stage = Stage()

    async def answer(connection: Connection, request: Request) -> None:
        stage.reached.append(request)
        connection.answer(Response(200, [("X-From", "callee")], b"{}"))

    async def drop(connection: Connection, request: Request) -> None:
        stage.reached.append(request)
        connection.reset()

    callee, dropping = await listen(answer), await listen(drop)
    stage.ports |= {"inventory.main": port_of(callee), "inventory.dropping": port_of(dropping)}
    crossings = Crossings(stage.record, stage.ports, stage.network)
    for play in plays:
        crossings.expect(play)
    tap = Tap(crossings, HOP, "gateway.main", "inventory.main")
    stage.port = await tap.open()
    try:
        yield stage
    finally:
        tap.close()
        callee.close()
        dropping.close()


@pytest.mark.parametrize(
    ("fault", "status", "body", "outcome", "forwarded"),
    [
        (Forward(), 200, {}, "answered", True),
        (StripHeaders(), 200, {}, "answered", True),
        (Notice(), 200, {}, "answered", True),
        (Answer(503, '{"error": "no"}'), 503, {"error": "no"}, "answered", False),
        (Answer(200, "[]", readable=False), 200, [], "unreadable", False),
        (Reserve(), 200, RESERVED, "answered", False),
    ],
)
@in_event_loop
async def test_a_fault_that_answers(
    fault: Fault, status: int, body: object, outcome: str, *, forwarded: bool
) -> None:
    async with staged(a_play(fault)) as stage:
        response = await stage.send()
        (seen,) = stage.seen
    assert (response.status, json.loads(response.body)) == (status, body)
    assert (seen.case, seen.outcome, bool(stage.reached)) == ("the case", outcome, forwarded)
    assert seen.response is not None
    assert seen.response.status == status
    assert seen.received_ns <= seen.answered_ns <= seen.ended_ns


@pytest.mark.parametrize(
    ("fault", "reason", "outcome"),
    [
        (WriteRaw(b"\x15\x03no http\r\n\r\n"), "no HTTP", "unreadable"),
        (Break("before"), "closed before", "dropped_in_headers"),
        (Break("in_headers"), "closed before", "dropped_in_headers"),
        (Break("in_body"), "no HTTP|closed before", "dropped_in_body"),
    ],
)
@in_event_loop
async def test_a_fault_that_breaks_the_answer(fault: Fault, reason: str, outcome: str) -> None:
    async with staged(a_play(fault)) as stage:
        with pytest.raises(CallFailed, match=reason):
            await stage.send()
        (seen,) = stage.seen
    assert (seen.outcome, stage.reached) == (outcome, [])
    assert (seen.response is not None) == (outcome == "dropped_in_body")


@in_event_loop
async def test_what_hangs_is_noticed_and_recorded_as_timed_out_when_the_caller_leaves() -> None:
    play = a_play(Hang())
    async with staged(play) as stage:
        sending = asyncio.ensure_future(stage.send())
        await play.gate.reached.wait()
        sending.cancel()
        await until(lambda: stage.record._drafts[0].ended_ns)
        (seen,) = stage.seen
    assert (seen.outcome, seen.response, stage.reached) == ("timed_out", None, [])


@in_event_loop
async def test_what_is_held_goes_on_when_the_gate_opens() -> None:
    play = a_play(Hold())
    async with staged(play) as stage:
        sending = asyncio.ensure_future(stage.send())
        await play.gate.reached.wait()
        assert not stage.reached
        play.gate.release()
        assert (await sending).status == 200
    assert len(stage.reached) == 1


@in_event_loop
async def test_what_meets_goes_on_together() -> None:
    async with staged(a_play(Meet(), meeting=MeetingPoint(2, patience=60))) as stage:
        answers = await asyncio.gather(stage.send(), stage.send())
    assert [answer.status for answer in answers] == [200, 200]


@in_event_loop
async def test_stripped_headers_are_on_record_but_do_not_arrive() -> None:
    async with staged(a_play(StripHeaders())) as stage:
        await stage.send()
        (seen,) = stage.seen
    assert seen.request is not None
    assert {*CONTEXT} <= {*seen.request.headers}
    assert not {*CONTEXT} & {*stage.reached[0].headers}
    assert ("Content-Type", "application/json") in stage.reached[0].headers


@in_event_loop
async def test_faults_follow_each_other_and_the_last_one_stays() -> None:
    async with staged(a_play(Answer(503, "{}"), Answer(500, "{}"), Forward())) as stage:
        statuses = [(await stage.send()).status for _ in range(4)]
    assert statuses == [503, 500, 200, 200]


@in_event_loop
async def test_a_callee_that_drops_the_connection_is_passed_on_as_one() -> None:
    async with staged(a_play(route="inventory.dropping")) as stage:
        with pytest.raises(CallFailed, match="closed before"):
            await stage.send()
        (seen,) = stage.seen
    assert (seen.callee, seen.outcome) == ("inventory.dropping", "dropped_in_headers")
    assert len(stage.reached) == 1


@in_event_loop
async def test_a_callee_that_never_started_is_a_refused_connection() -> None:
    async with staged(a_play(route="inventory.missing")) as stage:
        with pytest.raises(CallFailed):
            await stage.send()
        (seen,) = stage.seen
    assert (seen.callee, seen.outcome) == ("inventory.missing", "refused")


@pytest.mark.parametrize(
    ("body", "case"),
    [
        ({"sku": MARKS.sku}, "the case"),
        ({"card_number": MARKS.card_number, "amount_cents": 1}, "the case"),
        ({"sku": "another", "card_number": MARKS.card_number}, "the case"),
        ({"sku": "another"}, ""),
        ({"sku": [MARKS.sku]}, ""),
        ([MARKS.sku], ""),
        (MARKS.sku, ""),
        ({}, ""),
    ],
)
@in_event_loop
async def test_a_request_belongs_to_the_case_whose_marks_it_carries(
    body: object, case: str
) -> None:
    async with staged(a_play(Answer(503, "{}"))) as stage:
        response = await stage.send(body)
        (seen,) = stage.seen
    assert seen.case == case
    # What belongs to no case is passed on as it is.
    assert response.status == (503 if case else 200)


@in_event_loop
async def test_a_flood_ends_with_a_reset_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_module, "EXCHANGES_LIMIT", 0)
    async with staged() as stage:
        with pytest.raises(CallFailed):
            await stage.send()
    assert (stage.reached, stage.network.excess) == ([], "it sent more than 0 requests")


@in_event_loop
async def test_of_a_body_that_is_nested_without_end_only_the_beginning_is_kept() -> None:
    async with staged() as stage:
        await Call(Request("POST", "/", [], b"[" * 500_000), set()).send(stage.port)
    [exchange] = stage.seen
    assert exchange.request is not None
    assert len(exchange.request.body) <= TEXT_LIMIT


@in_event_loop
async def test_how_deep_a_body_is_nested_is_no_fault_of_who_reads_it() -> None:
    """One that could just be read is read again further down, and written as well."""
    failures: list[BaseException] = []
    async with staged(a_play(Reserve())) as stage:
        stage.network.on_failure = failures.append
        for depth in range(800, 1000, 4):
            nested = b"[" * depth + b"]" * depth
            body = b'{"card_number": "%s", "sku": %s}' % (MARKS.card_number.encode(), nested)
            await Call(Request("POST", "/", [], body), set()).send(stage.port)
    assert failures == []


@in_event_loop
async def test_a_body_that_is_no_json_belongs_to_no_case() -> None:
    async with staged(a_play(Answer(503, "{}"))) as stage:
        request = Request("POST", "/", [], b'\xff{"sku": ')
        assert (await Call(request, set()).send(stage.port)).status == 200
        (seen,) = stage.seen
    assert seen.case == ""
    assert seen.request is not None
    assert seen.request.body == '\\xff{"sku": '


@pytest.mark.parametrize(
    ("target", "status", "key"),
    [("/authorizations", 200, "authorization_id"), ("/elsewhere", 404, "error")],
)
@in_event_loop
async def test_the_card_processor_authorises_every_card(target: str, status: int, key: str) -> None:
    processor = await listen(process_card)
    response = await Call(Request("POST", target, [], b"{}"), set()).send(port_of(processor))
    processor.close()
    assert response.status == status
    assert json.loads(response.body)[key]
