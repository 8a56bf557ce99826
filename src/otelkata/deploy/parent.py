"""Make hosts: forked by a keeper from a warm parent, or each an interpreter of its own."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from otelkata.host.isolation import OUTPUT_KEPT, Level

from .interpreter import Launched, ParentFailed, forks, launch, launch_host
from .keeper import InForce, IsolationUnavailable, Keeper, Place, candidates
from .link import Exchange, Host
from .network import Network, OwnNetwork

NO_FORK = (
    "process: processes of their own; weak: without limits, and they may do what the user who "
    "grades may (this system has no fork)"
)


class Parent:
    """The warm parent, the keeper of one submission, and the hosts that were made."""

    def __init__(self, python: str, exchange: Exchange, scratch: Path) -> None:
        self._python = python
        self._exchange = exchange
        self._scratch = scratch
        self._processes: list[_Process] = []
        self._keepers: list[Keeper] = []
        self._keeper: Keeper | None = None
        self._warm: Launched | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.network: Network = OwnNetwork()

    def open(self, launched: Launched | None = None) -> None:
        """Begin; `launched` is an interpreter that was started before, if one was.

        Raises ParentFailed where the interpreter cannot be run.
        """
        if not forks():
            self._ready.set_result(None)
            return
        self._warm = launched or launch(self._python)
        self._watch(self._warm, self._hear, self._ended)

    async def enclose(self, asked: Level | None, place: Place) -> InForce:
        """Isolate what is going to run, at the level `asked` for or the strongest there is.

        Raises IsolationUnavailable where it was asked for and the system does not give it,
        ParentFailed where the interpreter can host nothing.
        """
        await self._ready
        if self._warm is None or self._warm.orders is None:
            if asked not in {None, "process"}:
                raise IsolationUnavailable(f"--isolation {asked}: this system has no fork")
            return InForce("process", NO_FORK)
        reasons = ""
        for level in candidates(asked):
            keeper = Keeper(self._warm.orders)
            self._keepers.append(keeper)
            try:
                in_force = await keeper.open(level, place)
            except IsolationUnavailable as error:
                reasons += f"; no {level}: {error}"
                continue
            self._keeper = keeper
            self.network = keeper.network
            return InForce(in_force.level, in_force.words + reasons)
        raise IsolationUnavailable(f"--isolation {asked} is more than this system gives{reasons}")

    @property
    def flooded(self) -> str:
        """Return what the submission took too much of, if it did."""
        return self._keeper.flooded if self._keeper is not None else ""

    def make_host(
        self,
        name: str,
        submission: Path,
        environment: Mapping[str, str],
        *,
        serves_in_main: bool = False,
    ) -> Host:
        """Return a new host that imports `submission`; raise ParentFailed where none can be."""
        host = self._exchange.expect(name)
        orders: dict[str, object] = {
            "host": name,
            "port": self._exchange.port,
            "token": self._exchange.token,
            "submission": str(submission),
            "serves_in_main": serves_in_main,
            "environment": dict(environment),
        }
        if self._keeper is not None:
            self._keeper.make_host(host, orders)
            return host
        output = self._scratch / f"{name}.output"
        launched = launch_host(self._python)
        process = self._watch(
            launched, self._hear, lambda status: host.exit(status, _end_of(output))
        )
        process.tell({**orders, "output": str(output)})
        return host

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to the host `name`, if it is still there."""
        if self._keeper is not None:
            self._keeper.send_signal(name, number)

    def end(self) -> None:
        """Begin to end every host and the parent itself."""
        for keeper in self._keepers:
            keeper.end()
        if self._warm is not None and self._warm.orders is not None:
            self._warm.orders.close()
        for process in self._processes:
            process.end(kill=self._warm is None)

    async def close(self) -> None:
        """End every host and the parent itself."""
        self.end()
        await asyncio.gather(*(process.ended.wait() for process in self._processes))
        await asyncio.gather(*(keeper.ended.wait() for keeper in self._keepers))
        if self._ready.done():
            self._ready.exception()

    def _watch(
        self, launched: Launched, hear: "Callable[[bytes], None]", ended: "Callable[[int], None]"
    ) -> "_Process":
        watched = _Process(launched.process, hear, ended)
        self._processes.append(watched)
        return watched

    def _hear(self, line: bytes) -> None:
        news = json.loads(line)
        if "missing" in news:
            self._fail(
                f"the interpreter {self._python} has no module {news['missing']}; hosts need "
                f"it: {self._python} -m pip install uvicorn opentelemetry-sdk"
            )
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


def _end_of(output: Path) -> str:
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - OUTPUT_KEPT))
            return file.read(OUTPUT_KEPT).decode("utf-8", "replace")
    except OSError:
        return ""
