"""Hold one module per form of report; the command's choices and the documentation derive from it.

A module's name is that of the form, and its `FORMAT` says what it is. `text`, which is drawn for a
terminal, is the one form that has no module here.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command needs the names before it has time for anything else
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otelkata.report.graded import Graded
    from otelkata.report.policy import Policy

TEXT = "text"


@dataclass(frozen=True, slots=True)
class Beside:
    """A second report, which is added to the file that the environment `variable` names."""

    variable: str
    several: Callable[[Iterable[Graded], Policy], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A form of report: `one` makes that of one submission, `several` that of a batch.

    `several` is also given a link to the report on each, empty where there is none; None: it is
    about one submission by its nature. `about` says what it is for, `document` what it follows.
    Files of it end in `suffix`.
    """

    about: str
    document: str
    suffix: str
    one: Callable[[Graded, Policy], str]
    several: Callable[[Iterable[Graded], Policy, Sequence[str]], Iterator[str]] | None = None
    beside: Beside | None = None


def names() -> list[str]:
    """Return the names of all forms; none is imported for that."""
    return [TEXT, *sorted(module.name for module in pkgutil.iter_modules(__path__))]


def load(name: str) -> Format:
    """Return the form `name`, which is not `text`."""
    found = importlib.import_module(f"{__name__}.{name}").FORMAT
    assert isinstance(found, Format)
    return found
