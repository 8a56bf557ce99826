"""Run the warm parent, from which the hosts of a submission are forked."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import otelkata.host

from .link import Exchange, Host

KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "COVERAGE_PROCESS_CONFIG",  # the framework's own tests measure its hosts
)
_BOOTSTRAP = """
import importlib.util, sys
place = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location(
    "_otelkata_host", place + "/__init__.py", submodule_search_locations=[place])
sys.modules["_otelkata_host"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from _otelkata_host.parent import main
main()
"""


class ParentFailed(Exception):
    """The interpreter that should host submissions cannot; the message says what it lacks."""


class Parent:
    """The warm parent and the hosts that it was asked to make."""

    def __init__(self, python: str, exchange: Exchange, port: int, scratch: Path) -> None:
        self._python = python
        self._exchange = exchange
        self._port = port
        self._scratch = scratch
        self._hosts: dict[str, Host] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._spawned: list[asyncio.subprocess.Process] = []

    async def open(self) -> None:
        """Start the interpreter; what it imports, it imports meanwhile."""
        if not hasattr(os, "fork"):
            self._ready.set_result(None)
            return
        self._process = await self._interpret()
        self._listening = asyncio.ensure_future(self._listen(self._process))

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
        line = (json.dumps(orders) + "\n").encode()
        process = self._process
        if process is None:
            process = await self._interpret("host")
            self._spawned.append(process)
            asyncio.ensure_future(self._await_exit(process, host))  # noqa: RUF006 (ends with it)
        if process.stdin is not None:
            process.stdin.write(line)
        return host

    def output_of(self, name: str) -> Path:
        """Return the file that takes what the submission prints in the host `name`."""
        return self._scratch / f"{name}.output"

    async def close(self) -> None:
        """End every host and the parent itself."""
        for process in (self._process, *self._spawned):
            if process is None or process.returncode is not None:
                continue
            if process is self._process and process.stdin is not None:
                process.stdin.close()
            else:
                process.kill()
            await process.wait()
        if self._listening is not None:
            await self._listening

    async def _interpret(self, *arguments: str) -> asyncio.subprocess.Process:
        place = str(Path(otelkata.host.__file__).parent)
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        try:
            return await asyncio.create_subprocess_exec(
                self._python,
                "-P",
                "-c",
                _BOOTSTRAP,
                place,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise ParentFailed(
                f"the interpreter {self._python} cannot be run: {error.strerror}"
            ) from error

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise ParentFailed("the interpreter has no standard output")
        async for line in process.stdout:
            news = json.loads(line)
            if "missing" in news:
                self._fail(
                    f"the interpreter {self._python} has no module {news['missing']}; hosts need "
                    f"it: {self._python} -m pip install uvicorn opentelemetry-sdk"
                )
            elif "exited" in news:
                host = self._hosts[news["exited"]]
                if not host.exited.done():
                    host.exited.set_result(news["status"])
                host.leave()
            elif not self._ready.done():
                self._ready.set_result(None)
        await process.wait()
        self._fail(f"the interpreter {self._python} ended with status {process.returncode}")

    def _fail(self, message: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ParentFailed(message))
            self._ready.exception()

    async def _await_exit(self, process: asyncio.subprocess.Process, host: Host) -> None:
        status = await process.wait()
        if not host.exited.done():
            host.exited.set_result(status)
        host.leave()


def interpreter() -> str:
    """Return the interpreter that the grader itself runs under."""
    return sys.executable
