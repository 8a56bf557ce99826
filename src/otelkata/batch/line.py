"""Share one worker's process among all who have a submission for it."""

import asyncio
import itertools
from functools import partial
from pathlib import Path

from otelkata.report.graded import Graded

from .connection import Connection, isolation
from .engine import CannotGrade
from .pool import SILENCE_LIMIT
from .task import Done, News, Task, Terms

IDLE_LIMIT = 60.0
"""How long, in seconds, a process is kept that nobody has a submission for.

What a grader that was killed has left on a cluster ends then.
"""


class Ended(Exception):
    """The process has ended, killed perhaps, before it had an answer."""


class Line:
    """A worker's process; tasks wait for their answers side by side."""

    def __init__(self, terms: Terms) -> None:
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Graded]] = {}
        self._ready: asyncio.Future[str] = self._loop.create_future()
        self._limit: asyncio.TimerHandle | None = None
        self.is_ending = False
        self._connection = Connection(terms, self._hear)
        self._rest()

    async def open(self) -> str:
        """Return what isolates submissions; raise CannotGrade, or Ended."""
        return await asyncio.shield(self._ready)

    async def grade(self, task: Task, folder: Path, evidence: Path | None) -> Graded:
        """Return what the submission in `folder` came to; raise Ended."""
        if self.is_ending:
            raise Ended
        number = next(self._numbers)
        waiting: asyncio.Future[Graded] = self._loop.create_future()
        self._waiting[number] = waiting
        self._rest()
        self._connection.send(Task(number, task.path, task.seed, str(evidence or ""), str(folder)))
        try:
            return await waiting
        finally:
            del self._waiting[number]
            self._rest()

    def end(self) -> None:
        """Begin to end the process, and all that it runs."""
        self.is_ending = True
        self._connection.end()

    async def close(self) -> None:
        """End the process, and all that it runs."""
        self.end()
        await self._connection.ended.wait()

    def _rest(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        if self._waiting:
            kill = partial(self._connection.end, kill=True)
            self._limit = self._loop.call_later(SILENCE_LIMIT, kill)
        else:
            self._limit = self._loop.call_later(IDLE_LIMIT, self.end)

    def _hear(self, news: News | None) -> None:
        self._rest()
        if not self._ready.done():
            self._begin(news)
        elif isinstance(news, Done):
            waiting = self._waiting.get(news.number)
            if waiting is not None and not waiting.done():
                waiting.set_result(news.graded)
        if news is None:
            self.is_ending = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Ended())

    def _begin(self, news: News | None) -> None:
        try:
            self._ready.set_result(isolation(news))
        except CannotGrade as error:
            self._ready.set_exception(Ended() if news is None else error)
            # Nobody may be waiting for it.
            self._ready.exception()
