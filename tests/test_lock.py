"""The lock on a database is held by a process that has no more rights than who writes beside it."""

import sqlite3
import struct
from pathlib import Path

import pytest
from event_loop import in_event_loop
from hosting import a_parent, write

from otelkata.host import wire

MAGIC = bytes.fromhex("d9d505f920a163d7")


def make(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    path.parent.chmod(0o777)
    path.chmod(0o666)
    return path


def is_locked(path: Path) -> bool:
    connection = sqlite3.connect(path, timeout=0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


@in_event_loop
async def test_it_is_held_until_it_is_let_go_of(tmp_path: Path) -> None:
    async with a_parent(tmp_path) as (parent, _):
        path = make(tmp_path / "run" / "work" / "a.sqlite")
        host = parent.make_host("lock", write(tmp_path, "1 / 0"), {}, locks=True)
        for _ in range(2):
            assert (await host.ask(wire.Lock, path=str(path))).ok
            assert is_locked(path)
            assert not (await host.ask(wire.Unlock)).ok
            assert not is_locked(path)


@pytest.mark.parametrize("content", [b"no database at all", b""], ids=["spoilt", "a directory"])
@in_event_loop
async def test_what_cannot_be_locked_is_told(content: bytes, tmp_path: Path) -> None:
    async with a_parent(tmp_path) as (parent, _):
        path = tmp_path / "run" / "work" / "a.sqlite"
        if content:
            path.write_bytes(content * 1000)
        else:
            path.mkdir()
        host = parent.make_host("lock", write(tmp_path, ""), {}, locks=True)
        assert not (await host.ask(wire.Lock, path=str(path))).ok
        assert not (await host.ask(wire.Unlock)).ok


@in_event_loop
async def test_a_journal_that_names_another_file_deletes_none(tmp_path: Path) -> None:
    """SQLite rolls a journal back for whoever opens the database, and deletes the one above it."""
    precious = tmp_path / "precious"
    precious.write_text("of somebody else")
    async with a_parent(tmp_path, level=None) as (parent, _):
        path = make(tmp_path / "run" / "work" / "a.sqlite")
        journal = path.with_name("a.sqlite-journal")
        name = str(precious).encode()
        head = MAGIC + struct.pack(">IIIII", 0, 0, 2, 512, 4096)
        above = struct.pack(">I", 2**30 // 4096 + 1) + name
        trailer = struct.pack(">II", len(name), sum(name)) + MAGIC
        journal.write_bytes(head.ljust(512, bytes(1)) + above + trailer)
        journal.chmod(0o666)
        host = parent.make_host("lock", write(tmp_path, ""), {}, locks=True)
        await host.ask(wire.Lock, path=str(path))
    assert precious.exists()
