"""Grade a batch: take what still holds, have the rest graded, keep each result as it comes."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

from otelkata.evidence import store
from otelkata.report.graded import Graded
from otelkata.report.words import file_name

from . import fingerprint
from .kept import Cache, Entry, Journal
from .pool import Pool
from .task import Began, Done, Task, Terms


@dataclass(frozen=True, slots=True)
class Batch:
    """What to grade, and how.

    `seed` None: each submission gets one of its own. `evidence` is a directory for what is
    observed, `folder` the one for results; `resume` goes on with a batch that was cut short,
    `reuse` takes results that still hold from earlier ones.
    """

    paths: Sequence[str]
    terms: Terms
    jobs: int
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

    def evidence_of(self, number: int) -> Path | None:
        """Return the file for the evidence of submission `number`, from 0."""
        if self.evidence is None:
            return None
        return self.evidence / file_name(number, self.paths[number], store.SUFFIX)


@dataclass(frozen=True, slots=True)
class Finished:
    """One submission's result; `was_kept` tells that it is from before."""

    number: int
    graded: Graded
    was_kept: bool


async def run(batch: Batch, journal: Journal) -> AsyncGenerator[Began | Finished]:
    """Yield what happens, in the order in which it does; each result is in `journal` by then.

    Raises IsolationUnavailable where the system does not give the level that was asked for,
    ParentFailed where the interpreter can host nothing.
    """
    pool = Pool(batch.terms, min(batch.jobs, len(batch.paths)))
    try:
        isolation = await pool.open()
        cache = Cache(batch.folder)
        terms = f"{fingerprint.of_terms(batch.terms, isolation)} {batch.seed}"
        fingerprints: list[str] = []
        tasks: list[Task] = []
        for number, path in enumerate(batch.paths):
            known = fingerprint.of_submission(path, terms)
            fingerprints.append(known)
            if found := _from_before(batch, number, known, journal, cache):
                journal.add(Entry(known, number, found))
                yield Finished(number, found, was_kept=True)
            else:
                tasks.append(_task(batch, number))
        async with contextlib.aclosing(pool.grade(tasks)) as said:
            async for news in said:
                if isinstance(news, Began):
                    yield news
                    continue
                journal.add(Entry(fingerprints[news.number], news.number, news.graded))
                cache.keep(fingerprints[news.number], news.graded)
                yield Finished(news.number, news.graded, was_kept=False)
        cache.prune()
    finally:
        await pool.close()


async def judge(files: Sequence[str], python: str, jobs: int) -> AsyncGenerator[tuple[int, Graded]]:
    """Yield what the evidence in each of `files` comes to, by its place among them."""
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


def _from_before(
    batch: Batch, number: int, known: str, journal: Journal, cache: Cache
) -> Graded | None:
    file = batch.evidence_of(number)
    if known in journal.before and (file is None or file.exists()):
        return journal.before[known].graded
    return cache.find(known) if batch.reuse and file is None else None


def _task(batch: Batch, number: int) -> Task:
    seed = secrets.randbelow(2**31) if batch.seed is None else batch.seed
    evidence = batch.evidence_of(number)
    return Task(number, batch.paths[number], seed, str(evidence) if evidence else "")
