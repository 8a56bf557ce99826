"""Hold what is shown of one request to the gateway, wherever it is shown."""

from dataclasses import dataclass

from otelkata.report.drawing import Drawing
from otelkata.report.expected import Wanted


@dataclass(frozen=True, slots=True)
class Shown:
    """A request, its answer, and all that is known of it once its spans have arrived.

    `status` is empty where nothing was answered. `took_ms` is in milliseconds. `notes` say what no
    drawing shows.
    """

    number: int
    what: str
    status: str
    took_ms: float
    drawing: Drawing
    notes: tuple[str, ...] = ()

    @property
    def traces(self) -> int:
        """Return how many traces the request left."""
        return len({bar.trace_id for bar in self.drawing.bars})

    @property
    def spans(self) -> int:
        """Return how many spans arrived."""
        return len(self.drawing.bars) + self.drawing.left_out

    @property
    def lacking(self) -> tuple[Wanted, ...]:
        """Return the spans that should be there and are not, or that hang elsewhere."""
        return tuple(w for w in self.drawing.wanted if not (w.is_there and w.is_connected))

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing, astray or left open, as far as can be seen at once."""
        return not self.lacking and not self.notes
