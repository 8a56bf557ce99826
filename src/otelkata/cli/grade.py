"""`kata-grade`: grade submissions, and say why."""

import argparse
import atexit
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from otelkata import __version__
from otelkata.cli import EXIT_CODES, loop_options
from otelkata.cli.guard import INTERRUPTED, check_input, check_output, guard
from otelkata.cli.usage import Parser, positive
from otelkata.deploy.interpreter import Launched, ParentFailed, forks, launch
from otelkata.host.isolation import LEVELS
from otelkata.report import formats

_PROCESSORS = os.cpu_count() or 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: all passed; 1: some failed; 2: wrong usage; 3: the grader itself failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.explain is not None:
        from otelkata.cli import explain  # noqa: PLC0415 (a grading does not wait for it)

        return guard("kata-grade", lambda: explain.run(parser, options.explain))
    loop_options.settle(parser, options)
    _check_written(parser, options)
    _read_policy(parser, options)
    if options.scheduler is not None and options.engine != "dask":
        parser.error("--scheduler is that of --engine dask")
    run = _regrade if options.regrade else _grade
    return guard("kata-grade", lambda: run(parser, options))


def _grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    paths = _paths(parser, options)
    loop_options.check_number(parser, options, paths)
    if len(paths) > 1 or options.each is not None or options.shard is not None:
        return _grade_all(parser, paths, options)
    if options.engine != "local":
        parser.error("--engine spreads batches: name more submissions, --each or --shard 1/1")
    loop_options.note_what_one_leaves(options)
    try:
        # First of all, because what it has to import takes as long as everything else here.
        launched = launch(options.python) if forks() else None
    except ParentFailed as error:
        parser.error(str(error))
    # Looking for garbage among all that was imported, now or at exit, only takes time.
    gc.disable()
    try:
        grade = _grade_one(watch=options.watch)
    except ModuleNotFoundError as error:
        if launched is not None:
            launched.process.kill()
        needed = f"{options.python} -m pip install 'otelkata[grade]'"
        parser.error(f"--watch needs {error.name}: {needed}")
    from otelkata.deploy.keeper import IsolationUnavailable  # noqa: PLC0415 (see above)

    gc.freeze()
    gc.enable()
    atexit.register(gc.freeze)
    try:
        return grade(paths[0], options, launched)
    except IsolationUnavailable as error:
        parser.error(str(error))


def _grade_one(*, watch: bool) -> Callable[[str, argparse.Namespace, Launched | None], int]:
    # Imported only now: see where this is called.
    if watch:
        from otelkata.cli.watch import watch as grade  # noqa: PLC0415
    else:
        from otelkata.cli.session import grade  # noqa: PLC0415
    return grade


def _grade_all(
    parser: argparse.ArgumentParser, paths: list[str], options: argparse.Namespace
) -> int:
    from otelkata.cli import session  # noqa: PLC0415 (a wrong usage is told at once)

    options.jobs = options.jobs or _PROCESSORS
    part, parts = options.shard or (1, 1)
    shard = paths[part - 1 :: parts]
    try:
        return _spread(parser, lambda: session.grade_all(shard, options))
    except KeyboardInterrupt:
        print("kata-grade was interrupted; --resume goes on with this batch", file=sys.stderr)
        return INTERRUPTED


def _regrade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if not options.regrade.is_dir():
        parser.error(f"--regrade {options.regrade}: that is no directory")
    options.jobs = options.jobs or _PROCESSORS
    from otelkata.cli import session  # noqa: PLC0415 (a wrong usage is told at once)

    return _spread(parser, lambda: session.regrade(options))


def _spread(parser: argparse.ArgumentParser, run: Callable[[], int]) -> int:
    from otelkata.batch.engine import CannotGrade  # noqa: PLC0415 (a wrong usage is told at once)

    try:
        return run()
    except CannotGrade as error:
        if error.usage:
            parser.error(str(error))
        print(f"kata-grade: {error}", file=sys.stderr)
        return EXIT_CODES["error"]


def _check_written(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    check_output(parser, options.output)
    for option in ("evidence", "reports", "cache"):
        folder = getattr(options, option)
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"--{option} {folder}: {error.strerror}")


def _read_policy(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.policy is None:
        return
    from otelkata.judge import registry  # noqa: PLC0415 (only who has a policy waits for it)
    from otelkata.report import policy_file  # noqa: PLC0415

    try:
        options.policy = policy_file.read(options.policy, registry.load())
    except policy_file.PolicyError as error:
        lines = "".join(f"\n  {mistake}" for mistake in error.mistakes)
        parser.error(f"--policy {options.policy}:{lines}")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="kata-grade",
        arguments="PATH…",
        description="Run submissions to the tracing kata through every scenario and say, criterion "
        "by criterion, whether one checkout is one complete, honest trace.",
        epilog="exit codes: 0 all passed, 1 some failed, 2 wrong usage, 3 the grader itself failed",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="directory that holds a submission; - reads a list from standard input, one per line",
    )
    parser.add_argument("--each", metavar="DIR", type=Path, help="grade every subdirectory of DIR")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=positive,
        default=0,
        help=f"run submissions on N processors (default: all, {_PROCESSORS})",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="spread a batch over processes of this machine, or over a Dask cluster",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the Dask scheduler (default: a cluster of --jobs processes on this machine)",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        type=_shard,
        help="grade only part I of N; kata-merge puts the parts together",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the same batch, which was cut short"
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="run every submission of a batch, also where nothing has changed",
    )
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="keep results in DIR, not in the user's cache"
    )
    parser.add_argument(
        "--reports", metavar="DIR", type=Path, help="write a report on each submission into DIR"
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=formats.names(),
        default=formats.TEXT,
        help=f"what to write: {', '.join(formats.names())} (default: %(default)s)",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help="give points, say what passes and what a learner sees as this kata-policy.toml says",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the report to FILE")
    parser.add_argument(
        "--python",
        metavar="INTERPRETER",
        default=sys.executable,
        help="run submissions under this interpreter (default: the grader's own)",
    )
    parser.add_argument(
        "--isolation",
        choices=LEVELS,
        metavar="LEVEL",
        help=f"run submissions at this level or not at all: {', '.join(LEVELS)}, from the weakest "
        "to the strongest (default: the strongest that this system gives)",
    )
    parser.add_argument("--seed", metavar="N", type=int, help="repeat a run's random values")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out what has to wait for the submission's own shutdown timeout",
    )
    loop_options.add(parser)
    parser.add_argument(
        "--evidence", metavar="DIR", type=Path, help="keep in DIR what was observed"
    )
    parser.add_argument(
        "--regrade", metavar="DIR", type=Path, help="judge kept evidence again, running nothing"
    )
    parser.add_argument(
        "--explain",
        metavar="NAME",
        help="print the page on a check, a criterion or a rule, such as T3, and grade nothing",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _paths(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    check_input(parser, options.paths)
    paths: list[str] = []
    for path in options.paths:
        paths += _listed() if path == "-" else [path]
    if options.each is not None:
        if not options.each.is_dir():
            parser.error(f"--each {options.each}: that is no directory")
        paths += sorted(str(path) for path in options.each.iterdir() if path.is_dir())
    if not paths and options.each is not None:
        parser.error(f"--each {options.each}: there is no directory in it")
    if not paths:
        parser.error("name at least one directory that holds a submission")
    for path in paths:
        if not path or not Path(path).exists():
            parser.error(f"{path}: there is nothing of that name (looked in {Path.cwd()})")
        if not Path(path).is_dir():
            parser.error(f"{path}: that is no directory; name the one that holds checkout")
    return paths


def _listed() -> list[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        # The names of files are not always text.
        sys.stdin.reconfigure(errors="surrogateescape")
    return [line.rstrip("\r\n") for line in sys.stdin if line.strip()]


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text} is no part like 1/4")
    return int(part), int(parts)


if __name__ == "__main__":
    sys.exit(main())
