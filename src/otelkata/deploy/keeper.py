"""Talk to the keeper of one submission: the process, in the sandbox, that forks its hosts."""

import asyncio
import json
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otelkata.host.isolation import END_LIMIT, Level

from .link import Host
from .network import Network, OwnNetwork, PortedNetwork

_PIECE = 65_536
_DESCRIPTORS_AT_ONCE = 64


class IsolationUnavailable(Exception):
    """The system does not give the level that was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """The directories and the user of one submission, as its keeper is told of them.

    One that `lasts` runs until somebody ends it, so that nobody limits its processor time.
    """

    submission: str
    work: str
    root: str
    dependencies: tuple[str, ...] = ()
    user: int | None = None
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """The level that a keeper has reached, and what that is, in words."""

    level: Level
    words: str


class Keeper:
    """The driver's end of a keeper's control socket."""

    def __init__(self, orders: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._control, its_end = socket.socketpair()
        self._rest = b""
        self._descriptors: list[int] = []
        self._hosts: dict[str, Host] = {}
        self._own = OwnNetwork()
        self._ported = PortedNetwork(lambda count: self._tell(sockets=count))
        self._opened: asyncio.Future[InForce] = self._loop.create_future()
        self._orders = orders
        self._its_end: socket.socket | None = its_end
        self._shares_network = True
        self.flooded: str = ""
        self.lost: str = ""
        self.ended = asyncio.Event()

    async def open(self, level: Level, place: Place) -> InForce:
        """Have the keeper isolate itself; raise IsolationUnavailable where it cannot."""
        orders = {
            "level": level,
            "submission": place.submission,
            "work": place.work,
            "root": place.root,
            "dependencies": list(place.dependencies),
            "user": place.user,
            "lasts": place.lasts,
        }
        if self._its_end is not None:
            with self._its_end as its_end:
                line = json.dumps(orders).encode() + b"\n"
                socket.send_fds(self._orders, [line], [its_end.fileno()])
            self._its_end = None
        self._loop.add_reader(self._control, self._read)
        in_force = await self._opened
        self._shares_network = in_force.level != "sandbox"
        return in_force

    @property
    def network(self) -> Network:
        """Return where sockets reach the hosts."""
        return self._own if self._shares_network else self._ported

    def make_host(self, host: Host, orders: Mapping[str, object]) -> None:
        """Have `host` made."""
        self._hosts[host.name] = host
        if self.ended.is_set():
            host.exit(-9)
        else:
            self._tell(**orders)

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to the host `name`, if it is still there."""
        self._tell(signal=number, to=name)

    def cut_off(self, reason: str) -> None:
        """End all hosts, and those to come: the submission takes too much."""
        self._tell(cut=reason)

    def end(self) -> None:
        """Begin to end everything in the keeper's care."""
        self._shut(socket.SHUT_WR)
        if self._its_end is not None:
            self._its_end.close()
            self._finish()

    async def close(self) -> None:
        """End everything in the keeper's care; a keeper that does not come to that is left."""
        self.end()
        try:
            # It gives up before.
            await asyncio.wait_for(self.ended.wait(), 2 * END_LIMIT)
        except TimeoutError:
            self._finish()

    def _shut(self, how: int) -> None:
        try:
            self._control.shutdown(how)
        except OSError:
            # It was closed before, by either side.
            return

    def _tell(self, **orders: object) -> None:
        try:
            self._control.sendall(json.dumps(orders).encode() + b"\n")
        except OSError:
            # The keeper has gone, which `_read` is told as well.
            return

    def _read(self) -> None:
        try:
            received = socket.recv_fds(
                self._control, _PIECE, _DESCRIPTORS_AT_ONCE, socket.MSG_DONTWAIT
            )
        except BlockingIOError:
            return
        except OSError:
            received = (b"", [], 0, None)
        data, descriptors = received[0], received[1]
        self._descriptors += descriptors
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hear(json.loads(line))
        if not data:
            self._finish()

    def _hear(self, news: Mapping[str, Any]) -> None:
        if "sockets" in news:
            count = news["sockets"]
            self._ported.take(self._descriptors[:count])
            del self._descriptors[:count]
        elif "exited" in news:
            self._hosts[news["exited"]].exit(news["status"], news["output"])
        elif "flood" in news:
            self.flooded = news["flood"]
        elif "lost" in news:
            name = signal.Signals(news["lost"]).name
            self.lost = f"the process that kept the sandbox was ended by {name}"
        elif "refused" in news:
            self._fail(news["refused"])
        elif not self._opened.done():
            self._opened.set_result(InForce(news["level"], news["isolated"]))

    def _finish(self) -> None:
        if self.ended.is_set():
            return
        self.ended.set()
        self._loop.remove_reader(self._control)
        self._control.close()
        self._fail("the process that should isolate it ended")
        self._ported.close()
        for host in self._hosts.values():
            host.exit(-9)

    def _fail(self, reason: str) -> None:
        if not self._opened.done():
            self._opened.set_exception(IsolationUnavailable(reason))
            self._opened.exception()
