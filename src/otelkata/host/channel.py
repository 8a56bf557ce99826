"""Carry messages between a host and the driver over one loopback connection."""

import socket
import threading
from collections.abc import Iterator

from .wire import Command, Report, decode_command, encode


class Channel:
    """Send reports from any thread, in order; a report is on its way when `send` returns.

    Nothing is buffered here, so that a submission that ends the process loses no report.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()

    def send(self, *reports: Report) -> None:
        """Write `reports` to the driver; a driver that has gone is not this side's fault."""
        data = b"".join(encode(report) for report in reports)
        with self._lock:
            try:
                self._socket.sendall(data)
            except OSError:
                return

    def commands(self) -> Iterator[Command]:
        """Yield what the driver asks for, until it closes the connection."""
        with self._socket.makefile("rb") as lines:
            for line in lines:
                yield decode_command(line)
