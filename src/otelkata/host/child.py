"""Host one submission: import it, obey the driver's commands, report what is observed."""

import contextlib
import faulthandler
import gc
import importlib
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from . import lock, wire
from .channel import Channel
from .observe import LogObserver, observe_queries
from .place import NOWHERE, Place, Places
from .service import BrokenContract, Service, Turn

CONTRACT = (
    "init_tracer",
    "shutdown_tracer",
    "create_gateway",
    "create_inventory",
    "create_payment",
)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a host is told when it is made.

    `serves_in_main` puts the (only) service into the main thread, where signals end it as they end
    a service of its own. One that `locks` runs nothing of the submission, but holds the lock on a
    database. `output` is the file that takes what the submission prints; empty where a keeper does.
    """

    host: str
    port: int
    token: str
    submission: str
    serves_in_main: bool
    environment: Mapping[str, str]
    locks: bool = False
    output: str = ""

    @classmethod
    def read(cls, line: str | bytes) -> "Orders":
        """Return the orders written as one line of JSON."""
        return cls(**json.loads(line))


def main(orders: Orders) -> None:
    """Run a host until it is told to leave, its service ends, or the driver has gone."""
    if orders.output:
        _redirect(orders.output)
    faulthandler.enable(2, all_threads=False)
    os.environ.update(orders.environment)
    channel = Channel(orders.port)
    channel.send(wire.Hello(orders.host, orders.token, os.getpid(), sys.version))
    if orders.locks:
        lock.serve(channel)
    else:
        Host(orders, channel).run()


class Host:
    """One process that runs a submission: the main thread imports, others serve and obey.

    One that does not own its process is a guest in a debugger's: it changes and ends nothing there
    but its own services.
    """

    def __init__(self, orders: Orders, channel: Channel, *, owns_process: bool = True) -> None:
        self._orders = orders
        self._owns_process = owns_process
        self._places = Places(Path(orders.submission))
        self._channel = channel
        self._services: dict[str, Service] = {}
        self._submission: ModuleType | None = None
        self._imported = threading.Event()
        self._turn = Turn()
        self._in_main: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Import the submission, then do in this thread what belongs into the main thread."""
        logging.getLogger("opentelemetry").addHandler(LogObserver(self._channel))
        observe_queries(self._channel)
        if self._owns_process:
            self._report_hard_exits()
        threading.Thread(target=self._obey, daemon=True).start()
        self._import()
        while (work := self._in_main.get()) is not None:
            work()
        if not self._owns_process:
            self._stop_services()

    def _stop_services(self) -> None:
        serving = [service for service in self._services.values() if service.serves]
        for service in serving:
            service.stop(0)
        for service in serving:
            service.ended.wait()

    def _import(self) -> None:
        sys.path.insert(0, self._orders.submission)
        importlib.invalidate_caches()
        if PathFinder.find_spec("sniffio", [self._orders.submission]) is not None:
            # The warm parent found none, or another one than the submission brings along.
            sys.modules.pop("sniffio", None)
        os.chdir(self._orders.submission)
        # What is imported stays: looking through it for garbage only takes time.
        gc.disable()
        try:
            submission = importlib.import_module("checkout")
            lacks = _lacks(submission)
            if lacks:
                place = (self._places.relative(str(submission.__file__)), 1)
                self._broken("import", f"the module checkout offers {lacks}", place)
            else:
                self._submission = submission
        except BaseException as error:  # noqa: BLE001 (untrusted code: the boundary is here)
            self._channel.send(self._places.problem(error, "import", "", ""))
        finally:
            gc.freeze()
            gc.enable()
            self._imported.set()

    def _broken(self, stage: str, message: str, place: Place) -> None:
        self._channel.send(wire.Problem("", "", stage, message, *place))

    def _report_hard_exits(self) -> None:
        # `os._exit` leaves no trace of who called it; the driver would only see a closed socket.
        hard_exit = os._exit

        def reporting_exit(status: int) -> NoReturn:
            place = self._places.of_frame(sys._getframe(1))  # noqa: SLF001 (no public equal)
            if place != NOWHERE:
                self._broken("exit", f"os._exit({status}) ended the process", place)
            self._channel.send()
            hard_exit(status)

        os._exit = reporting_exit

    def _obey(self) -> None:
        for command in self._channel.commands():
            if isinstance(command, wire.Start):
                self._turn = Turn(after=self._turn)
                service = Service(command, self._channel, self._places, self._turn)
                self._services[command.start] = service
            threading.Thread(target=self._answer, args=(command,), daemon=True).start()
        self._in_main.put(None)
        if self._owns_process:
            # The driver has gone: nobody waits for anything that is still running here.
            os.kill(os.getpid(), 9)

    def _answer(self, command: wire.Command) -> None:
        if isinstance(command, wire.Start):
            self._start(command)
            return
        try:
            reply = self._do(command)
        except (BrokenContract, KeyError):
            reply = wire.Reply(command.request, ok=False)
        except BaseException as error:  # noqa: BLE001 (untrusted code: the boundary is here)
            start = getattr(command, "start", "")
            stage = type(command).__name__.lower()
            self._channel.send(self._places.problem(error, stage, start, start.partition(".")[0]))
            reply = wire.Reply(command.request, ok=False)
        if reply is not None:
            self._channel.send(reply)

    def _start(self, command: wire.Start) -> None:
        service = self._services[command.start]
        self._imported.wait()
        submission = self._submission
        if submission is None:
            self._channel.send(wire.Reply(command.request, ok=False))
        elif self._orders.serves_in_main:
            self._in_main.put(lambda: service.run(submission))
            self._in_main.put(None)
        else:
            service.run(submission)

    def _do(self, command: wire.Command) -> wire.Reply | None:  # noqa: PLR0911 (one per command)
        match command:
            case wire.Settle():
                return wire.Reply(command.request, ok=self._settle(command))
            case wire.Flush():
                return wire.Reply(command.request, ok=self._flush(command))
            case wire.Probe():
                probed = self._services[command.start]
                probed.probe(command.name, command.texts)
                probed.exporter.behaviour = command.behaviour
                return wire.Reply(command.request, ok=True)
            case wire.Arm():
                self._services[command.start].exporter.behaviour = command.behaviour
                return wire.Reply(command.request, ok=True)
            case wire.ShutDown():
                values = self._services[command.start].shut_down(command.seconds)
                return wire.Reply(command.request, ok=True, values=values)
            case wire.Stop():
                began = time.monotonic()
                over = self._services[command.start].stop(command.seconds)
                took = time.monotonic() - began
                return wire.Reply(command.request, ok=over, values={"took": took})
            case wire.Where():
                path, line = self._where(command.start)
                importing = not self._imported.is_set()
                service = self._services.get(command.start)
                values = {
                    "path": path,
                    "line": line,
                    "blocks": service is not None and service.is_blocked,
                    "importing": importing,
                }
                return wire.Reply(command.request, ok=True, values=values)
            case wire.Lingering():
                thread, (path, line) = self._places.of_lingering_thread()
                values = {"thread": thread, "path": path, "line": line}
                return wire.Reply(command.request, ok=True, values=values)
            case _:
                self._channel.send(wire.Reply(command.request, ok=True))
                self._in_main.put(None)
                return None

    def _settle(self, command: wire.Settle) -> bool:
        deadline = time.monotonic() + command.seconds
        return all(
            self._services[start].counter.wait_until_none_is_open(deadline - time.monotonic())
            for start in command.starts
            if start in self._services
        )

    def _flush(self, command: wire.Flush) -> bool:
        # In threads, because the time that an SDK's flush is given does not bind its exporter.
        def flush(service: Service) -> None:
            with contextlib.suppress(BrokenContract):
                service.provider.force_flush(int(command.seconds * 1000))

        threads = [
            threading.Thread(target=flush, args=(self._services[start],), daemon=True)
            for start in command.starts
            if start in self._services
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + command.seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _where(self, start: str) -> Place:
        if start in self._services and self._imported.is_set():
            return self._services[start].place()
        place = self._places.of_thread(threading.main_thread())
        return place if place != NOWHERE else self._places.of_threads()


def _lacks(submission: ModuleType) -> str:
    offered = {name: getattr(submission, name, None) for name in CONTRACT}
    missing = [name for name, value in offered.items() if value is None]
    wrong = [
        f"{name} as {type(value).__name__}, not as a function"
        for name, value in offered.items()
        if value is not None and not callable(value)
    ]
    return ", ".join(wrong + ([f"no {', no '.join(missing)}"] if missing else []))


def _redirect(output: str) -> None:
    with open(os.devnull, "rb") as nothing, open(output, "ab", buffering=0) as file:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
