"""Grade, or judge again, what a command line named, and report as results come."""

import argparse
import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

from rich.console import Console

from otelkata import grade as grading
from otelkata.batch import kept
from otelkata.batch.engine import CannotGrade, Engine
from otelkata.batch.journal import Entry, Journal
from otelkata.batch.pool import Pool
from otelkata.batch.progress import Watch
from otelkata.batch.run import Batch, Finished, judge, run
from otelkata.batch.task import Terms
from otelkata.deploy.interpreter import Launched
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.judge import registry
from otelkata.report.graded import Graded
from otelkata.report.words import file_name

from .last import Last
from .reports import Reports, Wanted, write_each, write_one
from .wish import only


def grade(path: str, options: argparse.Namespace, launched: Launched | None) -> int:
    """Grade one submission; return the command's exit code."""
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed

    def keep(evidence: Evidence) -> None:
        if options.evidence is not None:
            store.write(evidence, options.evidence / file_name(path, store.SUFFIX))

    last = Last(path, options.cache)
    wanted_checks = only(path, options, last, lambda words: _tell(Console(stderr=True), words))
    settings = Settings(seed, options.quick, wanted_checks)

    async def grade() -> Graded:
        async with grading.Grader(options.python, options.isolation) as grader:
            grader.open(launched)
            return await grader.grade(path, settings, keep)

    with waiting(f"grading {path}"):
        graded = asyncio.run(grade())
    last.note(graded)
    wanted = Wanted.by(options)
    if options.reports is not None:
        write_each(graded, wanted, options.reports, file_name(path))
    return write_one(graded, wanted)


def grade_all(paths: Sequence[str], options: argparse.Namespace) -> int:
    """Grade a batch; return the command's exit code, that of the worst result.

    Raises CannotGrade.
    """
    wanted = _for_several(options)
    terms = Terms(
        python=options.python,
        isolation=options.isolation,
        quick=options.quick,
        only=tuple(options.only),
    )
    watch = Watch(paths)
    with _folder_for_results(options.cache, watch.console) as folder:
        batch = Batch(
            paths,
            terms,
            folder,
            options.seed,
            options.evidence,
            options.resume,
            not options.no_cache,
        )
        reports = Reports(wanted, watch.console, options.reports, batch.name)
        with batch.journal() as journal:
            if options.resume and not len(journal):
                _tell(watch.console, "there is nothing to go on with, so it begins anew")
            if paths:
                engine = _engine(terms, min(options.jobs, len(paths)), options)
                asyncio.run(_follow(batch, journal, engine, watch, reports))
            return reports.finish(journal.read)


def _engine(terms: Terms, jobs: int, options: argparse.Namespace) -> Engine:
    if options.engine == "local":
        return Pool(terms, jobs)
    try:
        from otelkata.batch.cluster import Cluster  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        reason = f"--engine dask needs {error.name}: python -m pip install 'otelkata[dask]'"
        raise CannotGrade(reason, usage=True) from error
    return Cluster(terms, jobs, options.scheduler)


async def _follow(
    batch: Batch, journal: Journal, engine: Engine, watch: Watch, reports: Reports
) -> None:
    with watch:
        async with aclosing(run(batch, journal, engine)) as said:
            async for news in said:
                if isinstance(news, Finished):
                    watch.finish(news.number)
                    reports.add(news.number, news.graded, was_kept=news.was_kept)
                else:
                    watch.begin(news.number)


def regrade(options: argparse.Namespace) -> int:
    """Judge the evidence that was kept before; return the command's exit code.

    Raises CannotGrade.
    """
    kept_in: Path = options.regrade
    files = sorted(kept_in.glob(f"*{store.SUFFIX}"))

    def name(number: int) -> str:
        return files[number].name.removesuffix(store.SUFFIX)

    if not files:
        raise CannotGrade(
            f"--regrade {kept_in}: there is no evidence in it (no file *{store.SUFFIX}); "
            "kata-grade --evidence DIR PATH keeps some",
            usage=True,
        )
    if len(files) == 1:
        graded = grading.regrade(files[0], registry.load())
        wanted = Wanted.by(options)
        if options.reports is not None:
            write_each(graded, wanted, options.reports, name(0))
        return write_one(graded, wanted)
    wanted = _for_several(options)
    paths = [str(file) for file in files]
    watch = Watch(paths)
    reports = Reports(wanted, watch.console, options.reports, name)
    with (
        tempfile.TemporaryDirectory(prefix="otelkata-") as folder,
        Journal(Path(folder), paths, resume=False) as journal,
    ):

        async def follow() -> None:
            with watch:
                async with aclosing(judge(paths, options.python, options.jobs)) as said:
                    async for number, graded in said:
                        journal.add(Entry("", number, graded))
                        watch.finish(number)
                        reports.add(number, graded)

        asyncio.run(follow())
        return reports.finish(journal.read)


def _for_several(options: argparse.Namespace) -> Wanted:
    wanted = Wanted.by(options)
    if wanted.is_for_one and options.reports is None:
        raise CannotGrade(
            f"--format {options.format} is about one submission; name one, or a directory for a "
            "report on each: --reports DIR",
            usage=True,
        )
    return wanted


@contextmanager
def _folder_for_results(asked: Path | None, console: Console) -> Iterator[Path]:
    if asked is not None:
        yield asked
        return
    try:
        folder = kept.place()
    except OSError as error:
        folder = Path(tempfile.mkdtemp(prefix="otelkata-results-"))
        _tell(
            console,
            f"results cannot be kept for later ({error}), only those of this batch, in {folder}; "
            f"if it is cut short, go on with --resume --cache {folder}",
        )
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    else:
        yield folder


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """Tell, on a terminal, what is waited for."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(message):
        yield


def _tell(console: Console, message: str) -> None:
    console.print(f"kata-grade: {message}", soft_wrap=True, markup=False)
