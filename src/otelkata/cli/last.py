"""Remember what the last grading of a path came to, so that what failed can be graded alone."""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from otelkata.batch import kept
from otelkata.report.graded import Graded

PATHS_LIMIT = 500
"""Of most so many paths it is known; those graded longest ago are forgotten first."""


class Last:
    """What each check came to when the submission at `path` was last graded by it.

    It lies in `folder`, or else where results are kept; where that cannot be, nothing is known.
    """

    def __init__(self, path: str, folder: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(Path(path).resolve())).hexdigest()
        self._file: Path | None = None
        with contextlib.suppress(OSError):
            self._file = kept.folder_in(folder or kept.place(), "last") / f"{name}.json"

    def statuses(self) -> dict[str, str]:
        """Return what is known, by the ids of checks."""
        if self._file is None:
            return {}
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    def failed(self) -> tuple[str, ...]:
        """Return the ids of the checks that had not passed."""
        return tuple(name for name, status in self.statuses().items() if status != "passed")

    def note(self, graded: Graded) -> None:
        """Remember what `graded` tells; a partial result leaves standing what it does not tell."""
        if self._file is None or not graded.checks:
            return
        known = self.statuses() if graded.is_partial else {}
        known |= {check.id: check.status for check in graded.checks}
        with contextlib.suppress(OSError):
            unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
            unfinished.write_bytes(msgspec.json.encode(known))
            unfinished.replace(self._file)
            by_age = sorted(self._file.parent.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in by_age[:-PATHS_LIMIT]:
                path.unlink(missing_ok=True)
