"""Hosts are listened to with suspicion: only theirs is heard, and silence ends when they go."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from event_loop import in_event_loop, until

from otelkata.deploy import link
from otelkata.deploy import network as network_module
from otelkata.deploy.link import Exchange, Host, HostGone, Observations
from otelkata.deploy.network import OwnNetwork
from otelkata.drive.http import HOST
from otelkata.host import wire

ENDED = wire.Ended("gateway.main", "0" * 16, 1)


@dataclass
class Room:
    exchange: Exchange
    port: int
    seen: Observations
    host: Host
    network: OwnNetwork

    def hello(self, token: str = "", name: str = "main") -> bytes:
        return wire.encode(wire.Hello(name, token or self.exchange.token, 7, "3.14.0 (main)"))

    async def call_in(self, *lines: bytes) -> "Caller":
        caller = Caller(*await asyncio.open_connection(HOST, self.port))
        caller.writer.write(b"".join(lines))
        return caller


@dataclass
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def is_cut_off(self) -> None:
        """Wait until the other side has closed."""
        with contextlib.suppress(ConnectionResetError):
            assert await self.reader.read() == b""
        self.writer.close()


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    seen = Observations()
    exchange = Exchange(seen)
    network = OwnNetwork()
    await exchange.open(network)
    yield Room(exchange, exchange.port, seen, exchange.expect("main"), network)
    exchange.close()


@in_event_loop
async def test_what_a_host_reports_is_observed() -> None:
    logged = wire.Logged("opentelemetry", "no", "", 0)
    query = wire.Query("inventory.main", 5, "SELECT 1")
    problem = wire.Problem("", "", "import", "ImportError", "checkout.py", 1)
    reports: list[wire.Report] = [ENDED, logged, query, problem]
    async with room() as at:
        caller = await at.call_in(at.hello(), *(wire.encode(report) for report in reports))
        caller.writer.close()
        await at.host.joined
        await until(lambda: at.host.gone)
    assert [*at.seen.ended, *at.seen.logs, *at.seen.queries, *at.seen.problems] == reports
    assert at.host.python == "3.14.0"


@in_event_loop
async def test_a_report_may_arrive_in_pieces() -> None:
    async with room() as at:
        caller = await at.call_in()
        for byte in at.hello() + wire.encode(ENDED):
            caller.writer.write(bytes([byte]))
            await caller.writer.drain()
            await asyncio.sleep(0)
        await at.host.joined
        await until(lambda: at.seen.ended)
        caller.writer.close()
    assert at.seen.ended == [ENDED]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(lambda at: [at.hello(token="wrong")], id="a wrong token"),
        pytest.param(lambda at: [at.hello(token="\xe4")], id="a token that is no ASCII"),
        pytest.param(lambda at: [at.hello(name="another")], id="nobody that is expected"),
        pytest.param(lambda _: [wire.encode(ENDED), b"\n"], id="no word of welcome"),
        pytest.param(lambda _: [b"GET / HTTP/1.1\r\n\r\n"], id="HTTP"),
        pytest.param(lambda _: [b"\xff\xff {}\n"], id="no text"),
    ],
)
@in_event_loop
async def test_a_stranger_is_cut_off_and_not_heard(lines: "object") -> None:
    async with room() as at:
        caller = await at.call_in(*lines(at))  # type: ignore[operator]
        await caller.is_cut_off()
        assert at.seen == Observations()
        assert not at.host.joined.done()


@pytest.mark.parametrize(
    "line",
    [
        b"Unknown {}\n",
        b"Ended no JSON\n",
        b'Ended {"start": 1, "span_id": 2, "time_ns": "x"}\n',
        b"Ended\n",
        b"\n",
        wire.encode(wire.Leave(1)),
        b"Ended " + b"[" * 100_000 + b"\n",
    ],
)
@in_event_loop
async def test_a_host_that_reports_nonsense_is_cut_off_and_that_is_told(line: bytes) -> None:
    async with room() as at:
        caller = await at.call_in(at.hello(), line, wire.encode(ENDED))
        await caller.is_cut_off()
        await until(lambda: at.host.gone)
        assert [(p.stage, p.message) for p in at.seen.problems] == [
            ("report", "the process sent the grader what is no observation; it was cut off")
        ]
        assert at.seen.ended == []


@pytest.mark.parametrize(
    ("said", "limit"),
    [("hello", "BYTES_LIMIT"), ("hello", "LINE_LIMIT"), ("nothing", "BYTES_LIMIT")],
)
@in_event_loop
async def test_a_flood_is_cut_off(said: str, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a line never ends, and where nobody said who calls."""
    monkeypatch.setattr(link, limit, 100_000)
    async with room() as at:
        caller = await at.call_in(at.hello() if said == "hello" else b"")
        caller.writer.write(b"x" * 300_000)
        await caller.is_cut_off()
        assert len(at.seen.problems) == (said == "hello")


@in_event_loop
async def test_replies_find_who_asked_and_others_are_ignored() -> None:
    async with room() as at:
        caller = await at.call_in(at.hello())
        asking = [asyncio.ensure_future(at.host.ask(wire.Leave)) for _ in range(2)]
        commands = [wire.decode_command(await caller.reader.readline()) for _ in asking]
        for number in (99, commands[1].request, commands[0].request, commands[0].request):
            caller.writer.write(wire.encode(wire.Reply(number, ok=number == 1)))
        replies = await asyncio.gather(*asking)
        caller.writer.close()
    assert [reply.request for reply in replies] == [command.request for command in commands]


@in_event_loop
async def test_a_host_that_goes_fails_what_waits_and_what_comes() -> None:
    async with room() as at:
        caller = await at.call_in(at.hello())
        asking = asyncio.ensure_future(at.host.ask(wire.Leave))
        await caller.reader.readline()
        caller.writer.close()
        for waiting in (asking, at.host.ask(wire.Leave)):
            with pytest.raises(HostGone, match="main"):
                await waiting


@in_event_loop
async def test_a_host_that_goes_before_it_came_fails_what_waits() -> None:
    async with room() as at:
        asking = asyncio.ensure_future(at.host.ask(wire.Leave))
        await asyncio.sleep(0)
        at.host.leave()
        with pytest.raises(HostGone):
            await asking


@pytest.mark.parametrize(
    ("command", "values"),
    [
        (wire.Start, {}),
        (wire.Start, {"port": "80"}),
        (wire.Start, {"port": 65_536}),
        (wire.Start, {"port": -1}),
        (wire.Start, {"port": True}),
        (wire.Stop, {"took": "long"}),
        (wire.Stop, {"took": True}),
        (wire.Stop, {"took": -0.5}),
        (wire.ShutDown, {"returned": True, "raised": None}),
        (wire.ShutDown, {"returned": True, "raised": None, "took": 1.0, "line": "first"}),
        (wire.Where, {"path": "checkout.py", "line": 1}),
        (wire.Lingering, {"thread": None, "path": "", "line": 0}),
    ],
)
@in_event_loop
async def test_an_answer_of_another_kind_ends_the_channel(
    command: type[wire.Command], values: dict[str, wire.Scalar | None]
) -> None:
    async with room() as at:
        caller = await at.call_in(at.hello())
        fields: dict[str, Any] = dict.fromkeys(fields_of(command))
        asking = asyncio.ensure_future(at.host.ask(command, **fields))
        asked = wire.decode_command(await caller.reader.readline())
        caller.writer.write(wire.encode(wire.Reply(asked.request, ok=True, values=values)))
        with pytest.raises(HostGone):
            await asking
        await caller.is_cut_off()
        assert "an answer of another kind" in at.seen.problems[0].message


def fields_of(command: type[wire.Command]) -> list[str]:
    return [field.name for field in dataclasses.fields(command) if field.name != "request"]


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("CONNECTIONS_LIMIT", "it opened more than 2 connections at a time"),
        ("CONNECTIONS_TOTAL", "it opened more than 2 connections"),
        ("BYTES_LIMIT", "it sent the grader more than 0 MiB"),
    ],
)
@in_event_loop
async def test_who_takes_too_much_is_refused_from_then_on_and_that_is_told(
    limit: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, limit, 2)
    told: list[str] = []
    async with room() as at:
        at.network.on_excess = told.append
        callers = [await at.call_in(b"x") for _ in range(3)]
        await callers[2].is_cut_off()
        await (await at.call_in(at.hello())).is_cut_off()
        assert at.network.excess == reason
        for caller in callers[:2]:
            caller.writer.close()
    assert told == [reason]


@in_event_loop
async def test_a_report_that_is_nested_without_end_is_no_observation() -> None:
    async with room() as at:
        caller = await at.call_in(at.hello(), b'Ended {"more": ' + b"[" * 100_000 + b"\n")
        await caller.is_cut_off()
        assert [problem.stage for problem in at.seen.problems] == ["report"]
