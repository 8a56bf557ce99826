"""Grade a submission again whenever a file in it is saved."""

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.rule import Rule
from rich.text import Text
from watchfiles import Change, DefaultFilter, awatch

from otelkata.cli import EXIT_CODES
from otelkata.deploy.interpreter import Launched
from otelkata.deploy.source import DEPENDENCIES, LEFT_OUT
from otelkata.drive.run import Settings
from otelkata.grade import Grader
from otelkata.report import again
from otelkata.report.graded import Graded
from otelkata.report.words import cut_line

from .guard import INTERRUPTED
from .last import Last
from .reports import Wanted, write_one
from .session import waiting
from .wish import only

QUIET = 50
"""How long, in milliseconds, nothing may be saved before what was saved is graded."""

MOST_NAMED = 3


def watch(path: str, options: argparse.Namespace, launched: Launched | None) -> int:
    """Grade the submission at `path` now and on every save, until the user has enough of it."""
    console = Console(highlight=False)
    try:
        asyncio.run(_Watch(path, options, console).run(launched))
    except KeyboardInterrupt:
        console.print(f"\nno longer watching {path}", markup=False)
    except CannotWatch as error:
        print(f"kata-grade: {error}", file=sys.stderr)
        return EXIT_CODES["error"]
    return INTERRUPTED


class CannotWatch(Exception):
    """The system tells of no more saves; the message says why, and what to do."""


class Saves:
    """The files of a submission that have been saved since somebody asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._saved: set[str] = set()
        self._some = asyncio.Event()
        self._watching: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Begin: what is saved from now on is not missed. Raises CannotWatch."""
        self._watching = asyncio.create_task(self._watch())
        # As far as its first wait, before which the system was told.
        await asyncio.sleep(0)
        self._check()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._watching.cancel()
        await asyncio.wait({self._watching})

    async def wait(self) -> None:
        """Wait until something has been saved that was not taken yet. Raises CannotWatch."""
        some = asyncio.create_task(self._some.wait())
        try:
            await asyncio.wait({some, self._watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            some.cancel()
        self._check()

    def take(self) -> list[str]:
        """Return what was saved, by paths inside the submission."""
        saved, self._saved = sorted(self._saved), set()
        self._some.clear()
        return saved

    def _check(self) -> None:
        if self._watching.done():
            error = self._watching.exception()
            # The library watches in a group of tasks, whose own words say nothing.
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise CannotWatch(
                f"saves cannot be watched: {error or 'there is nothing more to watch'}; leave out "
                "--watch and grade after each save, or set WATCHFILES_FORCE_POLLING=1, with which "
                "files are read for changes instead"
            ) from error

    async def _watch(self) -> None:
        of_submission = _OfSubmission(self._folder)
        async for changes in awatch(self._folder, watch_filter=of_submission, step=QUIET):
            self._saved |= {of_submission.inside(path) for path in lasting(changes)}
            self._some.set()


def lasting(changes: Collection[tuple[Change, str]]) -> set[str]:
    """Return the paths in `changes` without those that came and went, unless that is all of them.

    Editors write to a new file and rename it, so that what is saved is whole at any time.
    """
    named = {path for _, path in changes}
    came = {path for change, path in changes if change is Change.added}
    return {path for path in named if path not in came or os.path.lexists(path)} or named


class _OfSubmission(DefaultFilter):
    # Accepts what a grading would see; where the submission itself lies does not matter.

    def __init__(self, folder: Path) -> None:
        ignored = {*DefaultFilter.ignore_dirs, *LEFT_OUT, *DEPENDENCIES}
        super().__init__(ignore_dirs=sorted(ignored))
        self._folder = folder

    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, self.inside(path))

    def inside(self, path: str) -> str:
        return os.path.relpath(path, self._folder)


class _Watch:
    def __init__(self, path: str, options: argparse.Namespace, console: Console) -> None:
        self._path = path
        self._options = options
        self._console = console
        self._last = Last(path, options.cache)
        self._before: dict[str, str] | None = None

    async def run(self, launched: Launched | None) -> None:
        async with Grader(self._options.python, self._options.isolation) as grader:
            grader.open(launched)
            async with Saves(Path(self._path)) as saves:
                while True:
                    graded = await self._grade(grader, saves)
                    if graded is None:
                        continue
                    self._tell(graded)
                    await saves.wait()
                    self._announce(saves.take())

    async def _grade(self, grader: Grader, saves: Saves) -> Graded | None:
        # Returns None where something was saved meanwhile: what was graded is no more.
        grading = asyncio.create_task(grader.grade(self._path, self._settings()))
        saved = asyncio.create_task(saves.wait())
        try:
            with waiting(f"grading {self._path}"):
                await asyncio.wait({grading, saved}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            given_up = not grading.done()
            for task in (grading, saved):
                task.cancel()
            await asyncio.wait({grading, saved})
        if given_up:
            saved.result()
            self._announce(saves.take())
            return None
        return grading.result()

    def _settings(self) -> Settings:
        options = self._options
        seed = secrets.randbelow(2**31) if options.seed is None else options.seed
        return Settings(seed, options.quick, only(self._path, options, self._last, self._say))

    def _tell(self, graded: Graded) -> None:
        self._last.note(graded)
        if self._before is None:
            write_one(graded, Wanted.by(self._options))
        else:
            again.write(graded, self._before, self._console)
        self._before = (self._before or {}) | {check.id: check.status for check in graded.checks}
        self._say(f"watching {self._path}: save a file to grade again, Ctrl-C ends it")

    def _announce(self, saved: list[str]) -> None:
        named = ", ".join(saved[:MOST_NAMED])
        more = f" and {len(saved) - MOST_NAMED} more" if len(saved) > MOST_NAMED else ""
        self._console.print()
        self._console.print(Rule(Text(cut_line(f"saved: {named}{more}")), align="left"))

    def _say(self, words: str) -> None:
        self._console.print(Text(words, style="dim"), soft_wrap=True)
