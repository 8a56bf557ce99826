"""Run the three services of one submission, each in a process of its own, and end them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from otelkata.deploy import source
from otelkata.deploy.interpreter import Launched
from otelkata.deploy.link import Exchange, Host, HostGone, Observations
from otelkata.deploy.network import widen
from otelkata.deploy.parent import Parent
from otelkata.deploy.scratch import Scratch
from otelkata.deploy.warm import Warm
from otelkata.drive.collector import Collector
from otelkata.drive.deployment import Deployment
from otelkata.drive.http import Request, listen, port_of
from otelkata.drive.plan import PlannedStart
from otelkata.drive.record import Record
from otelkata.drive.tap import Crossings, Tap, process_card
from otelkata.evidence.model import Hop
from otelkata.host import wire
from otelkata.host.wire import Problem

from .faults import Faults, FaultyTap, SlowQuery

PLAN = [
    PlannedStart("gateway.serve", "serve", "gateway", "gateway", "default", 5.0),
    PlannedStart(
        "inventory.serve", "serve", "inventory", "inventory", "default", database="locked"
    ),
    PlannedStart("payment.serve", "serve", "payment", "payment", "default", 2.0),
]
"""The time-outs are those that the contract allows: payment's is less than half of the gateway's.
"""

STOCK = {"tea": 1_000_000, "coffee": 1_000_000, "sold-out": 0}
"""How many there are of each thing that can be bought."""

VERSION = "1.0.0"
SETTLE_LIMIT = 1.0
"""Longest time, in seconds, that spans are waited for that have not ended with the answer."""

FLUSH_LIMIT = 3.0
STOP_LIMIT = 15.0
"""Longest time, in seconds, that a service may take to shut down: its tracer has up to ten."""

CONNECTIONS_KEPT = 5_000


class NotStarted(Exception):
    """The submission cannot be run; `problems` say why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("the submission cannot be run")
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a service ended: in how many seconds; None where that took too long."""

    service: str
    took: float | None


class Services:
    """Processes, hops, database and processor of one submission that runs."""

    def __init__(self, python: str, scratch: Scratch, pass_on: Callable[[Request], None]) -> None:
        self._warm = Warm(python)
        self._scratch = scratch
        self._ports: dict[str, int] = {}
        self._parent: Parent | None = None
        self._deployment: Deployment | None = None
        self._crossings: Crossings | None = None
        self._closers: list[Callable[[], None]] = []
        self.seen = Observations()
        self._exchange = Exchange(self.seen)
        self.collector = Collector(pass_on)
        self.record = Record()
        self.faults = Faults()
        self.isolation = ""
        self.on_failure: Callable[[BaseException], None] = lambda _: None

    @property
    def crossings(self) -> Crossings:
        """Return what leads to the services, once they have been started."""
        assert self._crossings is not None
        return self._crossings

    @property
    def deployment(self) -> Deployment:
        """Return the services, once they have been started."""
        assert self._deployment is not None
        return self._deployment

    async def start(
        self, submission: Path, environment: Mapping[str, str], launched: Launched | None
    ) -> None:
        """Start all three, with `environment` besides what hosts have anyway.

        Raises NotStarted where one does not come up, UnusableSubmission where there is nothing to
        run, ParentFailed where the interpreter can host nothing.
        """
        self._warm.open(launched)
        widen()
        parent = self._parent = Parent(self._warm, self._exchange, self._scratch.folder)
        copied = await asyncio.to_thread(source.copy, submission, self._scratch.folder)
        place = self._scratch.place(copied, lasts=True)
        in_force, _ = await asyncio.gather(parent.enclose(place), self._warm.compile(copied))
        self.isolation = in_force.words
        parent.network.on_failure = self.on_failure
        self._crossings = Crossings(self.record, self._ports, parent.network)
        await self._exchange.open(parent.network)
        await self.collector.open(parent.network)
        processor = await listen(process_card, parent.network)
        self._ports["processor"] = port_of(processor)
        self._deployment = deployment = Deployment(
            parent=parent,
            submission=copied,
            crossings=self._crossings,
            ports=self._ports,
            collector=self.collector,
            observations=self.seen,
            work=self._scratch.work,
            resource={},
            version=VERSION,
            environment=environment,
            tap=self._tap,
        )
        self._slow = SlowQuery(deployment.lock_database, deployment.unlock_database)
        self._closers += [processor.close, self.collector.close, deployment.close]
        deployment.stock(STOCK)
        self._scratch.hand_over()
        await deployment.start(PLAN)
        if not all(deployment.serves(start.name) for start in PLAN):
            raise NotStarted(self.seen.problems)

    def _tap(self, crossings: Crossings, hop: Hop, caller: str, callee: str) -> Tap:
        return FaultyTap(crossings, hop, caller, callee, faults=self.faults, slow=self._slow.begin)

    async def switch(self, wanted: bytes) -> None:
        """Set the switches that a JSON object names; raise ValueError for what is none."""
        self.faults.switch(wanted)
        for tap in self.deployment.taps:
            if isinstance(tap, FaultyTap) and tap.leads_to_processor:
                await tap.refuse(refuses=self.faults.processor_down)

    async def settle(self) -> None:
        """Return when spans have ended and were exported, or after a while."""

        async def settle(host: Host, start: str) -> None:
            await host.ask(wire.Settle, starts=[start], seconds=SETTLE_LIMIT)
            await host.ask(wire.Flush, 2 * FLUSH_LIMIT, starts=[start], seconds=FLUSH_LIMIT)

        await self._each(settle)

    async def stop(self) -> list[Stopped]:
        """Run every service's own shutdown; what it exports then has arrived afterwards."""
        ended = {start.service: Stopped(start.service, None) for start in PLAN}

        async def stop(host: Host, start: str) -> None:
            limit = STOP_LIMIT + 5
            reply = await host.ask(wire.Stop, limit, start=start, seconds=STOP_LIMIT)
            service = start.partition(".")[0]
            if reply.ok:
                ended[service] = Stopped(service, wire.took(reply.values))  # type: ignore[index]

        await self._each(stop)
        return list(ended.values())

    async def _each(self, ask: Callable[[Host, str], Awaitable[None]]) -> None:
        async def safely(start: PlannedStart) -> None:
            # One that has ended or hangs is told of elsewhere.
            with contextlib.suppress(HostGone, TimeoutError):
                await ask(self.deployment.host(start.host), start.name)

        await asyncio.gather(*(safely(start) for start in PLAN))

    async def crash(self) -> list[Problem]:
        """Return when a process has ended by itself, with the reason."""
        hosts = {start.host: self.deployment.host(start.host) for start in PLAN}
        waiting = {asyncio.shield(host.exited): name for name, host in hosts.items()}
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            await self.deployment.explain_end(waiting[ended])
        parent = self._parent
        excess = (parent.network.excess or parent.flooded) if parent else ""
        if excess:
            return [Problem("", "", "flood", excess, "", 0)]
        return list(self.seen.problems)

    def forget(self, before_ns: int, *, is_idle: bool) -> None:
        """Drop what was seen before a moment, so that a day's work needs no more than a minute's.

        Limits that a grading has in all hold for what is seen in between.
        """
        self.seen.forget(before_ns)
        self.record.forget(before_ns)
        self.collector.forget(before_ns)
        self.crossings.network.renew()
        connected = self.crossings.connected
        if is_idle or len(connected) > CONNECTIONS_KEPT:
            connected.clear()

    async def close(self) -> None:
        """End every process."""
        self._exchange.close()
        for close in self._closers:
            close()
        if self._parent is not None:
            await self._parent.close()
        await self._warm.close()
