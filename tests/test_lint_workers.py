"""Work in processes of their own, of which each may end at any time."""

import faulthandler
import os
import signal

import pytest

from otelkata.lint.command import workers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


def run(work: object, count: int, jobs: int = 2) -> dict[int, object]:
    assert callable(work)
    return dict(workers.each(work, count, jobs, lambda index, how: f"{index} was lost: {how}"))


@pytest.mark.parametrize(("count", "jobs"), [(0, 2), (1, 1), (1, 4), (3, 2), (50, 2), (7, 3)])
def test_each_item_is_worked_on_once(count: int, jobs: int) -> None:
    assert run(lambda index: index * index, count, jobs) == {i: i * i for i in range(count)}


def test_answers_may_be_large() -> None:
    assert run(lambda index: b"x" * (index * 1_000_000), 4) == {
        index: b"x" * (index * 1_000_000) for index in range(4)
    }


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda: signal.raise_signal(signal.SIGSEGV), "by SIGSEGV"),
        (lambda: signal.raise_signal(signal.SIGKILL), "by SIGKILL"),
        (lambda: os._exit(3), "with exit code 3"),
    ],
    ids=["segmentation fault", "killed", "exit"],
)
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_end_of_a_worker_costs_one_item(end: object, how: str, jobs: int) -> None:
    def work(index: int) -> str:
        if index % 4 == 1:
            faulthandler.disable()
            assert callable(end)
            end()
        return f"{index} done"

    assert run(work, 10, jobs) == {
        index: f"{index} was lost: {how}" if index % 4 == 1 else f"{index} done"
        for index in range(10)
    }


def test_what_raises_costs_one_item(capfd: pytest.CaptureFixture[str]) -> None:
    def work(index: int) -> int:
        return 12 // (index - 1)

    assert run(work, 3) == {0: -12, 1: "1 was lost: with exit code 1", 2: 12}
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_a_stack_that_may_not_be_deep_is_left_as_it_is(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(size: int) -> None:
        if size:
            raise error

    monkeypatch.setattr("threading.stack_size", refuse)
    assert run(lambda index: index, 2) == {0: 0, 1: 1}


def test_without_forks_everything_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.fork")
    assert run(lambda _: os.getpid(), 3) == dict.fromkeys(range(3), os.getpid())


def test_workers_have_a_deep_stack() -> None:
    def work(_: int) -> int:
        import sys  # noqa: PLC0415 (in the worker alone)

        sys.setrecursionlimit(50_000)
        return depth(20_000)

    def depth(left: int) -> int:
        # Through `map`, each call takes a piece of the C stack.
        return 0 if not left else 1 + next(map(depth, [left - 1]))

    assert run(work, 1) == {0: 20_000}


def test_whoever_stops_listening_leaves_nobody_behind() -> None:
    answers = workers.each(lambda index: os.getpid(), 100, 2, lambda index, how: 0)
    _, process = next(answers)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
