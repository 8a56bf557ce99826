"""How tasks are spread over workers, and what becomes of those whose worker has died."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from submissions import PATIENCE

from otelkata.batch import pool
from otelkata.batch.engine import CannotGrade
from otelkata.batch.pool import IN_FLIGHT, KILLED, Pool
from otelkata.batch.task import Began, Done, News, Ready, Refused, Task, Terms
from otelkata.report.graded import Graded

TERMS = Terms(python="python3")


class Worker:
    """A worker without a process: it says what the test has it say."""

    all: list["Worker"]
    begins: Callable[[], News | None] = staticmethod(lambda: Ready("sandbox"))

    def __init__(self, _: Terms, hear: Callable[[News | None], None]) -> None:
        self.all.append(self)
        self.tasks: list[int] = []
        self.hear = hear
        self.is_killed = False
        self.ended = asyncio.Event()
        if (news := self.begins()) != Refused("silence", usage=False):
            hear(news)

    def send(self, task: Task) -> None:
        self.tasks.append(task.number)

    def end(self, *, kill: bool = False) -> None:
        self.is_killed = kill
        self.ended.set()

    def do(self, *numbers: int) -> None:
        """Have it finish tasks."""
        for number in numbers:
            self.tasks.remove(number)
            self.hear(Done(number, Graded(submission="theirs", verdict="failed", seed=1)))

    def die(self) -> None:
        self.hear(None)


@pytest.fixture(autouse=True)
def _workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "all", [], raising=False)
    monkeypatch.setattr(pool, "Connection", Worker)


def tasks(count: int) -> list[Task]:
    return [Task(number, f"student{number}", 1) for number in range(count)]


def played(play: Callable[[Pool, Any], Any], count: int, jobs: int = 1) -> None:
    """Run `play` with a pool and what it says of `count` tasks."""

    async def stage() -> None:
        opened = Pool(TERMS, jobs)
        try:
            assert await opened.open() == "sandbox"
            await play(opened, opened.grade(tasks(count)))
        finally:
            await opened.close()

    # What waits for ever fails its test.
    asyncio.run(asyncio.wait_for(stage(), PATIENCE))


async def until(condition: Callable[[], bool]) -> None:
    """Let what is there to do be done until `condition` holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it has not come to that")


async def begin(said: Any, worker: Worker) -> "asyncio.Task[Any]":
    """Have tasks sent; return what will be the first news."""
    first: asyncio.Task[Any] = asyncio.ensure_future(anext(said))
    await asyncio.sleep(0)
    return first


def test_a_worker_has_no_more_than_it_can_overlap_and_no_next_before_a_result_is_taken() -> None:
    async def play(_: Pool, said: Any) -> None:
        [worker] = Worker.all
        first = await begin(said, worker)
        assert worker.tasks == [*range(IN_FLIGHT)]
        worker.do(3, 4)
        assert (await first).number == 3
        assert IN_FLIGHT not in worker.tasks
        assert (await anext(said)).number == 4
        assert worker.tasks[-1] == IN_FLIGHT

    played(play, IN_FLIGHT + 5)


def test_those_whose_worker_died_are_tried_alone_and_no_other_meanwhile() -> None:
    async def play(_: Pool, said: Any) -> None:
        first = await begin(said, Worker.all[0])
        Worker.all[0].die()
        await until(lambda: len(Worker.all) == 2 and bool(Worker.all[1].tasks))
        again = Worker.all[1]
        seen = []
        for number in range(IN_FLIGHT):
            seen.append(again.tasks[:])
            again.do(number)
            assert (await first).number == number
            first = await begin(said, again)
        assert seen == [[number] for number in range(IN_FLIGHT)]
        # Nothing is suspect any more: the rest goes side by side.
        assert again.tasks == [IN_FLIGHT, IN_FLIGHT + 1]
        again.do(*again.tasks)
        await first
        await anext(said)
        assert [news async for news in said] == []

    played(play, IN_FLIGHT + 2)


def test_one_that_is_there_twice_is_an_error_and_the_others_are_graded() -> None:
    async def play(_: Pool, said: Any) -> None:
        first = await begin(said, Worker.all[0])
        Worker.all[0].die()
        await until(lambda: len(Worker.all) == 2 and bool(Worker.all[1].tasks))
        assert Worker.all[1].tasks == [0]
        Worker.all[1].die()
        lost = await first
        assert (lost.number, lost.graded.verdict, lost.graded.error) == (0, "error", KILLED)
        for number in (1, 2):
            first = await begin(said, Worker.all[2])
            await until(lambda: bool(Worker.all[2].tasks))
            assert Worker.all[2].tasks == [number]
            Worker.all[2].do(number)
            assert (await first).graded.verdict == "failed"
        assert len(Worker.all) == 3

    played(play, 3)


def test_the_other_worker_goes_on() -> None:
    async def play(_: Pool, said: Any) -> None:
        one, other = Worker.all
        first = await begin(said, one)
        assert (len(one.tasks), len(other.tasks)) == (IN_FLIGHT, IN_FLIGHT)
        one.die()
        other.do(IN_FLIGHT)
        assert (await first).number == IN_FLIGHT
        # It gets nothing new, so that it comes to try one of those alone.
        first = await begin(said, other)
        assert len(other.tasks) == IN_FLIGHT - 1
        other.do(*other.tasks[:])
        await first
        for _number in range(IN_FLIGHT - 2):
            await anext(said)
        first = await begin(said, other)
        assert len(other.tasks) == 1
        first.cancel()

    played(play, 3 * IN_FLIGHT, jobs=2)


def test_what_has_begun_is_told() -> None:
    async def play(_: Pool, said: Any) -> None:
        first = await begin(said, Worker.all[0])
        Worker.all[0].hear(Began(1))
        assert await first == Began(1)

    played(play, 2)


def test_a_worker_that_has_come_to_a_halt_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(_: Pool, said: Any) -> None:
        monkeypatch.setattr(pool, "SILENCE_LIMIT", 0.0)
        first = await begin(said, Worker.all[0])
        await until(lambda: Worker.all[0].is_killed)
        monkeypatch.setattr(pool, "SILENCE_LIMIT", 400.0)
        Worker.all[0].die()
        await until(lambda: len(Worker.all) == 2 and bool(Worker.all[1].tasks))
        Worker.all[1].do(0)
        assert (await first).graded.verdict == "failed"

    played(play, 1)


@pytest.mark.parametrize(
    ("news", "usage"), [(Refused("no", usage=True), True), (Refused("no", usage=False), False)]
)
def test_a_pool_that_is_refused_does_not_open(
    news: News, usage: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "begins", staticmethod(lambda: news))

    async def play(_: Pool, said: Any) -> None:
        raise AssertionError("it has opened")

    with pytest.raises(CannotGrade, match="no") as refused:
        played(play, 1)
    assert refused.value.usage == usage


def test_workers_that_die_before_they_are_ready_are_not_started_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play(_: Pool, said: Any) -> None:
        first = await begin(said, Worker.all[0])
        monkeypatch.setattr(Worker, "begins", staticmethod(lambda: None))
        Worker.all[0].die()
        with pytest.raises(CannotGrade, match="ended before it could begin"):
            await first

    played(play, 1)
    assert len(Worker.all) == 4
