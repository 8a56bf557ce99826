"""Look after the processes that a submission has started: what they take, and that they end."""

import contextlib
import errno
import os
import signal
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .isolation import HOST_UIDS, PROCESSES_LIMIT, SCRATCH_FILES_LIMIT, SHARED_MEMORY

_PARENT, _BEGAN, _PAGES = 1, 19, 21
_TIMES = slice(11, 15)
"""Positions in /proc/<pid>/stat, counted from behind the name (proc_pid_stat(5)).

Times are the process's own, in user and kernel mode, and those of children it has waited for.
"""

BEYOND = 2**63
"""More bytes than any limit."""

_LAST = b" 19"
"""The lowest priority, as the kernel writes it behind the name of a session's group."""

_GONE = {errno.ENOENT, errno.ENOTDIR}


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as the kernel tells of it."""

    pid: int
    parent: int
    memory: int
    began: int
    own: float
    seconds: float


class Taken:
    """What a submission has taken of processors."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], float] = {}
        self._gone = 0.0

    def look(self, running: Iterable[Process]) -> float:
        """Return the seconds that it has taken at least, to be called with what is `running` now.

        The kernel tells what children took that somebody has waited for. Others, whose parent
        ignores that they end, count for what was seen of them.
        """
        running = list(running)
        now = {(process.pid, process.began): process.own for process in running}
        self._gone += sum(own for key, own in self._seen.items() if key not in now)
        self._seen = now
        told = spent() + sum(process.seconds for process in running)
        return max(told, self._gone + sum(now.values()))


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


def spent() -> float:
    """Return the processor time, in seconds, of children of this process that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def step_back(pids: Iterable[int]) -> bool:
    """Let processes run after all others; none of them can undo that.

    Where the kernel shares processors out by session first, sessions step back too; it takes few
    such changes at a time: False is returned where there are more to come.
    """
    is_done = True
    for pid in pids:
        for thread in _threads(pid):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, thread, 19)
        try:
            _step_back_by_session(pid)
        except BlockingIOError:
            is_done = False
        except OSError:
            # It has gone, or the kernel knows no such groups.
            continue
    return is_done


def idle(pids: Iterable[int]) -> None:
    """Let processes run only where nobody else would; only their own user may say so."""
    if not hasattr(os, "SCHED_IDLE"):
        return
    for pid in pids:
        for thread in _threads(pid):
            with contextlib.suppress(OSError):
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def _threads(pid: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _step_back_by_session(pid: int) -> None:
    with open(f"/proc/{pid}/autogroup", "r+b", buffering=0) as group:
        if not group.read(200).endswith(_LAST + b"\n"):
            group.write(_LAST)


def kill(pids: Iterable[int]) -> None:
    """Kill processes and the groups that they lead; those that have gone are passed over."""
    for pid in pids:
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(pid, signal.SIGKILL)


def end_all(known: Iterable[int], end_at_once: Callable[[int], None]) -> None:
    """End every descendant of this process, and return when none is left.

    Those that lose their parent become this one's children, where it has adopted orphans; so each
    round leaves fewer, unless they fork faster than they are looked for: `end_at_once`, which is
    told how many have ended, can do better where the system lets it. `known` are children, for
    systems that do not tell of descendants.
    """
    left, ended = set(known), 0
    while True:
        end_at_once(ended)
        kill({*left, *(process.pid for process in descendants(os.getpid()))})
        try:
            pid, _ = os.waitpid(-1, 0)
            # Others may end as fast as they are waited for.
            for _ in range(PROCESSES_LIMIT):
                if not pid:
                    break
                ended += 1
                left.discard(pid)
                pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return


def shared_memory_usage(user: int) -> int:
    """Return how many bytes `user`, who is a submission's, has in files of shared memory.

    They may lie in what another submission has made.
    """
    used = count = 0
    unseen = [SHARED_MEMORY]
    while unseen:
        with contextlib.suppress(OSError), os.scandir(unseen.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_uid == user:
                        count += 1
                        used += status.st_blocks * 512
                    if status.st_uid in HOST_UIDS and stat.S_ISDIR(status.st_mode):
                        unseen.append(entry.path)
        if count > SCRATCH_FILES_LIMIT:
            return BEYOND
    return used


def disk_usage(folder: str) -> int:
    """Return how many bytes lie below `folder`.

    Too many files, and what cannot be looked into, count as more than allowed.
    """
    used = count = 0
    unseen = [folder]
    while unseen:
        try:
            with os.scandir(unseen.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count > SCRATCH_FILES_LIMIT:
                        return BEYOND
                    with contextlib.suppress(FileNotFoundError):
                        used += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            unseen.append(entry.path)
        except OSError as error:
            if error.errno not in _GONE:
                return BEYOND
    return used


def unnamed_usage(pids: Iterable[int]) -> int:
    """Return how many bytes are in files that processes have open and that have no name."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    status = os.stat(f"/proc/{pid}/fd/{number}")
                    if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                        sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())


def _all() -> list[Process]:
    found = []
    tick = os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
                memory = int(fields[_PAGES]) * page
                times = [int(ticks) / tick for ticks in fields[_TIMES]]
                parent, began = int(fields[_PARENT]), int(fields[_BEGAN])
                found.append(Process(int(name), parent, memory, began, sum(times[:2]), sum(times)))
    return found
