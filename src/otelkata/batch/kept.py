"""Keep results on disk as long as they hold."""

import contextlib
import gzip
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from otelkata.report import graded as report
from otelkata.report.graded import Graded

RESULTS_LIMIT = 5_000
"""Most results that are kept for later; the oldest go first."""

AGE_LIMIT = 30 * 24 * 3600
"""How long, in seconds, a batch that was cut short can go on."""

_EFFORT = 4


def place() -> Path:
    """Return the directory for what is kept between runs: the system's for such things.

    Raises OSError where nothing can be written there.
    """
    folder = _named()
    folder_in(folder)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def folder_in(folder: Path, name: str = "") -> Path:
    """Return the directory `name` in `folder`, made for nobody else to read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / name).mkdir(mode=0o700, exist_ok=True)
    return folder / name


class Cache:
    """Results of complete gradings, each under the fingerprint of all that it depends on.

    It saves time and promises nothing: what cannot be kept is graded again.
    """

    def __init__(self, folder: Path) -> None:
        self._batches = folder / "batches"
        self._folder = folder / "results"

    def find(self, fingerprint: str) -> Graded | None:
        """Return the result for `fingerprint`; None where there is none."""
        try:
            return report.decode(gzip.decompress(self._path(fingerprint).read_bytes()))
        except (OSError, EOFError, zlib.error, msgspec.DecodeError):
            return None

    def keep(self, fingerprint: str, result: Graded) -> None:
        """Keep a result; one that is partial or an error is not."""
        if result.is_partial or result.verdict == "error":
            return
        with contextlib.suppress(OSError):
            folder_in(self._folder.parent, self._folder.name)
            path = self._path(fingerprint)
            unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
            unfinished.write_bytes(gzip.compress(report.encode(result), _EFFORT))
            unfinished.replace(path)

    def prune(self) -> None:
        """Remove the oldest of too many results, and batches that nobody has gone on with."""
        with contextlib.suppress(OSError):
            results = sorted(self._folder.iterdir(), key=_time)
            _remove(results[: max(0, len(results) - RESULTS_LIMIT)])
        # One of the two may be there without the other.
        with contextlib.suppress(OSError):
            _remove([path for path in self._batches.iterdir() if _is_old(path)])

    def _path(self, fingerprint: str) -> Path:
        return self._folder / f"{fingerprint}.json.gz"


def _named() -> Path:
    for name in ("OTELKATA_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        if os.environ.get(name):
            folder = Path(os.environ[name])
            return folder if name == "OTELKATA_CACHE" else folder / "otelkata"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise OSError("the user has no home directory") from error
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "otelkata"


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _time(path: Path) -> float:
    return path.stat().st_mtime


def _is_old(path: Path) -> bool:
    return _time(path) < time.time() - AGE_LIMIT
