"""What is kept on disk: results that hold, and those of a batch that may be cut short."""

import gzip
import os
from pathlib import Path

import pytest
from batches import nothings, run

from otelkata.batch import kept
from otelkata.batch.journal import Entry, Journal
from otelkata.batch.kept import Cache
from otelkata.report.graded import Graded, failure


def a_result(name: str = "theirs") -> Graded:
    return Graded(submission=name, verdict="failed", seed=1)


PARTIAL = Graded(submission="theirs", verdict="passed", seed=1, left_out=("sigterm",))


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    Cache(tmp_path).keep("a", a_result())
    assert Cache(tmp_path).find("a") == a_result()
    assert Cache(tmp_path).find("b") is None


@pytest.mark.parametrize("result", [PARTIAL, failure("theirs", 1, "broken")])
def test_what_is_partial_or_an_error_is_not_kept(result: Graded, tmp_path: Path) -> None:
    Cache(tmp_path).keep("a", result)
    assert Cache(tmp_path).find("a") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", gzip.compress(b"{}"), gzip.compress(b"\xff"), gzip.compress(b"{}")[:-9]],
    ids=["empty", "not packed", "no result", "no text", "cut short"],
)
def test_what_cannot_be_read_is_not_found(content: bytes, tmp_path: Path) -> None:
    Cache(tmp_path).keep("a", a_result())
    (tmp_path / "results" / "a.json.gz").write_bytes(content)
    assert Cache(tmp_path).find("a") is None


def test_what_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    Cache(tmp_path).keep("a", a_result())
    Cache(tmp_path).prune()


def test_the_oldest_results_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "RESULTS_LIMIT", 2)
    cache = Cache(tmp_path)
    (tmp_path / "batches").mkdir()
    for age, name in enumerate("abcd"):
        cache.keep(name, a_result())
        os.utime(tmp_path / "results" / f"{name}.json.gz", (100 - age, 100 - age))
    cache.prune()
    assert [name for name in "abcd" if cache.find(name)] == ["a", "b"]


def test_batches_that_nobody_goes_on_with_are_removed(tmp_path: Path) -> None:
    Cache(tmp_path).keep("a", a_result())
    with Journal(tmp_path, ["old"], resume=False) as old:
        os.utime(old.path, (1, 1))
    with Journal(tmp_path, ["new"], resume=False) as new:
        Cache(tmp_path).prune()
        assert [*(tmp_path / "batches").iterdir()] == [new.path]


def test_old_batches_are_removed_also_where_no_result_was_ever_kept(tmp_path: Path) -> None:
    """Where every batch was for some checks alone, say."""
    with Journal(tmp_path, ["old"], resume=False) as old:
        os.utime(old.path, (1, 1))
    Cache(tmp_path).prune()
    assert not old.path.exists()


def test_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    Cache(tmp_path / "deep" / "kept").keep("a", a_result())
    assert (tmp_path / "deep" / "kept").stat().st_mode & 0o077 == 0


def test_a_journal_gives_back_what_was_added(tmp_path: Path) -> None:
    with Journal(tmp_path, ["x"], resume=False) as journal:
        for number in (1, 0, 2):
            journal.add(Entry(f"print{number}", number, a_result(f"student{number}")))
        assert [journal.read(number).submission for number in range(3)] == [
            "student0",
            "student1",
            "student2",
        ]


def test_a_journal_goes_on_after_what_is_whole(tmp_path: Path) -> None:
    """The last line was half written when the grader was killed; another line is damaged."""
    with Journal(tmp_path, ["x"], resume=False) as journal:
        for number in range(4):
            journal.add(Entry(f"print{number}", number, a_result(f"student{number}")))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + b"damage\n" + lines[2] + lines[3][:-9])
    with Journal(tmp_path, ["x"], resume=True) as journal:
        assert len(journal) == 2
        # The same submission may have got another number.
        assert journal.find("print2", 5) == a_result("student2")
        assert journal.find("print3", 3) is None
        journal.add(Entry("new", 6, a_result("another")))
        assert journal.read(5) == a_result("student2")
        assert journal.read(6) == a_result("another")
    with Journal(tmp_path, ["x"], resume=True) as journal:
        assert len(journal) == 3


def test_a_line_that_lost_only_its_end_does_not_swallow_the_next(tmp_path: Path) -> None:
    with Journal(tmp_path, ["x"], resume=False) as journal:
        journal.add(Entry("print", 0, a_result()))
    journal.path.write_bytes(journal.path.read_bytes().removesuffix(b"\n"))
    for expected in (0, 1):
        with Journal(tmp_path, ["x"], resume=True) as journal:
            assert len(journal) == expected
            journal.add(Entry("print", 0, a_result()))


def test_an_error_is_not_gone_on_with(tmp_path: Path) -> None:
    with Journal(tmp_path, ["x"], resume=False) as journal:
        journal.add(Entry("error", 0, failure("theirs", 1, "broken")))
        journal.add(Entry("partial", 1, PARTIAL))
    with Journal(tmp_path, ["x"], resume=True) as journal:
        assert journal.find("error", 0) is None
        assert journal.find("partial", 1) == PARTIAL


@pytest.mark.parametrize(
    ("name", "below"), [("OTELKATA_CACHE", "."), ("XDG_CACHE_HOME", "otelkata")]
)
def test_results_lie_where_the_environment_says(
    name: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("OTELKATA_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "there"))
    assert kept.place() == tmp_path / "there" / below


def test_where_there_is_no_home_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    for name in ("OTELKATA_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(OSError, match="no home directory"):
        kept.place()


def test_a_batch_is_graded_also_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OTELKATA_CACHE", str(tmp_path / "file" / "kept"))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    nothings(tmp_path / "class", 2)
    assert run("--each", tmp_path / "class") == 1
    shown = capsys.readouterr()
    assert "2 submissions: 0 passed, 2 failed" in shown.out
    assert shown.err.count("\n") == 1
    assert "results cannot be kept for later" in shown.err
    assert str(tmp_path / "file") in shown.err
    assert f"--resume --cache {scratch}" in shown.err
    assert [*scratch.iterdir()] == []


def test_a_directory_that_was_asked_for_and_cannot_be_used_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    paths = nothings(tmp_path / "class", 2)
    assert run(*paths, "--cache", tmp_path / "file" / "kept") == 2
    assert "--cache" in capsys.readouterr().err
