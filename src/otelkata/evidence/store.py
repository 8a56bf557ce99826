"""Write evidence to a file and read it back."""

import gzip
import zlib
from pathlib import Path

import msgspec

from .model import SCHEMA_VERSION, Evidence

SUFFIX = ".evidence.json.gz"
"""How the names of files with evidence end."""

SIZE_LIMIT = 256 * 1024**2
"""Most that the evidence on one submission may take when it is unpacked, in bytes."""

_EFFORT = 4


class EvidenceError(Exception):
    """A file holds no evidence that this version can judge."""


class _Version(msgspec.Struct, frozen=True):
    # All that evidence of any version has in common.
    schema_version: int = SCHEMA_VERSION


def encode(evidence: Evidence) -> bytes:
    """Return `evidence` as JSON, packed; the same evidence gives the same bytes."""
    return gzip.compress(msgspec.json.encode(evidence), _EFFORT, mtime=0)


def decode(data: bytes) -> Evidence:
    """Return the evidence in `data`; raise EvidenceError where it is none of this version."""
    try:
        unpacked = _unpack(data)
        version = msgspec.json.decode(unpacked, type=_Version).schema_version
        if version != SCHEMA_VERSION:
            raise EvidenceError(
                f"its schema version is {version}; this version judges {SCHEMA_VERSION}"
            )
        return msgspec.json.decode(unpacked, type=Evidence)
    except (msgspec.DecodeError, UnicodeError, RecursionError, zlib.error) as error:
        raise EvidenceError(f"it is not evidence as this version writes it: {error}") from error


def _unpack(data: bytes) -> bytes:
    # Bounded, because a file may come from anywhere.
    unpacking = zlib.decompressobj(wbits=31)
    unpacked = unpacking.decompress(data, SIZE_LIMIT)
    if not unpacking.eof:
        raise EvidenceError("it is cut short, or too large to be evidence of ours")
    return unpacked


def write(evidence: Evidence, path: Path) -> None:
    """Write `evidence` to `path`, whole or not at all."""
    write_encoded(encode(evidence), path)


def write_encoded(data: bytes, path: Path) -> None:
    """Write what `encode` has returned to `path`, whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def read(path: Path) -> Evidence:
    """Return the evidence in the file `path`; raise EvidenceError, with the path, where none is."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error
    except EvidenceError as error:
        raise EvidenceError(f"{path} cannot be judged: {error}") from error
