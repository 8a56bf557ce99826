"""Host a submission in threads of this process: the driver sees it as any other host.

This is the one exception to the rule that a submission never shares a process with a check: what
comes of it is no grade, because the submission could alter it.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from otelkata.deploy.keeper import InForce, Place
from otelkata.deploy.link import Exchange, Host, HostGone
from otelkata.deploy.network import Network, OwnNetwork
from otelkata.deploy.source import UnusableSubmission
from otelkata.drive.reading import Reader
from otelkata.drive.run import Crew, Settings, observe
from otelkata.evidence.model import Evidence
from otelkata.grade import nothing_seen, unusable
from otelkata.host import child, wire
from otelkata.host.channel import Channel

from .in_process import NO_GRADE

GROUPS = frozenset({"main"})
"""The scenarios that can be played: others need processes of their own, or end them."""

PATIENCE = 100.0
"""How many times as long as usual anything may take: somebody may be thinking at a prompt."""

_LEAVE_LIMIT = 10.0 * PATIENCE


async def collect(submission: Path, settings: Settings) -> Evidence:
    """Return the evidence on `submission`, run in this process from where it lies."""
    reader = Reader()

    def hosts(exchange: Exchange, _: Path) -> Threads:
        return Threads(exchange)

    crew = Crew(reader, hosts, GROUPS, PATIENCE, in_place=True)
    try:
        async with observe(submission, settings, crew) as evidence:
            return evidence
    except UnusableSubmission as error:
        return nothing_seen(submission, settings, unusable(error, submission))
    finally:
        await reader.close()


class Threads:
    """Hosts that are threads. Nothing isolates, limits or kills them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._hosts: list[Host] = []
        self._leaving: list[asyncio.Task[None]] = []
        self._restored = contextlib.ExitStack()
        self.network: Network = OwnNetwork()
        self.flooded = self.lost = ""

    async def enclose(self, place: Place) -> InForce:  # noqa: ARG002 (nothing is enclosed)
        """Say that nothing is isolated."""
        return InForce("process", NO_GRADE)

    async def compile(self, copied: Path) -> None:
        """Compile nothing: where the submission lies is its author's."""

    def make_host(
        self,
        name: str,
        submission: Path,
        environment: Mapping[str, str],
        *,
        serves_in_main: bool = False,
        locks: bool = False,
    ) -> Host:
        """Return a host in this process; raise NotImplementedError for one that cannot be."""
        if serves_in_main or locks:
            raise NotImplementedError(f"the host {name} needs a process of its own")
        host = self._exchange.expect(name)
        self._hosts.append(host)
        self._restored.enter_context(_process_of(environment))
        orders = child.Orders(
            host=name,
            port=self._exchange.port,
            token=self._exchange.token,
            submission=str(submission),
            serves_in_main=False,
            environment={},
        )
        threading.Thread(target=self._run, args=(host, orders), name=name, daemon=True).start()
        return host

    def send_signal(self, name: str, number: int) -> None:
        """Send nothing: a signal would be the whole process's."""

    def end(self) -> None:
        """Have every host stop its services, and leave."""
        if not self._leaving:
            self._leaving = [asyncio.create_task(_leave(host)) for host in self._hosts]

    async def close(self) -> None:
        """Wait for hosts that were told to leave; who gave up a run waits for none."""
        try:
            await asyncio.gather(*self._leaving)
        finally:
            self._restored.close()

    def _run(self, host: Host, orders: child.Orders) -> None:
        try:
            channel = Channel(orders.port)
            channel.send(wire.Hello(orders.host, orders.token, os.getpid(), sys.version))
            child.Host(orders, channel, owns_process=False).run()
        finally:
            # Where the run was given up, its loop is no more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(host.exit, 0)


async def _leave(host: Host) -> None:
    with contextlib.suppress(HostGone, TimeoutError):
        await host.ask(wire.Leave)
        await asyncio.wait_for(asyncio.shield(host.exited), _LEAVE_LIMIT)


@contextmanager
def _process_of(environment: Mapping[str, str]) -> Iterator[None]:
    # As a host's own process would be, and then again as it was.
    variables, folder, path = dict(os.environ), Path.cwd(), [*sys.path]
    writes_nothing = sys.dont_write_bytecode
    for name in variables:
        if name.startswith("OTEL_"):
            del os.environ[name]
    os.environ.update({k: v for k, v in environment.items() if k.startswith("OTEL_")})
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(folder)
        sys.path[:] = path
        sys.dont_write_bytecode = writes_nothing
