"""Modules are compiled ahead by a process that may take little, and that follows no link."""

import sys
from pathlib import Path

import pytest
from event_loop import in_event_loop

from otelkata.deploy import network
from otelkata.deploy.warm import Warm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="each host compiles for itself")


def compiled(folder: Path) -> list[str]:
    """Return the modules that were compiled."""
    return sorted(path.name.partition(".")[0] for path in folder.rglob("*.pyc"))


@in_event_loop
async def test_what_can_be_compiled_is_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    folder, secret = tmp_path / "submission", tmp_path / "secret.py"
    (folder / "checkout").mkdir(parents=True)
    (folder / "checkout" / "fine.py").write_text("VALUE = 1\n")
    (folder / "broken.py").write_text("def\n")
    (folder / "null.py").write_bytes(b"\0")
    (folder / "deep.py").write_text(f"value = {'(' * 10_000}\n")
    secret.write_text("SECRET = 'of somebody else'\n")
    (folder / "link.py").symlink_to(secret)
    warm = Warm(sys.executable)
    warm.open()
    try:
        await warm.compile(folder)
        assert compiled(folder) == ["fine"]
        await warm.compile(folder / "missing")
    finally:
        await warm.close()
    assert not (tmp_path / "__pycache__").exists()


@in_event_loop
async def test_a_parent_that_has_gone_compiles_nothing_and_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    (tmp_path / "fine.py").write_text("")
    warm = Warm(sys.executable)
    warm.open()
    await warm.compile(tmp_path / "missing")
    await warm.close()
    await warm.compile(tmp_path)
    assert compiled(tmp_path) == []


def test_there_is_room_for_one_submission_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for limit, expected in ((64, 1), (1024, 2), (resource.RLIM_INFINITY, sys.maxsize)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert network.room() == expected
