"""Grade, or judge again, what a command line named, and report as results come."""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from otelkata import grade as grading
from otelkata.batch import kept, overview
from otelkata.batch.kept import Entry, Journal
from otelkata.batch.progress import Watch
from otelkata.batch.run import Batch, Finished, judge, run
from otelkata.batch.task import Terms
from otelkata.cli import EXIT_CODES
from otelkata.deploy.interpreter import Launched
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.judge import registry
from otelkata.report import formats, text
from otelkata.report.graded import Graded, failure
from otelkata.report.marks import mark
from otelkata.report.policy import DEFAULT, Policy
from otelkata.report.words import file_name


class NotForSeveral(Exception):
    """A form of report is about one submission, and there are several."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Of itself it would end the command as if a submission had failed.
        raise BrokenPipeError


def grade(path: str, options: argparse.Namespace, launched: Launched | None) -> int:
    """Grade one submission; return the command's exit code."""
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed

    def keep(evidence: Evidence) -> None:
        if options.evidence is not None:
            store.write(evidence, options.evidence / file_name(0, path, store.SUFFIX))

    async def grade() -> Graded:
        async with grading.Grader(options.python, options.isolation) as grader:
            grader.open(launched)
            return await grader.grade(path, Settings(seed, options.quick), keep)

    with _waiting(f"grading {path}"):
        graded = asyncio.run(grade())
    return _tell(graded, options)


def grade_all(paths: list[str], options: argparse.Namespace) -> int:
    """Grade a batch; return the command's exit code, that of the worst result."""
    _check_for_several(options)
    terms = Terms(python=options.python, isolation=options.isolation, quick=options.quick)
    batch = Batch(
        paths,
        terms,
        options.jobs,
        options.cache or kept.place(),
        options.seed,
        options.evidence,
        options.resume,
        not options.no_cache,
    )
    with batch.journal() as journal, Watch(paths) as watch:
        reports = _Reports(paths, options, watch.console)

        async def follow() -> None:
            async with aclosing(run(batch, journal)) as said:
                async for news in said:
                    if isinstance(news, Finished):
                        watch.finish(news.number)
                        reports.add(news.number, news.graded, was_kept=news.was_kept)
                    else:
                        watch.begin(news.number)

        asyncio.run(follow())
        return reports.finish(journal.read)


def regrade(options: argparse.Namespace) -> int:
    """Judge the evidence that was kept before; return the command's exit code."""
    files = sorted(options.regrade.glob(f"*{store.SUFFIX}"))
    if len(files) < 2:
        reason = f"there is no file *{store.SUFFIX} in {options.regrade}"
        nothing = failure(str(options.regrade), 0, reason)
        graded = grading.regrade(files[0], registry.load()) if files else nothing
        return _tell(graded, options)
    _check_for_several(options)
    paths = [str(file) for file in files]
    with (
        tempfile.TemporaryDirectory(prefix="otelkata-") as folder,
        Journal(Path(folder), paths, resume=False) as journal,
        Watch(paths) as watch,
    ):
        reports = _Reports(paths, options, watch.console)

        async def follow() -> None:
            async with aclosing(judge(paths, options.python, options.jobs)) as said:
                async for number, graded in said:
                    journal.add(Entry("", number, graded))
                    watch.finish(number)
                    reports.add(number, graded)

        asyncio.run(follow())
        return reports.finish(journal.read)


class _Reports:
    # What is told of a batch while it runs, and what is written of it at the end.

    def __init__(self, paths: Sequence[str], options: argparse.Namespace, aside: Console) -> None:
        self._paths = paths
        self._options = options
        self._lines: dict[int, overview.Line] = {}
        self._points: dict[int, str] = {}
        self._code = 0
        # A form that is about one submission leaves the overview to people.
        self._form = _form(options)
        self._is_text = self._form is None or self._form.several is None
        tells_on_the_way = self._is_text and options.output is None
        self._told = _Console(highlight=False) if tells_on_the_way else aside

    def add(self, number: int, graded: Graded, *, was_kept: bool = False) -> None:
        self._lines[number] = overview.line(graded)
        if self._options.policy is not None:
            self._points[number] = f"  {mark(graded, self._options.policy).line}"
        self._code = max(self._code, _exit_code(graded, self._options))
        if self._options.reports is not None:
            suffix = self._form.suffix if self._form else "txt"
            name = file_name(number, self._paths[number], f".{suffix}")
            with _destination(self._options.reports / name) as file:
                _report_one(graded, self._options, file)
        shown = self._line(number)
        if was_kept:
            shown.append("  (from before)", style="dim")
        self._told.print(shown, soft_wrap=True)

    def finish(self, read: Callable[[int], Graded]) -> int:
        numbers = sorted(self._lines)
        with _destination(self._options.output) as file:
            if self._form is not None and self._form.several is not None:
                results = (read(number) for number in numbers)
                file.writelines(self._form.several(results, _policy(self._options)))
            else:
                console = _Console(file=file, highlight=False)
                if self._options.output is not None:
                    for number in numbers:
                        console.print(self._line(number), soft_wrap=True)
                console.print()
                console.print(overview.table([self._lines[number] for number in numbers]))
        _tell_beside((read(number) for number in numbers), self._options)
        return self._code

    def _line(self, number: int) -> Text:
        shown = overview.show_line(self._lines[number])
        return shown.append(self._points.get(number, ""))


def _tell(graded: Graded, options: argparse.Namespace) -> int:
    with _destination(options.output) as file:
        _report_one(graded, options, file)
    _tell_beside([graded], options)
    return _exit_code(graded, options)


def _report_one(graded: Graded, options: argparse.Namespace, file: TextIO) -> None:
    form = _form(options)
    if form is not None:
        file.write(form.one(graded, _policy(options)))
        return
    console = _Console(file=file, highlight=False)
    text.write(graded, console)
    if options.policy is not None:
        console.print(f"policy: {mark(graded, options.policy).line}")


def _tell_beside(results: Iterable[Graded], options: argparse.Namespace) -> None:
    form = _form(options)
    beside = form.beside if form is not None else None
    place = os.environ.get(beside.variable) if beside is not None else None
    if beside is None or not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            file.writelines(beside.several(results, _policy(options)))
    except OSError as error:
        print(f"{beside.variable} {place}: {error.strerror}", file=sys.stderr)


def _check_for_several(options: argparse.Namespace) -> None:
    form = _form(options)
    if form is not None and form.several is None and options.reports is None:
        raise NotForSeveral(
            f"--format {options.format} is about one submission; "
            "name one, or a directory for a report on each: --reports DIR"
        )


def _form(options: argparse.Namespace) -> formats.Format | None:
    return None if options.format == formats.TEXT else formats.load(options.format)


def _policy(options: argparse.Namespace) -> Policy:
    policy: Policy | None = options.policy
    return policy or DEFAULT


def _exit_code(graded: Graded, options: argparse.Namespace) -> int:
    return EXIT_CODES[mark(graded, _policy(options)).verdict]


@contextmanager
def _waiting(message: str) -> Iterator[None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(message):
        yield


@contextmanager
def _destination(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
