"""Talk with one worker: a process with an interpreter for hosts, a driver and a judge."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

import msgspec

from otelkata.deploy.process import Process

from .engine import CannotGrade
from .task import News, Ready, Refused, Task, Terms


class Connection:
    """A worker's process; `hear` is given what it says, and None when it has ended."""

    def __init__(self, terms: Terms, hear: Callable[[News | None], None]) -> None:
        self._hear = hear
        # In a session of its own, Ctrl-C reaches only the grader, which ends the worker in order.
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "otelkata.batch.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = started.pid
        self._process = Process(started, self._read, lambda _: hear(None))
        self._process.tell(msgspec.to_builtins(terms))

    @property
    def ended(self) -> asyncio.Event:
        """Return the event that it has ended."""
        return self._process.ended

    def send(self, task: Task) -> None:
        """Give it a task; one that has ended is told of elsewhere."""
        self._process.tell(msgspec.to_builtins(task))

    def end(self, *, kill: bool = False) -> None:
        """Begin to end it, and all that it runs."""
        self._process.end(kill=kill)

    def _read(self, line: bytes) -> None:
        # The last line of one that was killed may be cut.
        if line.endswith(b"\n"):
            self._hear(msgspec.json.decode(line, type=News))


def isolation(news: News | None) -> str:
    """Return what `news`, a worker's first, says of isolation; raise CannotGrade otherwise."""
    match news:
        case Ready():
            return news.isolation
        case Refused():
            raise CannotGrade(news.reason, usage=news.usage)
        case _:
            raise CannotGrade("a process of the grader ended before it could begin")
