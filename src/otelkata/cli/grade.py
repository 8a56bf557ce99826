"""`kata-grade`: grade submissions, and say why."""

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from otelkata import __version__
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.grade import grade, judge_evidence
from otelkata.judge import registry
from otelkata.report import text
from otelkata.report.graded import Graded, to_json

EXIT_CODES = {"passed": 0, "failed": 1, "error": 3}
EXIT_USAGE = 2
EVIDENCE_SUFFIX = ".evidence.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: all passed; 1: some failed; 2: wrong usage; 3: the grader itself failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.regrade is not None:
        graded = _regraded(parser, options.regrade)
    else:
        graded = _graded(_paths(parser, options), options)
    return _report(graded, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kata-grade",
        description="Run submissions to the tracing kata through every scenario and say, criterion "
        "by criterion, whether one checkout is one complete, honest trace.",
        epilog="exit codes: 0 all passed, 1 some failed, 2 wrong usage, 3 the grader itself failed",
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="directory that holds a submission"
    )
    parser.add_argument("--each", metavar="DIR", type=Path, help="grade every subdirectory of DIR")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the report to FILE")
    parser.add_argument(
        "--python",
        metavar="INTERPRETER",
        default=sys.executable,
        help="run submissions under this interpreter (default: the grader's own)",
    )
    parser.add_argument("--seed", metavar="N", type=int, help="repeat a run's random values")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out what has to wait for the submission's own shutdown timeout",
    )
    parser.add_argument(
        "--evidence", metavar="DIR", type=Path, help="keep in DIR what was observed"
    )
    parser.add_argument(
        "--regrade", metavar="DIR", type=Path, help="judge kept evidence again, running nothing"
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _paths(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    paths: list[str] = list(options.paths)
    if options.each is not None:
        if not options.each.is_dir():
            parser.error(f"--each {options.each}: that is no directory")
        paths += sorted(str(path) for path in options.each.iterdir() if path.is_dir())
    if not paths:
        parser.error("name at least one directory that holds a submission")
    for path in paths:
        if not Path(path).exists():
            parser.error(f"{path}: there is nothing of that name (looked in {Path.cwd()})")
        if not Path(path).is_dir():
            parser.error(f"{path}: that is no directory; name the one that holds checkout")
    return paths


def _graded(paths: list[str], options: argparse.Namespace) -> Iterator[Graded]:
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    settings = Settings(options.python, seed, options.quick)
    for number, path in enumerate(paths, start=1):
        with _progress(f"grading {path} ({number} of {len(paths)})"):
            graded = asyncio.run(grade(path, settings))
        if options.evidence is not None and graded.evidence is not None:
            options.evidence.mkdir(parents=True, exist_ok=True)
            name = f"{number:04}-{Path(path).resolve().name}{EVIDENCE_SUFFIX}"
            store.write(graded.evidence, options.evidence / name)
        yield graded


def _regraded(parser: argparse.ArgumentParser, folder: Path) -> Iterator[Graded]:
    files = sorted(folder.glob(f"*{EVIDENCE_SUFFIX}"))
    if not files:
        parser.error(f"--regrade {folder}: there is no file *{EVIDENCE_SUFFIX} in it")
    checks = registry.load()
    for file in files:
        try:
            evidence = store.read(file)
        except store.EvidenceError as error:
            yield Graded(str(file), 0, error=str(error))
        else:
            yield judge_evidence(evidence.submission, evidence, checks)


@contextmanager
def _progress(message: str) -> Iterator[None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(message):
        yield


def _report(results: Iterator[Graded], options: argparse.Namespace) -> int:
    with _destination(options.output) as file:
        console = Console(file=file, highlight=False, soft_wrap=False)
        codes, objects = [], []
        for graded in results:
            codes.append(EXIT_CODES[graded.outcome])
            if options.format == "json":
                objects.append(to_json(graded))
            else:
                text.write(graded, console)
        if options.format == "json":
            single = len(objects) == 1
            json.dump(objects[0] if single else objects, file, indent=2, allow_nan=False)
            file.write("\n")
    return max(codes)


@contextmanager
def _destination(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    unfinished = output.with_name(output.name + ".part")
    with unfinished.open("w", encoding="utf-8") as file:
        yield file
    unfinished.replace(output)


if __name__ == "__main__":
    sys.exit(main())
