"""Start what the plan names: hosts, taps and services, and keep what became of each."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from otelkata.deploy.link import Host, HostGone, Observations
from otelkata.deploy.parent import Hosts
from otelkata.evidence.model import Hop, ServiceStart
from otelkata.host import wire
from otelkata.host.frames import of_crash

from . import database
from .collector import Collector
from .http import HOST
from .plan import HOP_OF, PlannedStart
from .tap import Crossings, Tap

START_LIMIT = 20.0
"""Longest time, in seconds, that import, creation and lifespan startup may take together."""

START_AGAIN_LIMIT = 4.0
"""The same for a service that did not come up within the longest time elsewhere."""

WHERE_LIMIT = 10.0
"""Longest time, in seconds, in which a host says where it stands: its threads may be kept busy."""

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "unsampled": {"OTEL_TRACES_SAMPLER": "always_off"},
}


class Deployment:
    """The services that run, and where they listen.

    `environment` is added to that of each host, and `tap` is what stands on each hop. `patience`
    multiplies how long they may take to come up, and their own timeouts.
    """

    def __init__(
        self,
        *,
        parent: Hosts,
        submission: Path,
        crossings: Crossings,
        ports: dict[str, int],
        collector: Collector,
        observations: Observations,
        work: Path,
        resource: Mapping[str, str],
        version: str,
        environment: Mapping[str, str] | None = None,
        tap: Callable[[Crossings, Hop, str, str], Tap] = Tap,
        patience: float = 1.0,
    ) -> None:
        self._parent = parent
        self._patience = patience
        self._submission = submission
        self._crossings = crossings
        self._ports = ports
        self._collector = collector
        self._observations = observations
        self._resource = resource
        self._version = version
        self._environment = environment or {}
        self._tap = tap
        self._hosts: dict[str, Host] = {}
        self._lock: Host | None = None
        self._ended: set[str] = set()
        self._silent: set[str] = set()
        self._callees: dict[str, str] = {}
        self._refusing: list[socket.socket] = []
        self._work = work
        self._no_certificates = work / "certificates"
        self._no_certificates.mkdir()
        self._databases: dict[str, str] = {}
        self.starts: dict[str, ServiceStart] = {}
        self.taps: list[Tap] = []

    async def lock_database(self) -> bool:
        """Lock the database of the slow query; tell whether that can be done."""
        if self._lock is None:
            self._lock = self._parent.make_host("lock", self._submission, {}, locks=True)
        try:
            return (await self._lock.ask(wire.Lock, path=self._databases["locked"])).ok
        except (HostGone, TimeoutError):
            return False

    async def unlock_database(self) -> None:
        """Let go of the lock, if it is still held."""
        if self._lock is not None:
            with contextlib.suppress(HostGone, TimeoutError):
                await self._lock.ask(wire.Unlock)

    def stock(self, skus: Sequence[str] | Mapping[str, int]) -> None:
        """Make the databases, with these in stock, and as many of them if told."""
        self._databases = {
            "stocked": database.make(self._work / "stock.sqlite", skus),
            "locked": database.make(self._work / "locked.sqlite", skus),
            "empty": database.make_without_table(self._work / "empty.sqlite"),
        }

    def serves(self, start: str) -> bool:
        """Tell whether `start` came up."""
        return start in self.starts and self.starts[start].serves

    def callees_of(self, start: str) -> str:
        """Return the group of services that `start` calls."""
        return self._callees.get(start, "main")

    async def start(self, planned: Iterable[PlannedStart], *, serve: bool = True) -> None:
        """Start services, in this order; what fails is a problem in the evidence."""
        urls = [(start, await self._urls(start) if serve else {}) for start in planned]
        await asyncio.gather(*(self._start(start, of, serve=serve) for start, of in urls))

    def host(self, name: str) -> Host:
        """Return the host `name`, made at the first call."""
        if name not in self._hosts:
            environment = {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT": self._collector.endpoint(name),
                "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{k}={v}" for k, v in self._resource.items()),
                # Nothing leaves by itself: the driver flushes, or sees what an exit loses.
                "OTEL_BSP_SCHEDULE_DELAY": "60000",
                # Nothing here speaks TLS, and reading the world's certificates takes each client
                # that a submission makes some 60 ms.
                "SSL_CERT_DIR": str(self._no_certificates),
                "HOME": str(self._work),
                "TMPDIR": str(self._work),
                **ENVIRONMENTS.get(name, {}),
                **self._environment,
            }
            self._hosts[name] = self._parent.make_host(
                name,
                self._submission,
                environment,
                serves_in_main=name.startswith(("sigterm", "stuck")),
            )
        return self._hosts[name]

    def terminate(self, name: str) -> None:
        """Send SIGTERM to the host `name`."""
        self._parent.send_signal(name, signal.SIGTERM)

    @property
    def python(self) -> str:
        """Return the version of the interpreter that hosts the submission; empty: none did."""
        return next((host.python for host in self._hosts.values() if host.python), "")

    def host_of(self, start: str) -> Host:
        """Return the host in which `start` runs."""
        return self.host(self.starts[start].host)

    async def explain_silence(self, start: str, stage: str, message: str) -> None:
        """Report that `start` did not answer, with the place where its code stands."""
        service = self.starts[start].service
        values = await self._where(start)
        if values.get("importing"):
            stage, message = "importing", f"the import of checkout did not end: {message}"
        elif values["blocks"]:
            message += (
                ": the line that it is at blocks its event loop, so that nothing else can run"
            )
        place = wire.place(values)
        self._observations.problems.append(wire.Problem(start, service, stage, message, *place))

    async def place_of(self, start: str) -> tuple[str, int]:
        """Return the line of the submission at which `start` stands; none where it does not say."""
        return wire.place(await self._where(start))

    async def _where(self, start: str) -> Mapping[str, wire.Scalar | None]:
        try:
            host = self.host_of(start)
            return (await host.ask(wire.Where, limit=WHERE_LIMIT, start=start)).values
        except (TimeoutError, HostGone):
            return {"path": "", "line": 0, "blocks": False}

    async def explain_end(self, name: str) -> None:
        """Report that the process of the host `name` ended by itself, once."""
        if name in self._ended:
            return
        self._ended.add(name)
        host = self.host(name)
        try:
            status = await asyncio.wait_for(asyncio.shield(host.exited), 2)
            how = (
                f"was ended by {_signal(-status)}" if status < 0 else f"ended with status {status}"
            )
        except TimeoutError:
            how = "closed its connection to the grader"
        output = of_crash(host.output)
        message = f"the process that ran the submission {how}"
        place = _crash_place(output, f"{self._submission}{os.sep}")
        self._observations.problems.append(wire.Problem("", "", "exit", message, *place, output))

    def close(self) -> None:
        """Close what this side listens on."""
        for tap in self.taps:
            tap.close()
        for refusing in self._refusing:
            refusing.close()

    async def _start(self, planned: PlannedStart, urls: dict[str, str], *, serve: bool) -> None:
        self._callees[planned.name] = planned.callees
        self._note(planned, 0, serves=False)
        host = self.host(planned.host)
        longest = START_AGAIN_LIMIT if planned.service in self._silent else START_LIMIT
        limit = longest * self._patience
        asking = host.ask(
            wire.Start,
            limit=limit,
            start=planned.name,
            service=planned.service,
            version=self._version,
            exporter=planned.exporter,
            serves=serve,
            timeout=self._timeout(planned),
            urls=urls,
        )
        try:
            reply = await asking
        except TimeoutError:
            self._silent.add(planned.service)
            message = f"{planned.service} did not come up within {limit:.0f} s"
            await self.explain_silence(planned.name, "start", message)
        except HostGone:
            await self.explain_end(planned.host)
        else:
            if reply.ok:
                port = cast("int", reply.values["port"])
                self._ports[planned.name] = port
                self._note(planned, port, serves=True)

    def _note(self, planned: PlannedStart, port: int, *, serves: bool) -> None:
        self.starts[planned.name] = ServiceStart(
            planned.name,
            planned.host,
            planned.service,
            planned.exporter,
            self._version,
            self._timeout(planned),
            port,
            serves,
        )

    def _timeout(self, planned: PlannedStart) -> float | None:
        return None if planned.timeout is None else planned.timeout * self._patience

    async def _urls(self, planned: PlannedStart) -> dict[str, str]:
        if planned.service == "inventory":
            return {"database": self._databases[planned.database]}
        urls = {}
        for (service, parameter), hop in HOP_OF.items():
            if service != planned.service:
                continue
            if parameter in planned.refused:
                port = await self._refuse()
            else:
                callee = hop.partition(">")[2]
                name = callee if callee == "processor" else f"{callee}.{planned.callees}"
                tap = self._tap(self._crossings, hop, planned.name, name)
                self.taps.append(tap)
                port = await tap.open()
            urls[parameter] = f"http://{HOST}:{port}"
        return urls

    async def _refuse(self) -> int:
        # Bound but not listening: nobody else can come to listen there meanwhile.
        refusing = await self._crossings.network.stream()
        refusing.bind((HOST, 0))
        self._refusing.append(refusing)
        port: int = refusing.getsockname()[1]
        return port


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _crash_place(output: str, prefix: str) -> tuple[str, int]:
    # faulthandler prints all threads, that of the crash somewhere among them, and of each the most
    # recent call first.
    crashed = output.rpartition("\nCurrent thread 0x")[2].partition("\nThread 0x")[0]
    for path, line in re.findall(r'File "([^"]+)", line (\d+)', f"{crashed}\n{output}"):
        if path.startswith(prefix):
            return path.removeprefix(prefix), int(line)
    return "", 0
