"""A Dask cluster grades as this machine does, and loses nothing when its workers die."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import planted
import pytest
from batches import Hanging, Marked, ancestors, hanging, nothings, open_folder, started
from batches import run as in_this_process
from submissions import PATIENCE

pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what runs")


class Cluster:
    """A scheduler, and workers without anybody who would start them again."""

    def __init__(self, stack: ExitStack, marked: Marked) -> None:
        self._stack = stack
        self._marked = marked
        self.scheduler, line = self._start("Scheduler at:", "scheduler", "--port", "0")
        self.address = line.rpartition(" ")[2]
        self.workers: dict[int, subprocess.Popen[str]] = {}

    def add_worker(self) -> None:
        """Start one worker; return when the scheduler knows it."""
        options = ("--no-nanny", "--nthreads", "4", "--nworkers", "1")
        worker, _ = self._start("Registered to:", "worker", self.address, *options)
        self.workers[worker.pid] = worker

    def worker_of(self, keeper: str) -> int:
        """Return the worker that runs the submission of a keeper."""
        [found] = {*ancestors(int(keeper))} & {*self.workers}
        return found

    def _start(self, ready: str, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "dask", *arguments, "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**planted.unmeasured(), **self._marked.environment},
        )
        self._stack.callback(process.communicate, timeout=PATIENCE)
        self._stack.callback(process.kill)
        assert process.stderr is not None
        for line in process.stderr:
            if ready in line:
                return process, line.strip()
        raise AssertionError(f"{arguments} never said {ready!r}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that every user can get through."""
    with open_folder() as made:
        yield made


@pytest.fixture
def marked(folder: Path) -> Iterator[Marked]:
    """Return what the processes of a test share; at its end none is left that could still write."""
    made = Marked(folder / "scratch")
    yield made
    made.wait_for_end()


@contextmanager
def a_cluster(marked: Marked, workers: int) -> Iterator[Cluster]:
    with ExitStack() as stack:
        cluster = Cluster(stack, marked)
        for _ in range(workers):
            cluster.add_worker()
        yield cluster


def on(cluster: Cluster) -> list[str]:
    return ["--engine", "dask", "--scheduler", cluster.address]


def without_times(report: list[Any]) -> list[Any]:
    for one in report:
        del one["duration_s"]
        for check in one["checks"]:
            del check["duration_s"]
    return report


def kill_process_of(hangs: Hanging, marked: Marked, *, after: str) -> str:
    """Kill the process that runs the submission on a worker; return its keeper."""
    keeper = hangs.keeper(after=after)
    [process] = {*ancestors(int(keeper))} & {*marked.find("otelkata.batch.worker")}
    os.kill(process, signal.SIGKILL)
    return keeper


def test_a_worker_that_is_killed_loses_nothing(folder: Path, marked: Marked) -> None:
    others = nothings(folder / "class", 6)
    with a_cluster(marked, 2) as cluster, hanging(folder) as hangs:
        arguments = [*on(cluster), "--isolation", "process", "--quick", "--no-cache"]
        with started(hangs.path, planted.REFERENCE, *others, *arguments) as grader:
            keeper = hangs.keeper()
            os.kill(cluster.worker_of(keeper), signal.SIGKILL)
            again = hangs.keeper(after=keeper)
            assert cluster.workers[cluster.worker_of(again)].poll() is None
            hangs.release()
            shown = grader.rest()
    assert f"✗ {hangs.path}  0/18" in shown
    assert f"✓ {planted.REFERENCE}  18/18" in shown
    assert "8 submissions: 1 passed, 7 failed, 0 error" in shown
    marked.wait_for_end()


def test_one_that_kills_its_process_twice_is_an_error_and_no_other_is(
    folder: Path, marked: Marked
) -> None:
    others = nothings(folder / "class", 4)
    with a_cluster(marked, 1) as cluster, hanging(folder) as hangs:
        arguments = [*on(cluster), "--isolation", "process", "--no-cache"]
        with started(hangs.path, *others, *arguments) as grader:
            keeper = kill_process_of(hangs, marked, after="")
            kill_process_of(hangs, marked, after=keeper)
            shown = grader.rest()
        assert grader.process.returncode == 3
        assert f"! {hangs.path}  the grader's process ended while it ran it" in shown
        assert "5 submissions: 0 passed, 4 failed, 1 error" in shown
        [worker] = cluster.workers.values()
        assert worker.poll() is None
        assert marked.find("otelkata.batch.worker") == []


def test_a_cluster_gives_the_verdicts_evidence_and_paths_of_this_machine(
    folder: Path, marked: Marked, capsys: pytest.CaptureFixture[str]
) -> None:
    [nothing] = nothings(folder / "class", 1)
    odd = folder / os.fsdecode(b"odd \xff")
    odd.mkdir()
    (odd / "outside").symlink_to("/etc/passwd")
    os.mkfifo(odd / "pipe")
    (odd / "checkout.py").write_text("raise ValueError('no')")
    large = folder / "large"
    large.mkdir()
    with (large / "file").open("wb") as file:
        file.truncate(2**27)
    paths = [planted.REFERENCE, nothing, odd, large]
    seen: list[list[Any]] = []

    def grade(*arguments: object) -> None:
        in_this_process(*arguments, "--format", "json")
        seen.append(without_times(json.loads(capsys.readouterr().out)))

    with a_cluster(marked, 2) as cluster:
        for engine in ([], on(cluster)):
            kept = folder / f"evidence-{len(engine)}"
            grade(*paths, *engine, "--quick", "--seed", 3, "--evidence", kept)
            grade("--regrade", kept)
        assert marked.find("otelkata.batch.worker") == []
    here, here_again, there, there_again = seen
    assert [one["verdict"] for one in here] == ["passed", "failed", "failed", "failed"]
    assert there == here
    # In the order of its files.
    for again in (here_again, there_again):
        assert sorted(again, key=str) == sorted(here, key=str)


def test_nothing_outlives_a_grader_with_a_cluster_of_its_own(folder: Path, marked: Marked) -> None:
    [other] = nothings(folder / "class", 1)
    with hanging(folder) as hangs:
        arguments = ["--engine", "dask", "--jobs", "2", "--isolation", "process"]
        with started(hangs.path, other, *arguments, **marked.environment) as grader:
            hangs.keeper()
            grader.send(signal.SIGKILL)
            grader.process.wait()
            marked.wait_for_end()


def test_a_scheduler_that_goes_away_ends_the_batch_with_a_message(
    folder: Path, marked: Marked
) -> None:
    others = nothings(folder / "class", 2)
    with a_cluster(marked, 1) as cluster, hanging(folder) as hangs:
        arguments = [hangs.path, *others, *on(cluster), "--isolation", "process"]
        with started(*arguments) as grader:
            told = [grader.line() for _ in others]
            hangs.keeper()
            cluster.scheduler.kill()
            shown = grader.rest()
    assert all("0/18" in line for line in told)
    assert grader.process.returncode == 3
    assert "kata-grade: the scheduler of the cluster has gone" in shown, shown
    assert "Traceback" not in shown


def test_the_log_of_the_engine_does_not_come_between_the_lines(
    folder: Path, marked: Marked
) -> None:
    paths = nothings(folder / "class", 2)
    with a_cluster(marked, 1) as cluster:
        assert in_this_process(*paths, *on(cluster)) == 1
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    assert "distributed.client" in names
    assert not [name for name in names if logging.getLogger(name).isEnabledFor(logging.ERROR)]


@pytest.mark.parametrize("joins_later", [False, True])
def test_a_worker_with_another_version_is_refused(
    joins_later: bool,
    folder: Path,
    marked: Marked,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    paths = nothings(folder / "class", 2)
    monkeypatch.setattr("otelkata.batch.fingerprint.of_code", lambda: "newer")
    if joins_later:
        # It was not there to be asked before the first submission.
        monkeypatch.setattr("otelkata.batch.cluster._agreed", lambda _: "nothing is known of it")
    with a_cluster(marked, 1) as cluster:
        assert in_this_process(*paths, *on(cluster)) == 3
    assert "has another version of otelkata" in capfd.readouterr().err


def test_an_isolation_that_workers_do_not_have_is_wrong_usage(
    folder: Path, marked: Marked, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = nothings(folder / "class", 2)
    with a_cluster(marked, 1) as cluster:
        assert in_this_process(*paths, *on(cluster), "--python", "no/such/interpreter") == 2
    assert "no/such/interpreter cannot be" in capfd.readouterr().err


def test_a_scheduler_that_is_not_there_is_wrong_usage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("otelkata.batch.cluster.CONNECT_LIMIT", 1)
    paths = nothings(folder / "class", 2)
    arguments = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert in_this_process(*paths, *arguments) == 2
    assert "--scheduler tcp://127.0.0.1:9" in capfd.readouterr().err
