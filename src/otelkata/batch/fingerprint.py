"""Tell whether anything has changed that a result depends on."""

import hashlib
import json
import os
import platform
import stat
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from operator import attrgetter
from pathlib import Path

import otelkata
from otelkata import content
from otelkata.deploy.source import (
    BYTES_LIMIT,
    DEPENDENCIES,
    FILES_LIMIT,
    LEFT_OUT,
    dependencies,
)

from .engine import CannotGrade
from .task import Terms

_ASK = """
import importlib.metadata as m, json, sys
print(json.dumps([sys.version, sorted({(str(d.name), d.version) for d in m.distributions()})]))
"""
_LIMIT = 60


def of_terms(terms: Terms, isolation: str) -> str:
    """Return what stands for all that is the same for every submission of a batch.

    That is the grader's code, checks and rules, its distributions and those of the interpreter of
    the hosts, the options, and the isolation in force. Raises CannotGrade where the interpreter
    cannot be asked.
    """
    summary = hashlib.sha256(of_code().encode())
    own = sorted({(str(item.name), item.version) for item in distributions()})
    options = [terms.python, terms.quick, terms.only, isolation]
    known = [own, _ask(terms.python), *options, platform.platform()]
    _add(summary, json.dumps(known).encode())
    return summary.hexdigest()


def of_code() -> str:
    """Return what stands for the grader's code, its checks and rules."""
    summary = hashlib.sha256()
    for folder in (Path(otelkata.__file__).parent, *map(content.folder, ("checks", "ast_rules"))):
        for path in sorted(folder.rglob("*.py")):
            _add(summary, path.relative_to(folder).as_posix().encode(), path.read_bytes())
    return summary.hexdigest()


def of_submission(path: str, terms: str) -> str:
    """Return what stands for the submission at `path`, under `terms`: names, links, bytes.

    Of folders with dependencies, of which hosts are shown everything, size and time of change stand
    for the bytes. What cannot be read, or is too large to be graded, is a content of its own, never
    equal to another.
    """
    summary = hashlib.sha256(terms.encode())
    _add(summary, os.fsencode(path))
    budget = _Budget()
    try:
        for inside in _walk(Path(path)):
            _add(summary, os.fsencode(inside), *budget.content(Path(path, inside)))
        for name, folder in dependencies(Path(path)):
            _add(summary, b"dependencies", os.fsencode(name), os.fsencode(folder))
            for inner, shown in _shown(folder):
                _add(summary, os.fsencode(inner), shown)
    except (OSError, RecursionError):
        return os.urandom(32).hex()
    return summary.hexdigest()


class _Budget:
    # Reads no more of a submission than what would be graded.

    def __init__(self) -> None:
        self._files = FILES_LIMIT
        self._bytes = BYTES_LIMIT

    def content(self, path: Path) -> tuple[bytes, bytes]:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return b"link", os.fsencode(path.readlink())
        if not stat.S_ISREG(status.st_mode):
            return b"other", str(status.st_mode).encode()
        self._files -= 1
        self._bytes -= status.st_size
        if min(self._files, self._bytes) < 0:
            raise OSError(f"{path} is too much")
        return b"file %o" % stat.S_IMODE(status.st_mode), path.read_bytes()


def _walk(submission: Path) -> Iterator[Path]:
    # Folders as well: one that is empty is a package all the same.
    for at, folders, files in os.walk(submission, onerror=_fail):
        inside = Path(at).relative_to(submission)
        folders[:] = sorted(set(folders) - LEFT_OUT - DEPENDENCIES)
        for name in sorted([*files, *folders]):
            yield inside / name


def _shown(folder: Path) -> Iterator[tuple[str, bytes]]:
    # A hundred thousand files are not rare here: no Path is made of each.
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=attrgetter("name")):
                status = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    yield entry.path, b"%o" % status.st_mode
                elif entry.is_symlink():
                    yield entry.path, b"link " + os.fsencode(os.readlink(entry.path))  # noqa: PTH115 (as above)
                else:
                    known = (status.st_mode, status.st_size, status.st_mtime_ns)
                    yield entry.path, b"%o %d %d" % known


def _fail(error: OSError) -> None:
    raise error


def _add(summary: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        summary.update(len(part).to_bytes(8, "big"))
        summary.update(part)


def _ask(python: str) -> object:
    try:
        asked = subprocess.run(  # noqa: S603 (the interpreter is whoever grades' own choice)
            [python, "-P", "-c", _ASK], check=True, capture_output=True, timeout=_LIMIT
        )
        return json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise CannotGrade(f"the interpreter {python} cannot be asked what it has") from error
