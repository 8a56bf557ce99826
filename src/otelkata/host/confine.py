"""Take away from a process what it need not have, before it runs a line of a submission."""

import contextlib
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from . import isolation, linux, view
from .isolation import SHARED_MEMORY, Level
from .view import Place, interpreter

ON_LINUX = sys.platform == "linux"

_TOLD_OF_ITSELF = (
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
)
"""What programs read of the kernel about themselves and the machine."""


class Refused(Exception):
    """The system does not give this level; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds for every host of one submission; `user` is theirs, where it is another.

    The processor time of one that `lasts` is not limited.
    """

    level: Level
    place: Place
    tasks: int
    user: int | None
    lasts: bool = False

    def words(self) -> str:
        """Say what is in force, and what is not."""
        time = "" if self.lasts else "CPU time, "
        limited = f"limits on memory, {time}processes, files and output"
        if self.level == "process":
            return (
                f"process: processes of their own with {limited}; weak: they may do to files, "
                "processes and network what the user who grades may"
            )
        user = "as a user of its own" if self.user is not None else "as the user who grades"
        reduced = f"{user} without privileges, system calls filtered, {limited}"
        if self.level == "sandbox":
            return (
                "sandbox: own network (loopback only), processes, IPC and mounts, all read-only "
                f"but a scratch directory; {reduced}"
            )
        fenced = linux.landlock_version() if ON_LINUX else 0
        files = "files fenced in by Landlock" if fenced else "no fence around readable files"
        return f"restricted: {reduced}, {files}; weak: the network is the machine's own"

    def apply(self) -> None:
        """Confine this process for good."""
        os.setsid()
        if ON_LINUX:
            linux.die_first()
        self._limit()
        if self.level != "process":
            self._restrict()
        if ON_LINUX:
            # Changes of user undo the one and need the other.
            linux.die_with_parent()
            linux.show_memory()
        if self.level != "process":
            self._filter()

    def become(self) -> None:
        """Run as the hosts' user from now on."""
        if self.user is not None:
            _become(self.user)

    def _restrict(self) -> None:
        self.become()
        linux.drop_privileges()

    def _filter(self) -> None:
        if self.level == "restricted" and linux.landlock_version():
            linux.fence(self._rights())
        linux.filter_calls()

    def _limit(self) -> None:
        limits = {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": resource.RLIM_INFINITY if self.lasts else isolation.CPU_LIMIT,
            "RLIMIT_DATA": isolation.MEMORY_LIMIT,
            "RLIMIT_AS": isolation.ADDRESS_LIMIT,
            "RLIMIT_FSIZE": isolation.FILE_LIMIT,
            "RLIMIT_NOFILE": isolation.DESCRIPTORS_LIMIT,
            "RLIMIT_NPROC": self.tasks,
        }
        for name, wanted in limits.items():
            kind = getattr(resource, name, None)
            if kind is None:
                continue
            _, hard = resource.getrlimit(kind)
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            # macOS knows some of them by name only.
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (value, value))

    def _rights(self) -> Iterator[tuple[str, int | None]]:
        for path in (*self.place.readable(), *_TOLD_OF_ITSELF):
            yield path, linux.READ_FILES
        for name in view.DEVICES:
            yield f"/dev/{name}", linux.USE_FILES
        yield self.place.work, None
        # Locks between processes lie there.
        yield SHARED_MEMORY, linux.SHARE_FILES


def check(level: Level, user: int | None) -> None:
    """Raise Refused where it is plain that this system does not give `level`."""
    if level == "process":
        return
    if not ON_LINUX:
        raise Refused("it needs Linux")
    if not linux.can_filter():
        raise Refused("no system-call filter is known for this processor")
    if level == "restricted" and user is not None and not _can_read(user):
        raise Refused(
            f"the interpreter {sys.executable} lies where only root can read, and submissions "
            "run as another user"
        )


def count_tasks(user: int) -> int:
    """Return how many processes and threads `user` has, if that can be told."""
    count = 0
    with contextlib.suppress(OSError):
        for process in os.scandir("/proc"):
            with contextlib.suppress(OSError):
                if process.name.isdigit() and process.stat().st_uid == user:
                    count += len(os.listdir(f"{process.path}/task"))
    return count


def _can_read(user: int) -> bool:
    pid = os.fork()
    if pid == 0:
        _try_to_read(user)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _try_to_read(user: int) -> NoReturn:
    status = 1
    with contextlib.suppress(OSError):
        _become(user)
        readable = [os.access(path, os.R_OK) for path in (sys.executable, *interpreter())]
        status = 0 if all(readable) else 1
    os._exit(status)


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
