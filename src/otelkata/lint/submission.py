"""Lint the source of submissions, as `python -m otelkata.lint.submission`.

Each line of input is an order, `{"number": 1, "folder": "…", "limit": seconds}`; what is printed is
one line for each, `{"number": 1, "read": …}` or `{"number": 1, "failed": "why"}`. Every submission
is read by a process of its own, forked with all rules loaded, so that source that is hostile to a
parser ends nobody's grading. Suppression comments mean nothing here: whoever is graded does not
choose the rules.
"""

from __future__ import annotations

import gc
import json
import math
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding, Unread
from otelkata.lint.rule import Rule, load
from otelkata.lint.source.imports import reached

_LEFT_OUT = frozenset({"node_modules", ".venv", "venv", "env", ".tox", "site-packages"})
_TESTS = frozenset({"conftest.py", "tests", "test"})

MEMORY_LIMIT = 2 * 1024**3
"""Most address space, in bytes, of the process that reads one submission."""

REMARKS_LIMIT = 300
"""Most findings that are told of a submission: the certain ones first, which fail it."""

TEXT_LIMIT = 2_000
"""Longest message and name of a file, in characters; both may hold what a submission has named."""


def sources(folder: Path) -> Iterator[Path]:
    """Yield the Python files of a submission, without dependencies and tests, in order.

    What others import is neither, whatever it is called.
    """
    files = {path for path in folder.rglob("*.py") if _is_own(path, folder)}
    beside = {path for path in files if _is_beside(path.relative_to(folder).parts)}
    yield from sorted(files - beside | reached(folder, files - beside, beside))


def _is_own(path: Path, folder: Path) -> bool:
    # A link to source that is found by its own name would only say everything twice.
    if not path.is_symlink():
        return True
    target = Path(os.path.realpath(path))  # which a loop does not stop
    inside = target.is_relative_to(os.path.realpath(folder))
    return inside and target.suffix != ".py" and target.is_file()


def _is_beside(parts: tuple[str, ...]) -> bool:
    return bool((_LEFT_OUT | _TESTS) & set(parts)) or parts[-1].startswith("test_")


def examine(folder: Path, rules: list[Rule]) -> tuple[list[Finding], list[Unread]]:
    """Return what all rules, the strict ones too, find in the submission in `folder`."""
    found: list[Finding] = []
    unread: list[Unread] = []
    for path in sources(folder):
        name = path.relative_to(folder).as_posix()
        try:
            source = path.read_bytes()
        except OSError as error:
            unread.append(Unread(name, f"cannot be read: {error.strerror}"))
            continue
        result = lint_source(source, name, rules)
        if isinstance(result, Unread):
            unread.append(result)
        else:
            found += result
    return found, unread


def _document(folder: Path, rules: list[Rule]) -> dict[str, object]:
    found, unread = examine(folder, rules)
    found = sorted(found, key=lambda finding: (not finding.certain, not finding.if_started))
    found = found[:REMARKS_LIMIT]
    criteria = {rule.code: list(rule.criteria) for rule in rules}
    return {
        "remarks": [
            {
                "code": finding.code,
                "name": finding.name,
                "path": finding.path[:TEXT_LIMIT],
                "line": finding.place.line,
                "column": finding.place.column,
                "message": finding.message[:TEXT_LIMIT],
                "criteria": criteria[finding.code] if finding.certain else [],
                "if_started": criteria[finding.code] if finding.if_started else [],
                "steps": [
                    f"line {step.place.line}: {step.message}"[:TEXT_LIMIT]
                    for step in finding.steps[:REMARKS_LIMIT]
                ],
            }
            for finding in found
        ],
        "unread": [f"{file.path}: {file.reason}"[:TEXT_LIMIT] for file in unread[:REMARKS_LIMIT]],
    }


@dataclass(slots=True)
class _Child:
    number: int
    pid: int
    output: int
    deadline: float
    limit: float
    written: bytearray = field(default_factory=bytearray)


class _Server:
    # Reads as many submissions at a time as it is asked to; each has its own process and limit.

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules
        self._children: dict[int, _Child] = {}
        self._rest = b""
        self._is_open = True

    def run(self) -> None:
        while self._is_open:
            soonest = min((c.deadline for c in self._children.values()), default=None)
            limit = None if soonest is None else max(0.0, soonest - time.monotonic())
            readable, _, _ = select.select([0, *self._children], [], [], limit)
            for descriptor in readable:
                if descriptor == 0:
                    self._hear()
                else:
                    self._drain(self._children[descriptor])
            for child in list(self._children.values()):
                if child.deadline <= time.monotonic():
                    os.kill(child.pid, signal.SIGKILL)
                    self._end(child, f"was not done after {child.limit:.0f} s")
        # Nobody waits for the rest any more.
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)

    def _hear(self) -> None:
        data = os.read(0, 65_536)
        self._is_open = bool(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._fork(json.loads(line))

    def _fork(self, orders: dict[str, object]) -> None:
        limit = float(str(orders["limit"]))
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            # Its end also where nobody is left to see to it.
            signal.alarm(math.ceil(limit) + 1)
            self._read(Path(str(orders["folder"])), writing)
        os.close(writing)
        deadline = time.monotonic() + limit
        self._children[reading] = _Child(int(str(orders["number"])), pid, reading, deadline, limit)

    def _read(self, folder: Path, output: int) -> NoReturn:
        import resource  # noqa: PLC0415 (not on Windows)

        status = 1
        try:
            # What a parser says when it runs out of memory is news to nobody.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            with os.fdopen(output, "w") as file:
                json.dump(_document(folder, self._rules), file)
            status = 0
        finally:
            os._exit(status)

    def _drain(self, child: _Child) -> None:
        if data := os.read(child.output, 1 << 20):
            child.written += data
        else:
            self._end(child, "")

    def _end(self, child: _Child, reason: str) -> None:
        del self._children[child.output]
        os.close(child.output)
        status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        if reason or status:
            _tell(number=child.number, failed=reason or f"ended with status {status}")
        else:
            _tell(number=child.number, read=json.loads(child.written))


def _tell(**news: object) -> None:
    print(json.dumps(news), flush=True)


def main() -> None:
    """Serve until the input ends."""
    # What is imported stays: looking through it for garbage only takes time.
    gc.disable()
    rules = load()
    gc.freeze()
    if hasattr(os, "fork"):
        _Server(rules).run()
        os._exit(0)
    for line in sys.stdin:
        orders = json.loads(line)
        _tell(number=orders["number"], read=_document(Path(orders["folder"]), rules))


if __name__ == "__main__":
    main()
