"""Hold everything a submission is likely to import, and fork keepers, whose hosts import no more.

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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .isolation import END_LIMIT

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
    _preload((f"{__package__}.child", f"{__package__}.keeper", f"{__package__}.compiling", *LIKELY))
    del sys.modules["httpx._main"]
    _look_up()
    Parent().run()


class Parent:
    """Fork a keeper for each line of orders; the socket that it is to obey comes along."""

    def __init__(self) -> None:
        self._keepers: set[int] = set()
        self._compilers: dict[int, str] = {}
        self._orders = socket.socket(fileno=os.dup(0))
        self._descriptors: list[int] = []
        self._rest = b""
        self._is_open = True
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)  # noqa: FBT003 (socket takes it by position)

    def run(self) -> None:
        """Obey until standard input is closed; then no keeper is left."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        _tell(ready=True)
        while self._is_open:
            readable, _, _ = select.select([self._orders, self._wake_read], [], [])
            if self._wake_read in readable:
                self._wake_read.recv(4096)
                self._reap()
            if self._orders in readable:
                self._hear()
        signal.set_wakeup_fd(-1)
        for pid in self._compilers:
            os.kill(pid, signal.SIGKILL)
        signal.signal(signal.SIGALRM, lambda *_: self._end_keepers())
        signal.alarm(2 * END_LIMIT)
        while self._keepers:
            # Who closes this end closes theirs as well, and they clear up before they go.
            os.waitpid(pid := min(self._keepers), 0)
            self._keepers.remove(pid)

    def _end_keepers(self) -> None:
        # They should have given up by themselves.
        for pid in self._keepers:
            os.kill(pid, signal.SIGKILL)

    def _hear(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self._orders, 65_536, 16)
        self._is_open = bool(data)
        self._descriptors += descriptors
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            orders = json.loads(line)
            if "compile" in orders:
                self._compile(orders["compile"])
            else:
                self._fork(orders, socket.socket(fileno=self._descriptors.pop(0)))

    def _compile(self, folder: str) -> None:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            from . import compiling  # noqa: PLC0415 (works where there is fork)

            compiling.run(folder)
        self._compilers[pid] = folder

    def _fork(self, orders: Mapping[str, Any], control: socket.socket) -> None:
        from . import keeper  # noqa: PLC0415 (works where there is fork)

        if self._keepers:
            # With several, it is worth having here what each of them would import.
            _preload(keeper.LATER)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for owned in (self._orders, self._wake_read, self._wake_write):
                owned.close()
            keeper.keep(control, orders)
        control.close()
        self._keepers.add(pid)

    def _reap(self) -> None:
        for pid in list(self._keepers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._keepers.remove(pid)
        for pid in list(self._compilers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                _tell(compiled=self._compilers.pop(pid))


def _tell(**news: object) -> None:
    # A driver that has gone closes standard input as well, which ends everything.
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(news), flush=True)


def _needed_are_here() -> bool:
    for name in NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            _tell(missing=error.name or name, reason=str(error))
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


def _run_host(line: str) -> None:
    from . import child  # noqa: PLC0415 (needs what was checked above)

    orders = child.Orders.read(line)
    try:
        child.main(orders)
    except Exception:  # the grader's own fault: the driver shows this file
        Path(orders.output).write_text(traceback.format_exc(), encoding="utf-8")
        raise
