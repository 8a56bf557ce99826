"""Do one thing for many items in processes of their own, and outlive each of them.

A parser that overflows its stack takes its process along. Here that costs one item.
"""

from __future__ import annotations

import gc
import os
import pickle
import selectors
import signal
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Generic, NoReturn, TypeVar

R = TypeVar("R")

STACK = 256 << 20
"""Bytes of stack in a worker; they are only reserved until they are used."""

_AHEAD = 2
"""Items that a worker has at a time, so that it need not wait for the next one."""
_GARBAGE = 500_000
"""Objects in a worker that are worth looking for garbage among them."""
_SIZE = struct.Struct("!I")


def each(
    work: Callable[[int], R], count: int, jobs: int, lost: Callable[[int, str], R]
) -> Generator[tuple[int, R], None, None]:
    """Yield `work(index)` with its index for each of `count`, as they are done.

    `lost` gives the result for an item whose process ended, from the index and the reason. Without
    `fork` (Windows) everything is done here, one after the other.
    """
    if hasattr(os, "fork"):
        yield from _Pool(work, deque(range(count)), lost).run(min(jobs, count))
    else:
        yield from ((index, work(index)) for index in range(count))


@dataclass(slots=True)
class _Worker:
    process: int
    line: socket.socket
    has: deque[int] = field(default_factory=deque)
    received: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Pool(Generic[R]):
    work: Callable[[int], R]
    waiting: deque[int]
    lost: Callable[[int, str], R]
    workers: list[_Worker] = field(default_factory=list)

    def run(self, jobs: int) -> Iterator[tuple[int, R]]:
        # What is there now is shared with the workers; none of it is garbage to be looked for.
        gc.freeze()
        selector = selectors.DefaultSelector()
        try:
            for _ in range(jobs):
                self._hire(selector)
            while self.workers:
                for key, _ in selector.select():
                    yield from self._hear(key.data, selector)
        finally:
            for worker in self.workers:
                worker.line.close()
                os.kill(worker.process, signal.SIGKILL)
                os.waitpid(worker.process, 0)
            selector.close()
            gc.unfreeze()

    def _hire(self, selector: selectors.BaseSelector) -> None:
        ours, theirs = socket.socketpair()
        process = os.fork()
        if not process:
            # A worker holds no end of another's line: a line closes when its worker ends.
            ours.close()
            for other in self.workers:
                other.line.close()
            _serve(theirs, self.work)
        theirs.close()
        worker = _Worker(process, ours)
        self.workers.append(worker)
        selector.register(ours, selectors.EVENT_READ, worker)
        self._supply(worker)

    def _supply(self, worker: _Worker) -> None:
        while self.waiting and len(worker.has) < _AHEAD:
            index = self.waiting.popleft()
            worker.has.append(index)
            try:
                worker.line.sendall(_SIZE.pack(index))
            except OSError:
                # It has ended; that is dealt with when its line is read.
                return
        if not worker.has:
            worker.line.shutdown(socket.SHUT_WR)

    def _hear(self, worker: _Worker, selector: selectors.BaseSelector) -> Iterator[tuple[int, R]]:
        try:
            data = worker.line.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            yield from self._dismiss(worker, selector)
            return
        worker.received += data
        while (answer := _take(worker.received)) is not None:
            index = worker.has.popleft()
            self._supply(worker)
            yield index, pickle.loads(answer)  # noqa: S301 (it comes from a fork of this process)

    def _dismiss(
        self, worker: _Worker, selector: selectors.BaseSelector
    ) -> Iterator[tuple[int, R]]:
        selector.unregister(worker.line)
        worker.line.close()
        self.workers.remove(worker)
        _, status = os.waitpid(worker.process, 0)
        if not worker.has:
            return
        culprit = worker.has.popleft()
        self.waiting.extendleft(reversed(worker.has))
        if self.waiting:
            self._hire(selector)
        yield culprit, self.lost(culprit, _how_it_ended(status))


def _take(received: bytearray) -> bytes | None:
    """Take one whole answer off the front of what was received."""
    if len(received) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack_from(received)
    end = _SIZE.size + size
    if len(received) < end:
        return None
    answer = bytes(received[_SIZE.size : end])
    del received[:end]
    return answer


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"by {signal.Signals(number).name}" if number in set(signal.Signals) else "early"
    return f"with exit code {os.waitstatus_to_exitcode(status)}"


def _serve(line: socket.socket, work: Callable[[int], R]) -> NoReturn:
    """Answer orders until the line is closed, on a stack of its own; never return."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.excepthook = threading.__excepthook__
    try:
        threading.stack_size(STACK)
    except (ValueError, RuntimeError):
        threading.stack_size(0)
    status = [1]
    thread = threading.Thread(target=_answer, args=(line, work, status))
    thread.start()
    thread.join()
    os._exit(status[0])


def _answer(line: socket.socket, work: Callable[[int], R], status: list[int]) -> None:
    orders = line.makefile("rb")
    while order := orders.read(_SIZE.size):
        answer = pickle.dumps(work(*_SIZE.unpack(order)), pickle.HIGHEST_PROTOCOL)
        line.sendall(_SIZE.pack(len(answer)) + answer)
        if gc.get_count()[0] > _GARBAGE:
            gc.collect()
    status[0] = 0
