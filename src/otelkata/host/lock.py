"""Hold the lock on a database, with no more rights than the submission that writes beside it.

Who opens an SQLite file obeys what lies next to it: a journal may name a file that is to be
deleted. So the driver opens none that a submission could write to, and has a host do it.
"""

import contextlib
import sqlite3

from . import wire
from .channel import Channel

PATIENCE = 3.0
"""Longest time, in seconds, that somebody else's lock is waited for."""


def serve(channel: Channel) -> None:
    """Lock and unlock as the driver says, until it has gone."""
    held: sqlite3.Connection | None = None
    for command in channel.commands():
        if isinstance(command, wire.Lock):
            held = _lock(command.path)
        elif held is not None:
            with contextlib.suppress(sqlite3.Error):
                # Whoever has damaged the file meanwhile is not to be reported here.
                held.execute("ROLLBACK")
            held.close()
            held = None
        channel.send(wire.Reply(command.request, ok=held is not None))


def _lock(path: str) -> sqlite3.Connection | None:
    with contextlib.suppress(sqlite3.Error), contextlib.ExitStack() as unless_locked:
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        unless_locked.callback(connection.close)
        connection.execute("BEGIN EXCLUSIVE")
        unless_locked.pop_all()
        return connection
    return None
