"""Make the system calls that isolate a process, which are those of Linux.

Python has no functions for most of them, so that they are called by ctypes. Numbers and structures
are the kernel's interface to programs, which does not change.
"""

import contextlib
import ctypes
import fcntl
import os
import platform
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from . import seccomp

NEW_MOUNTS, NEW_CGROUPS, NEW_UTS = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = 0x08000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
"""Attributes of mounts; mount(2) and mount_setattr(2) use the same numbers for these."""

_BIND, _PRIVATE, _RECURSIVE = 0x1000, 0x40000, 0x4000
_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_MOUNT_SETATTR = 442
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PDEATHSIG, _DUMPABLE, _SECCOMP, _CAPBSET_DROP = 1, 4, 22, 24
_SUBREAPER, _NO_NEW_PRIVS, _AMBIENT = 36, 38, 47
_AMBIENT_CLEAR = 4
_FILTER = 2
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION = 0x20080522
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _UP = 0x8913, 0x8914, 1
_SIGKILL = 9

READ_FILES = 0b1101
"""Landlock's rights to execute files, to read them, and to list directories."""

USE_FILES = 0b0110
"""Landlock's rights to read and write files that exist."""

SHARE_FILES = 0b100_0001_0010_1110
"""Landlock's rights to make, read, write, list, cut and remove files, but no directories."""

_EVERYTHING = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_ONLY_FILES = 0b111
_SCOPES = 0b11
"""Abstract sockets and signals."""

_SIGNALS = 0b10


def unshare(flags: int) -> None:
    """Put this process into new namespaces; raise OSError where that is forbidden."""
    _check(_libc().unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system of some `kind`."""
    arguments = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    _check(_libc().mount(*arguments), target)


def make_private() -> None:
    """Let no mount made here be seen outside."""
    _check(_libc().mount(None, b"/", None, _RECURSIVE | _PRIVATE, None), "/")


def bind(source: str, target: str) -> None:
    """Show `source`, and all that is mounted below it, at `target` as well."""
    flags = _BIND | _RECURSIVE
    _check(_libc().mount(os.fsencode(source), os.fsencode(target), None, flags, None), source)


def restrict_mount(target: str, attributes: int, *, below: bool = True) -> None:
    """Add `attributes` to the mount at `target`, and to those `below` it."""
    structure = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if below else 0
    path = os.fsencode(target)
    _call(_MOUNT_SETATTR, _AT_FDCWD, path, flags, structure, len(structure), name=target)


def change_root(new: str) -> None:
    """Make `new` the root, and leave nothing of the old one to be found."""
    os.chdir(new)
    _call(_PIVOT_ROOT[platform.machine()], b".", b".", name="pivot_root")
    _check(_libc().umount2(b".", _DETACH), "umount")
    os.chdir("/")


def bring_up_loopback() -> None:
    """Let this network namespace have its loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH22x", b"lo", 0))
        flags = struct.unpack_from("16sH", asked)[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _UP))


def die_with_parent() -> None:
    """Have this process killed when its parent ends; a later change of user undoes that."""
    _prctl(_PDEATHSIG, _SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own has ended, so that none gets away."""
    _prctl(_SUBREAPER, 1)


def hide_memory() -> None:
    """Keep other processes of the same user from this one's memory and descriptors."""
    _prctl(_DUMPABLE, 0)


def show_memory() -> None:
    """Undo `hide_memory`, which children inherit."""
    _prctl(_DUMPABLE, 1)


def die_first() -> None:
    """Be the one that the kernel ends where memory runs out; nothing here can undo that."""
    with contextlib.suppress(OSError), Path("/proc/self/oom_score_adj").open("w") as file:
        file.write("1000")


def drop_privileges() -> None:
    """Give up every capability for good, and the ways in which programs grant new ones."""
    for capability in range(_LAST_CAPABILITY + 1):
        # Fails where the kernel knows no such capability, or nothing can be dropped any more.
        _libc().prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    _libc().prctl(_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _call(_CAPSET[platform.machine()], header, bytes(24), name="capset")
    _prctl(_NO_NEW_PRIVS, 1)


def filter_calls() -> None:
    """Forbid the system calls that no submission needs; `drop_privileges` has to come first."""
    program = seccomp.program(platform.machine())
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header, len(header))
    _prctl(_SECCOMP, _FILTER, ctypes.addressof(pointer))


def can_filter() -> bool:
    """Tell whether there is a filter for this machine's processor."""
    return platform.machine() in seccomp.PROCESSORS and struct.calcsize("P") == 8


def landlock_version() -> int:
    """Return what the kernel's Landlock can do; 0: there is none."""
    return max(0, int(_libc().syscall(_LANDLOCK_CREATE, 0, 0, 1)))


def fence(rights: Iterable[tuple[str, int | None]]) -> None:
    """Allow only the given `rights` to files (None: all), signals only to own processes.

    Paths that are not there are passed over. `drop_privileges` has to come first.
    """
    version = landlock_version()
    everything = _EVERYTHING[min(version, 5)]
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("=QQQ", everything, 0, _SCOPES)[:size]
    ruleset = _call(_LANDLOCK_CREATE, attributes, size, 0, name="landlock")
    try:
        for path, allowed in rights:
            _allow(ruleset, path, everything if allowed is None else allowed & everything)
        _call(_LANDLOCK_RESTRICT, ruleset, 0, name="landlock")
    finally:
        os.close(ruleset)


def fence_signals() -> bool:
    """Allow signals to what this process is going to fork only; tell whether that is so now.

    It is not where Landlock cannot do it. The parent, which can be signalled before, is the proof.
    """
    parent = os.getppid()
    if landlock_version() < 6 or not _can_signal(parent):
        return False
    _prctl(_NO_NEW_PRIVS, 1)
    attributes = struct.pack("=QQQ", 0, 0, _SIGNALS)
    ruleset = _call(_LANDLOCK_CREATE, attributes, len(attributes), 0, name="landlock")
    try:
        _call(_LANDLOCK_RESTRICT, ruleset, 0, name="landlock")
    finally:
        os.close(ruleset)
    return not _can_signal(parent)


def _can_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    return True


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 (a text, as everywhere here)
            allowed &= _ONLY_FILES
        rule = struct.pack("=Qi", allowed, descriptor)
        _call(_LANDLOCK_ADD, ruleset, 1, rule, 0, name=path)
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int, more: int = 0) -> None:
    arguments = [ctypes.c_ulong(item) for item in (value, more, 0, 0)]
    _check(_libc().prctl(option, *arguments), f"prctl {option}")


def _call(number: int, *arguments: int | bytes, name: str) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc().syscall(ctypes.c_long(number), *converted))
    _check(result, name)
    return result


def _check(result: int, name: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
