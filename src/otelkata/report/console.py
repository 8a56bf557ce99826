"""Write for people: set for a terminal, or in whole lines where there is none."""

import re
from collections.abc import Callable
from typing import IO

from rich.console import Console

_PADDING = re.compile(" +$", re.MULTILINE)

WHOLE = 10_000
"""Columns of what is no terminal: nothing is wrapped, cut or padded there."""


class ReportConsole(Console):
    """A console on which a reader who has gone is an error, and not an exit."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError; of itself rich ends the command as if a submission had failed."""
        raise BrokenPipeError


def write_to(file: IO[str], write: Callable[[Console], None]) -> None:
    """Have `write` print to `file`; what is no terminal gets lines that are whole."""
    console = ReportConsole(file=file, highlight=False)
    if console.is_terminal:
        write(console)
        return
    console.width = WHOLE
    with console.capture() as captured:
        write(console)
    file.write(_PADDING.sub("", captured.get()))
