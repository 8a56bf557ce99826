"""Copy a submission, so that everything that looks at it sees the same files."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from otelkata.host.wire import text

DEPENDENCIES = frozenset({"node_modules", ".venv", "venv", "env", ".tox"})
LEFT_OUT = frozenset({".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
BYTES_LIMIT = 64 * 1024 * 1024
FILES_LIMIT = 5_000
DEPTH_LIMIT = 64
ABOVE = 3
"""How many folders up a submission is looked for, where there is none in the one that is named."""

TEXT_LIMIT = 64 * 1024
"""Longest file that a report can quote from, in bytes."""

TEXTS_LIMIT = 512 * 1024
"""Most that is kept of a submission's source, in bytes."""


class UnusableSubmission(Exception):
    """The submission cannot be graded as it is; the message says why and what to do.

    `instead` are folders that look like what was meant, relative to the one that was named. `stage`
    says what kind of mistake it is.
    """

    def __init__(self, message: str, instead: Sequence[str] = (), *, stage: str = "deploy") -> None:
        super().__init__(message)
        self._instead = instead
        self.stage = "elsewhere" if instead else stage

    def told(self, path: str | Path) -> str:
        """Return the message to whoever named the folder as `path`."""
        if not self._instead:
            return str(self)
        first, *others = (os.path.normpath(Path(path, inside)) for inside in self._instead)
        if not others:
            return f"{self}; {first} looks like the submission: name that"
        more = f" and {len(others)} more" if len(others) > 1 else f" and {others[0]}"
        return (
            f"{self}; {first}{more} look like submissions: name one of them, or all with "
            f"`kata-grade --each {path}`"
        )


def copy(submission: Path, into: Path) -> Path:
    """Return a copy of `submission` below `into`; folders of dependencies are linked.

    Raises UnusableSubmission where there is no `checkout`, or too much to copy.
    """
    target = into / "submission"
    copy_files(submission, target)
    _require_checkout(target, submission)
    for name, folder in dependencies(submission):
        (target / name).symlink_to(folder, target_is_directory=True)
    return target


def dependencies(submission: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each folder of dependencies that hosts are shown, and where it lies."""
    for name in sorted(DEPENDENCIES):
        folder = submission / name
        # One that leads out of the submission would show hosts what is not theirs.
        if folder.is_dir() and folder.resolve().is_relative_to(submission.resolve()):
            yield name, folder.resolve()


def copy_files(submission: Path, target: Path) -> None:
    """Copy the files of `submission` itself to `target`, which is new; links as links.

    Raises UnusableSubmission where it cannot be read, or there is too much.
    """
    try:
        _copy(submission, target)
    except (OSError, shutil.Error) as error:
        name = f"{Path(str(error.filename)).name}: " if error.filename else ""
        reason = error.strerror or str(error)
        raise UnusableSubmission(f"the submission cannot be read: {name}{reason}") from error


def texts(copied: Path) -> dict[str, str]:
    """Return the Python files of what was copied, by path, without dependencies and long ones."""
    found: dict[str, str] = {}
    left = TEXTS_LIMIT
    for path in sorted(copied.rglob("*.py")):
        inside = path.relative_to(copied)
        if DEPENDENCIES & set(inside.parts) or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        if size <= min(TEXT_LIMIT, left):
            left -= size
            found[text(inside.as_posix())] = path.read_bytes().decode("utf-8", "replace")
    return found


def _copy(submission: Path, target: Path) -> None:
    # Counts while it copies, and leaves out what is no file of a program.
    files = size = 0
    folders = [(str(submission), target, 0)]
    while folders:
        folder, into, depth = folders.pop()
        into.mkdir()
        for entry in _entries(folder):
            files += 1
            if entry.is_symlink():
                (into / entry.name).symlink_to(os.readlink(entry.path))  # noqa: PTH115 (a text)
            elif entry.is_dir():
                folders.append((entry.path, into / entry.name, depth + 1))
            elif entry.is_file():
                size += entry.stat().st_size
                if size <= BYTES_LIMIT:
                    _copy_file(entry, into / entry.name)
            if depth == DEPTH_LIMIT:
                raise UnusableSubmission(
                    "the directories of the submission are nested too deeply to copy: keep to the "
                    "checkout package and its files"
                )
            if files > FILES_LIMIT or size > BYTES_LIMIT:
                raise UnusableSubmission(
                    f"the submission is too large to grade: more than {FILES_LIMIT} files or "
                    f"{BYTES_LIMIT // 2**20} MiB; leave only the checkout package and its files"
                )


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in LEFT_OUT and entry.name not in DEPENDENCIES:
                yield entry


def _copy_file(entry: "os.DirEntry[str]", target: Path) -> None:
    shutil.copyfile(entry.path, target)
    status = entry.stat()
    # Never more: as a file of whoever grades, one with the bit for that would run as them.
    target.chmod(0o755 if status.st_mode & 0o100 else 0o644)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _require_checkout(copied: Path, submission: Path) -> None:
    if _holds_checkout(copied):
        return
    if (copied / "checkout").is_dir():
        raise UnusableSubmission(
            "the folder checkout/ is no package: it has no __init__.py that offers init_tracer, "
            "shutdown_tracer, create_gateway, create_inventory and create_payment"
        )
    if (copied / "kata.toml").is_file():
        raise UnusableSubmission(
            "it has a kata.toml: submissions that are started by commands cannot be graded yet, "
            "only those with a module or package named checkout"
        )
    below = [path.name for path in sorted(copied.iterdir()) if _holds_checkout(path)]
    if below:
        raise UnusableSubmission("there is no checkout in this folder", below)
    for number, folder in enumerate(Path(os.path.abspath(submission)).parents[:ABOVE], 1):  # noqa: PTH100 (as it was named: without following links)
        if _holds_checkout(folder):
            reason = "this folder lies inside a submission"
            raise UnusableSubmission(reason, ["/".join([".."] * number)])
    found = sorted(path.name for path in copied.iterdir())
    if not found:
        raise UnusableSubmission("this folder is empty", stage="missing")
    shown = ", ".join(found[:8])
    raise UnusableSubmission(
        "there is no module or package named checkout (checkout.py or checkout/__init__.py) in "
        f"this folder; it holds {shown}",
        stage="missing",
    )


def _holds_checkout(folder: Path) -> bool:
    return (folder / "checkout.py").is_file() or (folder / "checkout" / "__init__.py").is_file()
