"""Carry messages between a host and the driver over one loopback connection."""

import socket
import threading
from collections.abc import Iterator

from .wire import Command, Report, decode_command, encode

PATIENCE = 0.05
"""Longest time, in seconds, that an observation waits for others to be sent with it."""


class Channel:
    """Send reports from any thread, in order.

    Observations are sent a few at a time: each write lets go of the interpreter's lock, which
    would slow down what is observed. A process that crashes takes those of its last moment along.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()
        self._pending: list[Report] = []
        self._waiting = threading.Event()
        threading.Thread(target=self._flush_now_and_then, daemon=True).start()

    def observe(self, *observations: Report) -> None:
        """Send `observations` soon, and before whatever is sent after them."""
        with self._lock:
            self._pending += observations
        self._waiting.set()

    def send(self, *reports: Report) -> None:
        """Send `reports` and all observations before them; a driver that has gone is no fault."""
        with self._lock:
            reports, self._pending = (*self._pending, *reports), []
            try:
                self._socket.sendall(b"".join(encode(report) for report in reports))
            except OSError:
                return

    def commands(self) -> Iterator[Command]:
        """Yield what the driver asks for, until it closes the connection."""
        with self._socket.makefile("rb") as lines:
            for line in lines:
                yield decode_command(line)

    def _flush_now_and_then(self) -> None:
        never = threading.Event()
        while True:
            self._waiting.wait()
            never.wait(PATIENCE)
            self._waiting.clear()
            self.send()
