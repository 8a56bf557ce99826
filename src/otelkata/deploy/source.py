"""Copy a submission, so that everything that looks at it sees the same files."""

import compileall
import shutil
from collections.abc import Iterable
from pathlib import Path

DEPENDENCIES = frozenset({"node_modules", ".venv", "venv", "env", ".tox"})
LEFT_OUT = frozenset({".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
BYTES_LIMIT = 64 * 1024 * 1024
FILES_LIMIT = 5_000
TEXT_LIMIT = 64 * 1024
"""Longest file that a report can quote from, in bytes."""

TEXTS_LIMIT = 512 * 1024
"""Most that is kept of a submission's source, in bytes."""


class UnusableSubmission(Exception):
    """The submission cannot be graded as it is; the message says why and what to do."""


def copy(submission: Path, into: Path) -> Path:
    """Return a copy of `submission` below `into`; folders of dependencies are linked.

    Raises UnusableSubmission where there is no `checkout`, or too much to copy.
    """
    target = into / "submission"
    copy_files(submission, target)
    for name in DEPENDENCIES:
        folder = submission / name
        # One that leads out of the submission would show hosts what is not theirs.
        if folder.is_dir() and folder.resolve().is_relative_to(submission.resolve()):
            (target / name).symlink_to(folder.resolve(), target_is_directory=True)
    _require_checkout(target)
    return target


def copy_files(submission: Path, target: Path) -> None:
    """Copy the files of `submission` itself to `target`, which is new; links as links.

    Raises UnusableSubmission where it cannot be read, or there is too much.
    """
    budget = _Budget()
    try:
        shutil.copytree(submission, target, symlinks=True, ignore=budget.ignored)
    except (OSError, shutil.Error) as error:
        raise UnusableSubmission(f"the submission cannot be read: {_reason(error)}") from error
    except RecursionError:
        raise UnusableSubmission(
            "the directories of the submission are nested too deeply to copy: keep to the checkout "
            "package and its files"
        ) from None


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
            found[inside.as_posix()] = path.read_bytes().decode("utf-8", "replace")
    return found


def compile_ahead(copied: Path) -> None:
    """Compile what was copied, here and now instead of in each host.

    What cannot be compiled is left alone: a host that imports it tells why.
    """
    compileall.compile_dir(copied, quiet=2)


class _Budget:
    # Counts what is copied while it is copied, and leaves out what is no file of a program.

    def __init__(self) -> None:
        self._files = 0
        self._bytes = 0

    def ignored(self, folder: str, names: list[str]) -> Iterable[str]:
        ignored = [name for name in names if name in LEFT_OUT or name in DEPENDENCIES]
        for name in names:
            path = Path(folder, name)
            if name in ignored or path.is_dir():
                continue
            if not path.is_symlink() and not path.is_file():
                ignored.append(name)  # a pipe, socket or device
                continue
            self._files += 1
            self._bytes += 0 if path.is_symlink() else path.stat().st_size
        if self._files > FILES_LIMIT or self._bytes > BYTES_LIMIT:
            raise UnusableSubmission(
                f"the submission is too large to grade: more than {FILES_LIMIT} files or "
                f"{BYTES_LIMIT // 2**20} MiB; leave only the checkout package and its files"
            )
        return ignored


def _require_checkout(copied: Path) -> None:
    if (copied / "checkout.py").is_file() or (copied / "checkout" / "__init__.py").is_file():
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
    below = next((path.parent.name for path in sorted(copied.glob("*/checkout*"))), None)
    if below is not None:
        raise UnusableSubmission(
            f"there is no checkout in it, but there is one in {below}/: grade that directory"
        )
    found = sorted(path.name for path in copied.iterdir())
    shown = ", ".join(found[:8]) if found else "nothing"
    raise UnusableSubmission(
        "there is no module or package named checkout (checkout.py or checkout/__init__.py) in "
        f"the submission; it holds {shown}. Name the directory that contains it"
    )


def _reason(error: OSError | shutil.Error) -> str:
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        source, _, reason = error.args[0][0]
        return f"{Path(source).name}: {reason}"
    return str(error)
