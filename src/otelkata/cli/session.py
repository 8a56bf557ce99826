"""Grade, or judge again, what a command line named, and report as results come."""

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from otelkata import grade as grading
from otelkata.cli import EXIT_CODES
from otelkata.deploy.interpreter import Launched
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.judge import registry
from otelkata.report import text
from otelkata.report.graded import Graded, to_json

EVIDENCE_SUFFIX = ".evidence.json"


def grade(paths: list[str], options: argparse.Namespace, launched: Launched | None) -> int:
    """Grade `paths` one after the other; return the command's exit code."""
    return _report(_graded(paths, options, launched), options)


def regrade(options: argparse.Namespace) -> int:
    """Judge the evidence that was kept before; return the command's exit code."""
    return _report(_regraded(options.regrade), options)


def _graded(
    paths: list[str], options: argparse.Namespace, launched: Launched | None
) -> Iterator[Graded]:
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    settings = Settings(options.python, seed, options.quick, options.isolation)
    for number, path in enumerate(paths, start=1):
        with _progress(f"grading {path} ({number} of {len(paths)})"):
            graded = asyncio.run(grading.grade(path, settings, launched))
        launched = None
        if options.evidence is not None and graded.evidence is not None:
            options.evidence.mkdir(parents=True, exist_ok=True)
            name = f"{number:04}-{Path(path).resolve().name}{EVIDENCE_SUFFIX}"
            store.write(graded.evidence, options.evidence / name)
        yield graded


def _regraded(folder: Path) -> Iterator[Graded]:
    files = sorted(folder.glob(f"*{EVIDENCE_SUFFIX}"))
    if not files:
        yield Graded(str(folder), 0, error=f"there is no file *{EVIDENCE_SUFFIX} in {folder}")
    checks = registry.load()
    for file in files:
        try:
            evidence = store.read(file)
        except store.EvidenceError as error:
            yield Graded(str(file), 0, error=str(error))
        else:
            yield grading.judge_evidence(evidence.submission, evidence, checks)


@contextmanager
def _progress(message: str) -> Iterator[None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(message):
        yield


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Of itself it would end the command as if a submission had failed.
        raise BrokenPipeError


def _report(results: Iterable[Graded], options: argparse.Namespace) -> int:
    codes, objects = [], []
    with _destination(options.output) as file:
        console = _Console(file=file, highlight=False)
        for graded in results:
            codes.append(EXIT_CODES[graded.outcome])
            if options.format == "json":
                objects.append(to_json(graded))
            else:
                text.write(graded, console)
        if options.format == "json":
            document = objects[0] if len(objects) == 1 else objects
            json.dump(document, file, indent=2, allow_nan=False)
            file.write("\n")
        file.flush()
    return max(codes)


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
