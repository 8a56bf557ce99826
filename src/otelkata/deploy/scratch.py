"""Lay out the directory of one run: what its hosts may read, and the part that is theirs."""

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from .keeper import Place
from .source import DEPENDENCIES


@asynccontextmanager
async def temporary_folder() -> AsyncIterator[Path]:
    """Give a new directory, and remove it with what submissions left in it."""
    folder = Path(tempfile.mkdtemp(prefix="otelkata-")).resolve()
    try:
        yield folder
    finally:
        # Beside what others do: a submission may have left ten thousand files.
        await asyncio.shield(asyncio.to_thread(remove, folder))


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

    def place(self, copied: Path, *, lasts: bool = False) -> Place:
        """Return the directories of the submission that was `copied` here, and if it `lasts`."""
        if self._user is not None:
            _let_read(copied)
        links = (copied / name for name in sorted(DEPENDENCIES))
        dependencies = [str(link.resolve()) for link in links if link.is_symlink()]
        return Place(
            str(copied), str(self.work), str(self._root), tuple(dependencies), self._user, lasts
        )

    def hand_over(self) -> None:
        """Give all that is in `work` to the user that hosts run as."""
        if self._user is None:
            return
        for path in (self.work, *self.work.rglob("*")):
            os.chown(path, self._user, self._user, follow_symlinks=False)


def remove(folder: Path) -> None:
    """Remove `folder` with all that is in it, as far as that can be done.

    Nobody may write to it any more. Directories nested without end are taken apart from above.
    """
    if os.rename not in os.supports_dir_fd:
        shutil.rmtree(folder, ignore_errors=True)
        return
    names = (f"{number}.moved" for number in itertools.count())
    top = os.open(folder, os.O_RDONLY)
    try:
        below = list(_empty(top, top, names))
        while below:
            name = below.pop()
            with contextlib.suppress(OSError):
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=top)
                try:
                    below += _empty(opened, top, names)
                finally:
                    os.close(opened)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _empty(folder: int, top: int, names: Iterator[str]) -> Iterator[str]:
    # Yields the names of the directories in `folder`, which have been moved to `top`.
    with os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        with contextlib.suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=folder)
                continue
            if os.geteuid():
                # Who has closed it to everybody has closed it to who grades, the same user.
                os.chmod(entry.name, 0o700, dir_fd=folder)
            name = next(names)
            os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
            yield name


def _let_read(copied: Path) -> None:
    for path in (copied, *copied.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
