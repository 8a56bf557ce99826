"""Lay out what a submission sees of the file system in the sandbox: little, and that read-only.

The system's programs and libraries, the interpreter with its modules, the submission with the
dependencies that were linked into it. Homes, temporary files, other submissions are not there.
"""

import contextlib
import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import linux
from .isolation import TMP_LIMIT

SYSTEM = ("/usr", "/bin", "/sbin", "/etc", "/opt", "/nix/store", "/gnu/store")
DEVICES = ("null", "zero", "full", "random", "urandom")
_STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}


@dataclass(frozen=True, slots=True)
class Place:
    """The directories of one submission; every path in it is the same inside and outside.

    `work` is the only one that may be written to. `root` is an empty one, the mount point of all.
    """

    submission: str
    work: str
    root: str
    dependencies: list[str]

    def readable(self) -> list[str]:
        """Return what may be read, in an order in which it can be mounted."""
        wanted = [*system(), *interpreter(), self.submission, *self.dependencies]
        return list(_outermost([*wanted, *map(os.path.realpath, wanted)]))


def system() -> list[str]:
    """Return the directories of programs and libraries."""
    return [path for path in (*SYSTEM, *sorted(glob.glob("/lib*"))) if os.path.exists(path)]


def interpreter() -> list[str]:
    """Return the directories that this interpreter and its modules come from."""
    own = os.path.dirname(os.path.abspath(__file__))
    program = os.path.dirname(os.path.realpath(sys.executable))
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, program]
    return [path for path in (*prefixes, *sys.path, own) if os.path.exists(path)]


def show(place: Place) -> None:
    """Make the view of `place` the root of this process, which has a mount namespace of its own."""
    root = place.root
    linux.make_private()
    _memory(root, "mode=755,size=4m")
    for name in ("/tmp", "/dev", "/dev/shm", "/proc"):  # noqa: S108 (places to mount on)
        os.makedirs(root + name, exist_ok=True)
    _memory(root + "/tmp", f"mode=1777,size={TMP_LIMIT}")  # noqa: S108 (not ours)
    for path in place.readable():
        _show(path, root)
    os.makedirs(root + place.work, exist_ok=True)
    linux.bind(place.work, root + place.work)
    linux.restrict_mount(root + place.work, linux.NO_SUID | linux.NO_DEVICES)
    _make_devices(root)
    flags = linux.NO_SUID | linux.NO_DEVICES | linux.NO_EXEC
    with contextlib.suppress(OSError):
        # A container that hides a part of its own may forbid that; an empty one does as well.
        linux.mount("proc", root + "/proc", "proc", flags)
    linux.restrict_mount(root, linux.READ_ONLY, below=False)
    linux.change_root(root)


def _show(path: str, root: str) -> None:
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        # Where it leads to is shown as well.
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        _touch(target)
    linux.bind(path, target)
    linux.restrict_mount(target, linux.READ_ONLY | linux.NO_SUID | linux.NO_DEVICES)


def _make_devices(root: str) -> None:
    for name in DEVICES:
        target = f"{root}/dev/{name}"
        _touch(target)
        linux.bind(f"/dev/{name}", target)
    for name, number in _STREAMS.items():
        os.symlink(f"/proc/self/fd{number}", f"{root}/dev/{name}")
    _memory(root + "/dev/shm", f"mode=1777,size={TMP_LIMIT}")  # noqa: S108 (not ours)


def _memory(target: str, options: str) -> None:
    linux.mount("tmpfs", target, "tmpfs", linux.NO_SUID | linux.NO_DEVICES, options)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def _outermost(paths: Iterable[str]) -> Iterator[str]:
    # Leaves out what lies in another one. A link to a directory holds nothing itself.
    shown: list[str] = []
    for path in sorted({os.path.abspath(path) for path in paths}, key=lambda p: p.split("/")):
        if path != "/" and not any(path == s or path.startswith(f"{s}/") for s in shown):
            if not os.path.islink(path):
                shown.append(path)
            yield path
