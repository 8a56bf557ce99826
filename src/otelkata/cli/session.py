"""Grade, or judge again, what a command line named, and report as results come."""

import argparse
import asyncio
import io
import json
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

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
from otelkata.report import text
from otelkata.report.graded import Graded, failure, to_json


def grade(path: str, options: argparse.Namespace, launched: Launched | None) -> int:
    """Grade one submission; return the command's exit code."""
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed

    def keep(evidence: Evidence) -> None:
        if options.evidence is not None:
            name = f"0001-{Path(path).resolve().name}{store.SUFFIX}"
            store.write(evidence, options.evidence / name)

    async def grade() -> Graded:
        async with grading.Grader(options.python, options.isolation) as grader:
            grader.open(launched)
            return await grader.grade(path, Settings(seed, options.quick), keep)

    with _waiting(f"grading {path}"):
        graded = asyncio.run(grade())
    with _destination(options.output) as file:
        _report_one(graded, options, file)
    return EXIT_CODES[graded.verdict]


def grade_all(paths: list[str], options: argparse.Namespace) -> int:
    """Grade a batch; return the command's exit code, that of the worst result."""
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
        with _destination(options.output) as file:
            _report_one(graded, options, file)
        return EXIT_CODES[graded.verdict]
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
        tells_on_the_way = options.format == "text" and options.output is None
        self._told = Console(highlight=False) if tells_on_the_way else aside

    def add(self, number: int, graded: Graded, *, was_kept: bool = False) -> None:
        self._lines[number] = line = overview.line(graded)
        if self._options.reports is not None:
            with _destination(self._report(number)) as file:
                _report_one(graded, self._options, file)
        shown = overview.show_line(line)
        if was_kept:
            shown.append("  (from before)", style="dim")
        self._told.print(shown, soft_wrap=True)

    def finish(self, read: Callable[[int], Graded]) -> int:
        lines = [self._lines[number] for number in sorted(self._lines)]
        with _destination(self._options.output) as file:
            if self._options.format == "json":
                for number in range(len(lines)):
                    file.write("[\n" if number == 0 else ",\n")
                    json.dump(to_json(read(number)), file, indent=2, allow_nan=False)
                file.write("\n]\n")
            elif self._options.format == "html":
                from otelkata.batch import page  # noqa: PLC0415 (only pages need jinja2)

                links = [self._link(number) for number in sorted(self._lines)]
                _write_page(page.page(lines, links), file)
            else:
                console = Console(file=file, highlight=False)
                if self._options.output is not None:
                    for line in lines:
                        console.print(overview.show_line(line), soft_wrap=True)
                console.print()
                console.print(overview.table(lines))
        return max(EXIT_CODES[line.verdict] for line in lines)

    def _report(self, number: int) -> Path:
        suffix = "txt" if self._options.format == "text" else self._options.format
        name = f"{number + 1:04}-{Path(self._paths[number]).resolve().name}.{suffix}"
        folder: Path = self._options.reports
        return folder / name

    def _link(self, number: int) -> str:
        from otelkata.batch import page  # noqa: PLC0415 (as above)

        if self._options.reports is None:
            return ""
        return page.link(self._report(number), self._options.output)


def _report_one(graded: Graded, options: argparse.Namespace, file: TextIO) -> None:
    if options.format == "json":
        json.dump(to_json(graded), file, indent=2, allow_nan=False)
        file.write("\n")
    elif options.format == "html":
        from otelkata.report.html.page import page  # noqa: PLC0415 (as above)

        _write_page(page(graded), file)
    else:
        text.write(graded, Console(file=file, highlight=False))


def _write_page(page: str, file: TextIO) -> None:
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(encoding="utf-8")  # as the page says of itself, whatever the terminal's is
    file.write(page)


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
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
