"""Wrap lines for narrow terminals so that ids stay whole and what continues is indented."""

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

INDENT = "  "
"""What the rest of a wrapped line has before it."""

NARROWEST = 20
"""Fewest columns that text is set in."""

_WORD = re.compile(r"\S+(?: ms\b)?\s*")
_PART = re.compile(r"[^-/.,:]*[-/.,:]|[^-/.,:]+")
_BEFORE = re.compile(r"[\s│├└─]*")


def hanging(first: Text, rest: Text) -> RenderableType:
    """Return `first` and then `rest`, which continues under its own beginning."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(first, rest)
    return grid


class Lines:
    """Lines as they are, but for those that are too wide; `styles` has one for each."""

    def __init__(self, lines: list[str], styles: list[str]) -> None:
        self._lines = lines
        self._styles = styles

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield each line of what is shown."""
        for line, style in zip(self._lines, self._styles, strict=True):
            for shown in wrapped(line, options.max_width):
                yield Text(shown, style=style, overflow="fold")


def wrapped(line: str, width: int) -> Iterator[str]:
    """Yield `line` in pieces of at most `width` columns, at spaces where that can be.

    Branches of a tree go on beside what continues.
    """
    before = found[0] if (found := _BEFORE.match(line)) else ""
    room = max(width - cell_len(before + INDENT), NARROWEST)
    beside = before.replace("├", "│").replace("└", " ").replace("─", " ")
    piece, begin = "", before
    for part in _parts(line[len(before) :], room):
        limit = room if begin != before else room + len(INDENT)
        if piece and cell_len((piece + part).rstrip()) > limit:
            yield f"{begin}{piece.rstrip()}"
            piece, begin = "", beside + INDENT
        piece += part
    yield f"{begin}{piece.rstrip()}"


def _parts(text: str, room: int) -> Iterator[str]:
    for word in _WORD.findall(text):
        if cell_len(word.rstrip()) <= room:
            yield word
            continue
        for part in _PART.findall(word):
            yield from chop_cells(part, room)
