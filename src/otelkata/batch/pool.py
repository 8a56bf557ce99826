"""Spread a batch over workers: processes with an interpreter, a driver and a judge each."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable

import msgspec

from otelkata.deploy.interpreter import ParentFailed
from otelkata.deploy.keeper import IsolationUnavailable
from otelkata.deploy.process import Process
from otelkata.report.graded import failure

from .task import Began, Done, News, Ready, Refused, Task, Terms

IN_FLIGHT = 12
"""Most submissions that one worker has at a time: all but one of them only wait."""

SILENCE_LIMIT = 400.0
"""Longest time, in seconds, for which a worker that has something to do may have no news.

Whatever a submission does, its run is over after a quarter of that.
"""

_ATTEMPTS = 2


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

        Raises IsolationUnavailable where the system does not give the level that was asked for,
        ParentFailed where the interpreter can host nothing.
        """
        for worker in self._workers:
            worker.start(self._terms)
        said: list[str] = []
        while len(said) < len(self._workers):
            worker, news = await self.news.get()
            said.append(_isolation(news))
            worker.is_ready = True
        return said[0]

    def pids(self) -> list[int]:
        """Return the numbers of the workers' processes."""
        return [worker.pid for worker in self._workers]

    async def close(self) -> None:
        """End the workers, and all that they run."""
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def grade(self, tasks: Iterable[Task]) -> AsyncGenerator[Began | Done]:
        """Yield what there is to say of `tasks`, as it comes.

        A worker gets a new task only when the caller has come back for more. A submission with
        which a worker has died is tried once more, alone.
        """
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
                case Refused():
                    raise ParentFailed(news.reason)
                case None:
                    for task in self._bury(worker):
                        left -= 1
                        reason = "the grader's process ended while it ran it"
                        yield Done(task.number, failure(task.path, task.seed, reason))

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
            if self._died[task.number] < _ATTEMPTS:
                self.suspects.append(task)
            else:
                lost.append(task)
        worker.tasks.clear()
        worker.start(self._terms)
        return lost


class _Worker:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._process: Process | None = None
        self._alone = False
        self.is_ready = False
        self.pid = 0
        self.tasks: dict[int, Task] = {}
        self.heard = 0.0

    def start(self, terms: Terms) -> None:
        self.is_ready = False
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "otelkata.batch.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = started.pid
        self._process = Process(
            started,
            lambda line: self._pool.news.put_nowait((self, msgspec.json.decode(line, type=News))),
            lambda _: self._pool.news.put_nowait((self, None)),
        )
        self._process.tell(msgspec.to_builtins(terms))

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
            if self._process is not None:
                self._process.tell(msgspec.to_builtins(task))

    def end_if_silent_since(self, then: float) -> None:
        if self.tasks and self.heard < then and self._process is not None:
            self._process.end(kill=True)

    async def close(self) -> None:
        if self._process is not None:
            self._process.end(kill=False)
            await self._process.ended.wait()


def _isolation(news: News | None) -> str:
    match news:
        case Ready():
            return news.isolation
        case Refused(reason, usage=True):
            raise IsolationUnavailable(reason)
        case Refused(reason):
            raise ParentFailed(reason)
        case _:
            raise ParentFailed("a process of the grader ended before it could begin")
