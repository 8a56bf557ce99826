"""Pack a submission into bytes, and unpack it elsewhere as the same files."""

import gzip
import io
import os
import shutil
import stat
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from otelkata.deploy.source import BYTES_LIMIT, copy_files


class BadParcel(Exception):
    """Bytes are no parcel that `pack` has made."""


def pack(submission: Path) -> bytes:
    """Return the files of `submission` that would be copied to be graded, links as links.

    Raises UnusableSubmission where it cannot be read, or is too large.
    """
    with tempfile.TemporaryDirectory(prefix="otelkata-") as folder:
        copied = Path(folder, "submission")
        copy_files(submission, copied)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(copied.rglob("*")):
                _add(archive, path, path.relative_to(copied).as_posix())
    return gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)


def unpack(parcel: bytes, folder: Path) -> None:
    """Make the files of a parcel in `folder`, which is new and empty; raise BadParcel.

    Links come last, so that nothing is written through one. Those that lead nowhere or out of the
    folder are left out.
    """
    links: list[tuple[Path, str]] = []
    left = BYTES_LIMIT
    try:
        with tarfile.open(fileobj=io.BytesIO(parcel), mode="r|gz") as archive:
            for member in archive:
                path = folder / _inside(member.name)
                left -= member.size
                if left < 0:
                    raise BadParcel("it is too large")
                if member.issym():
                    links.append((path, member.linkname))
                elif member.isdir():
                    path.mkdir(mode=member.mode & 0o777 | 0o700)
                else:
                    _write(path, archive, member)
        for path, target in links:
            path.symlink_to(target)
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise BadParcel(str(error)) from error
    # Judged when all are there: one link can lead through another.
    for path in [path for path, _ in links if not _stays(path, folder)]:
        path.unlink()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    status = path.lstat()
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(status.st_mode)
    if path.is_symlink():
        member.type, member.linkname = tarfile.SYMTYPE, os.fspath(path.readlink())
        archive.addfile(member)
    elif path.is_dir():
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    else:
        member.size = status.st_size
        with path.open("rb") as file:
            archive.addfile(member, file)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise BadParcel(f"it has a file {name!r}")
    return path


def _write(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise BadParcel(f"{member.name!r} is no file, folder or link")
    with content, path.open("xb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(member.mode & 0o777 | 0o600)


def _stays(link: Path, folder: Path) -> bool:
    try:
        return Path(os.path.realpath(link, strict=True)).is_relative_to(folder.resolve())
    except OSError:
        return False
