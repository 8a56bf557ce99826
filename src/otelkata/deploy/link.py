"""Listen to the hosts: what they report becomes observations, what they are asked is answered."""

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

import msgspec

from otelkata.evidence.model import ExportedSpan
from otelkata.host import wire

from .network import Network

BYTES_LIMIT = 32 * 1024 * 1024
"""Most that all hosts of a run may report, in bytes; honest ones stay below a tenth of it."""

REPORTS_LIMIT = 100_000
"""Most reports of all hosts of a run; honest ones stay below a tenth of it."""

LINE_LIMIT = 8 * 1024 * 1024
"""Longest report, in bytes: a span whose every text is as long as texts may be is shorter."""

STRANGER_LIMIT = 4096
"""Most that may come, in bytes, before a host has said which one it is."""

ASK_LIMIT = 30.0
"""Longest time, in seconds, that a host may take over a command that names no time of its own."""

CommandT = TypeVar("CommandT", bound=wire.Command)


class HostGone(Exception):
    """The host's process has ended, or its channel was closed, before it answered."""


@dataclass(slots=True)
class Observations:
    """What all hosts have reported so far."""

    started: list[wire.Started] = field(default_factory=list)
    ended: list[wire.Ended] = field(default_factory=list)
    spans: list[ExportedSpan] = field(default_factory=list)
    queries: list[wire.Query] = field(default_factory=list)
    logs: list[wire.Logged] = field(default_factory=list)
    problems: list[wire.Problem] = field(default_factory=list)
    bytes: int = 0
    reports: int = 0

    def forget(self, before_ns: int) -> None:
        """Drop what was seen before a moment, and begin to count anew."""
        self.started = [started for started in self.started if started.time_ns >= before_ns]
        kept = {started.span_id for started in self.started}
        self.ended = [ended for ended in self.ended if ended.span_id in kept]
        self.spans = [exported for exported in self.spans if exported.span.span_id in kept]
        self.queries, self.logs = [], []
        self.bytes = self.reports = 0

    def excess(self) -> str:
        """Return what there is too much of, if there is."""
        if self.bytes > BYTES_LIMIT:
            return f"more than {BYTES_LIMIT // 2**20} MiB of observations"
        return f"more than {REPORTS_LIMIT} observations" if self.reports > REPORTS_LIMIT else ""


class Host:
    """The driver's side of one host."""

    def __init__(self, name: str, observations: Observations) -> None:
        self.name = name
        self.python = ""
        self.output = ""
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._observations = observations
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[wire.Reply]] = {}
        self._transport: asyncio.Transport | None = None
        self.gone = False

    async def ask(
        self, command: type[CommandT], limit: float = ASK_LIMIT, **fields: object
    ) -> wire.Reply:
        """Send a command and return the host's reply.

        Raises HostGone where none can come, TimeoutError where none came within `limit` seconds.
        """
        async with asyncio.timeout(limit):
            return await self._ask(command, fields)

    async def _ask(self, command: type[CommandT], fields: Mapping[str, object]) -> wire.Reply:
        await asyncio.shield(self.joined)
        if self.gone or self._transport is None or self._transport.is_closing():
            raise HostGone(self.name)
        number = next(self._requests)
        waiting: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._transport.write(wire.encode(command(number, **fields)))  # type: ignore[arg-type]
            reply = await waiting
        finally:
            self._waiting.pop(number, None)
        if not wire.fits(command, reply):
            self.disobey("an answer of another kind than it was asked for")
            raise HostGone(self.name)
        return reply

    def join(self, hello: wire.Hello, transport: asyncio.Transport) -> None:
        """Take the connection that the host has opened."""
        self._transport = transport
        self.python = hello.python.split(" ")[0]
        if not self.joined.done():
            self.joined.set_result(None)

    def hear(self, report: wire.Report) -> None:
        """Take in one report."""
        seen = self._observations
        match report:
            case wire.Started():
                seen.started.append(report)
            case wire.Ended():
                seen.ended.append(report)
            case wire.Exported():
                seen.spans.append(ExportedSpan(report.start, self.name, report.span))
            case wire.Query():
                seen.queries.append(report)
            case wire.Logged():
                seen.logs.append(report)
            case wire.Problem():
                seen.problems.append(report)
            case wire.Reply():
                waiting = self._waiting.get(report.request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(report)
            case _:
                pass

    def exit(self, status: int, output: str = "") -> None:
        """Note that its process has ended, with this status and after these words."""
        if not self.exited.done():
            self.output = output
            self.exited.set_result(status)
        self.leave()

    def fail(self, error: Exception) -> None:
        """Fail whoever waits for a host that cannot come to be."""
        if not self.joined.done():
            self.joined.set_exception(error)
            self.joined.exception()

    def leave(self) -> None:
        """Fail what still waits: the host has gone."""
        self.gone = True
        if not self.joined.done():
            self.joined.set_exception(HostGone(self.name))
            self.joined.exception()
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(HostGone(self.name))

    def disobey(self, what: str) -> None:
        """Close the channel of a host that reports what no host of ours would."""
        message = f"the process sent the grader {what}; it was cut off"
        problem = wire.Problem("", "", "report", message, "", 0)
        if problem not in self._observations.problems:
            self._observations.problems.append(problem)
        if self._transport is not None:
            self._transport.abort()


class Exchange:
    """The place where hosts call in, each with the token that it was given."""

    def __init__(self, observations: Observations) -> None:
        self._observations = observations
        self._hosts: dict[str, Host] = {}
        self._server: asyncio.Server | None = None
        self.token = secrets.token_hex(16)
        self.port = 0

    async def open(self, network: Network) -> None:
        """Begin to listen where hosts are."""
        loop = asyncio.get_running_loop()
        listener = await network.stream()
        listener.bind(("127.0.0.1", 0))
        self._server = await loop.create_server(lambda: _Line(self, network), sock=listener)
        self.port = listener.getsockname()[1]

    @property
    def observations(self) -> Observations:
        """Return what all hosts have reported."""
        return self._observations

    def expect(self, name: str) -> Host:
        """Return the handle of a host that is going to call in under `name`."""
        self._hosts[name] = Host(name, self._observations)
        return self._hosts[name]

    def host_of(self, hello: wire.Hello) -> Host | None:
        """Return whom `hello` comes from; None for a stranger."""
        if not secrets.compare_digest(hello.token, self.token):
            return None
        return self._hosts.get(hello.host)

    def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()


class _Line(asyncio.Protocol):
    # One host's connection: bytes to lines, lines to reports, every one checked against its type.

    def __init__(self, exchange: Exchange, network: Network) -> None:
        self._exchange = exchange
        self._network = network
        self._host: Host | None = None
        self._rest = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._network.enter():
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        seen = self._exchange.observations
        if not self._network.receive(len(data)):
            self._transport.abort()
            return
        if self._host is not None:
            seen.bytes += len(data)
        searched = len(self._rest)
        self._rest += data
        if b"\n" in data:
            self._take_lines(self._rest.rfind(b"\n", searched) + 1)
        if self._transport.is_closing():
            return
        if self._host is None and len(self._rest) > STRANGER_LIMIT:
            self._transport.abort()
        elif self._host is not None and len(self._rest) > LINE_LIMIT:
            self._host.disobey(f"a report of more than {LINE_LIMIT // 2**20} MiB")
        elif self._host is not None and (excess := seen.excess()):
            self._host.disobey(excess)

    def _take_lines(self, end: int) -> None:
        lines = bytes(self._rest[:end]).split(b"\n")
        del self._rest[:end]
        for line in lines[:-1]:
            if self._transport.is_closing():
                return
            self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's interface)
        self._network.leave()
        if self._host is not None:
            self._host.leave()

    def _take(self, line: bytes) -> None:
        name, _, payload = line.partition(b" ")
        try:
            decoder = _DECODERS[name.decode("ascii")]
            report = decoder.decode(payload)
        except (KeyError, RecursionError, UnicodeError, msgspec.MsgspecError):
            if self._host is not None:
                self._host.disobey("what is no observation")
            self._transport.abort()
            return
        if isinstance(report, wire.Hello):
            self._host = self._exchange.host_of(report)
            if self._host is None:
                self._transport.abort()
            else:
                self._host.join(report, self._transport)
        elif self._host is not None:
            self._exchange.observations.reports += 1
            self._host.hear(report)


_DECODERS: dict[str, msgspec.json.Decoder[wire.Report]] = {
    name: msgspec.json.Decoder(cls) for name, cls in wire.REPORTS.items()
}
