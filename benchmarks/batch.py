"""Compare a batch of complete gradings with a cold, complete `pytest --submission=PATH` for each.

Prints wall and processor time per submission, what of it is the grader's own, how throughput grows
with --jobs and with processors, time with the number of submissions, and what judging kept evidence
takes.
"""

import argparse
import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from otelkata.batch.pool import Pool
from otelkata.batch.task import Task, Terms

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
TIMES_LESS = 10
THROUGHPUT = 1.6
REGRADE_LIMIT = 25.0
JOBS = 2
GRADE = [sys.executable, "-m", "otelkata.cli.grade"]
PYTEST = [sys.executable, "-m", "pytest", "-q"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall and processor time, of all processes together."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor time per submission, in seconds: of hosts, driver and judge, and linter."""

    hosts: float
    driver: float
    linter: float


def run(command: Sequence[str], folder: Path) -> Cost:
    """Return what `command` takes as a whole, its children included."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def batch(folder: Path, count: int, jobs: int, *options: str) -> Cost:
    """Return what each submission of a batch takes."""
    paths = [str(path) for path in sorted(folder.iterdir())[:count]]
    cost = run([*GRADE, *paths, "--no-cache", "--jobs", str(jobs), *options], folder.parent)
    return Cost(cost.wall / count, cost.cpu / count)


def confined(folder: Path, count: int) -> Cost:
    """Return what each submission of a batch takes where there is one processor."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        return batch(folder, count, 1)
    finally:
        os.sched_setaffinity(0, allowed)


async def shares(folder: Path, count: int) -> Shares:
    """Return what takes the processor's time in a batch, as the kernel has counted it."""
    pool = Pool(Terms(python=sys.executable), JOBS)
    hosts = driver = linter = 0.0
    try:
        await pool.open()
        workers = {worker: sum(_times(worker)[:2]) for worker in _children("self")}
        paths = sorted(folder.iterdir())[:count]
        async for _ in pool.grade(Task(n, str(path), n) for n, path in enumerate(paths)):
            pass
        for worker, before in workers.items():
            parent, lints = sorted(_children(worker), key=_is_linter)
            while _children(parent):  # noqa: ASYNC110 (they are the children of another process)
                await asyncio.sleep(0.05)
            hosts += sum(_times(parent)[2:])
            driver += sum(_times(worker)[:2]) - before
            linter += sum(_times(lints))
        return Shares(hosts / count, driver / count, linter / count)
    finally:
        await pool.close()


def _children(process: str) -> list[str]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


def _is_linter(process: str) -> bool:
    return b"otelkata.lint" in Path(f"/proc/{process}/cmdline").read_bytes()


def _times(process: str) -> list[float]:
    # User and system time of the process itself, then of its children that have ended.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [int(field) / 100 for field in fields[11:15]]


def main() -> None:
    """Print the ratios and how they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", type=int, default=3, help="how many cold runs (default 3)")
    parser.add_argument("--count", type=int, default=100, help="submissions of a batch (100)")
    options = parser.parse_args()
    count: int = options.count
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        for number in range(count):
            shutil.copytree(REFERENCE, folder / f"{number:04}")
        cold = [
            run([*PYTEST, f"--submission={REFERENCE}"], folder.parent) for _ in range(options.cold)
        ]
        two = batch(folder, count, JOBS)
        half = batch(folder, count // 2, JOBS)
        taken = asyncio.run(shares(folder, min(count, 40)))
        regraded = _regrade(folder, Path(place) / "evidence", count)
        one = batch(folder, count, 1)
        alone = confined(folder, count)
    wall, cpu = (statistics.median(column) for column in zip(*_pairs(cold), strict=True))
    judge = regraded / 1000
    scenarios = taken.hosts + taken.driver - judge
    print(f"{count} copies of the reference, complete; {options.cold} cold runs of pytest before")
    print(
        f"wall time per submission: {wall / two.wall:.1f} times less (at least {TIMES_LESS}): "
        f"{two.wall:.2f} s with --jobs {JOBS} against {wall:.2f} s"
    )
    print(
        f"processor time outside the scenarios: {(cpu - scenarios) / (two.cpu - scenarios):.1f} "
        f"times less (at least {TIMES_LESS}): {two.cpu - scenarios:.2f} s against "
        f"{cpu - scenarios:.2f} s; the scenarios, hosts and driver, take {scenarios:.2f} s"
    )
    own = taken.driver + taken.linter
    print(
        f"grader's own processes / hosts: {own / taken.hosts:.2f} (at most 1): driver and judge "
        f"{taken.driver:.2f} s, linter {taken.linter:.2f} s, hosts {taken.hosts:.2f} s"
    )
    print(
        f"throughput, --jobs {JOBS} / --jobs 1: {one.wall / two.wall:.2f} (at least {THROUGHPUT}); "
        f"--jobs 1 keeps {one.cpu / one.wall:.2f} processors busy, --jobs {JOBS} "
        f"{two.cpu / two.wall:.2f}"
    )
    print(
        f"throughput, --jobs {JOBS} / --jobs 1 on one processor: {alone.wall / two.wall:.2f} "
        f"(at least {THROUGHPUT})"
    )
    print(
        f"wall time per submission, {count} / {count // 2} submissions: "
        f"{two.wall / half.wall:.2f} (linear: at most 1)"
    )
    print(f"--regrade: {regraded:.1f} ms per submission (at most {REGRADE_LIMIT:.0f})")


def _regrade(folder: Path, evidence: Path, count: int) -> float:
    # Start-up is left out: it is the same for any number.
    batch(folder, 2, 2, "--quick", "--evidence", str(evidence))
    (first, *_) = sorted(evidence.iterdir())
    for number in range(10 * count):
        shutil.copy(first, evidence / f"more-{number:05}-{first.name}")
    many = run([*GRADE, "--regrade", str(evidence), "--jobs", "2"], folder.parent).wall
    for path in sorted(evidence.iterdir())[2:]:
        path.unlink()
    few = run([*GRADE, "--regrade", str(evidence), "--jobs", "2"], folder.parent).wall
    return 1000 * (many - few) / (10 * count)


def _pairs(costs: Sequence[Cost]) -> list[tuple[float, float]]:
    return [(cost.wall, cost.cpu) for cost in costs]


if __name__ == "__main__":
    main()
