"""Show how far a batch is: a bar, with what is running; nothing where there is no terminal."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from otelkata.report.words import cut_line

SHOWN = 3
"""How many of the running submissions are named."""


class Watch:
    """What of a batch is running, on standard error."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._running: list[int] = []
        self.console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self.console,
            transient=True,
            # What is written to standard output is no part of it, and may go elsewhere.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self.console.is_terminal,
        )
        self._bar = self._progress.add_task("starting", total=len(paths))

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing of the bar."""
        self._progress.stop()

    def begin(self, number: int) -> None:
        """Show that a submission's turn has come."""
        self._running.append(number)
        self._show()

    def finish(self, number: int) -> None:
        """Show that a submission is done."""
        if number in self._running:
            self._running.remove(number)
        self._progress.advance(self._bar)
        self._show()

    def shown(self) -> RenderableType:
        """Return what is shown now."""
        return self._progress.get_renderable()

    def _show(self) -> None:
        newest = [
            escape(cut_line(self._paths[number])) for number in self._running[: -SHOWN - 1 : -1]
        ]
        more = len(self._running) - len(newest)
        text = ", ".join(newest) + (f" and {more} that only wait" if more else "")
        self._progress.update(self._bar, description=text)
