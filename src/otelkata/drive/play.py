"""Play a case: the state that one scenario has while it runs."""

from dataclasses import dataclass, field
from typing import Literal

from otelkata.evidence.model import Case, Hop

from .fault import Fault, Forward
from .gate import Gate, MeetingPoint
from .http import Request


@dataclass(slots=True)
class Play:
    """One case while it runs: where its hops lead, what they do, how often they were crossed."""

    case: Case
    entry: str
    request: Request
    routes: dict[Hop, str]
    faults: dict[Hop, tuple[Fault, ...]]
    gate: Gate = field(default_factory=Gate)
    meeting: MeetingPoint | None = None
    refused: tuple[Hop, str] | None = None
    delay: Literal["network", "query", "processor"] | None = None
    hangs_up: bool = False
    _crossed: dict[Hop, int] = field(default_factory=dict)

    def next_fault(self, hop: Hop) -> Fault:
        """Return what `hop` does to the next request; the last fault of the list stays."""
        faults = self.faults.get(hop, (Forward(),))
        crossed = self._crossed.get(hop, 0)
        self._crossed[hop] = crossed + 1
        return faults[min(crossed, len(faults) - 1)]
