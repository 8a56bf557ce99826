"""Read what a host prints, through a pipe, and keep the end of it."""

import os

from .isolation import OUTPUT_KEPT

PIECE = 65_536
"""How much is read at a time, in bytes."""


class Printing:
    """A host and what it prints."""

    def __init__(self, name: str, output: int) -> None:
        self.name = name
        self.output = output
        self.count = 0
        self.is_drained = False
        self._kept = b""

    def read(self) -> bool:
        """Read a piece of what there is; False where there is nothing."""
        try:
            data = os.read(self.output, PIECE)
        except BlockingIOError:
            return False
        self.is_drained = not data
        self.count += len(data)
        self._kept = (self._kept + data)[-OUTPUT_KEPT:]
        return bool(data)

    def printed(self) -> str:
        """Return the end of what was printed."""
        return self._kept.decode("utf-8", "replace")
