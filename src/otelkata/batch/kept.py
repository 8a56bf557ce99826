"""Keep results on disk: those of a batch that may be cut short, and those that still hold."""

import contextlib
import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from otelkata.report import graded as report
from otelkata.report.graded import Graded

CACHE_LIMIT = 5_000
"""Most results that are kept for later; the oldest go first."""


def place() -> Path:
    """Return the directory for what is kept between runs: the system's for such things."""
    for name in ("OTELKATA_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        if os.environ.get(name):
            folder = Path(os.environ[name])
            return folder if name == "OTELKATA_CACHE" else folder / "otelkata"
    home = Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "otelkata"


class Cache:
    """Results of complete gradings, each under the fingerprint of all that it depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "results"

    def find(self, fingerprint: str) -> Graded | None:
        """Return the result for `fingerprint`; None where there is none."""
        try:
            return report.decode(gzip.decompress(self._path(fingerprint).read_bytes()))
        except (OSError, EOFError, zlib.error, msgspec.DecodeError):
            return None

    def keep(self, fingerprint: str, result: Graded) -> None:
        """Keep a result; one that is partial or an error is not."""
        if result.left_out or result.verdict == "error":
            return
        path = self._path(fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
        unfinished.write_bytes(gzip.compress(report.encode(result), 4))
        unfinished.replace(path)

    def prune(self) -> None:
        """Remove the oldest of too many."""
        with contextlib.suppress(OSError):
            files = sorted(self._folder.glob("*.json.gz"), key=lambda path: path.stat().st_mtime)
            for path in files[: max(0, len(files) - CACHE_LIMIT)]:
                path.unlink(missing_ok=True)

    def _path(self, fingerprint: str) -> Path:
        return self._folder / f"{fingerprint}.json.gz"


class Entry(msgspec.Struct, frozen=True):
    """One line of a journal."""

    fingerprint: str
    number: int
    graded: Graded


class Journal:
    """The results of one batch, each on disk before the next is taken up.

    A batch is known by its submissions and options; the same again with `resume` goes on where it
    was cut short, and without begins anew.
    """

    def __init__(self, folder: Path, identity: Sequence[str], *, resume: bool) -> None:
        name = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogateescape")).hexdigest()
        self.path = folder / "batches" / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.before = {
            entry.fingerprint: entry for entry in (_entries(self.path) if resume else ())
        }
        self._places: dict[int, tuple[int, int]] = {}
        # Written anew, so that what a killed run has left half written is gone.
        self._file = self.path.with_suffix(f".{os.getpid()}.part").open("w+b")
        for entry in self.before.values():
            self._write(entry)
        self._file.flush()
        Path(self._file.name).replace(self.path)

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

    def add(self, entry: Entry) -> None:
        """Write one more result, for good."""
        start = self._file.seek(0, os.SEEK_END)
        self._write(entry)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._places[entry.number] = (start, self._file.tell() - start)

    def read(self, number: int) -> Graded:
        """Return the result of submission `number`, which was added before."""
        start, length = self._places[number]
        self._file.seek(start)
        return msgspec.json.decode(self._file.read(length), type=Entry).graded

    def _write(self, entry: Entry) -> None:
        self._file.write(msgspec.json.encode(entry) + b"\n")


def _entries(path: Path) -> Iterator[Entry]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError):
            yield msgspec.json.decode(line, type=Entry)
