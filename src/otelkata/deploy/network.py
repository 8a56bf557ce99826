"""Make the sockets of the driver: in the network in which the hosts are."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Protocol

CONNECTIONS_LIMIT = 250
"""Most connections that hosts may hold open at one time; honest ones stay below a third of it."""

CONNECTIONS_TOTAL = 10_000
BYTES_LIMIT = 128 * 1024 * 1024
"""Most connections, and bytes, that the driver takes from hosts in a run; honest ones stay below a
tenth of it."""

DESCRIPTORS_WANTED = 16_384
_OWN = 100
"""Descriptors that the driver opens itself for one submission, at most."""


class Network(Protocol):
    """A place in which sockets are made, and what comes from there is counted."""

    excess: str
    on_excess: Callable[[str], None]
    on_failure: Callable[[BaseException], None]
    """What is told that the driver itself has failed while it answered somebody there."""

    def enter(self) -> bool:
        """Count a connection that a host has opened; False where there are too many."""
        ...

    def leave(self) -> None:
        """Count one less that is open."""
        ...

    def receive(self, count: int) -> bool:
        """Count bytes that a host has sent; False where there are too many."""
        ...

    def renew(self) -> None:
        """Begin to count anew what has been opened and received: a limit becomes one of a rate."""
        ...

    def exceed(self, reason: str) -> None:
        """Note that hosts take too much, and of what."""
        ...

    async def stream(self) -> socket.socket:
        """Return a new TCP socket, neither bound nor connected, that does not block."""
        ...


class _Counting:
    # Keeps hosts from using up the descriptors, the memory and the time of the driver, which are
    # those of other submissions as well.

    def __init__(self) -> None:
        self._open = self._opened = self._received = 0
        self.excess = ""
        self.on_excess: Callable[[str], None] = lambda _: None
        self.on_failure: Callable[[BaseException], None] = _tell_the_loop

    def enter(self) -> bool:
        """Count a connection that a host has opened; False where there are too many."""
        self._open += 1
        self._opened += 1
        if self._open > CONNECTIONS_LIMIT:
            self.exceed(f"it opened more than {CONNECTIONS_LIMIT} connections at a time")
        elif self._opened > CONNECTIONS_TOTAL:
            self.exceed(f"it opened more than {CONNECTIONS_TOTAL} connections")
        return not self.excess

    def leave(self) -> None:
        """Count one less that is open."""
        self._open -= 1

    def receive(self, count: int) -> bool:
        """Count bytes that a host has sent; False where there are too many."""
        self._received += count
        if self._received > BYTES_LIMIT:
            self.exceed(f"it sent the grader more than {BYTES_LIMIT // 2**20} MiB")
        return not self.excess

    def renew(self) -> None:
        """Begin to count anew what has been opened and received: a limit becomes one of a rate."""
        self._opened = self._received = 0

    def exceed(self, reason: str) -> None:
        """Note that hosts take too much, and of what."""
        if not self.excess:
            self.excess = reason
            self.on_excess(reason)


def _tell_the_loop(error: BaseException) -> None:
    context = {"message": "the driver failed to answer", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


class OwnNetwork(_Counting):
    """The network that this process is in."""

    async def stream(self) -> socket.socket:
        """Return a new socket."""
        # The protocol is named because asyncio turns Nagle's algorithm off only where it is.
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setblocking(False)  # noqa: FBT003 (socket takes it by position)
        return made


class PortedNetwork(_Counting):
    """The network of a sandbox, whose porter makes sockets there and hands them out.

    Some are asked for ahead, so that few have to be waited for.
    """

    AHEAD = 32
    LOW = 12

    def __init__(self, ask: Callable[[int], None]) -> None:
        super().__init__()
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


def room() -> int:
    """Return for how many submissions at a time this process has descriptors, whatever they do."""
    if os.name != "posix":
        return sys.maxsize
    import resource  # noqa: PLC0415 (not on Windows)

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(1, soft // (CONNECTIONS_LIMIT + _OWN))


def widen() -> None:
    """Let this process have more descriptors than is usual: connections come before they count."""
    if os.name != "posix":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
