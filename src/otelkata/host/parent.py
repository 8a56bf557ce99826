"""Hold everything a submission is likely to import, and fork hosts that need not import it again.

The warm parent imports no submission code, opens no event loop and starts no thread: what it forks
would inherit them broken. Where there is no `fork` (Windows), every host is a new interpreter.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

NEEDED = ("uvicorn", "opentelemetry.sdk.trace.export")
LIKELY = (
    "asyncio",
    "sqlite3",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.http.h11_impl",
    "opentelemetry.propagate",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "fastapi",
    "fastapi.telemetry._runtime",
    "httpx",
    "httpcore",
    "certifi",
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "encodings.idna",
)
"""Modules that a submission, or what it uses, imports at the latest with its first request."""

LATER = ("requests",)
"""Modules that only hosts need that export over OTLP, which are not the first."""


def main() -> None:
    """Serve as parent, or as a single host where the first line of input holds its orders."""
    # What is imported stays: looking through it for garbage only takes time.
    gc.disable()
    if not _needed_are_here():
        return
    if sys.argv[1:] == ["host"]:
        _run_host(sys.stdin.readline())
        return
    # The command of httpx would bring rich along; where it cannot be imported, httpx does without.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    _preload((f"{__package__}.child", *LIKELY))
    del sys.modules["httpx._main"]
    _look_up()
    Parent().run()


class Parent:
    """Fork a host for each line of orders, and tell when one has ended."""

    def __init__(self) -> None:
        self._hosts: dict[int, str] = {}
        self._report = os.fdopen(os.dup(1), "w", buffering=1)
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)  # noqa: FBT003 (socket takes it by position)

    def run(self) -> None:
        """Obey until standard input is closed; then no host is left."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._tell(ready=True)
        orders, wake = _Lines(0), self._wake_read.fileno()
        later = [LATER]
        while not orders.closed:
            idle = bool(later and self._hosts)
            readable, _, _ = select.select([0, wake], [], [], 0 if idle else None)
            if not readable:
                _preload(later.pop())
            if wake in readable:
                self._wake_read.recv(4096)
                self._reap()
            if 0 in readable:
                for line in orders.read():
                    self._fork(line)
        signal.set_wakeup_fd(-1)
        for pid in self._hosts:
            _kill(pid)
            os.waitpid(pid, 0)

    def _fork(self, line: bytes) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_host(line)
        self._hosts[pid] = json.loads(line)["host"]

    def _become_host(self, line: bytes) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        for owned in (self._wake_read, self._wake_write, self._report):
            owned.close()
        _run_host(line)
        # Ends as any program does, with its threads joined and its exit handlers run: whether a
        # submission lets its process end is judged.
        sys.exit(0)

    def _reap(self) -> None:
        for pid in list(self._hosts):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                code = os.waitstatus_to_exitcode(status)
                self._tell(exited=self._hosts.pop(pid), status=code)

    def _tell(self, **news: object) -> None:
        # A driver that has gone closes standard input as well, which ends everything.
        with contextlib.suppress(BrokenPipeError):
            self._report.write(json.dumps(news) + "\n")


class _Lines:
    # Whole lines read from a descriptor that `select` says is readable.

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self.closed = False

    def read(self) -> list[bytes]:
        data = os.read(self._descriptor, 65_536)
        self.closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines


def _needed_are_here() -> bool:
    for name in NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing = {"missing": error.name or name, "reason": str(error)}
            print(json.dumps(missing), flush=True)
            return False
    return True


def _preload(names: Iterable[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            # A submission that needs it will say so; others do without.
            continue
    gc.freeze()


def _look_up() -> None:
    # Looks in all distributions, once instead of once in each host.
    with contextlib.suppress(ImportError):
        metadata = importlib.import_module("opentelemetry.util._importlib_metadata")
        metadata.entry_points(group="opentelemetry_resource_detector")
    if importlib.util.find_spec("sniffio") is None:
        # httpcore tries to import it several times in each request; so it fails without a search.
        sys.modules["sniffio"] = None  # type: ignore[assignment]


def _run_host(line: str | bytes) -> None:
    from . import child  # noqa: PLC0415 (needs what was checked above)

    orders = child.Orders.read(line)
    try:
        child.main(orders)
    except Exception:  # the grader's own fault: the driver shows this file
        Path(orders.output).write_text(traceback.format_exc(), encoding="utf-8")
        raise


def _kill(pid: int) -> None:
    # The whole group, for a submission may have started processes of its own; and the host by
    # itself, for it may have left the group.
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
