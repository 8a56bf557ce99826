"""Play the groups of services that only have to be played, settled and flushed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from otelkata.deploy.link import ASK_LIMIT, Host, HostGone
from otelkata.host import wire

from .choice import Choice
from .conductor import Conductor
from .deployment import Deployment
from .plan import DEFAULT, HASTY, MAIN, SLOW, UNSAMPLED, PlannedStart

SETTLE_LIMIT = 4.0
"""Longest time, in seconds, in which spans may still end after the last answer.

The contract gives a cancelled call its timeout (0.5 s here) and one second; the rest is noise.
"""

EARLY_FLUSH_LIMIT = 1.0
FLUSH_LIMIT = 8.0


class Groups:
    """The groups of a run, as far as its `choice` has them played.

    `timings` are seconds from when the run `began`, by the moment; `patience` multiplies limits.
    """

    def __init__(
        self,
        deployment: Deployment,
        conductor: Conductor,
        choice: Choice,
        probes: list[str],
        began: float,
        patience: float,
    ) -> None:
        self._began = began
        self._choice = choice
        self._patience = patience
        self.timings: dict[str, float] = {}
        self._deployment = deployment
        self._conductor = conductor
        self._probes = probes
        self._main_is_up = asyncio.Event()
        self._waiting_is_over = asyncio.Event()

    def note(self, moment: str) -> None:
        """Note that a moment has come."""
        self.timings[moment] = time.monotonic() - self._began

    async def main(self) -> None:
        """Play what need not wait, on services that those that wait call as well."""
        planned = MAIN if self._choice.runs("main", "hasty", "slow") else []
        try:
            await self._deployment.start(planned)
            self.note("up")
            self._main_is_up.set()
            await self._conductor.play_burst("main")
        finally:
            self._main_is_up.set()
            self._conductor.end_burst()
        await self._flush_early(planned)
        # Those that wait call the services of this group, too.
        await self._waiting_is_over.wait()
        await self._finish(planned, probe=True)

    async def waiting(self) -> None:
        """Play what has to wait."""
        hasty = HASTY if self._choice.runs("hasty") else []
        planned = [*hasty, *(SLOW if self._choice.runs("slow") else [])]
        try:
            await self._deployment.start(planned)
            await self._main_is_up.wait()
            await asyncio.gather(
                self._conductor.play_together("hasty"), self._conductor.play_together("slow")
            )
        finally:
            self._waiting_is_over.set()
        await self._finish(planned)

    async def after_main(self, play: Callable[[], Awaitable[None]]) -> None:
        """Play what takes little time when those that take most have got their start."""
        await self._main_is_up.wait()
        await play()

    async def unsampled(self) -> None:
        """Play what must not be sampled."""
        await self._deployment.start(UNSAMPLED)
        await self._conductor.play_together("unsampled")
        await self._finish(UNSAMPLED)

    async def default(self) -> None:
        """Play what is exported by default, where that takes no services of its own."""
        await self._deployment.start(DEFAULT)
        await self._conductor.play_together("default")
        await self._finish(DEFAULT)

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
                seconds = EARLY_FLUSH_LIMIT * self._patience
                await host.ask(wire.Flush, 2 * seconds, starts=starts, seconds=seconds)

    def _serving(self, planned: list[PlannedStart]) -> dict[str, list[str]]:
        hosts: dict[str, list[str]] = {}
        for start in planned:
            if self._deployment.serves(start.name):
                hosts.setdefault(start.host, []).append(start.name)
        return hosts

    async def _finish_host(self, host: Host, starts: list[str], *, probe: bool) -> None:
        # No patience with what is to settle: a span that never ends would have its user wait.
        flush = FLUSH_LIMIT * self._patience
        limit = max(ASK_LIMIT, SETTLE_LIMIT + 2 * flush)
        async with asyncio.timeout(SETTLE_LIMIT + 2 * flush):
            await host.ask(wire.Settle, limit, starts=starts, seconds=SETTLE_LIMIT)
            if probe:
                for start in starts:
                    texts = self._probes
                    await host.ask(wire.Probe, limit, start=start, name="probe", texts=texts)
            await host.ask(wire.Flush, limit, starts=starts, seconds=flush)
