"""Make the SQLite files that inventory is started with, before anybody else can write to them."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

UNIT_PRICE_CENTS = 1250
STOCK = 1000


def make(path: Path, skus: Iterable[str] | Mapping[str, int]) -> str:
    """Make a database that has `skus` in stock, in these quantities if told; return its path."""
    quantities = skus if isinstance(skus, Mapping) else dict.fromkeys(skus, STOCK)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL,"
            " unit_price_cents INTEGER NOT NULL)"
        )
        rows = [(sku, quantity, UNIT_PRICE_CENTS) for sku, quantity in quantities.items()]
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
