"""Hold requests back until something else has happened."""

import asyncio
import time


class Gate:
    """A point that a request reaches, and at which it may have to wait until it is released."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.reached_ns = 0
        self.released_ns = 0
        self._open = asyncio.Event()

    def notice(self) -> None:
        """Tell that a request is here."""
        self.reached_ns = self.reached_ns or time.time_ns()
        self.reached.set()

    async def wait(self) -> None:
        """Tell that a request is here, and hold it."""
        self.notice()
        await self.until_released()

    async def until_released(self) -> None:
        """Wait until those who are held here may pass."""
        await self._open.wait()

    def release(self) -> None:
        """Let pass who waits and who comes."""
        self.released_ns = self.released_ns or time.time_ns()
        self._open.set()


class MeetingPoint:
    """Let nobody pass before `size` have come, so that requests really are under way together.

    A submission that handles one request at a time never gets them all here: after `patience`
    seconds everybody passes.
    """

    def __init__(self, size: int, patience: float) -> None:
        self._missing = size
        self._patience = patience
        self._open = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the others."""
        self._missing -= 1
        if self._missing <= 0:
            self._open.set()
        try:
            await asyncio.wait_for(self._open.wait(), self._patience)
        except TimeoutError:
            self._open.set()
