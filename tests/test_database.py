"""Databases are as the scenarios need them; how they are locked is tested in `test_lock.py`."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from otelkata.drive import database


def price(path: str) -> int:
    """Read as inventory does, without waiting for a lock."""
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
        [(found,)] = connection.execute("SELECT unit_price_cents FROM stock")
        return int(found)


def test_a_database_without_a_table_answers_no_query(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        price(database.make_without_table(tmp_path / "empty.sqlite"))
