"""A database for the inventory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TABLE = """CREATE TABLE stock(
    sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL, unit_price_cents INTEGER NOT NULL)"""


@contextmanager
def stock(quantity: int) -> Iterator[str]:
    """Make a file with so many chairs at 2.50."""
    with TemporaryDirectory() as directory:
        path = str(Path(directory, "stock 100%?#.db"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(TABLE)
            connection.execute("INSERT INTO stock VALUES ('chair', ?, 250)", (quantity,))
            connection.commit()
        yield path


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Let nobody else read or write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def quantity_left(path: str) -> int:
    """Count what is left."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT quantity FROM stock").fetchone()[0]
