"""What a rule has to say about one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is, by the kind of path on which the fault shows.

    ERROR: on the normal path, or wherever the code runs. WARNING: when an exception is raised.
    NOTE: only on cancellation or on an early close of a generator, or a matter of taste.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A range of source code: lines and columns in characters, from 1; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path that shows a fault: the span starts, this may raise, here it leaves."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place.

    `path` is as the file was given. `certain` says that nothing outside what was read could make it
    right: only such a finding fails a criterion. `if_started` says that one would be certain if
    a span were seen to start there: its only doubt is what looks like a tracer. `steps` lead from
    the start to the escape.
    """

    code: str
    name: str
    path: str
    place: Place
    message: str
    severity: Severity
    certain: bool = True
    if_started: bool = False
    fixable: bool = False
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What was not looked at in a file that was read, and why, in one line."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be linted, and why, in one line."""

    path: str
    reason: str
