"""A batch and its engine: what is on disk when, and what counts as graded."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from batches import nothings

from otelkata.batch.engine import CannotGrade, Engine
from otelkata.batch.run import Batch, Finished, run
from otelkata.batch.task import Began, Done, Task, Terms
from otelkata.report.graded import Graded


class Grades:
    """An engine that has a result for everything, and notes what was asked of it."""

    def __init__(self, meanwhile: Callable[[Task], None] = lambda _: None) -> None:
        self.graded: list[str] = []
        self.seeds: set[int] = set()
        self.is_closed = False
        self._meanwhile = meanwhile

    async def open(self) -> str:
        return "sandbox"

    async def grade(self, tasks: Iterable[Task]) -> AsyncGenerator[Began | Done]:
        for task in tasks:
            yield Began(task.number)
            self._meanwhile(task)
            self.graded.append(Path(task.path).name)
            self.seeds.add(task.seed)
            yield Done(task.number, Graded(submission=task.path, verdict="failed", seed=task.seed))

    async def close(self) -> None:
        self.is_closed = True


class Refuses(Grades):
    async def open(self) -> str:
        raise CannotGrade("no")


def a_batch(tmp_path: Path, count: int) -> Batch:
    paths = [str(path) for path in nothings(tmp_path / "class", count)]
    return Batch(paths, Terms(python="python3"), tmp_path / "kept")


@pytest.fixture(autouse=True)
def _no_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otelkata.batch.fingerprint._ask", lambda _: "asked")


def results(batch: Batch, engine: Engine) -> list[Finished]:
    """Return what a run of the whole batch comes to."""

    async def follow() -> list[Finished]:
        with batch.journal() as journal:
            async with aclosing(run(batch, journal, engine)) as said:
                return [news async for news in said if isinstance(news, Finished)]

    return asyncio.run(follow())


def test_each_result_is_on_disk_before_the_next_is_taken(tmp_path: Path) -> None:
    batch = a_batch(tmp_path, 4)
    lines: list[int] = []

    def count(_: Task) -> None:
        [journal] = (tmp_path / "kept" / "batches").iterdir()
        lines.append(journal.read_bytes().count(b"\n"))

    results(batch, Grades(count))
    assert lines == [0, 1, 2, 3]


def test_the_engine_is_asked_only_for_what_is_not_known(tmp_path: Path) -> None:
    batch = a_batch(tmp_path, 3)
    results(batch, Grades())
    Path(batch.paths[1], "new").write_text("")
    engine = Grades()
    found = results(batch, engine)
    assert engine.graded == ["student02"]
    assert [(one.number, one.was_kept) for one in found] == [(0, True), (2, True), (1, False)]


@pytest.mark.parametrize("resume", [False, True])
def test_one_that_changes_while_it_is_graded_is_graded_again(tmp_path: Path, resume: bool) -> None:
    """Which of its two contents was graded is not known, also when the first one comes back."""
    batch = a_batch(tmp_path, 1)
    new = Path(batch.paths[0], "new")
    results(batch, Grades(lambda _: new.touch()))
    new.unlink()
    engine = Grades()
    results(replace(batch, resume=resume), engine)
    assert engine.graded == ["student01"]


def test_one_that_is_cut_short_goes_on(tmp_path: Path) -> None:
    batch = replace(a_batch(tmp_path, 4), reuse=False)

    def fail(task: Task) -> None:
        if task.number == 2:
            raise KeyboardInterrupt

    cut_short = Grades(fail)
    with pytest.raises(KeyboardInterrupt):
        results(batch, cut_short)
    assert cut_short.is_closed
    for _ in range(2):
        engine = Grades()
        found = results(replace(batch, resume=True), engine)
        assert [one.was_kept for one in found].count(True) == 4 - len(engine.graded)
    assert engine.graded == []
    [journal] = (tmp_path / "kept" / "batches").iterdir()
    assert journal.read_bytes().count(b"\n") == 4


def test_evidence_that_is_missing_is_made_again(tmp_path: Path) -> None:
    batch = replace(a_batch(tmp_path, 2), evidence=tmp_path / "evidence", resume=True)
    (tmp_path / "evidence").mkdir()
    results(batch, Grades())
    (tmp_path / "evidence" / batch.name(0, ".evidence.json.gz")).write_text("")
    engine = Grades()
    results(batch, engine)
    assert engine.graded == ["student02"]


@pytest.mark.parametrize(("seed", "seeds"), [(7, 1), (None, 5)])
def test_seeds_are_as_asked(seed: int | None, seeds: int, tmp_path: Path) -> None:
    engine = Grades()
    results(replace(a_batch(tmp_path, 5), seed=seed), engine)
    assert len(engine.seeds) == seeds


def test_an_engine_that_cannot_grade_is_closed(tmp_path: Path) -> None:
    engine = Refuses()
    with pytest.raises(CannotGrade):
        results(a_batch(tmp_path, 1), engine)
    assert engine.is_closed
