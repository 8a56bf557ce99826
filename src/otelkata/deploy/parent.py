"""Make hosts: forked from a warm parent, or each an interpreter of its own."""

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .interpreter import ParentFailed, launch
from .link import Exchange, Host


class Parent:
    """The warm parent and the hosts that it was asked to make."""

    def __init__(self, python: str, exchange: Exchange, port: int, scratch: Path) -> None:
        self._python = python
        self._exchange = exchange
        self._port = port
        self._scratch = scratch
        self._hosts: dict[str, Host] = {}
        self._processes: list[_Process] = []
        self._parent: _Process | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self, launched: subprocess.Popen[bytes] | None = None) -> None:
        """Begin; `launched` is an interpreter that was started before, if one was.

        Raises ParentFailed where the interpreter cannot be run.
        """
        if forks():
            self._parent = self._watch(launched or launch(self._python), self._hear, self._ended)
        else:
            self._ready.set_result(None)

    async def make_host(
        self,
        name: str,
        submission: Path,
        environment: Mapping[str, str],
        *,
        serves_in_main: bool = False,
    ) -> Host:
        """Return a new host that imports `submission`; raise ParentFailed where none can be."""
        await self._ready
        host = self._hosts[name] = self._exchange.expect(name)
        orders = {
            "host": name,
            "port": self._port,
            "token": self._exchange.token,
            "submission": str(submission),
            "output": str(self.output_of(name)),
            "serves_in_main": serves_in_main,
            "environment": dict(environment),
        }
        parent = self._parent
        if parent is None:
            process = launch(self._python, "host")
            parent = self._watch(process, self._hear, lambda status: _exit(host, status))
        parent.tell(orders)
        return host

    def output_of(self, name: str) -> Path:
        """Return the file that takes what the submission prints in the host `name`."""
        return self._scratch / f"{name}.output"

    def end(self) -> None:
        """Begin to end every host and the parent itself."""
        for process in self._processes:
            process.end(kill=process is not self._parent)

    async def close(self) -> None:
        """End every host and the parent itself."""
        self.end()
        await asyncio.gather(*(process.ended.wait() for process in self._processes))
        if self._ready.done():
            self._ready.exception()

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        hear: "Callable[[bytes], None]",
        ended: "Callable[[int], None]",
    ) -> "_Process":
        watched = _Process(process, hear, ended)
        self._processes.append(watched)
        return watched

    def _hear(self, line: bytes) -> None:
        news = json.loads(line)
        if "missing" in news:
            self._fail(
                f"the interpreter {self._python} has no module {news['missing']}; hosts need "
                f"it: {self._python} -m pip install uvicorn opentelemetry-sdk"
            )
        elif "exited" in news:
            _exit(self._hosts[news["exited"]], news["status"])
        elif not self._ready.done():
            self._ready.set_result(None)

    def _ended(self, status: int) -> None:
        self._fail(f"the interpreter {self._python} ended with status {status}")

    def _fail(self, message: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ParentFailed(message))


class _Process:
    # A process whose lines are read in a thread: the one way that every platform's loop allows.

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        hear: Callable[[bytes], None],
        ended: Callable[[int], None],
    ) -> None:
        self._process = process
        self._hear = hear
        self._on_end = ended
        self._loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def tell(self, orders: Mapping[str, object]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write((json.dumps(orders) + "\n").encode())
            self._process.stdin.flush()

    def end(self, *, kill: bool) -> None:
        if kill:
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self) -> None:
        with self._process as process:
            for line in process.stdout or ():
                self._loop.call_soon_threadsafe(self._hear, line)
            status = process.wait()
        self._loop.call_soon_threadsafe(self._finish, status)

    def _finish(self, status: int) -> None:
        self._on_end(status)
        self.ended.set()


def forks() -> bool:
    """Tell whether hosts can be forked here; on Windows each is started anew."""
    return hasattr(os, "fork")


def _exit(host: Host, status: int) -> None:
    if not host.exited.done():
        host.exited.set_result(status)
    host.leave()
