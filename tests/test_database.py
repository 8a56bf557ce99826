"""The driver's lock on inventory's database is a real one, and whoever is in its way has to go."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from event_loop import in_event_loop

from otelkata.drive import database


@pytest.fixture
def path(tmp_path: Path) -> str:
    return database.make(tmp_path / "stock.sqlite", ["SKU-1"])


@contextlib.contextmanager
def locked(path: str) -> Iterator[sqlite3.Connection]:
    """Hold the database as a submission does that forgets to commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield connection
    finally:
        connection.close()


def price(path: str) -> int:
    """Read as inventory does, without waiting for a lock."""
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
        [(found,)] = connection.execute("SELECT unit_price_cents FROM stock")
        return int(found)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a lock inside of SQLite."""
    connect = sqlite3.connect

    def connect_at_once(path: str, **_: object) -> sqlite3.Connection:
        return connect(path, timeout=0, isolation_level=None)

    monkeypatch.setattr("sqlite3.connect", connect_at_once)


@in_event_loop
async def test_nobody_reads_while_the_lock_is_held(path: str) -> None:
    async def hold() -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            price(path)

    await database.lock(path, hold)
    assert price(path) == database.UNIT_PRICE_CENTS


@pytest.mark.usefixtures("_impatient")
def test_a_lock_of_somebody_else_is_waited_for(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, held = [], []

    async def hold() -> None:
        held.append(True)

    with locked(path) as other:

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                other.execute("ROLLBACK")

        monkeypatch.setattr("asyncio.sleep", wait)
        asyncio.run(database.lock(path, hold))
    assert (len(waits), held) == (2, [True])


@pytest.mark.usefixtures("_impatient")
def test_a_lock_that_is_never_given_back_is_told(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(_: float) -> None:
        pass

    async def hold() -> None:
        raise AssertionError("somebody else has it")

    monkeypatch.setattr("asyncio.sleep", wait)
    with locked(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        asyncio.run(database.lock(path, hold))


def test_a_database_without_a_table_answers_no_query(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        price(database.make_without_table(tmp_path / "empty.sqlite"))
