"""Keep the results of one batch on disk, so that one that was cut short can go on."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from otelkata.report.graded import Graded

from . import kept


class Entry(msgspec.Struct, frozen=True):
    """One line of a journal."""

    fingerprint: str
    number: int
    graded: Graded


class Journal:
    """The results of one batch, each on disk before the next is taken up.

    A batch is known by its submissions and options; the same again with `resume` goes on where it
    was cut short, and without begins anew. Raises OSError where nothing can be written.
    """

    def __init__(self, folder: Path, identity: Sequence[str], *, resume: bool) -> None:
        name = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogateescape")).hexdigest()
        self.path = kept.folder_in(folder, "batches") / f"{name}.jsonl"
        self._before: dict[str, tuple[int, int]] = {}
        self._places: dict[int, tuple[int, int]] = {}
        # Written anew, so that what a killed run has left half written is gone.
        unfinished = self.path.with_suffix(f".{os.getpid()}.part")
        with unfinished.open("wb") as file:
            for line, entry in _sound(self.path) if resume else ():
                self._before[entry.fingerprint] = (file.tell(), len(line))
                file.write(line)
        unfinished.replace(self.path)
        self._file = self.path.open("r+b")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, which stays."""
        self._file.close()

    def __len__(self) -> int:
        """Return how many results there are from before."""
        return len(self._before)

    def find(self, fingerprint: str, number: int) -> Graded | None:
        """Return the result from before, which becomes that of submission `number`."""
        if fingerprint not in self._before:
            return None
        self._places[number] = self._before[fingerprint]
        return self.read(number)

    def add(self, entry: Entry) -> None:
        """Write one more result, for good."""
        line = msgspec.json.encode(entry) + b"\n"
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._places[entry.number] = (start, len(line))

    def read(self, number: int) -> Graded:
        """Return the result of submission `number`, which was added or found before."""
        start, length = self._places[number]
        self._file.seek(start)
        return msgspec.json.decode(self._file.read(length), type=Entry).graded


def _sound(path: Path) -> Iterator[tuple[bytes, Entry]]:
    # The lines that a run which went on would have: an error may have gone.
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with contextlib.suppress(msgspec.DecodeError):
                entry = msgspec.json.decode(line, type=Entry)
                if line.endswith(b"\n") and entry.graded.verdict != "error":
                    yield line, entry
