"""Evidence that was written is read back as it was, and nothing else passes for evidence."""

import gzip
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from evidence_builder import sound
from hypothesis import HealthCheck, given, settings
from plain_data import values_of

from otelkata.evidence import store
from otelkata.evidence.model import SCHEMA_VERSION, Evidence
from otelkata.evidence.store import EvidenceError


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidence=values_of(Evidence, longest=1))
def test_evidence_is_read_back_as_it_was(evidence: Evidence) -> None:
    data = store.encode(evidence)
    if evidence.schema_version == SCHEMA_VERSION:
        assert store.decode(data) == evidence
    else:
        with pytest.raises(EvidenceError, match="schema version"):
            store.decode(data)


def test_the_evidence_on_a_large_submission_is_read_back() -> None:
    evidence = replace(sound(), sources={"checkout.py": "x = 1\n" * 200_000})
    assert store.decode(store.encode(evidence)) == evidence


def test_what_is_written_names_no_time() -> None:
    """The same evidence gives the same bytes; where RFC 1952 has the time, 0 stands for none."""
    assert store.encode(sound())[4:8] == bytes(4)


def test_files_of_evidence_are_known_by_their_names() -> None:
    """They are kept by one version, and looked for by another."""
    assert store.SUFFIX == ".evidence.json.gz"


def test_a_file_holds_what_was_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "one.evidence.json.gz"
    store.write(sound(), path)
    store.write(sound(), path)
    assert store.read(path) == sound()
    assert [*tmp_path.iterdir()] == [path]


def test_the_files_of_two_submissions_can_be_written_at_once(tmp_path: Path) -> None:
    """Both are unfinished under names of their own."""
    names = [f"{number}-same.evidence.json.gz" for number in (1, 2)]
    for name in names:
        store.write(sound(), tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == names


SOUND = gzip.decompress(store.encode(sound()))
VERSION_FIELD = b'"schema_version":%d' % SCHEMA_VERSION


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "not evidence", id="empty"),
        pytest.param(b"no JSON", "not evidence", id="no JSON"),
        pytest.param(b"\xff\xfe", "not evidence", id="no text"),
        pytest.param(b'"\xff"', "not evidence", id="a string that is no text"),
        pytest.param(b"[]", "not evidence", id="a list"),
        pytest.param(b"{}", "not evidence", id="nothing in it"),
        pytest.param(SOUND[:-1], "not evidence", id="truncated at the end"),
        pytest.param(SOUND[: len(SOUND) // 2], "not evidence", id="truncated"),
        pytest.param(
            SOUND.replace(VERSION_FIELD, b'"schema_version":99'),
            "schema version is 99; this version judges 1",
            id="of another version",
        ),
        pytest.param(
            b'{"schema_version":2,"cases":{}}', "schema version is 2;", id="of another form"
        ),
        pytest.param(b'{"schema_version":"2"}', r"\$\.schema_version", id="of no version"),
        pytest.param(SOUND.replace(b'"seed":1', b'"seed":"one"'), r"\$\.seed", id="a wrong type"),
        pytest.param(b'{"more":' + b"[" * 99_999, "not evidence", id="nested without end"),
    ],
)
def test_what_is_no_evidence_is_refused_with_its_path(
    data: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.evidence.json.gz"
    path.write_bytes(gzip.compress(data))
    with pytest.raises(EvidenceError, match=reason) as refused:
        store.read(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "cut short"),
        (SOUND, "not evidence"),
        (zlib.compress(SOUND), "not evidence"),
        (gzip.compress(SOUND)[:-9], "cut short"),
        (gzip.compress(SOUND)[:-8] + b"12345678", "not evidence"),
        (gzip.compress(bytes(store.SIZE_LIMIT + 1), 1), "too large"),
    ],
    ids=["empty", "not packed", "packed in another way", "cut short", "damaged", "too large"],
)
def test_what_is_not_packed_as_evidence_is_refused(
    packed: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.evidence.json.gz"
    path.write_bytes(packed)
    with pytest.raises(EvidenceError, match=reason):
        store.read(path)


@pytest.mark.parametrize("name", [".", "missing.json"])
def test_what_cannot_be_read_is_refused_with_its_path(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(EvidenceError, match="cannot be read") as refused:
        store.read(path)
    assert str(path) in str(refused.value)
