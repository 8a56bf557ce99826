"""Keep one submission: fork its hosts, watch them, and see that nothing of it is left at the end.

A keeper is forked from the warm parent, goes into the sandbox, and lives as long as the driver
holds the other end of its `control` socket. Nothing of the submission ever runs in it. It is also
the porter of the sandbox: a socket belongs to the network in which it was made, so it makes those
with which the driver listens there and connects to there, and hands them out.
"""

import array
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from . import linux, namespaces, processes
from .confine import ON_LINUX, Confinement, Refused, check, count_tasks
from .isolation import (
    CPU_TOTAL,
    END_LIMIT,
    MEMORY_LIMIT,
    OUTPUT_LIMIT,
    PROCESSES_LIMIT,
    SCRATCH_LIMIT,
    STEP_BACK,
    TASKS_LIMIT,
)
from .printing import PIECE, Printing
from .view import Place

WATCH_INTERVAL = 0.5
"""How often, in seconds, a keeper looks at what its hosts take."""

SOON = 0.11
"""How often it does while they have to step back, which the kernel takes ten times a second."""

LATER = ("requests", "netrc")
"""Modules that only hosts need that export over OTLP, which are not the first."""


def keep(control: socket.socket, orders: Mapping[str, Any]) -> None:
    """Isolate this process as `orders` say, and obey; returns only in a host that has to end."""
    _leave_streams()
    place = Place(orders["submission"], orders["work"], orders["root"], orders["dependencies"])
    user = orders["user"]
    tasks = TASKS_LIMIT + (count_tasks(os.geteuid()) if user is None else 0)
    confinement = Confinement(orders["level"], place, tasks, user, lasts=orders["lasts"])
    try:
        is_fenced = _isolate(confinement, control)
    except (Refused, OSError) as error:
        control.sendall(json.dumps({"refused": str(error)}).encode() + b"\n")
        os._exit(0)
    Keeper(control, confinement, is_fenced=is_fenced).run()


def _isolate(confinement: Confinement, control: socket.socket) -> bool:
    # Tells whether signals from here reach nobody but what is forked here.
    check(confinement.level, confinement.user)
    if confinement.level == "sandbox":
        namespaces.enter(confinement.place, confinement.user, control)
    if ON_LINUX:
        linux.adopt_orphans()
        linux.hide_memory()
    if confinement.level == "restricted":
        return linux.fence_signals()
    return confinement.level == "sandbox" and os.getpid() == 1


def _leave_streams() -> None:
    # Those of the warm parent are its own business with the driver.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


class Keeper:
    """The loop of one keeper."""

    def __init__(
        self, control: socket.socket, confinement: Confinement, *, is_fenced: bool
    ) -> None:
        self._control = control
        self._confinement = confinement
        self._is_fenced = is_fenced
        self._taken = processes.Taken()
        self._hosts: dict[int, Printing] = {}
        self._rest = b""
        self._is_open = True
        self._cut_off = ""
        self._later = list(LATER)
        self._watched = time.monotonic()
        self._interval = WATCH_INTERVAL
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)  # noqa: FBT003 (socket takes it by position)

    def run(self) -> None:
        """Obey until the driver closes its end; then nothing of the submission is left."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._tell(isolated=self._confinement.words(), level=self._confinement.level)
        while self._is_open:
            self._serve()
        self._leave()

    def _leave(self) -> NoReturn:
        # Who takes longer cannot be ended, or not from here.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.alarm(END_LIMIT)
        processes.end_all(self._hosts, self._end_at_once)
        os._exit(0)

    def _end_at_once(self, ended: int) -> None:
        # A signal to everybody: no fork gets away from it. Without a fence it would reach others of
        # that user, who may be in containers; so many end only where somebody forks all the time.
        user = self._confinement.user
        if not self._is_fenced and (user is None or ended < PROCESSES_LIMIT):
            return
        with contextlib.suppress(OSError):
            if user is None or self._confinement.level == "sandbox":
                os.kill(-1, signal.SIGKILL)
            elif os.fork() == 0:
                try:
                    self._confinement.become()
                    os.kill(-1, signal.SIGKILL)
                finally:
                    os._exit(0)

    def _serve(self) -> None:
        outputs = {host.output: host for host in self._hosts.values() if not host.is_drained}
        idle = bool(self._later and self._hosts)
        limit = 0 if idle else self._interval if self._hosts else None
        sources = [self._control.fileno(), self._wake_read.fileno(), *outputs]
        readable, _, _ = select.select(sources, [], [], limit)
        for descriptor in readable:
            if descriptor in outputs:
                self._drain(outputs[descriptor])
        if self._wake_read.fileno() in readable:
            self._wake_read.recv(4096)
            self._reap()
        if self._control.fileno() in readable:
            self._hear()
        if not readable and idle:
            with contextlib.suppress(ImportError):
                importlib.import_module(self._later.pop())
        if self._hosts and time.monotonic() - self._watched > self._interval:
            self._watch()

    def _hear(self) -> None:
        data = self._control.recv(PIECE)
        self._is_open = bool(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            orders = json.loads(line)
            if "sockets" in orders:
                self._make_sockets(orders["sockets"])
            elif "cut" in orders:
                self._end(orders["cut"])
            elif "signal" in orders:
                self._signal(orders["to"], orders["signal"])
            else:
                self._make_host(orders["host"], line)

    def _make_sockets(self, count: int) -> None:
        made = [
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            for _ in range(count)
        ]
        news = json.dumps({"sockets": count}).encode() + b"\n"
        numbers = array.array("i", [item.fileno() for item in made])
        self._control.sendmsg([news], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
        for item in made:
            item.close()

    def _signal(self, name: str, number: int) -> None:
        for pid, host in self._hosts.items():
            if host.name == name:
                os.kill(pid, number)

    def _make_host(self, name: str, line: bytes) -> None:
        if self._cut_off:
            self._tell(exited=name, status=-signal.SIGKILL, output=self._cut_off)
            return
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_host(line, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        self._hosts[pid] = Printing(name, reading)

    def _become_host(self, line: bytes, output: int) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for owned in (self._control, self._wake_read, self._wake_write):
            owned.close()
        # Whatever else was open here is none of the submission's business.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        from . import child  # noqa: PLC0415 (needs modules that may be missing)

        try:
            self._confinement.apply()
            child.main(child.Orders.read(line))
        except Exception:
            # The grader's own fault: the driver shows what is printed.
            traceback.print_exc()
            raise
        # Ends as any program does, with its threads joined and its exit handlers run: whether a
        # submission lets its process end is judged.
        sys.exit(0)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                host = self._hosts.pop(pid, None)
                if host is None:
                    continue  # an orphan
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                self._drain(host, OUTPUT_LIMIT // PIECE)
                os.close(host.output)
                code = os.waitstatus_to_exitcode(status)
                self._tell(exited=host.name, status=code, output=host.printed())

    def _drain(self, host: Printing, pieces: int = 1) -> None:
        for _ in range(pieces):
            if not host.read():
                return
            if host.count > OUTPUT_LIMIT:
                self._end(f"it printed more than {OUTPUT_LIMIT // 2**20} MiB")
                return

    def _watch(self) -> None:
        self._watched = time.monotonic()
        running = processes.descendants(os.getpid())
        pids = [process.pid for process in running]
        seconds = self._taken.look(running)
        if len(running) > PROCESSES_LIMIT:
            self._end(f"it had more than {PROCESSES_LIMIT} processes")
        elif sum(process.memory for process in running) > MEMORY_LIMIT:
            self._end(f"its processes took more than {MEMORY_LIMIT // 2**20} MiB of memory")
        elif seconds > CPU_TOTAL and not self._confinement.lasts:
            self._end(f"its processes took more than {CPU_TOTAL} s of processor time")
        elif self._written() + processes.unnamed_usage(pids) > SCRATCH_LIMIT:
            self._end("it filled its scratch directory")
        self._interval = WATCH_INTERVAL
        if seconds > STEP_BACK and not self._cut_off and not self._confinement.lasts:
            self._step_back(pids)

    def _written(self) -> int:
        used = processes.disk_usage(self._confinement.place.work)
        user = self._confinement.user
        # In the sandbox it is another one, whose size is bounded.
        if user is not None and self._confinement.level == "restricted":
            used += processes.shared_memory_usage(user)
        return used

    def _step_back(self, pids: list[int]) -> None:
        if not processes.step_back(pids):
            self._interval = SOON
        if os.fork() == 0:
            try:
                self._confinement.become()
                processes.idle(pids)
            finally:
                os._exit(0)

    def _end(self, reason: str) -> None:
        # Ends what runs; what is still to come ends at once.
        if not self._cut_off:
            self._cut_off = f"{reason}; it was ended"
            self._tell(flood=self._cut_off)
            self._end_at_once(0)
            processes.kill({*self._hosts, *(p.pid for p in processes.descendants(os.getpid()))})

    def _tell(self, **news: object) -> None:
        try:
            self._control.sendall(json.dumps(news).encode() + b"\n")
        except OSError:
            # The driver has gone.
            self._is_open = False
