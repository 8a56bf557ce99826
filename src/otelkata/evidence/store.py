"""Write evidence to a file and read it back."""

from pathlib import Path

import msgspec

from .model import SCHEMA_VERSION, Evidence


class EvidenceError(Exception):
    """A file holds no evidence that this version can judge."""


def encode(evidence: Evidence) -> bytes:
    """Return `evidence` as JSON."""
    return msgspec.json.encode(evidence)


def decode(data: bytes) -> Evidence:
    """Return the evidence in `data`; raise EvidenceError where it is none of this version."""
    try:
        evidence = msgspec.json.decode(data, type=Evidence)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise EvidenceError(f"it is not evidence as this version writes it: {error}") from error
    if evidence.schema_version != SCHEMA_VERSION:
        raise EvidenceError(
            f"its schema version is {evidence.schema_version}; this version judges {SCHEMA_VERSION}"
        )
    return evidence


def write(evidence: Evidence, path: Path) -> None:
    """Write `evidence` to `path`, whole or not at all."""
    write_encoded(encode(evidence), path)


def write_encoded(data: bytes, path: Path) -> None:
    """Write what `encode` has returned to `path`, whole or not at all."""
    unfinished = path.with_suffix(".part")
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
