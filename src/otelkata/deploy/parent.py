"""Make the hosts of one submission: forked by its keeper, or each an interpreter of its own."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from otelkata.host.isolation import OUTPUT_KEPT

from .interpreter import ParentFailed, launch_host
from .keeper import InForce, Keeper, Place
from .link import Exchange, Host
from .network import Network, OwnNetwork
from .process import Process
from .warm import Warm, missing


class Hosts(Protocol):
    """Where a submission is run: what makes its hosts, and ends them."""

    network: Network

    @property
    def flooded(self) -> str:
        """Return what the submission took too much of, if it did."""
        ...

    @property
    def lost(self) -> str:
        """Return how what isolates the submission was ended while it ran, if it was."""
        ...

    async def enclose(self, place: Place) -> InForce:
        """Isolate what is going to run, and say how far that went."""
        ...

    async def compile(self, copied: Path) -> None:
        """Compile the submission ahead, where that saves time."""
        ...

    def make_host(
        self,
        name: str,
        submission: Path,
        environment: Mapping[str, str],
        *,
        serves_in_main: bool = False,
        locks: bool = False,
    ) -> Host:
        """Return a new host that imports `submission`, or one that only `locks`."""
        ...

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to the host `name`, if it is still there."""
        ...

    def end(self) -> None:
        """Begin to end every host."""
        ...

    async def close(self) -> None:
        """End every host."""
        ...


class Parent:
    """The keeper of one submission, and the hosts that were made."""

    def __init__(self, warm: Warm, exchange: Exchange, scratch: Path) -> None:
        self._warm = warm
        self._exchange = exchange
        self._scratch = scratch
        self._processes: list[Process] = []
        self._keeper: Keeper | None = None
        self.network: Network = OwnNetwork()

    async def enclose(self, place: Place) -> InForce:
        """Isolate what is going to run; raise what `Warm.enclose` raises."""
        self._keeper, in_force = await self._warm.enclose(place)
        if self._keeper is not None:
            self.network = self._keeper.network
            self.network.on_excess = self._keeper.cut_off
        return in_force

    async def compile(self, copied: Path) -> None:
        """Have the modules in `copied` compiled once, and not in each host."""
        await self._warm.compile(copied)

    @property
    def flooded(self) -> str:
        """Return what the submission took too much of, if it did."""
        return self._keeper.flooded if self._keeper is not None else ""

    @property
    def lost(self) -> str:
        """Return how what isolates the submission was ended while it ran, if it was."""
        return self._keeper.lost if self._keeper is not None else ""

    def make_host(
        self,
        name: str,
        submission: Path,
        environment: Mapping[str, str],
        *,
        serves_in_main: bool = False,
        locks: bool = False,
    ) -> Host:
        """Return a new host that imports `submission`; raise ParentFailed where none can be.

        One that `locks` does not, and obeys `Lock` and `Unlock` alone.
        """
        host = self._exchange.expect(name)
        orders: dict[str, object] = {
            "host": name,
            "port": self._exchange.port,
            "token": self._exchange.token,
            "submission": str(submission),
            "serves_in_main": serves_in_main,
            "locks": locks,
            "environment": dict(environment),
        }
        if self._keeper is not None:
            self._keeper.make_host(host, orders)
            return host
        output = self._scratch / f"{name}.output"
        process = Process(
            launch_host(self._warm.python).process,
            lambda line: host.fail(_lack(self._warm.python, line)),
            lambda status: host.exit(status, _end_of(output)),
        )
        self._processes.append(process)
        process.tell({**orders, "output": str(output)})
        return host

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to the host `name`, if it is still there."""
        if self._keeper is not None:
            self._keeper.send_signal(name, number)

    def end(self) -> None:
        """Begin to end every host."""
        if self._keeper is not None:
            self._keeper.end()
        for process in self._processes:
            process.end(kill=True)

    async def close(self) -> None:
        """End every host."""
        self.end()
        await asyncio.gather(*(process.ended.wait() for process in self._processes))
        if self._keeper is not None:
            await self._keeper.close()


def _lack(python: str, line: bytes) -> ParentFailed:
    return ParentFailed(missing(python, json.loads(line).get("missing", "that hosts need")))


def _end_of(output: Path) -> str:
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - OUTPUT_KEPT))
            return file.read(OUTPUT_KEPT).decode("utf-8", "replace")
    except OSError:
        return ""
