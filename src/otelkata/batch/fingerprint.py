"""Tell whether anything has changed that a result depends on."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import otelkata
from otelkata import content
from otelkata.deploy.interpreter import ParentFailed
from otelkata.deploy.source import BYTES_LIMIT, DEPENDENCIES, FILES_LIMIT, LEFT_OUT

from .task import Terms

_ASK = """
import importlib.metadata as m, json, sys
print(json.dumps([sys.version, sorted({(str(d.name), d.version) for d in m.distributions()})]))
"""
_LIMIT = 60


def of_terms(terms: Terms, isolation: str) -> str:
    """Return what stands for all that is the same for every submission of a batch.

    That is the grader's code, checks and rules, its distributions and those of the interpreter of
    the hosts, the options, and the isolation in force. Raises ParentFailed where the interpreter
    cannot be asked.
    """
    summary = hashlib.sha256()
    for folder in (Path(otelkata.__file__).parent, *map(content.folder, ("checks", "ast_rules"))):
        for path in sorted(folder.rglob("*.py")):
            _add(summary, path.relative_to(folder).as_posix().encode(), path.read_bytes())
    own = sorted({(str(item.name), item.version) for item in distributions()})
    known = [own, _ask(terms.python), terms.python, terms.quick, isolation, platform.platform()]
    _add(summary, json.dumps(known).encode())
    return summary.hexdigest()


def of_submission(path: str, terms: str) -> str:
    """Return what stands for the submission at `path`, under `terms`: names, links, bytes.

    Of folders with dependencies, size and time of change stand for the bytes. What cannot be read,
    or is too large to be graded, is a content of its own, never equal to another.
    """
    submission = Path(path)
    summary = hashlib.sha256(terms.encode())
    _add(summary, os.fsencode(path))
    left = BYTES_LIMIT
    try:
        for number, file in enumerate(_walk(submission)):
            inside = file.relative_to(submission)
            kind, content = _content(file, left, is_dependency=inside.parts[0] in DEPENDENCIES)
            left -= len(content)
            if kind != b"dependency" and number > FILES_LIMIT:
                return os.urandom(32).hex()
            _add(summary, os.fsencode(inside), kind, content)
    except (OSError, RecursionError):
        return os.urandom(32).hex()
    return summary.hexdigest()


def _content(path: Path, limit: int, *, is_dependency: bool) -> tuple[bytes, bytes]:
    if path.is_symlink():
        return b"link", os.fsencode(path.readlink())
    status = path.stat()
    if is_dependency:
        return b"dependency", f"{status.st_size} {status.st_mtime_ns}".encode()
    if not path.is_file():
        return b"other", str(status.st_mode).encode()
    if status.st_size > limit:
        raise OSError(f"{path} is too large")
    return b"file", path.read_bytes()


def _walk(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        linked = [name for name in folders if Path(at, name).is_symlink()]
        yield from (Path(at, name) for name in sorted([*files, *linked]))


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
        raise ParentFailed(f"the interpreter {python} cannot be asked what it has") from error
