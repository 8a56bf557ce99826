"""Have the source of submissions linted while they run."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from otelkata.deploy.process import Process
from otelkata.evidence.model import Reading

READING_LIMIT = 60.0
"""Longest time, in seconds, that the linter may take over one submission."""

_POLITENESS = 3
"""By how much the linter steps back: the scenarios are timed, and it is not, but is waited for."""


class Reader:
    """The linter's process, which reads one submission after the other."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reading]] = {}
        self._process: Process | None = None

    async def read(self, copied: Path) -> Reading:
        """Return what the linter says of the submission in `copied`."""
        if self._process is None or self._process.ended.is_set():
            self._process = self._start()
        number = next(self._numbers)
        waiting: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        self._process.tell({"number": number, "folder": str(copied), "limit": READING_LIMIT})
        try:
            return await waiting
        finally:
            del self._waiting[number]

    def end(self) -> None:
        """Begin to end the process."""
        if self._process is not None:
            # Where it forks, it takes those that read with it.
            self._process.end(kill=not hasattr(os, "fork"))

    async def close(self) -> None:
        """End the process."""
        self.end()
        if self._process is not None:
            await self._process.ended.wait()

    def _start(self) -> Process:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "otelkata.lint.submission"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is the grader's own, who then closes the input.
            start_new_session=True,
        )
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, started.pid, own + _POLITENESS)
        return Process(started, self._hear, self._ended)

    def _hear(self, line: bytes) -> None:
        news: Mapping[str, object] = json.loads(line)
        waiting = self._waiting.get(int(str(news["number"])))
        if waiting is None or waiting.done():
            return
        if "failed" in news:
            waiting.set_result(Reading(remarks=[], unread=[f"the linter {news['failed']}"]))
        else:
            waiting.set_result(msgspec.convert(news["read"], type=Reading))

    def _ended(self, status: int) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                reason = f"the linter ended with status {status}"
                waiting.set_result(Reading(remarks=[], unread=[reason]))
