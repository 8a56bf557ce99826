"""Tell of wrong usage: which, in one line of usage and one of what is wrong."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn

WRONG_USAGE = 2


class Parser(argparse.ArgumentParser):
    """A parser of options whose errors are not hidden below all the options there are.

    `arguments` are those that an ordinary call has; `--help` shows the options as ever.
    """

    def __init__(self, *, prog: str, arguments: str, description: str, epilog: str) -> None:
        super().__init__(prog=prog, description=description, epilog=epilog)
        self._arguments = arguments

    def error(self, message: str) -> NoReturn:
        """Leave with `message` and the exit code for wrong usage."""
        self.exit(
            WRONG_USAGE,
            f"usage: {self.prog} [options] {self._arguments}\n"
            f"{self.prog} --help shows the options\n"
            f"{self.prog}: error: {message}\n",
        )


def positive(text: str) -> int:
    """Return the number from 1 that `text` is; raise argparse.ArgumentTypeError for all else."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def unwritable(file: str) -> str:
    """Return why no report can be written to `file`, and what to do; empty where one can."""
    folder = os.path.dirname(file) or os.curdir
    if os.path.isdir(file):
        return "that is a directory; name a file in it"
    if not os.path.exists(folder):
        return f"there is no directory {folder}; make it first: mkdir -p {folder}"
    if not os.path.isdir(folder):
        return f"{folder} is no directory; name a file in one"
    if os.path.exists(file):
        return "" if os.access(file, os.W_OK) else "it cannot be written: permission denied"
    if not os.access(folder, os.W_OK):
        return f"nothing can be written in {folder}: permission denied"
    return ""
