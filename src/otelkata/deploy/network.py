"""Make the sockets of the driver: in the network in which the hosts are."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol


class Network(Protocol):
    """A place in which sockets are made."""

    async def stream(self) -> socket.socket:
        """Return a new TCP socket, neither bound nor connected, that does not block."""
        ...


class OwnNetwork:
    """The network that this process is in."""

    async def stream(self) -> socket.socket:
        """Return a new socket."""
        # The protocol is named because asyncio turns Nagle's algorithm off only where it is.
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setblocking(False)  # noqa: FBT003 (socket takes it by position)
        return made


class PortedNetwork:
    """The network of a sandbox, whose porter makes sockets there and hands them out.

    Some are asked for ahead, so that few have to be waited for.
    """

    AHEAD = 32
    LOW = 12

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self._asked = 0
        self._closed = False
        self._ready: list[socket.socket] = []
        self._waiting: list[asyncio.Future[socket.socket]] = []

    async def stream(self) -> socket.socket:
        """Return a new socket; raise ConnectionError where the sandbox has gone."""
        if self._closed:
            raise ConnectionError("the sandbox has gone")
        if len(self._ready) + self._asked - len(self._waiting) <= self.LOW:
            self._asked += self.AHEAD
            self._ask(self.AHEAD)
        if self._ready:
            return self._ready.pop()
        waiting: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return await waiting

    def take(self, descriptors: list[int]) -> None:
        """Take in what the porter has handed out."""
        self._asked -= len(descriptors)
        for descriptor in descriptors:
            made = socket.socket(fileno=descriptor)
            made.setblocking(False)  # noqa: FBT003 (socket takes it by position)
            self._hand_out(made)

    def close(self) -> None:
        """Close what nobody has used; fail who still waits."""
        self._closed = True
        for made in self._ready:
            made.close()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(ConnectionError("the sandbox has gone"))
                waiting.exception()

    def _hand_out(self, made: socket.socket) -> None:
        while self._waiting:
            waiting = self._waiting.pop(0)
            if not waiting.done():
                waiting.set_result(made)
                return
        if self._closed:
            made.close()
        else:
            self._ready.append(made)
