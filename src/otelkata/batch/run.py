"""Grade a batch: take what still holds, have the rest graded, keep each result as it comes."""

import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from otelkata.evidence import store
from otelkata.report.graded import Graded
from otelkata.report.words import file_name

from . import fingerprint
from .engine import Engine
from .journal import Entry, Journal
from .kept import Cache
from .pool import Pool
from .task import Began, Done, Task, Terms


@dataclass(frozen=True)
class Batch:
    """What to grade, and how.

    `seed` None: each submission gets one of its own. `evidence` is a directory for what is
    observed, `folder` the one for results; `resume` goes on with a batch that was cut short,
    `reuse` takes results that still hold from earlier ones.
    """

    paths: Sequence[str]
    terms: Terms
    folder: Path
    seed: int | None = None
    evidence: Path | None = None
    resume: bool = False
    reuse: bool = True

    def journal(self) -> Journal:
        """Return the journal of this batch."""
        identity = [
            *self.paths,
            str(self.terms),
            str(self.seed),
            str(self.evidence),
            str(Path.cwd()),
        ]
        return Journal(self.folder, identity, resume=self.resume)

    def name(self, number: int, suffix: str = "") -> str:
        """Return what files on submission `number`, from 0, are called; no two the same."""
        return file_name(self.paths[number], suffix, self._times[number])

    @cached_property
    def _times(self) -> list[int]:
        # How many times the path of each submission was given before it.
        given: Counter[str] = Counter()
        times = []
        for path in self.paths:
            times.append(given[path])
            given[path] += 1
        return times

    def evidence_of(self, number: int) -> Path | None:
        """Return the file for the evidence of submission `number`, from 0."""
        if self.evidence is None:
            return None
        return self.evidence / self.name(number, store.SUFFIX)


@dataclass(frozen=True, slots=True)
class Finished:
    """One submission's result; `was_kept` tells that it is from before."""

    number: int
    graded: Graded
    was_kept: bool


async def run(batch: Batch, journal: Journal, engine: Engine) -> AsyncGenerator[Began | Finished]:
    """Yield what happens, in the order in which it does; each result is in `journal` by then.

    Raises CannotGrade where the system does not give the level that was asked for, or the
    interpreter can host nothing.
    """
    try:
        known = _Known(batch, journal, await engine.open())
        tasks: list[Task] = []
        for number in range(len(batch.paths)):
            if found := known.find(number):
                yield Finished(number, found, was_kept=True)
            else:
                tasks.append(_task(batch, number))
        async with contextlib.aclosing(engine.grade(tasks)) as said:
            async for news in said:
                if isinstance(news, Began):
                    yield news
                    continue
                known.keep(news.number, news.graded)
                yield Finished(news.number, news.graded, was_kept=False)
        known.prune()
    finally:
        await engine.close()


async def judge(files: Sequence[str], python: str, jobs: int) -> AsyncGenerator[tuple[int, Graded]]:
    """Yield what the evidence in each of `files` comes to, by its place among them.

    Raises CannotGrade.
    """
    pool = Pool(Terms(python=python, regrade=True), min(jobs, len(files)))
    try:
        await pool.open()
        tasks = [Task(number, file, 0) for number, file in enumerate(files)]
        async with contextlib.aclosing(pool.grade(tasks)) as said:
            async for news in said:
                if isinstance(news, Done):
                    yield news.number, news.graded
    finally:
        await pool.close()


class _Known:
    # What is known of the submissions of a batch, now or from before.

    def __init__(self, batch: Batch, journal: Journal, surroundings: str) -> None:
        self._batch = batch
        self._journal = journal
        self._cache = Cache(batch.folder)
        self.prune = self._cache.prune
        self._terms = f"{fingerprint.of_terms(batch.terms, surroundings)} {batch.seed}"
        self._fingerprints: dict[int, str] = {}

    def find(self, number: int) -> Graded | None:
        self._fingerprints[number] = known = self._fingerprint(number)
        file = self._batch.evidence_of(number)
        if file is None or file.exists():
            found = self._journal.find(known, number)
            if found is not None:
                return found
        if not self._batch.reuse or file is not None:
            return None
        found = self._cache.find(known)
        if found is not None:
            self._journal.add(Entry(known, number, found))
        return found

    def keep(self, number: int, graded: Graded) -> None:
        known = self._fingerprints.pop(number)
        if self._fingerprint(number) != known:
            # It was changed meanwhile: which of the two contents was graded is not known.
            known = ""
        self._journal.add(Entry(known, number, graded))
        if known:
            self._cache.keep(known, graded)

    def _fingerprint(self, number: int) -> str:
        return fingerprint.of_submission(self._batch.paths[number], self._terms)


def _task(batch: Batch, number: int) -> Task:
    seed = secrets.randbelow(2**31) if batch.seed is None else batch.seed
    evidence = batch.evidence_of(number)
    return Task(number, batch.paths[number], seed, str(evidence) if evidence else "")
