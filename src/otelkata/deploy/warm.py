"""The driver's side of the warm parent: one for all the submissions that a driver runs."""

import asyncio
import json
from pathlib import Path

from otelkata.host.isolation import LEVELS, Level

from .interpreter import Launched, ParentFailed, forks, launch
from .keeper import InForce, IsolationUnavailable, Keeper, Place
from .process import Process

COMPILE_LIMIT = 15.0
"""Longest time, in seconds, that is waited for a submission to be compiled."""

NO_FORK = (
    "process: processes of their own; weak: without limits, and they may do what the user who "
    "grades may (this system has no fork)"
)


class Warm:
    """The warm parent, and the level of isolation that its keepers have reached."""

    def __init__(self, python: str, asked: Level | None = None) -> None:
        self.python = python
        self._asked = asked
        # What was reached once is asked for again: trying others takes time, and none is weaker.
        self._candidates: list[Level] = [asked] if asked else list(reversed(LEVELS))
        self._reasons = ""
        self._launched: Launched | None = None
        self._process: Process | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._compiling: dict[str, asyncio.Future[None]] = {}

    def open(self, launched: Launched | None = None) -> None:
        """Begin; `launched` is an interpreter that was started before, if one was.

        Raises ParentFailed where the interpreter cannot be run.
        """
        if not forks():
            self._ready.set_result(None)
            return
        self._launched = launched or launch(self.python)
        self._process = Process(self._launched.process, self._hear, self._ended)

    async def enclose(self, place: Place) -> tuple[Keeper | None, InForce]:
        """Return a keeper that has isolated itself; None where this system has no fork.

        Raises IsolationUnavailable where a level was asked for and the system does not give it,
        ParentFailed where the interpreter can host nothing.
        """
        await asyncio.shield(self._ready)
        if self._launched is None or self._launched.orders is None:
            if self._asked not in {None, "process"}:
                raise IsolationUnavailable(f"--isolation {self._asked}: this system has no fork")
            return None, InForce("process", NO_FORK)
        reasons = self._reasons
        for level in list(self._candidates):
            keeper = Keeper(self._launched.orders)
            try:
                in_force = await keeper.open(level, place)
            except IsolationUnavailable as error:
                await keeper.close()
                reasons += f"; no {level}: {error}"
                continue
            except OSError as error:
                keeper.end()
                raise ParentFailed(f"the interpreter {self.python} has ended: {error}") from error
            except BaseException:
                keeper.end()
                raise
            self._candidates, self._reasons = [level], reasons
            return keeper, InForce(in_force.level, in_force.words + reasons)
        wanted = self._asked or self._candidates[0]
        raise IsolationUnavailable(f"--isolation {wanted} is more than this system gives{reasons}")

    async def compile(self, copied: Path) -> None:
        """Have the modules in `copied` compiled, once instead of in each host.

        What cannot be compiled, or takes long, is left alone: a host that imports it tells why.
        """
        await asyncio.shield(self._ready)
        if self._launched is None or self._launched.orders is None:
            return
        folder = str(copied)
        self._compiling[folder] = done = asyncio.get_running_loop().create_future()
        try:
            self._launched.orders.sendall(json.dumps({"compile": folder}).encode() + b"\n")
            await asyncio.wait_for(done, COMPILE_LIMIT)
        except (OSError, TimeoutError):
            return
        finally:
            del self._compiling[folder]

    def end(self) -> None:
        """Begin to end it, and every keeper with it."""
        if self._launched is not None and self._launched.orders is not None:
            self._launched.orders.close()
        if self._process is not None:
            self._process.end(kill=False)

    async def close(self) -> None:
        """End it, and every keeper with it."""
        self.end()
        if self._process is not None:
            await self._process.ended.wait()
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()

    def _hear(self, line: bytes) -> None:
        news = json.loads(line)
        if "missing" in news:
            self._fail(missing(self.python, news["missing"]))
        elif "compiled" in news:
            self._compiled(news["compiled"])
        elif not self._ready.done():
            self._ready.set_result(None)

    def _compiled(self, folder: str) -> None:
        if folder in self._compiling and not self._compiling[folder].done():
            self._compiling[folder].set_result(None)

    def _ended(self, status: int) -> None:
        for folder in self._compiling:
            self._compiled(folder)
        self._fail(f"the interpreter {self.python} ended with status {status}")

    def _fail(self, message: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ParentFailed(message))


def missing(python: str, module: str) -> str:
    """Say that the interpreter lacks a module that hosts need."""
    return (
        f"the interpreter {python} has no module {module}; hosts need it: {python} -m pip install "
        "uvicorn opentelemetry-sdk"
    )
