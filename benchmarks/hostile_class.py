"""Grade a class of honest and hostile submissions in one batch, and tell whether anybody suffers.

The class is made of all fixtures, again and again. Prints wall time per submission, the most memory
that the grader's own processes took together, and every result that is not the one that its fixture
gets alone: as the fixture says, or with `--alone` as it is graded alone here.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import hostile  # noqa: E402 (how fixtures are read and planted is the tests' business)
from classroom import Classroom, Honest, honest, mixed, plant  # noqa: E402
from surroundings import World, grade, strict, surroundings  # noqa: E402

INTERVAL = 0.2
HOUR = 3600
OWN = (b"otelkata.cli.grade", b"otelkata.batch.worker")


class Memory:
    """Watches what the grader's own processes take, in a thread; not hosts, nor what they fork."""

    def __init__(self) -> None:
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._command = 0

    def begin(self, command: int) -> None:
        """Watch the process `command` and its workers."""
        self._command = command
        self._thread.start()

    def end(self) -> None:
        """Watch no longer."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(_memory, _own(self._command))))


def _own(command: int) -> Iterator[int]:
    yield command
    try:
        children = Path(f"/proc/{command}/task/{command}/children").read_text("ascii").split()
    except OSError:
        return
    for child in map(int, children):
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if any(name in words for name in OWN):
            yield child


def _memory(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def outcome(report: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return what must not depend on others: the verdict, and the checks that failed."""
    failed = [check["id"] for check in report["checks"] if check["status"] == "failed"]
    return report["verdict"], tuple(sorted(failed))


def alone(world: World, school: Classroom) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Grade one of each fixture alone; return what came of it, by its name."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for member, path in zip(school.members, school.paths, strict=True):
        if member.name not in found:
            found[member.name] = outcome(strict(grade(world, [path], HOUR).out))
    return found


def differences(school: Classroom, reports: Sequence[Any], found: dict[str, Any]) -> list[str]:
    """Return what is not as it was alone; of an attack only the verdict has to be the same."""
    lines = []
    for member, report in zip(school.members, reports, strict=True):
        now, before = outcome(report), found[member.name]
        if now[0] != before[0] or (isinstance(member, Honest) and now != before):
            lines.append(f"{report['submission']}: {now}, alone {before}")
    return lines


def main() -> int:
    """Print what was measured; return 1 where any result was another one than alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="submissions in all")
    parser.add_argument("--hostile", type=int, default=100, help="how many of them are hostile")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="chooses order and fixtures")
    parser.add_argument("--alone", action="store_true", help="grade each fixture alone, too")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 (no secret)
    attacks = [hostile.read(path) for path in hostile.HOSTILE]
    others = honest()
    chance.shuffle(attacks)
    chance.shuffle(others)
    members = mixed(
        [*islice(cycle(attacks), options.hostile)],
        islice(cycle(others), options.count - options.hostile),
        options.seed,
    )
    memory = Memory()
    with (
        tempfile.TemporaryDirectory(prefix="class-") as folder,
        surroundings(Path(folder)) as world,
    ):
        school = plant(world, members)
        began = time.monotonic()
        jobs = ("--jobs", str(options.jobs), "--no-cache")
        ended = grade(world, school.paths, 10 * HOUR, *jobs, started=memory.begin)
        wall = time.monotonic() - began
        memory.end()
        faults = school.faults(world, ended)
        if options.alone and ended.code == 1:
            faults += differences(school, strict(ended.out), alone(world, school))
    print(f"{options.count} submissions, {options.hostile} of them hostile, --jobs {options.jobs}")
    print(f"wall time                  {wall:8.1f} s  {wall / options.count:.2f} s per submission")
    print(f"peak memory of the grader  {memory.peak / 2**20:8.0f} MiB")
    print(f"other results than alone   {len(faults):8}")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
