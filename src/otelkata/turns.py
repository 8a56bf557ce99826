"""Let one thing happen at a time, what ends a submission before what begins one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

BUSY_LIMIT = 5.0
"""Longest time, in seconds, that others wait for a submission that does not come to rest."""


class Turns:
    """One turn at a time; whoever has begun goes first."""

    def __init__(self) -> None:
        self._taken = False
        self._begun: deque[asyncio.Future[None]] = deque()
        self._new: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def first(self) -> AsyncIterator[Callable[[], None]]:
        """Take a turn for something new; it ends when the given function is called.

        It ends with the block, too, and after BUSY_LIMIT.
        """
        await self._take(self._new)
        give = _once(self._give)
        at_most = asyncio.get_running_loop().call_later(BUSY_LIMIT, give)
        try:
            yield give
        finally:
            at_most.cancel()
            give()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Take a turn for what has begun, before all that has not."""
        await self._take(self._begun)
        try:
            yield
        finally:
            self._give()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        for queue in (self._begun, self._new):
            while queue:
                waiting = queue.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._taken = False


def _once(call: Callable[[], None]) -> Callable[[], None]:
    calls = [call]

    def once() -> None:
        while calls:
            calls.pop()()

    return once
