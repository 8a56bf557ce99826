"""End a command in order, whatever happens in it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from otelkata.cli import EXIT_CODES

from .usage import unwritable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection
    from pathlib import Path

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

NOBODY_READS = 141
"""The exit code where whoever read the report has gone, as shells have it for SIGPIPE."""


def leave_quietly() -> int:
    """Return the exit code after a BrokenPipeError; what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS


def guard(
    command: str,
    run: Callable[[], int],
    *,
    failed: int = EXIT_CODES["error"],
    spared: str = "the submission",
) -> int:
    """Return the exit code of `run`, or `failed` where it fails.

    Its failure is its own, and no verdict on what is `spared`.
    """
    try:
        code = run()
        # What is left in the buffer may have no reader any more, and that is told here or at exit.
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{command} was interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the report has read enough; nothing is left to tell.
        return leave_quietly()
    except Exception:  # noqa: BLE001 (the last resort: the grader's own fault is no verdict)
        import traceback  # noqa: PLC0415 (few runs need it)

        traceback.print_exc()
        print(f"{command} failed; {spared} is not to blame", file=sys.stderr)
        return failed
    return code


def check_output(parser: argparse.ArgumentParser, output: Path | None) -> None:
    """Leave with a message where no report can be written to `output`."""
    if output is not None and (reason := unwritable(str(output))):
        parser.error(f"--output {output}: {reason}")


def check_input(parser: argparse.ArgumentParser, paths: Collection[str]) -> None:
    """Leave with a message where `paths` name a standard input that was closed from the start."""
    # What typeshed does not know: it is None then.
    if "-" in paths and getattr(sys, "stdin", None) is None:
        parser.error("- is standard input, and that is closed")
