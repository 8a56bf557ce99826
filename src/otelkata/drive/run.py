"""Drive one submission through all scenarios and return the evidence."""

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from otelkata.deploy import source
from otelkata.deploy.link import Exchange, Host, HostGone, Observations
from otelkata.deploy.parent import Parent
from otelkata.deploy.scratch import Scratch, temporary_folder
from otelkata.deploy.user import own_user
from otelkata.deploy.warm import Warm
from otelkata.evidence.model import Evidence, Reading
from otelkata.host import wire

from .collector import Collector
from .conductor import Conductor
from .deployment import Deployment
from .exits import Exits, sigterm_works
from .http import listen, port_of
from .plan import DEFAULT, HASTY, MAIN, SLOW, UNSAMPLED, PlannedStart
from .reading import Reader
from .record import Record
from .scenario import all_scenarios
from .tap import Crossings, process_card
from .values import Values

SETTLE_LIMIT = 4.0
"""Longest time, in seconds, in which spans may still end after the last answer.

The contract gives a cancelled call its timeout (0.5 s here) and one second; the rest is noise.
"""

EARLY_FLUSH_LIMIT = 1.0
FLUSH_LIMIT = 8.0
RUN_LIMIT = 90.0
"""Longest time, in seconds, that a submission may take over all scenarios, whatever it does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run may be told: the seed, and to leave out waits."""

    seed: int
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes that work for one submission after the other."""

    warm: Warm
    reader: Reader


@asynccontextmanager
async def observe(
    submission: Path, settings: Settings, crew: Crew, rest: Callable[[], None] = lambda: None
) -> AsyncIterator[Evidence]:
    """Run `submission` through all scenarios, in hosts that `crew` makes.

    `rest` is called when all is done that takes processors and not only time. The hosts are ended
    while the evidence is used, and are gone afterwards. Raises UnusableSubmission where there is
    nothing to run, ParentFailed where the interpreter cannot host anything, IsolationUnavailable
    where the system does not give the level asked for.
    """
    with own_user() as user:
        async with temporary_folder() as folder:
            run = _Run(submission, settings, Scratch(folder, user), crew, rest)
            try:
                evidence = await run.observe()
                run.end()
                yield evidence
            finally:
                await run.close()


class _Run:
    def __init__(
        self,
        submission: Path,
        settings: Settings,
        scratch: Scratch,
        crew: Crew,
        rest: Callable[[], None],
    ) -> None:
        self._crew = crew
        self._rest = rest
        self._began = time.monotonic()
        self._submission = submission
        self._settings = settings
        self._scratch = scratch
        self._values = Values(settings.seed)
        self._observations = Observations()
        self._exchange = Exchange(self._observations)
        self._collector = Collector()
        self._record = Record()
        self._ports: dict[str, int] = {}
        self._parent: Parent | None = None
        self._reading: asyncio.Task[Reading] | None = None
        self._closers: list[Callable[[], None]] = []

    async def observe(self) -> Evidence:
        parent = Parent(self._crew.warm, self._exchange, self._scratch.folder)
        self._parent = parent
        copied = await asyncio.to_thread(source.copy, self._submission, self._scratch.folder)
        place = self._scratch.place(copied)
        reading = asyncio.create_task(self._crew.reader.read(copied))
        self._reading = reading
        in_force, _ = await asyncio.gather(parent.enclose(place), self._crew.warm.compile(copied))
        crossings = Crossings(self._record, self._ports, parent.network)
        await self._exchange.open(parent.network)
        await self._collector.open(parent.network)
        processor = await listen(process_card, parent.network)
        self._ports["processor"] = port_of(processor)
        resource = {f"kata.{self._values.word()}": self._values.word() for _ in range(2)}
        version = (
            f"{self._values.number(1, 9)}.{self._values.number(0, 99)}.{self._values.number(0, 99)}"
        )
        deployment = Deployment(
            parent=parent,
            submission=copied,
            crossings=crossings,
            ports=self._ports,
            collector=self._collector,
            observations=self._observations,
            work=self._scratch.work,
            resource=resource,
            version=version,
        )
        conductor = Conductor(all_scenarios(self._values), self._values, deployment, crossings)
        deployment.stock(conductor.skus)
        self._scratch.hand_over()
        self._closers += [processor.close, self._collector.close, deployment.close]
        probes = [self._values.marks().email, self._values.card_number()]
        exits = Exits(deployment, conductor, self._collector, self._observations)
        groups = _Groups(deployment, conductor, probes, self._began)
        left_out = _left_out(quick=self._settings.quick)
        by_tag = {
            "lifespan_hanging": exits.leave_with_hanging_exporter,
            "sigterm_hanging": exits.terminate_with_hanging_collector,
            "sigterm": exits.terminate,
        }
        in_memory = asyncio.gather(
            groups.main(),
            groups.waiting(),
            groups.after_main(groups.unsampled),
            groups.after_main(exits.leave),
        )
        in_memory.add_done_callback(lambda _: groups.note("in_memory"))
        in_memory.add_done_callback(lambda _: self._rest())
        everything = asyncio.gather(
            in_memory,
            *(groups.after_main(end) for tag, end in by_tag.items() if tag not in left_out),
            *([] if sigterm_works() else [groups.after_main(groups.default)]),
        )
        for group in (in_memory, everything):
            # Where a grading is given up, nobody asks what else went wrong.
            group.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait_for(everything, RUN_LIMIT)
        except TimeoutError:
            message = f"the scenarios were not over after {RUN_LIMIT:.0f} s"
            self._observations.problems.append(wire.Problem("", "", "run", message, "", 0))
        if excess := parent.network.excess or parent.flooded:
            # First, because it is why other things went wrong.
            self._observations.problems.insert(0, wire.Problem("", "", "flood", excess, "", 0))
        return Evidence(
            submission=wire.text(self._submission),
            seed=self._settings.seed,
            left_out=left_out,
            platform=platform.system(),
            python=await groups.python(),
            isolation=in_force.words,
            resource=resource,
            probes=probes,
            starts=list(deployment.starts.values()),
            cases=conductor.cases(),
            exchanges=list(self._record),
            exits=exits.seen,
            deliveries=self._collector.deliveries,
            problems=self._observations.problems,
            logs=self._observations.logs,
            queries=self._observations.queries,
            started=self._observations.started,
            ended=self._observations.ended,
            spans=[*self._observations.spans, *self._collector.spans],
            duration_s=time.monotonic() - self._began,
            reading=await reading,
            timings=groups.timings,
            sources=source.texts(copied),
        )

    def end(self) -> None:
        if self._parent is not None:
            self._parent.end()

    async def close(self) -> None:
        self._exchange.close()
        if self._reading is not None:
            self._reading.cancel()
        for close in self._closers:
            close()
        if self._parent is not None:
            await self._parent.close()


def _left_out(*, quick: bool) -> list[str]:
    waiting = ["lifespan_hanging", "sigterm_hanging"] if quick else []
    if sigterm_works():
        return waiting
    return sorted({*waiting, "sigterm", "sigterm_hanging"})


class _Groups:
    # The deployments that only have to be played, settled and flushed.

    def __init__(
        self, deployment: Deployment, conductor: Conductor, probes: list[str], began: float
    ) -> None:
        self._began = began
        self.timings: dict[str, float] = {}
        self._deployment = deployment
        self._conductor = conductor
        self._probes = probes
        self._main_is_up = asyncio.Event()
        self._waiting_is_over = asyncio.Event()

    def note(self, moment: str) -> None:
        self.timings[moment] = time.monotonic() - self._began

    async def main(self) -> None:
        try:
            await self._deployment.start(MAIN)
            self.note("up")
            self._main_is_up.set()
            await self._conductor.play_burst("main")
        finally:
            self._main_is_up.set()
            self._conductor.end_burst()
        await self._flush_early(MAIN)
        # Those that wait call the services of this group, too.
        await self._waiting_is_over.wait()
        await self._finish(MAIN, probe=True)

    async def waiting(self) -> None:
        try:
            await self._deployment.start([*HASTY, *SLOW])
            await self._main_is_up.wait()
            await asyncio.gather(
                self._conductor.play_together("hasty"), self._conductor.play_together("slow")
            )
        finally:
            self._waiting_is_over.set()
        await self._finish([*HASTY, *SLOW])

    async def after_main(self, play: Callable[[], Awaitable[None]]) -> None:
        """Play what takes little time when those that take most have got their start."""
        await self._main_is_up.wait()
        await play()

    async def unsampled(self) -> None:
        await self._deployment.start(UNSAMPLED)
        await self._conductor.play_together("unsampled")
        await self._finish(UNSAMPLED)

    async def default(self) -> None:
        await self._deployment.start(DEFAULT)
        await self._conductor.play_together("default")
        await self._finish(DEFAULT)

    async def python(self) -> str:
        return self._deployment.host("main").python

    async def _finish(self, planned: list[PlannedStart], *, probe: bool = False) -> None:
        # Flushed and not stopped: what an exit does is observed elsewhere, and not held against
        # what was done before.
        for name, starts in self._serving(planned).items():
            host = self._deployment.host(name)
            try:
                await self._finish_host(host, starts, probe=probe)
            except HostGone:
                await self._deployment.explain_end(name)
            except TimeoutError:
                message = "its spans could not be flushed in time"
                await self._deployment.explain_silence(starts[0], "flush", message)

    async def _flush_early(self, planned: list[PlannedStart]) -> None:
        # What is left to flush at the end is little then; failures are told there.
        for name, starts in self._serving(planned).items():
            host = self._deployment.host(name)
            with suppress(HostGone, TimeoutError):
                limit = 2 * EARLY_FLUSH_LIMIT
                await host.ask(wire.Flush, limit, starts=starts, seconds=EARLY_FLUSH_LIMIT)

    def _serving(self, planned: list[PlannedStart]) -> dict[str, list[str]]:
        hosts: dict[str, list[str]] = {}
        for start in planned:
            if self._deployment.serves(start.name):
                hosts.setdefault(start.host, []).append(start.name)
        return hosts

    async def _finish_host(self, host: Host, starts: list[str], *, probe: bool) -> None:
        async with asyncio.timeout(SETTLE_LIMIT + 2 * FLUSH_LIMIT):
            await host.ask(wire.Settle, starts=starts, seconds=SETTLE_LIMIT)
            if probe:
                for start in starts:
                    await host.ask(wire.Probe, start=start, name="probe", texts=self._probes)
            await host.ask(wire.Flush, starts=starts, seconds=FLUSH_LIMIT)
