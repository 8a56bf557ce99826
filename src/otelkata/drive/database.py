"""Make the SQLite files that inventory is started with, and lock one for real."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

UNIT_PRICE_CENTS = 1250
STOCK = 1000


def make(path: Path, skus: Iterable[str]) -> str:
    """Make a database that has each of `skus` in stock; return its path."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL,"
            " unit_price_cents INTEGER NOT NULL)"
        )
        rows = [(sku, STOCK, UNIT_PRICE_CENTS) for sku in skus]
        connection.executemany("INSERT INTO stock VALUES (?, ?, ?)", rows)
    connection.close()
    return str(path)


def make_without_table(path: Path) -> str:
    """Make a database that holds no table; return its path."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    return str(path)


async def lock(path: str, hold: Callable[[], Awaitable[None]]) -> None:
    """Hold an exclusive lock on the database while `hold` runs.

    Raises sqlite3.OperationalError where somebody else holds a lock all the time.
    """
    if not Path(path).is_file() or Path(path).is_symlink():
        raise sqlite3.OperationalError("the submission has put something else in its place")
    connection = sqlite3.connect(path, timeout=0.1, isolation_level=None)
    try:
        await _begin(connection)
        await hold()
        with contextlib.suppress(sqlite3.Error):
            # Whoever has damaged the file meanwhile is not to be reported here.
            connection.execute("ROLLBACK")
    finally:
        connection.close()


async def _begin(connection: sqlite3.Connection) -> None:
    for attempt in range(20):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            if attempt == 19:
                raise
            await asyncio.sleep(0.05)
        else:
            return
