"""Look after the processes that a submission has started: what they take, and that they end."""

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass

from .isolation import SCRATCH_FILES_LIMIT

_PARENT, _PAGES = 1, 21
"""Positions in /proc/<pid>/stat, counted from behind the name (proc_pid_stat(5))."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as the kernel tells of it."""

    pid: int
    parent: int
    memory: int


def descendants(pid: int) -> list[Process]:
    """Return the processes that descend from `pid`; none where the system does not tell."""
    children: dict[int, list[Process]] = {}
    for process in _all():
        children.setdefault(process.parent, []).append(process)
    found, unseen = [], [pid]
    while unseen:
        below = children.pop(unseen.pop(), [])
        found += below
        unseen += [process.pid for process in below]
    return found


def kill(pids: Iterable[int]) -> None:
    """Kill processes and the groups that they lead; those that have gone are passed over."""
    for pid in pids:
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(pid, signal.SIGKILL)


def end_all(known: Iterable[int]) -> None:
    """End every descendant of this process, and return when none is left.

    Those that lose their parent become this one's children, where it has adopted orphans; so each
    round leaves fewer. `known` are children, for systems that do not tell of descendants.
    """
    known = list(known)
    while True:
        kill({*known, *(process.pid for process in descendants(os.getpid()))})
        try:
            pid, _ = os.waitpid(-1, 0)
            known = [other for other in known if other != pid]
            while pid:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                known = [other for other in known if other != pid]
        except ChildProcessError:
            return


def disk_usage(folder: str) -> int:
    """Return how many bytes lie below `folder`; too many files count as more than allowed."""
    used = count = 0
    unseen = [folder]
    while unseen:
        with contextlib.suppress(OSError), os.scandir(unseen.pop()) as entries:
            for entry in entries:
                count += 1
                if count > SCRATCH_FILES_LIMIT:
                    return 2**63
                with contextlib.suppress(OSError):
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        unseen.append(entry.path)
    return used


def _all() -> list[Process]:
    found = []
    page = os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
                found.append(Process(int(name), int(fields[_PARENT]), int(fields[_PAGES]) * page))
    return found
