"""A submission that travels arrives as it is, and nothing outside of it is touched."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from otelkata.batch.parcel import BadParcel, pack, unpack
from otelkata.deploy import source
from otelkata.deploy.source import UnusableSubmission, copy_files


def contents(folder: Path) -> dict[str, str]:
    """Return what is in a folder: modes, bytes of files, and where links lead."""
    found = {}
    for path in folder.rglob("*"):
        kind = f"link {path.readlink()}" if path.is_symlink() else f"{path.lstat().st_mode:o}"
        bytes_ = path.read_bytes().hex() if path.is_file() and not path.is_symlink() else ""
        found[path.relative_to(folder).as_posix()] = f"{kind} {bytes_}"
    return found


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """Return a submission with one of everything."""
    path = tmp_path / "submission"
    (path / "checkout" / "empty").mkdir(parents=True)
    (path / "checkout" / "__init__.py").write_bytes(b"\0\r\n\xff")
    (path / "run").write_text("#!/bin/sh")
    (path / "run").chmod(0o755)
    os.link(path / "run", path / "the same")
    (path / os.fsdecode(b"odd \xff")).write_text("odd")
    (path / ("long" * 50)).write_text("long")
    (path / "inside").symlink_to("checkout/__init__.py")
    (path / "checkout" / "up").symlink_to("../run")
    os.mkfifo(path / "pipe")
    for left_out in (".git", "node_modules", "checkout/.venv"):
        (path / left_out).mkdir()
        (path / left_out / "file").write_text("left out")
    return path


@pytest.fixture
def arrived(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "arrived"
    path.mkdir(parents=True)
    return path


def test_it_arrives_as_it_would_be_copied(submission: Path, arrived: Path, tmp_path: Path) -> None:
    copy_files(submission, tmp_path / "copied")
    unpack(pack(submission), arrived)
    assert contents(arrived) == contents(tmp_path / "copied")
    assert "checkout/empty" in contents(arrived)
    assert "node_modules" not in contents(arrived)


def test_the_same_files_are_the_same_bytes(submission: Path) -> None:
    before = pack(submission)
    os.utime(submission / "run", (1, 1))
    assert pack(submission) == before


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../../outside", "checkout/../../../outside", "nowhere", "self", "here/../.."],
)
def test_a_link_that_leads_out_or_nowhere_is_left_out(
    target: str, submission: Path, arrived: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("outside")
    (tmp_path / "elsewhere" / "outside").write_text("outside")
    (submission / "here").symlink_to(".")
    (submission / "self").symlink_to(target)
    (submission / "through").symlink_to("self")
    unpack(pack(submission), arrived)
    assert not {"self", "through"} & {*contents(arrived)}
    assert "inside" in contents(arrived)


def test_what_is_too_large_is_unusable(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "FILES_LIMIT", 3)
    with pytest.raises(UnusableSubmission, match="too large"):
        pack(submission)


def test_what_cannot_be_read_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableSubmission, match="cannot be read"):
        pack(tmp_path / "nothing")


def packed(*members: tarfile.TarInfo) -> bytes:
    """Return an archive that `pack` would not make."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return data.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def no_change(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize(
    ("members", "change"),
    [
        ([member("/tmp/escaped")], no_change),
        ([member("../escaped")], no_change),
        ([member("folder/../../escaped")], no_change),
        ([member("")], no_change),
        ([member("link", tarfile.SYMTYPE, ".."), member("link/escaped")], no_change),
        ([member("file"), member("file")], no_change),
        ([member("file"), member("file", tarfile.SYMTYPE, "..")], no_change),
        ([member("hard", tarfile.LNKTYPE, "/etc/passwd")], no_change),
        ([member("device", tarfile.CHRTYPE)], no_change),
        ([member("pipe", tarfile.FIFOTYPE)], no_change),
        ([member("large", size=1001)], no_change),
        ([member("one", size=600), member("two", size=600)], no_change),
        ([member("cut", size=900)], lambda data: data[:-20]),
        ([], lambda data: b"no archive"),
        ([], lambda data: b""),
    ],
)
def test_what_was_not_packed_here_is_refused(
    members: list[tarfile.TarInfo],
    change: Callable[[bytes], bytes],
    arrived: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("otelkata.batch.parcel.BYTES_LIMIT", 1000)
    with pytest.raises(BadParcel):
        unpack(change(packed(*members)), arrived)
    assert [path.name for path in arrived.parent.iterdir()] == ["arrived"]
    assert not Path("/tmp/escaped").exists()
