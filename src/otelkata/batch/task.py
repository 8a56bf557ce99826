"""Name what a worker is told and what it tells: one line of JSON each."""

import msgspec

from otelkata.host.isolation import Level
from otelkata.report.graded import Graded


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every submission of a batch: the first line that a worker gets.

    `only` are the ids of the checks that it is graded by; empty: all.
    `regrade`: paths are those of files with evidence, which is judged, and nothing is run.
    """

    python: str
    isolation: Level | None = None
    quick: bool = False
    only: tuple[str, ...] = ()
    regrade: bool = False


class Task(msgspec.Struct, frozen=True):
    """One submission to grade, `path` as it was given.

    `evidence` is the file to keep what was observed in, if any; `folder` is where the submission
    lies, if that is not at `path`.
    """

    number: int
    path: str
    seed: int
    evidence: str = ""
    folder: str = ""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """A worker can begin; `isolation` is what its submissions will be kept apart by."""

    isolation: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """A worker cannot grade at all; `usage` tells whether that is the fault of an option."""

    reason: str
    usage: bool


class Began(msgspec.Struct, frozen=True, tag=True):
    """A submission's turn has come."""

    number: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """What a submission came to."""

    number: int
    graded: Graded


News = Ready | Refused | Began | Done
