"""Serve one submission until somebody says stop: requests in, what became of them out."""

import asyncio
import contextlib
import json
import os
import time
import traceback
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from otelkata.deploy.interpreter import Launched
from otelkata.deploy.scratch import Scratch, temporary_folder
from otelkata.deploy.user import own_user
from otelkata.drive.http import Call, CallFailed, Request, Response, listen, port_of
from otelkata.drive.record import Draft
from otelkata.drive.tap import json_answer
from otelkata.host.wire import Problem
from otelkata.judge.problems import tell
from otelkata.judge.view import View

from . import checkouts
from .door import Door, Public
from .forward import Destination, Forwarder
from .services import Services, Stopped
from .shown import Shown

AT_ONCE = 40
"""Most requests that are under way; each holds up to four of the connections that are allowed."""

GRACE = 3.0
"""Longest time, in seconds, that requests under way are waited for at the end."""

PASS_ON_LIMIT = 10.0
"""Longest time, in seconds, that another collector is waited for at the end."""

WARNINGS_SHOWN = 3
_GATEWAY = "gateway.serve"


class PortTaken(Exception):
    """The port that was asked for is not to be had."""


class Crashed(Exception):
    """A process of the submission has ended by itself; `problems` say how."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("a process of the submission has ended")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Terms:
    """What to serve, and where."""

    submission: Path
    python: str
    port: int
    destination: Destination | None
    launched: Launched | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What a session came to: exports that were passed on, and that were not."""

    requests: int
    spans: int
    stopped: list[Stopped]
    passed_on: int
    lost: int


class Audience(Protocol):
    """Whoever looks on."""

    def opening(self) -> None:
        """The services are being started."""
        ...

    def opened(self, address: str, isolation: str) -> None:
        """The services are up."""
        ...

    def show(self, shown: Shown) -> None:
        """A request is over, and its spans are there."""
        ...

    def tell(self, message: str) -> None:
        """Something happened that belongs to no request."""
        ...

    def ending(self) -> None:
        """The services are being shut down."""
        ...

    def ended(self, ended: Ended) -> None:
        """All is over."""
        ...


async def serve(terms: Terms, audience: Audience, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then end in order.

    Raises Crashed where a process ends before that, PortTaken where the port is, and what
    `Services.start` raises.
    """
    with own_user() as user:
        async with temporary_folder() as folder:
            forwarder = Forwarder(terms.destination, audience.tell) if terms.destination else None
            pass_on = forwarder.take if forwarder else _keep
            services = Services(terms.python, Scratch(folder, user), pass_on)
            session = _Session(services, audience, forwarder)
            passing = asyncio.create_task(forwarder.run()) if forwarder else None
            try:
                await _until(stop, session.open(terms))
                if session.is_open:
                    try:
                        await _until(stop, session.draw(), session.crash())
                    except Crashed:
                        session.show()
                        raise
                    await session.end()
            finally:
                if passing is not None:
                    passing.cancel()
                    await asyncio.wait({passing})
                await session.close()


def _keep(_: Request) -> None:
    # Nobody else wants it.
    return


async def _until(stop: asyncio.Event, *works: Coroutine[None, None, None]) -> None:
    # Returns when one of `works` is done, or they are not to be done any more.
    tasks = [asyncio.create_task(work) for work in (*works, _wait(stop))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the services are told of the user's own OTEL_* variables.

    Where spans go is the command's business, and the keys for it are none of a submission's.
    """
    told = {
        name: value
        for name, value in given.items()
        if name.startswith("OTEL_") and not name.startswith("OTEL_EXPORTER_")
    }
    # What no request waits for is to be seen soon, too.
    return {"OTEL_BSP_SCHEDULE_DELAY": "1000", **told}


class _Session:
    def __init__(self, services: Services, audience: Audience, forwarder: Forwarder | None) -> None:
        self._services = services
        self._audience = audience
        self._forwarder = forwarder
        self._environment = environment(os.environ)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[int, Draft] = {}
        self._answered: list[Draft] = []
        self._wake = asyncio.Event()
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        self.is_open = False
        self._requests = self._spans = self._shown = 0
        self._outside: set[str] = set()
        self._problems = 0
        self._warned: set[str] = set()
        self._server: asyncio.Server | None = None
        self._door = Door(services, self._pass)
        services.on_failure = self._tell_failure

    async def open(self, terms: Terms) -> None:
        public = Public()
        public.on_failure = self._tell_failure
        try:
            self._server = await listen(self._door.enter, public, terms.port)
        except OSError as error:
            raise PortTaken(
                f"--port {terms.port}: {error.strerror}; name another one, or 0 for any that is "
                "free"
            ) from error
        name = terms.submission.resolve().name or str(terms.submission)
        address = self._door.opened(port_of(self._server), name)
        self._audience.opening()
        await self._services.start(terms.submission, self._environment, terms.launched)
        self.is_open = True
        self._audience.opened(address, self._services.isolation)

    async def crash(self) -> None:
        raise Crashed(await self._services.crash())

    async def draw(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            # Those that are answered meanwhile wait for the next round, which is flushed for them.
            count = len(self._answered)
            await self._services.settle()
            self.show(count)

    async def end(self) -> None:
        self._audience.ending()
        self.is_open = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._all_answered.wait()
        await self._services.settle()
        self.show()
        stopped = await self._services.stop()
        self.show()
        if self._forwarder is not None:
            await self._forwarder.drain(PASS_ON_LIMIT)
        passed_on, lost = (
            (self._forwarder.passed_on, self._forwarder.lost) if self._forwarder else (0, 0)
        )
        ended = Ended(self._requests, self._spans, stopped, passed_on, lost)
        self._door.end()
        self._audience.ended(ended)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._services.close()

    async def _pass(self, request: Request) -> Response:
        async with self._room:
            return await self._pass_on(request)

    async def _pass_on(self, request: Request) -> Response:
        # From whoever has a checkout to place to the gateway, and back.
        if not self.is_open:
            return json_answer(503, '{"error": "the services are not up"}')
        services = self._services
        port = services.crossings.port_of(_GATEWAY)
        assert port is not None
        draft = services.record.note("client>gateway", "")
        draft.callee, draft.request = _GATEWAY, request
        self._under_way[draft.number] = draft
        self._requests += 1
        self._all_answered.clear()
        call = Call(
            request,
            services.crossings.connected,
            services.crossings.network,
            draft.connected,
        )
        try:
            response = await call.send(port)
            draft.answered(response)
        except CallFailed as failed:
            draft.outcome = "dropped_in_headers"
            error = f"the gateway gave no answer: {failed.reason}"
            return json_answer(502, json.dumps({"error": error}))
        finally:
            services.record.finish(draft)
            del self._under_way[draft.number]
            self._answered.append(draft)
            self._wake.set()
            if not self._under_way:
                self._all_answered.set()
        return response

    def show(self, count: int | None = None) -> None:
        """Show what came of requests that are answered, the first `count` or all."""
        answered = self._answered[:count]
        self._answered = self._answered[len(answered) :]
        services = self._services
        view = checkouts.view(
            services.record,
            services.deployment.starts,
            services.seen,
            services.collector.spans,
            samples="OTEL_TRACES_SAMPLER" in self._environment,
        )
        for draft in answered:
            self._shown += 1
            shown = checkouts.show(view, draft.number, self._shown)
            if shown is not None:
                self._audience.show(shown)
                self._door.show(shown)
        # What its services still do for one that has been shown is no other one's.
        services.record.assign(checkouts.belonging(view, {draft.number for draft in answered}))
        self._tell_the_rest(view)
        self._forget()

    def _tell_failure(self, error: BaseException) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        self._audience.tell(
            f"kata-serve failed to answer a request; the submission is not to blame: {error!r} "
            f"({place.filename}:{place.lineno})"
        )

    def _tell_the_rest(self, view: View) -> None:
        for span in checkouts.outside(view):
            if span.id not in self._outside:
                self._outside.add(span.id)
                took = (span.data.end_ns - span.data.start_ns) / 1e6
                self._audience.tell(f"outside of any request: {span}, {took:.1f} ms")
        problems = self._services.seen.problems
        for problem in problems[self._problems :]:
            where = f" ({problem.path}:{problem.line})" if problem.path else ""
            self._audience.tell(f"{tell(problem)}{where}")
        problems[:] = [problem for problem in problems if problem.stage != "request"]
        self._problems = len(problems)
        for log in self._services.seen.logs:
            if log.message not in self._warned and len(self._warned) < WARNINGS_SHOWN:
                self._warned.add(log.message)
                self._audience.tell(f"{log.logger} warns: {log.message}")

    def _forget(self) -> None:
        kept = [draft.received_ns for draft in (*self._under_way.values(), *self._answered)]
        collector = self._services.collector
        self._spans += sum(delivery.spans for delivery in collector.deliveries)
        self._outside &= {exported.span.span_id for exported in collector.spans}
        self._services.forget(min(kept, default=time.time_ns()), is_idle=not kept)
