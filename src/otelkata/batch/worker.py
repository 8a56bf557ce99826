"""Grade the submissions that a batch sends, as `python -m otelkata.batch.worker`.

Terms and tasks come in as lines, news go out as lines. The end of the input is the end of all that
the worker runs, so that nothing outlives a batch that is killed.
"""

import asyncio
import contextlib
import gc
import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from otelkata.deploy.interpreter import ParentFailed
from otelkata.deploy.keeper import IsolationUnavailable
from otelkata.deploy.network import room
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.grade import Grader, regrade
from otelkata.judge import registry, selection
from otelkata.report.graded import NOT_RUN, failure

from .task import Began, Done, News, Ready, Refused, Task, Terms


class Worker:
    """Grades tasks side by side with one grader; `tell` is given what there is to say."""

    def __init__(self, grader: Grader, terms: Terms, tell: Callable[[News], None]) -> None:
        self._grader = grader
        self._terms = terms
        self._only = selection.only(terms.only, registry.load()) if terms.only else None
        self._tell = tell
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(room())

    def begin(self, task: Task) -> None:
        """Grade `task`, beside others."""
        running = asyncio.create_task(self._grade(task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def end(self) -> None:
        """Give up what is not done yet."""
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _grade(self, task: Task) -> None:
        def keep(evidence: Evidence) -> None:
            if task.evidence:
                store.write(evidence, Path(task.evidence))

        settings = Settings(task.seed, self._terms.quick, self._only)
        try:
            async with self._room:
                result = await self._grader.grade(
                    task.path, settings, keep, lambda: self._tell(Began(task.number)), task.folder
                )
        except Exception as error:  # noqa: BLE001 (one submission's end is not that of the others)
            reason = f"the grader failed on it: {error!r}"
            result = failure(task.path, task.seed, reason)
        self._tell(Done(task.number, result))


async def judge(lines: asyncio.Queue[bytes], tell: Callable[[News], None]) -> None:
    """Judge the evidence in the files that `lines` name, until there are no more."""
    checks = registry.load()
    # Looking for garbage among what lives as long as the process only takes time.
    gc.freeze()
    tell(Ready(NOT_RUN))
    while line := await lines.get():
        task = _task(line)
        tell(Done(task.number, regrade(Path(task.path), checks)))


async def serve(lines: asyncio.Queue[bytes], tell: Callable[[News], None]) -> None:
    """Obey `lines`, the terms first, until there are no more."""
    terms = msgspec.convert(json.loads(await lines.get()), type=Terms)
    if terms.regrade:
        await judge(lines, tell)
        return
    is_open = False
    try:
        async with Grader(terms.python, terms.isolation) as grader:
            grader.open()
            is_open = True
            tell(Ready(await grader.isolation()))
            worker = Worker(grader, terms, tell)
            while line := await lines.get():
                worker.begin(_task(line))
            await worker.end()
    except IsolationUnavailable as error:
        tell(Refused(str(error), usage=True))
    except ParentFailed as error:
        tell(Refused(str(error), usage=not is_open))


def _task(line: bytes) -> Task:
    # A path need not be text: Python's own decoder takes what stands for its other bytes.
    return msgspec.convert(json.loads(line), type=Task)


async def main() -> None:
    """Obey standard input."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        # Not by way of sys.stdin: a thread that reads there cannot be left behind.
        with io.FileIO(0, closefd=False) as file:
            for line in file:
                loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    def tell(news: News) -> None:
        # Nothing that is imported later may print among the news. Where nobody reads them any
        # more, the input ends as well.
        with contextlib.suppress(BrokenPipeError):
            os.write(1, msgspec.json.encode(news) + b"\n")

    threading.Thread(target=read, daemon=True).start()
    await serve(lines, tell)


if __name__ == "__main__":
    # What is imported stays: looking through it for garbage only takes time.
    gc.freeze()
    asyncio.run(main())
