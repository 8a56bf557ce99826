"""End providers, services and processes in every way that the kata asks about.

A span is pending when it has ended and may not have been exported. Limits are those of the
contract plus `NOISE`, which a busy machine may need and which decides nothing else; where others
keep it very busy, several times that.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import replace

from otelkata.deploy.link import ASK_LIMIT, Host, HostGone, Observations
from otelkata.evidence.model import Exit
from otelkata.host import wire

from .collector import Collector
from .conductor import Conductor
from .deployment import Deployment
from .plan import HANGING, LEAVING, PROVIDERS, SIGTERM, STUCK, SULKING, PlannedStart

NOISE = 4.5
SHORT_TIMEOUT = 0.5
LONG_TIMEOUT = 5.0
LIFESPAN_LIMIT = 10.0
SIGTERM_LIMIT = 15.0
PROCESS_LIMIT = 5.0
SETTLE_LIMIT = 3.0
FLUSH_LIMIT = 8.0

TAGS: Mapping[str, tuple[str, ...]] = {
    "leaving": (
        "lifespan",
        "process",
        "provider",
        *(f"provider_{start.name.partition('.')[2]}" for start in (*PROVIDERS, *HANGING)),
    ),
    "sulking": ("lifespan_hanging",),
    "sigterm": ("sigterm",),
    "stuck": ("sigterm_hanging",),
}
"""The tags of the exits that are observed, by the group of services that is ended."""


class Exits:
    """The ends that are observed, each by a deployment of its own."""

    def __init__(
        self,
        deployment: Deployment,
        conductor: Conductor,
        collector: Collector,
        observations: Observations,
        patience: float,
    ) -> None:
        self._noise = NOISE * patience
        self._deployment = deployment
        self._conductor = conductor
        self._collector = collector
        self._observations = observations
        self.seen: list[Exit] = []

    async def leave(self) -> None:
        """End providers and services in one host; then the process has nothing left to do."""
        await self._deployment.start([*PROVIDERS, *HANGING], serve=False)
        await asyncio.gather(
            self._end_provider("payment.pending", "collect", LONG_TIMEOUT),
            self._end_provider("payment.failing", "fail", SHORT_TIMEOUT),
            self._end_provider("payment.raising", "raise", SHORT_TIMEOUT),
            self._end_provider("payment.hanging", "hang", SHORT_TIMEOUT),
            self._leave_lifespan(),
        )
        await self._note_arrivals("leaving")
        await self._end_process("payment.hanging")

    async def _leave_lifespan(self) -> None:
        await self._deployment.start(LEAVING)
        pending = await self._checkout(LEAVING, "exit.lifespan")
        # A collector takes its time: who does not wait for it loses what it had not answered yet.
        for start in LEAVING:
            if self._deployment.serves(start.name):
                host = self._deployment.host(start.host)
                await _ask(host, wire.Arm, start=start.name, behaviour="delay")
        await self._stop(LEAVING, "lifespan", ["lifespan"], pending, "exit.lifespan")

    async def _note_arrivals(self, name: str) -> None:
        # The process's own exit may still export what a shutdown did not, but where a signal ends
        # the process it never gets to that.
        host = self._deployment.host(name)
        # Nothing has to settle: the reply comes after all that was exported before it.
        if await _ask(host, wire.Settle, limit=PROCESS_LIMIT, starts=[], seconds=0.0) is None:
            return
        starts = {start.name for start in self._deployment.starts.values() if start.host == name}
        self.seen[:] = [
            self._with_arrivals(seen, name)
            if seen.arrived is None and starts.issuperset(seen.starts)
            else seen
            for seen in self.seen
        ]

    def _with_arrivals(self, seen: Exit, host: str) -> Exit:
        exported = {item.span.span_id for item in self._observations.spans if item.host == host}
        return _with(seen, arrived=[span for span in seen.pending if span in exported])

    async def _end_process(self, start: str) -> None:
        seen = Exit("process", ["process"], [start], PROCESS_LIMIT, None)
        host = self._deployment.host_of(start)
        obstacle = self._obstacle(host, "exit.lifespan")
        if obstacle or not self._deployment.serves(start):
            self.seen.append(_with(seen, skipped=obstacle or "the service did not start"))
            return
        began = time.monotonic()
        try:
            await host.ask(wire.Leave, limit=PROCESS_LIMIT)
            status = await asyncio.wait_for(
                asyncio.shield(host.exited), PROCESS_LIMIT + self._noise
            )
            took = time.monotonic() - began
            self.seen.append(_with(seen, took=took, status=status))
        except HostGone:
            self.seen.append(_with(seen, took=time.monotonic() - began))
        except TimeoutError:
            reply = await _ask(host, wire.Lingering, limit=PROCESS_LIMIT)
            kept_by = str(reply.values["thread"]) if reply else ""
            if reply and kept_by:
                place = wire.place(reply.values)
            else:
                place = await self._deployment.place_of(start)
            self.seen.append(_with(seen, path=place[0], line=place[1], kept_by=kept_by))

    async def leave_with_hanging_exporter(self) -> None:
        """Run lifespan shutdown while the exporter hangs."""
        await self._deployment.start(SULKING)
        pending = await self._checkout(SULKING, "exit.lifespan_hanging")
        for start in SULKING:
            if self._deployment.serves(start.name):
                host = self._deployment.host(start.host)
                await _ask(host, wire.Arm, start=start.name, behaviour="hang")
        await self._stop(
            SULKING, "lifespan_hanging", ["lifespan_hanging"], pending, "exit.lifespan_hanging"
        )

    async def terminate(self) -> None:
        """Export over OTLP from real services, then send them SIGTERM right after a checkout."""
        await self._deployment.start(SIGTERM)
        await self._conductor.play_one("default_exporter")
        for start in SIGTERM:
            if self._deployment.serves(start.name):
                host = self._deployment.host_of(start.name)
                await _ask(host, wire.Flush, starts=[start.name], seconds=FLUSH_LIMIT)
        pending = await self._checkout(SIGTERM, "exit.sigterm")
        await self._terminate(SIGTERM, "sigterm", ["sigterm"], pending, "exit.sigterm")

    async def terminate_with_hanging_collector(self) -> None:
        """Send SIGTERM to real services whose collector begins to hang.

        It does when spans have ended: with a simple processor, nothing is pending then.
        """
        await self._deployment.start(STUCK)
        pending = await self._checkout(STUCK, "exit.sigterm_hanging")
        for start in STUCK:
            self._collector.hang(start.host)
        await self._terminate(
            STUCK, "sigterm_hanging", ["sigterm_hanging"], pending, "exit.sigterm_hanging"
        )

    async def _checkout(self, planned: list[PlannedStart], case: str) -> dict[str, list[str]]:
        # Returns the spans that have ended, by start.
        if not self._conductor.is_unanswered(case):
            await self._conductor.play_one(case)
        names = [start.name for start in planned if self._deployment.serves(start.name)]
        for name in names:
            host = self._deployment.host_of(name)
            await _ask(host, wire.Settle, starts=[name], seconds=SETTLE_LIMIT)
        return {name: self._ended(name) for name in names}

    def _obstacle(self, host: Host, case: str) -> str:
        # A server waits for requests that are still handled; that is no fault of the shutdown.
        if host.gone:
            return "its process had ended"
        return "a request was still handled" if self._conductor.is_unanswered(case) else ""

    def _ended(self, start: str) -> list[str]:
        return [report.span_id for report in self._observations.ended if report.start == start]

    async def _end_provider(self, start: str, behaviour: wire.Behaviour, seconds: float) -> None:
        name = start.partition(".")[2]
        tags = ["provider", f"provider_{name}"]
        seen = Exit(f"shutdown_tracer_{name}", tags, [start], seconds, None)
        if not self._deployment.serves(start):
            self.seen.append(_skip(seen))
            return
        host = self._deployment.host_of(start)
        # In one step, so that no timer of a processor exports the span in between.
        await _ask(
            host, wire.Probe, start=start, name="pending work", texts=[], behaviour=behaviour
        )
        pending = self._ended(start)
        seen = _with(seen, pending=pending)
        try:
            reply = await host.ask(
                wire.ShutDown, limit=seconds + self._noise, start=start, seconds=seconds
            )
        except TimeoutError:
            place = await self._deployment.place_of(start)
            self.seen.append(_with(seen, path=place[0], line=place[1]))
            return
        except HostGone:
            await self._deployment.explain_end(host.name)
            self.seen.append(_with(seen, skipped="its process had ended"))
            return
        values = reply.values
        returned = values["returned"]
        path, line = wire.place(values)
        self.seen.append(
            _with(
                seen,
                took=wire.took(values),
                returned=returned if isinstance(returned, bool | None) else str(returned),
                raised=str(values["raised"] or ""),
                path=path,
                line=line,
            )
        )

    async def _stop(
        self,
        planned: list[PlannedStart],
        name: str,
        tags: list[str],
        pending: dict[str, list[str]],
        case: str,
    ) -> None:
        async def stop(start: PlannedStart) -> None:
            seen = Exit(f"{name}.{start.service}", tags, [start.name], LIFESPAN_LIMIT, None)
            if not self._deployment.serves(start.name):
                self.seen.append(_skip(seen))
                return
            seen = _with(seen, pending=pending[start.name])
            host = self._deployment.host(start.host)
            if obstacle := self._obstacle(host, case):
                self.seen.append(_with(seen, skipped=obstacle))
                return
            longest = LIFESPAN_LIMIT + self._noise
            reply = await _ask(
                host, wire.Stop, limit=longest + self._noise, start=start.name, seconds=longest
            )
            if host.gone:
                await self._deployment.explain_end(host.name)
            if reply is None or not reply.ok:
                await self._deployment.explain_silence(
                    start.name,
                    "shutdown",
                    f"lifespan shutdown of {start.service} did not end within {longest:.0f} s",
                )
                self.seen.append(seen)
            else:
                # What left later would not have left at all, had a signal ended the process.
                seen = self._with_arrivals(seen, host.name)
                self.seen.append(_with(seen, took=wire.took(reply.values)))

        await asyncio.gather(*(stop(start) for start in planned))

    async def _terminate(
        self,
        planned: list[PlannedStart],
        name: str,
        tags: list[str],
        pending: dict[str, list[str]],
        case: str,
    ) -> None:
        async def terminate(start: PlannedStart) -> None:
            seen = Exit(f"{name}.{start.service}", tags, [start.name], SIGTERM_LIMIT, None)
            if not self._deployment.serves(start.name):
                self.seen.append(_skip(seen))
                return
            seen = _with(seen, pending=pending[start.name])
            host = self._deployment.host(start.host)
            if obstacle := self._obstacle(host, case):
                self.seen.append(_with(seen, skipped=obstacle))
                return
            began = time.monotonic()
            try:
                self._deployment.terminate(host.name)
                exited = asyncio.shield(host.exited)
                status = await asyncio.wait_for(exited, SIGTERM_LIMIT + self._noise)
            except TimeoutError:
                self.seen.append(seen)
            else:
                took = time.monotonic() - began
                self.seen.append(_with(seen, took=took, status=status))

        await asyncio.gather(*(terminate(start) for start in planned))


async def _ask(
    host: Host, command: type[wire.Command], limit: float = ASK_LIMIT, **fields: object
) -> wire.Reply | None:
    try:
        return await host.ask(command, limit, **fields)
    except (HostGone, TimeoutError):
        return None


def _skip(seen: Exit) -> Exit:
    return _with(seen, skipped="the service did not start")


def _with(seen: Exit, **changes: object) -> Exit:
    return replace(seen, **changes)  # type: ignore[arg-type]


def sigterm_works() -> bool:
    """Tell whether processes can be ended by SIGTERM here; on Windows it only kills."""
    return os.name == "posix"
