"""Name what spreads a batch: over processes of this machine, or over those of a cluster."""

from collections.abc import AsyncGenerator, Iterable
from typing import Protocol

from .task import Began, Done, Task


class CannotGrade(Exception):
    """Nothing of a batch can be graded; `usage` tells whether an option is to blame."""

    def __init__(self, reason: str, *, usage: bool = False) -> None:
        super().__init__(reason)
        self.usage = usage


class Engine(Protocol):
    """Grades the tasks of one batch."""

    async def open(self) -> str:
        """Begin; return what results depend on here: what isolates submissions, above all.

        Raises CannotGrade.
        """
        ...

    def grade(self, tasks: Iterable[Task]) -> AsyncGenerator[Began | Done]:
        """Yield what there is to say of `tasks`, as it comes; each is done in the end.

        No more is begun until the caller has come back for more. A task with which a process has
        died is tried again alone, and is an error when that happens again. Raises CannotGrade.
        """
        ...

    async def close(self) -> None:
        """End all that it runs."""
        ...
