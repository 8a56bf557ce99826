"""Drive one submission through all scenarios and return the evidence."""

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otelkata.deploy import source
from otelkata.deploy.link import Exchange, Observations
from otelkata.deploy.parent import Hosts
from otelkata.deploy.scratch import Scratch, temporary_folder
from otelkata.deploy.user import own_user
from otelkata.evidence.model import Evidence, Reading
from otelkata.evidence.only import Only
from otelkata.host import wire

from .choice import Choice, left_out
from .collector import Collector
from .conductor import Conductor
from .deployment import Deployment
from .exits import Exits
from .groups import Groups
from .http import listen, port_of
from .reading import Reader
from .record import Record
from .scenario import all_scenarios
from .tap import Crossings, process_card
from .values import Values

_NOT_FOR_THE_ENVIRONMENT_TO_SAY = {
    "service.name": "of-the-environment",
    "service.version": "of-the-environment",
}
"""What OTEL_RESOURCE_ATTRIBUTES says, too, and must not win over what init_tracer was given."""

RUN_LIMIT = 90.0
"""Longest time, in seconds, that a submission may take over all scenarios, whatever it does.

It is multiplied by the run's patience.
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run may be told: the seed, to leave out waits, and to be for some checks `only`."""

    seed: int
    quick: bool = False
    only: Only | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works for one submission after the other.

    `hosts` makes what runs a submission, of the exchange where its hosts call in and the folder of
    the run. Only `groups` of scenarios can be played there (None: all). `patience` multiplies how
    long services may take to come up, to answer and to flush, their own time-outs, and the limit of
    the whole run; not how long spans are waited for that nobody ends, nor what the contract grants
    an exit. It runs the copy of the submission, or the files themselves where it is `in_place`.
    """

    reader: Reader
    hosts: Callable[[Exchange, Path], Hosts]
    groups: Collection[str] | None = None
    patience: float = 1.0
    in_place: bool = False


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
        self._parent: Hosts | None = None
        self._reading: asyncio.Task[Reading] | None = None
        self._closers: list[Callable[[], None]] = []
        self._failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def observe(self) -> Evidence:
        crew = self._crew
        parent = crew.hosts(self._exchange, self._scratch.folder)
        self._parent = parent
        copied = await asyncio.to_thread(source.copy, self._submission, self._scratch.folder)
        place = self._scratch.place(copied)
        only = self._settings.only
        if only is None or only.reads:
            self._reading = asyncio.create_task(crew.reader.read(copied))
        in_force, _ = await asyncio.gather(parent.enclose(place), parent.compile(copied))
        parent.network.on_failure = self._fail
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
            submission=self._submission.resolve() if crew.in_place else copied,
            crossings=crossings,
            ports=self._ports,
            collector=self._collector,
            observations=self._observations,
            work=self._scratch.work,
            resource=resource | _NOT_FOR_THE_ENVIRONMENT_TO_SAY,
            version=version,
            patience=crew.patience,
        )
        scenarios = all_scenarios(self._values)
        omitted = left_out(quick=self._settings.quick)
        choice = Choice(scenarios, only, omitted, crew.groups)
        conductor = Conductor(
            scenarios, self._values, deployment, crossings, choice.plays, crew.patience
        )
        deployment.stock(conductor.skus)
        self._scratch.hand_over()
        self._closers += [processor.close, self._collector.close, deployment.close]
        probes = [self._values.marks().email, self._values.card_number()]
        exits = Exits(deployment, conductor, self._collector, self._observations, crew.patience)
        groups = Groups(deployment, conductor, choice, probes, self._began, crew.patience)
        soon = {"unsampled": groups.unsampled, "leaving": exits.leave}
        late = {
            "sulking": exits.leave_with_hanging_exporter,
            "stuck": exits.terminate_with_hanging_collector,
            "sigterm": exits.terminate,
            "default": groups.default,
        }
        in_memory = asyncio.gather(
            groups.main(),
            groups.waiting(),
            *(groups.after_main(play) for group, play in soon.items() if choice.runs(group)),
        )
        in_memory.add_done_callback(lambda _: groups.note("in_memory"))
        in_memory.add_done_callback(lambda _: self._rest())
        everything = asyncio.gather(
            in_memory,
            *(groups.after_main(play) for group, play in late.items() if choice.runs(group)),
        )
        for group in (in_memory, everything):
            # Where a grading is given up, nobody asks what else went wrong.
            group.add_done_callback(lambda done: done.cancelled() or done.exception())
        limit = RUN_LIMIT * crew.patience
        try:
            if not await self._is_over(everything, limit):
                message = f"the scenarios were not over after {limit:.0f} s"
                self._observations.problems.append(wire.Problem("", "", "run", message, "", 0))
        except ConnectionError:
            # There is nowhere to make sockets any more.
            if not parent.lost:
                raise
        if parent.lost:
            self._observations.problems.insert(0, wire.Problem("", "", "exit", parent.lost, "", 0))
        if excess := parent.network.excess or parent.flooded:
            # First, because it is why other things went wrong.
            self._observations.problems.insert(0, wire.Problem("", "", "flood", excess, "", 0))
        return Evidence(
            submission=wire.text(self._submission),
            seed=self._settings.seed,
            left_out=choice.left_out,
            only=list(only.checks) if only else [],
            platform=platform.system(),
            python=deployment.python,
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
            reading=await self._reading if self._reading else None,
            timings=groups.timings,
            sources=source.texts(copied),
            patience=crew.patience,
        )

    async def _is_over(self, everything: asyncio.Future[Any], limit: float) -> bool:
        # A fault of the driver would look like one of the submission to whoever judges.
        try:
            await asyncio.wait(
                {everything, self._failed}, timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
            if self._failed.done():
                self._failed.result()
            if everything.done():
                everything.result()
                return True
            return False
        finally:
            everything.cancel()
            await asyncio.wait({everything})

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

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
