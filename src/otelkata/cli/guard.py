"""End a command in order, whatever happens in it."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from otelkata.cli import EXIT_CODES

from .usage import unwritable

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


NOBODY_READS = 141
"""The exit code where whoever read the report has gone, as shells have it for SIGPIPE."""


def leave_quietly() -> int:
    """Return the exit code after a BrokenPipeError; what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS


def guard(command: str, run: Callable[[], int]) -> int:
    """Return the exit code of `run`; its failure is the grader's, and no verdict."""
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
        traceback.print_exc()
        print(f"{command} failed; the submission is not to blame", file=sys.stderr)
        return EXIT_CODES["error"]
    return code


def check_output(parser: argparse.ArgumentParser, output: Path | None) -> None:
    """Leave with a message where no report can be written to `output`."""
    if output is not None and (reason := unwritable(str(output))):
        parser.error(f"--output {output}: {reason}")
