"""Say what a check found: something sound, a fault, or something that cannot be judged."""

from collections.abc import Iterator
from dataclasses import dataclass

from .calls import Call, ServiceSpan
from .cases import CaseView


@dataclass(frozen=True, slots=True)
class Sound:
    """One span, request or exit was judged, and is as it should be."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Something could not be judged, because of another failure.

    `blames_machine` tells that it is not the submission's own: others kept the machine busy.
    """

    reason: str
    blames_machine: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong: what, and where in the trace and in the code.

    `spans` are the spans at fault, `call` the request at fault where a span is missing. `details`,
    such as a traceback, are shown where there is no trace to show. `fix` says what to do about this
    fault, where that is not what the check says of all.
    """

    message: str
    case: CaseView | None = None
    spans: tuple[ServiceSpan, ...] = ()
    call: Call | None = None
    path: str = ""
    line: int = 0
    details: str = ""
    fix: str = ""

    @property
    def place(self) -> tuple[str, int]:
        """Return path and line in the submission; an empty path where they are not known."""
        if self.path:
            return self.path, self.line
        return next(((span.path, span.line) for span in self.spans if span.path), ("", 0))


Finding = Sound | Unjudged | Fault
Findings = Iterator[Finding]

SOUND = Sound()

BUSY = "others keep the machine busy: grade again when they do not"


def too_slow(reason: str, patience: float) -> Unjudged:
    """Return that something took too long to be judged; `patience` is that of the run.

    Where it is above 1, others kept the machine busy before the submission began.
    """
    if patience <= 1:
        return Unjudged(reason)
    return Unjudged(f"{reason}, because {BUSY}", blames_machine=True)


def expect(
    condition: object,
    message: str,
    case: CaseView | None = None,
    *spans: ServiceSpan | None,
    call: Call | None = None,
    path: str = "",
    line: int = 0,
    fix: str = "",
) -> Finding:
    """Return Sound where `condition` holds, else a Fault made of the rest."""
    if condition:
        return SOUND
    at = tuple(span for span in spans if span is not None)
    return Fault(message, case, at, call, path, line, fix=fix)
