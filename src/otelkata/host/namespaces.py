"""Put this process, and all that it forks, into namespaces of its own."""

import json
import os
import socket
from typing import NoReturn

from . import linux
from .confine import Refused
from .view import Place, show

_ALL = (
    linux.NEW_MOUNTS
    | linux.NEW_NETWORK
    | linux.NEW_PIDS
    | linux.NEW_IPC
    | linux.NEW_UTS
    | linux.NEW_CGROUPS
)


def enter(place: Place, user: int | None, control: socket.socket) -> None:
    """Return in a new process, the first of its namespace of processes; raise Refused instead.

    `user` is who hosts will run as, where that is another; the namespace knows both. The process
    that called stays behind to wait for the new one, and ends with it; where that was ended by a
    signal, it says so on `control`. Raised is only before that, or in the new process.
    """
    try:
        _leave_namespaces(user)
    except OSError as error:
        raise Refused(f"new namespaces are forbidden ({error.strerror})") from error
    pid = os.fork()
    if pid:
        _stay_behind(pid, control)
    linux.die_with_parent()
    try:
        linux.bring_up_loopback()
        show(place)
    except OSError as error:
        what = error.filename or "loopback"
        raise Refused(f"{what} cannot be set up ({error.strerror})") from error


def _leave_namespaces(other: int | None) -> None:
    # Root maps two users, which only somebody outside of the new namespace can do.
    user, group = os.geteuid(), os.getegid()
    if other is None:
        linux.unshare(linux.NEW_USER | _ALL)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
        return
    ready, go = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(go)
        _map(ready, other)
    os.close(ready)
    try:
        linux.unshare(linux.NEW_USER | _ALL)
        os.write(go, b"1")
    except OSError:
        # Where users may not be mapped, root can still do the rest.
        linux.unshare(_ALL)
    finally:
        os.close(go)
        _, status = os.waitpid(helper, 0)
    if status:
        raise OSError(0, "users cannot be mapped")


def _map(ready: int, other: int) -> NoReturn:
    status = 1
    try:
        if os.read(ready, 1):
            maps = f"0 0 1\n{other} {other} 1\n"
            _write(f"/proc/{os.getppid()}/uid_map", maps)
            _write(f"/proc/{os.getppid()}/gid_map", maps)
        status = 0
    finally:
        os._exit(status)


def _stay_behind(pid: int, control: socket.socket) -> NoReturn:
    # Holds `control` open until all in the namespace have ended, which its first process waits for
    # after it has closed what it had open.
    kept = control.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    try:
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            control.sendall(json.dumps({"lost": os.WTERMSIG(status)}).encode() + b"\n")
    finally:
        os._exit(0)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
