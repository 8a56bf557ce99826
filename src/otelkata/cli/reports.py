"""Write the report on one submission, or on a batch while it runs and at its end."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from rich.console import Console

from otelkata.batch import overview
from otelkata.cli import EXIT_CODES
from otelkata.report import text
from otelkata.report.graded import Graded, to_json

Form = Literal["text", "json"]
_SUFFIXES: dict[Form, str] = {"text": "txt", "json": "json"}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Of itself it would end the command as if a submission had failed.
        raise BrokenPipeError


def write_one(graded: Graded, form: Form, output: Path | None) -> None:
    """Write the report on one submission to the file `output`, or to standard output."""
    with _destination(output) as file:
        if form == "json":
            json.dump(to_json(graded), file, indent=2, allow_nan=False)
            file.write("\n")
        else:
            text.write(graded, _Console(file=file, highlight=False))


def write_each(graded: Graded, form: Form, folder: Path, name: str) -> None:
    """Write the report on one submission of several into `folder`."""
    write_one(graded, form, folder / f"{name}.{_SUFFIXES[form]}")


def write_all(
    lines: Sequence[overview.Line],
    objects: Iterable[Mapping[str, Any]],
    form: Form,
    output: Path | None,
    *,
    with_lines: bool,
) -> int:
    """Write what a batch came to; return the exit code, which is that of the worst result.

    `objects` are those of the contract, in their order; `with_lines` begins with one line each.
    """
    with _destination(output) as file:
        if form == "json":
            _write_list(objects, file)
        else:
            console = _Console(file=file, highlight=False)
            for line in lines if with_lines else ():
                console.print(overview.show_line(line), soft_wrap=True)
            console.print()
            console.print(overview.table(lines))
    return max((EXIT_CODES[line.verdict] for line in lines), default=0)


class Reports:
    """What is told of a batch while it runs, and what is written of it at the end.

    `beside` is where lines go that are no part of the report; `folder` is for a report on each,
    named by `name`.
    """

    def __init__(
        self,
        form: Form,
        output: Path | None,
        beside: Console,
        folder: Path | None,
        name: Callable[[int], str],
    ) -> None:
        self._form: Form = form
        self._output = output
        self._folder = folder
        self._name = name
        self._lines: dict[int, overview.Line] = {}
        self._are_report = form == "text" and output is None
        # On one terminal, only the console of the progress bar knows where the bar is.
        shares = beside.is_terminal and sys.stdout.isatty()
        self._told = _Console(highlight=False) if self._are_report and not shares else beside

    def add(self, number: int, graded: Graded, *, was_kept: bool = False) -> None:
        """Tell what submission `number` came to."""
        self._lines[number] = line = overview.line(graded)
        if self._folder is not None:
            write_each(graded, self._form, self._folder, self._name(number))
        shown = overview.show_line(line)
        if was_kept:
            shown.append("  (from before)", style="dim")
        self._told.print(shown, soft_wrap=True)

    def finish(self, read: Callable[[int], Graded]) -> int:
        """Write the rest, of what `read` returns for a number; return the exit code."""
        numbers = sorted(self._lines)
        return write_all(
            [self._lines[number] for number in numbers],
            (to_json(read(number)) for number in numbers),
            self._form,
            self._output,
            with_lines=not self._are_report,
        )


def _write_list(objects: Iterable[Mapping[str, Any]], file: TextIO) -> None:
    # One at a time: a thousand of them are large.
    before = "[\n"
    for item in objects:
        file.write(before)
        json.dump(item, file, indent=2, allow_nan=False)
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


@contextmanager
def _destination(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
