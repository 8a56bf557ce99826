"""One thing happens at a time, what ends a submission before what begins one."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from submissions import PATIENCE

from otelkata import turns
from otelkata.turns import Turns


class Stage:
    """Coroutines that take turns, and the order in which they got them."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.order: list[str] = []
        self.running: list[asyncio.Task[None]] = []

    async def begin(self, play: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start something, and let it come as far as it can."""
        task = asyncio.create_task(play)
        self.running.append(task)
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    async def new(
        self, name: str, leave: asyncio.Event | None = None, rest: asyncio.Event | None = None
    ) -> None:
        """Take a first turn; give it back at `rest`, or by leaving at `leave`."""
        async with self.turns.first() as give:
            self.order.append(name)
            if rest is not None:
                await rest.wait()
                give()
            if leave is not None:
                await leave.wait()

    async def further(self, name: str, leave: asyncio.Event | None = None) -> None:
        async with self.turns.next():
            self.order.append(name)
            if leave is not None:
                await leave.wait()


def played(play: Callable[[Stage], Coroutine[None, None, None]]) -> list[str]:
    """Return the order of turns in `play`, of which everything comes to its end."""

    async def stage() -> list[str]:
        on = Stage()
        await play(on)
        await asyncio.gather(*on.running, return_exceptions=True)
        return on.order

    # What waits for ever fails its test.
    return asyncio.run(asyncio.wait_for(stage(), PATIENCE))


def test_only_one_has_a_turn_and_the_rest_come_in_order() -> None:
    async def play(on: Stage) -> None:
        leave = asyncio.Event()
        await on.begin(on.new("a", leave))
        await on.begin(on.new("b"))
        await on.begin(on.new("c"))
        assert on.order == ["a"]
        leave.set()

    assert played(play) == ["a", "b", "c"]


def test_what_has_begun_goes_before_what_has_not() -> None:
    async def play(on: Stage) -> None:
        leave = asyncio.Event()
        await on.begin(on.new("a", leave))
        await on.begin(on.new("b"))
        await on.begin(on.further("end of c"))
        leave.set()

    assert played(play) == ["a", "end of c", "b"]


def test_one_that_only_waits_lets_others_go_on() -> None:
    async def play(on: Stage) -> None:
        leave, rest = asyncio.Event(), asyncio.Event()
        await on.begin(on.new("a", leave, rest))
        await on.begin(on.new("b"))
        assert on.order == ["a"]
        rest.set()
        await on.running[1]
        assert not on.running[0].done()
        leave.set()

    assert played(play) == ["a", "b"]


def test_a_turn_that_was_given_is_not_given_again_on_leaving() -> None:
    async def play(on: Stage) -> None:
        given, leave, other = asyncio.Event(), asyncio.Event(), asyncio.Event()
        await on.begin(on.new("a", leave, given))
        given.set()
        await on.begin(on.new("b", other))
        await on.begin(on.new("c"))
        leave.set()
        await on.running[0]
        await on.begin(on.new("d"))
        assert on.order == ["a", "b"]
        other.set()

    assert played(play) == ["a", "b", "c", "d"]


def test_one_that_does_not_come_to_rest_is_waited_for_no_longer_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "BUSY_LIMIT", 0.0)

    async def play(on: Stage) -> None:
        never_left = asyncio.Event()
        await on.begin(on.new("a", never_left))
        await (await on.begin(on.new("b")))
        never_left.set()

    assert played(play) == ["a", "b"]


@pytest.mark.parametrize("had_its_turn", [False, True])
def test_one_that_is_given_up_keeps_nobody_waiting(had_its_turn: bool) -> None:
    async def play(on: Stage) -> None:
        leave = asyncio.Event()
        await on.begin(on.new("a", leave))
        given_up = await on.begin(on.new("b"))
        await on.begin(on.new("c"))
        if had_its_turn:
            # It is told of its turn, and is given up before it can take it.
            leave.set()
            await asyncio.sleep(0)
        given_up.cancel()
        leave.set()

    assert played(play) == ["a", "c"]


def test_a_failure_ends_the_turn() -> None:
    async def play(on: Stage) -> None:
        async def fail() -> None:
            async with on.turns.first():
                raise ValueError

        await on.begin(fail())
        await on.begin(on.new("b"))

    assert played(play) == ["b"]
