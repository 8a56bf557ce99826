"""`kata-serve`: run a submission for real, and see each trace as it completes."""

import argparse
import asyncio
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from otelkata import __version__
from otelkata.cli import EXIT_CODES
from otelkata.cli.guard import guard
from otelkata.cli.usage import Parser
from otelkata.deploy.interpreter import Launched, ParentFailed, forks, launch
from otelkata.report.words import cut_line

if TYPE_CHECKING:
    from rich.console import Console

    from otelkata.host.wire import Problem
    from otelkata.serve.run import Terms

PORT = 8000
_PORTS = range(65_536)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: ended by Ctrl-C; 1: the submission cannot be run, or a process of it ended; 2: wrong usage;
    3: the command itself failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    path: Path = options.path
    if not path.exists():
        parser.error(f"{path}: there is nothing of that name (looked in {Path.cwd()})")
    if not path.is_dir():
        parser.error(f"{path}: that is no directory; name the one that holds checkout")
    try:
        # First of all, because what it has to import takes as long as everything else here.
        launched = launch(options.python) if forks() else None
    except ParentFailed as error:
        parser.error(str(error))
    return guard("kata-serve", lambda: _serve(parser, options, launched))


def _serve(
    parser: argparse.ArgumentParser, options: argparse.Namespace, launched: Launched | None
) -> int:
    from rich.console import Console  # noqa: PLC0415 (while the interpreter of the hosts starts)
    from rich.text import Text  # noqa: PLC0415 (as above)

    from otelkata.deploy.source import UnusableSubmission  # noqa: PLC0415 (as above)
    from otelkata.grade import unusable  # noqa: PLC0415 (as above)
    from otelkata.serve.forward import Destination  # noqa: PLC0415 (as above)
    from otelkata.serve.run import Crashed, PortTaken, Terms  # noqa: PLC0415 (as above)
    from otelkata.serve.services import NotStarted  # noqa: PLC0415 (as above)

    if isinstance(sys.stdout, io.TextIOWrapper):
        # Text that a terminal cannot show is no reason to end.
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(highlight=False)
    try:
        terms = Terms(
            options.path, options.python, options.port, Destination.by(os.environ), launched
        )
    except ValueError as error:
        parser.error(str(error))
    problems: list[Problem]
    became = "cannot be served as it is"
    try:
        in_order = asyncio.run(_run(terms, console))
    except UnusableSubmission as error:
        problems = [unusable(error, options.path)]
    except NotStarted as error:
        problems = error.problems
    except Crashed as error:
        problems, became = error.problems, "was served until a process of it ended"
    except (ParentFailed, PortTaken) as error:
        parser.error(str(error))
    else:
        if not in_order:
            raise KeyboardInterrupt
        return EXIT_CODES["passed"]
    _explain(str(options.path), problems, console)
    console.print(Text(f"{cut_line(str(options.path))} {became}", style="bold red"))
    return EXIT_CODES["failed"]


async def _run(terms: "Terms", console: "Console") -> bool:
    # Tells whether it ended in order, and not at once.
    from otelkata.serve.run import serve  # noqa: PLC0415 (as above)
    from otelkata.serve.terminal import Terminal  # noqa: PLC0415 (as above)

    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def hurry() -> None:
        # Who asks twice does not want to wait for a flush.
        if stop.is_set():
            serving.cancel()
        stop.set()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (signal's interface)
        loop.call_soon_threadsafe(hurry)

    forwards_to = terms.destination.address if terms.destination else ""
    terminal = Terminal(console, str(terms.submission), forwards_to)
    serving = asyncio.create_task(serve(terms, terminal, stop))
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return False
    else:
        return True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _explain(path: str, problems: "list[Problem]", console: "Console") -> None:
    # In the words in which a grading would fail.
    from otelkata.drive.run import Settings  # noqa: PLC0415 (only for what cannot be run)
    from otelkata.grade import judge_evidence, nothing_seen  # noqa: PLC0415 (as above)
    from otelkata.judge import registry  # noqa: PLC0415 (as above)
    from otelkata.report.console import write_to  # noqa: PLC0415 (as above)
    from otelkata.report.text import fault  # noqa: PLC0415 (as above)

    evidence = nothing_seen(path, Settings(0), *problems)
    graded = judge_evidence(path, evidence, registry.load())
    failed = [fault(judged) for judged in graded.checks if judged.status == "failed"]
    write_to(console.file, lambda to: to.print(*failed, sep="\n"))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="kata-serve",
        arguments="PATH",
        description="Run a submission's three services and the card processor for real, and draw "
        "each trace as it completes: here, and on a page with a form and switches for faults.",
        epilog="With OTEL_EXPORTER_OTLP_ENDPOINT set, traces are passed on to that collector as "
        "well (OTLP over HTTP). Exit codes: 0 ended by Ctrl-C, 1 the submission cannot be run, or "
        "a process of it ended, 2 wrong usage, 3 the command itself failed",
    )
    parser.add_argument("path", metavar="PATH", type=Path, help="directory that holds a submission")
    parser.add_argument(
        "--port",
        metavar="N",
        type=_port,
        default=PORT,
        help="serve page and gateway at this port of 127.0.0.1; 0 takes any that is free "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--python",
        metavar="INTERPRETER",
        default=sys.executable,
        help="run the services under this interpreter (default: the command's own)",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text} is no port from 0 to {_PORTS.stop - 1}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
