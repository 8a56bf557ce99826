"""Lay out the directory of one run: what its hosts may read, and the part that is theirs."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .keeper import Place
from .source import DEPENDENCIES


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a new directory, and remove it with what submissions left in it."""
    with tempfile.TemporaryDirectory(prefix="otelkata-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


class Scratch:
    """A directory of the grader's own; only `work` below it is for hosts to write to.

    `user` is who hosts run as, where that is another.
    """

    def __init__(self, folder: Path, user: int | None) -> None:
        self._user = user
        self.folder = folder
        self.work = folder / "work"
        self._root = folder / "root"
        for made in (self.work, self._root):
            made.mkdir()
        # Who runs as another user has to get through, but not to see what lies here.
        folder.chmod(0o711)

    def place(self, copied: Path) -> Place:
        """Return the directories of the submission that was `copied` here."""
        if self._user is not None:
            _let_read(copied)
        links = (copied / name for name in sorted(DEPENDENCIES))
        dependencies = [str(link.resolve()) for link in links if link.is_symlink()]
        return Place(str(copied), str(self.work), str(self._root), tuple(dependencies), self._user)

    def hand_over(self) -> None:
        """Give all that is in `work` to the user that hosts run as."""
        if self._user is None:
            return
        for path in (self.work, *self.work.rglob("*")):
            os.chown(path, self._user, self._user, follow_symlinks=False)


def _let_read(copied: Path) -> None:
    for path in (copied, *copied.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
