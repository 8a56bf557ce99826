"""Write the report on one submission, or on a batch while it runs and at its end."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self, TextIO
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from otelkata.cli import EXIT_CODES
from otelkata.report import formats, overview, text
from otelkata.report.console import ReportConsole, write_to
from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.marks import mark
from otelkata.report.policy import DEFAULT, Policy


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which report is wanted, and where: `form` None is text, `output` None standard output."""

    form: Format | None = None
    output: Path | None = None
    policy: Policy | None = None

    @classmethod
    def by(cls, options: argparse.Namespace) -> Self:
        """Return what a command line asks for."""
        is_text = options.format == formats.TEXT
        policy = getattr(options, "policy", None)
        return cls(None if is_text else formats.load(options.format), options.output, policy)

    @property
    def suffix(self) -> str:
        """Return how files of this form end."""
        return self.form.suffix if self.form else "txt"

    @property
    def is_for_one(self) -> bool:
        """Tell whether the form is about one submission by its nature."""
        return self.form is not None and self.form.several is None

    def exit_code(self, graded: Graded) -> int:
        """Return the exit code of a command that had this result alone."""
        return EXIT_CODES[mark(graded, self.policy or DEFAULT).verdict]

    def points(self, graded: Graded) -> str:
        """Return what the policy, if there is one, makes of a result."""
        return mark(graded, self.policy).line if self.policy else ""


def write_one(graded: Graded, wanted: Wanted, output: Path | None = None) -> int:
    """Write the report on one submission, to `output` if that is named; return the exit code."""
    with _destination(output or wanted.output, "utf-8" if wanted.form else None) as file:
        if wanted.form is not None:
            file.write(wanted.form.one(graded, wanted.policy or DEFAULT))
        else:
            write_to(file, lambda console: _write_text(graded, wanted, console))
    if output is None:
        _write_beside([graded], wanted)
    return wanted.exit_code(graded)


def _write_text(graded: Graded, wanted: Wanted, console: Console) -> None:
    text.write(graded, console)
    if points := wanted.points(graded):
        console.print(f"policy: {points}")


def write_each(graded: Graded, wanted: Wanted, folder: Path, name: str) -> None:
    """Write the report on one submission of several into `folder`."""
    write_one(graded, wanted, folder / f"{name}.{wanted.suffix}")


def write_overview(lines: Iterable[Text], of: Sequence[overview.Line], output: Path | None) -> None:
    """Write `lines`, one for each submission, and then what the class came to."""
    with _destination(output, None) as file:

        def write(console: Console) -> None:
            for shown in lines:
                console.print(shown, soft_wrap=not console.is_terminal)
            console.print()
            console.print(overview.table(of))

        write_to(file, write)


def write_pieces(pieces: Iterable[str], output: Path | None) -> None:
    """Write a report that comes in pieces: a thousand submissions are large."""
    with _destination(output) as file:
        file.writelines(pieces)


class Reports:
    """What is told of a batch while it runs, and what is written of it at the end.

    `beside` is where lines go that are no part of the report; `folder` is for a report on each,
    named by `name`.
    """

    def __init__(
        self, wanted: Wanted, beside: Console, folder: Path | None, name: Callable[[int], str]
    ) -> None:
        self._wanted = wanted
        self._folder = folder
        self._name = name
        self._lines: dict[int, overview.Line] = {}
        self._points: dict[int, str] = {}
        self._code = 0
        # A form that is about one submission leaves the overview to people.
        self._is_text = wanted.form is None or wanted.is_for_one
        self._are_report = self._is_text and wanted.output is None
        # On one terminal, only the console of the progress bar knows where the bar is.
        shares = beside.is_terminal and sys.stdout.isatty()
        self._told = ReportConsole(highlight=False) if self._are_report and not shares else beside

    def add(self, number: int, graded: Graded, *, was_kept: bool = False) -> None:
        """Tell what submission `number` came to."""
        self._lines[number] = overview.line(graded)
        self._points[number] = self._wanted.points(graded)
        self._code = max(self._code, self._wanted.exit_code(graded))
        if self._folder is not None:
            write_each(graded, self._wanted, self._folder, self._name(number))
        shown = self._line(number)
        if was_kept:
            shown.append("  (from before)", style="dim")
        self._told.print(shown, soft_wrap=not self._told.is_terminal)

    def finish(self, read: Callable[[int], Graded]) -> int:
        """Write the rest, of what `read` returns for a number; return the exit code."""
        numbers = sorted(self._lines)
        wanted = self._wanted
        if wanted.form is not None and wanted.form.several is not None:
            results = (read(number) for number in numbers)
            links = [self._link(number) for number in numbers]
            policy = wanted.policy or DEFAULT
            write_pieces(wanted.form.several(results, policy, links), wanted.output)
        else:
            lines = () if self._are_report else map(self._line, numbers)
            write_overview(lines, [self._lines[number] for number in numbers], wanted.output)
        _write_beside((read(number) for number in numbers), wanted)
        return self._code

    def _line(self, number: int) -> Text:
        points = self._points[number]
        shown = overview.show_line(self._lines[number])
        return shown.append(f"  {points}") if points else shown

    def _link(self, number: int) -> str:
        if self._folder is None:
            return ""
        report = self._folder / f"{self._name(number)}.{self._wanted.suffix}"
        return link(report, self._wanted.output)


def link(report: Path, page: Path | None) -> str:
    """Return the link to a report from the page at `page`; None: from the working directory."""
    folder = page.parent if page is not None else Path()
    try:
        path = os.path.relpath(report, folder)
    except ValueError:  # on another drive
        return report.resolve().as_uri()
    return quote(os.fsencode(PurePath(path).as_posix()))


def _write_beside(results: Iterable[Graded], wanted: Wanted) -> None:
    beside = wanted.form.beside if wanted.form is not None else None
    place = os.environ.get(beside.variable) if beside is not None else None
    if beside is None or not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            file.writelines(beside.several(results, wanted.policy or DEFAULT))
    except OSError as error:
        print(f"{beside.variable} {place}: {error.strerror}", file=sys.stderr)


@contextmanager
def _destination(output: Path | None, encoding: str | None = "utf-8") -> Iterator[TextIO]:
    if output is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Text that a terminal cannot show is no reason to lose the report; forms for programs
            # say themselves that they are UTF-8.
            sys.stdout.reconfigure(errors="backslashreplace", encoding=encoding)
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(os.path.realpath(output))  # a link keeps leading to it
    if (output.exists() and not output.is_file()) or not os.access(target.parent, os.W_OK):
        # A device or a pipe takes what is written to it; nothing may be put in its place.
        with output.open("w", encoding="utf-8") as file:
            yield file
        return
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
