"""Spread a batch over workers: processes of this machine."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from otelkata.deploy.warm import COMPILE_LIMIT
from otelkata.drive.load import MOST
from otelkata.drive.reading import READING_LIMIT
from otelkata.drive.run import RUN_LIMIT
from otelkata.report.graded import failure

from .connection import Connection, isolation
from .task import Began, Done, News, Ready, Task, Terms

IN_FLIGHT = 12
"""Most submissions that one worker has at a time: all but one of them only wait."""

SILENCE_LIMIT = COMPILE_LIMIT + MOST * RUN_LIMIT + 2 * READING_LIMIT
"""Longest time, in seconds, for which a worker that has something to do may have no news.

Whatever a submission does, its run is over before that: even where a machine is so busy that all
scenarios have their longest time, and the linter begins only then. A minute is left for the rest.
"""

ATTEMPTS = 2
"""How often a submission may be there when a worker dies; more than once is no chance."""

KILLED = "the grader's process ended while it ran it"
_STARTS = 3


class Pool:
    """Workers that live as long as the pool is open."""

    def __init__(self, terms: Terms, jobs: int) -> None:
        self._terms = terms
        self._workers = [_Worker(self) for _ in range(jobs)]
        self.news: asyncio.Queue[tuple[_Worker, News | None]] = asyncio.Queue()
        self.waiting: deque[Task] = deque()
        self.suspects: deque[Task] = deque()
        self._died: dict[int, int] = {}

    async def open(self) -> str:
        """Start the workers; return what keeps their submissions apart.

        Raises CannotGrade where the system does not give the level that was asked for, or the
        interpreter can host nothing.
        """
        for worker in self._workers:
            worker.start(self._terms)
        said = ""
        for _ in self._workers:
            worker, news = await self.news.get()
            said = isolation(news)
            worker.is_ready = True
        return said

    def pids(self) -> list[int]:
        """Return the numbers of the workers' processes."""
        return [worker.pid for worker in self._workers]

    async def close(self) -> None:
        """End the workers, and all that they run."""
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def grade(self, tasks: Iterable[Task]) -> AsyncGenerator[Began | Done]:
        """Yield what there is to say of `tasks`, as it comes; see `Engine`."""
        self.waiting.extend(tasks)
        left = len(self.waiting)
        while left:
            for worker in self._workers:
                worker.feed()
            worker, news = await self._next()
            match news:
                case Began():
                    yield news
                case Done():
                    worker.tasks.pop(news.number, None)
                    left -= 1
                    yield news
                case Ready():
                    worker.is_ready = True
                case None if worker.is_ready or worker.starts < _STARTS:
                    for task in self._bury(worker):
                        left -= 1
                        yield Done(task.number, failure(task.path, task.seed, KILLED))
                case _:
                    isolation(news)

    async def _next(self) -> "tuple[_Worker, News | None]":
        # A worker that something has brought to a halt is ended, which is news.
        while True:
            now = time.monotonic()
            for worker in self._workers:
                worker.end_if_silent_since(now - SILENCE_LIMIT)
            with contextlib.suppress(TimeoutError):
                worker, news = await asyncio.wait_for(self.news.get(), SILENCE_LIMIT / 10)
                worker.heard = time.monotonic()
                return worker, news

    def _bury(self, worker: "_Worker") -> list[Task]:
        # Returns the tasks that have killed a worker more often than may be chance.
        lost = []
        for task in worker.tasks.values():
            self._died[task.number] = self._died.get(task.number, 0) + 1
            if self._died[task.number] < ATTEMPTS:
                self.suspects.append(task)
            else:
                lost.append(task)
        worker.tasks.clear()
        worker.start(self._terms)
        return lost


class _Worker:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: Connection | None = None
        self._alone = False
        self.is_ready = False
        self.starts = 0
        self.heard = 0.0
        self.tasks: dict[int, Task] = {}

    def start(self, terms: Terms) -> None:
        # One that has graded something may be started again for ever.
        self.starts = 1 if self.is_ready else self.starts + 1
        self.is_ready = False
        self._connection = Connection(terms, lambda news: self._pool.news.put_nowait((self, news)))

    def feed(self) -> None:
        """Send what it can take."""
        pool = self._pool
        if not self.tasks:
            self._alone = False
        while self.is_ready and not self._alone and len(self.tasks) < IN_FLIGHT:
            if pool.suspects and not self.tasks:
                task = pool.suspects.popleft()
                self._alone = True
            elif pool.waiting and not pool.suspects:
                task = pool.waiting.popleft()
            else:
                return
            if not self.tasks:
                self.heard = time.monotonic()
            self.tasks[task.number] = task
            if self._connection is not None:
                self._connection.send(task)

    @property
    def pid(self) -> int:
        return self._connection.pid if self._connection is not None else 0

    def end_if_silent_since(self, then: float) -> None:
        if self.tasks and self.heard < then and self._connection is not None:
            self._connection.end(kill=True)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.end()
            await self._connection.ended.wait()
