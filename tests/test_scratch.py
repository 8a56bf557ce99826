"""Nothing of a run is left, whatever a submission has made of its scratch directory."""

import os
from pathlib import Path

import pytest
from event_loop import in_event_loop

from otelkata.deploy.scratch import remove, temporary_folder

DEPTH = 3_000


def nest(folder: Path, depth: int) -> None:
    """Make directories in one another, deeper than a path can say, with a file in each."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        os.close(os.open("file", os.O_CREAT, dir_fd=below))
        here = below
    os.close(here)


def test_what_is_nested_without_end_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    nest(folder, DEPTH)
    remove(folder)
    assert not folder.exists()


def test_what_is_closed_to_everybody_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0)
    remove(folder)
    assert not folder.exists()


def test_what_links_lead_to_stays(tmp_path: Path) -> None:
    folder, kept = tmp_path / "run", tmp_path / "kept"
    for path in (folder, kept / "inside"):
        path.mkdir(parents=True)
    (folder / "link").symlink_to(kept)
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    remove(folder)
    assert not folder.exists()
    assert (kept / "inside").is_dir()


def test_without_descriptors_of_directories_it_is_removed_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.supports_dir_fd", frozenset())
    folder = tmp_path / "run"
    (folder / "a").mkdir(parents=True)
    remove(folder)
    assert not folder.exists()


@in_event_loop
async def test_a_temporary_folder_goes_with_the_block() -> None:
    async with temporary_folder() as folder:
        nest(folder, 3)
    assert not folder.exists()
