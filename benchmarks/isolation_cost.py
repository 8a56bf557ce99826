"""Compare grading in the strongest isolation that there is with grading in bare processes.

Each pair of runs, one of either kind with the same seed, is one measurement, so that a machine that
gets slower meanwhile changes no ratio; which comes first takes turns.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
LIMIT = 1.15


@dataclass(frozen=True, slots=True)
class Run:
    """One grading: its wall and processor time, in seconds, and what was in force."""

    wall: float
    cpu: float
    isolation: str


def measure(options: list[str]) -> Run:
    """Grade the reference solution in a process of its own."""
    command = [sys.executable, "-m", "otelkata.cli.grade", str(REFERENCE), "--format", "json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, str(json.loads(run.stdout)["isolation"]))


def main() -> None:
    """Print the ratios and how they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--full", action="store_true", help="measure without --quick")
    parser.add_argument("--isolation", help="compare this level, not the strongest")
    options = parser.parse_args()
    asked = ["--isolation", options.isolation] if options.isolation else []
    pairs: list[tuple[Run, Run]] = []
    for number in range(options.runs + 1):
        common = ["--seed", str(number), *([] if options.full else ["--quick"])]
        kinds = [[*common, *asked], [*common, "--isolation", "process"]]
        order = (0, 1) if number % 2 else (1, 0)
        taken = {kind: measure(kinds[kind]) for kind in order}
        if number:  # the first pair warms up
            pairs.append((taken[0], taken[1]))
    print(f"compared with --isolation process: {pairs[0][0].isolation}")
    for name, times in (
        ("wall time", [(one.wall, other.wall) for one, other in pairs]),
        ("processor time of all processes", [(one.cpu, other.cpu) for one, other in pairs]),
    ):
        ratios = [isolated / bare for isolated, bare in times]
        isolated, bare = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"{name}: ratio of {len(pairs)} pairs: median {statistics.median(ratios):.3f}, min "
            f"{min(ratios):.3f}, max {max(ratios):.3f} (at most {LIMIT}); median {isolated:.2f} s "
            f"against {bare:.2f} s"
        )


if __name__ == "__main__":
    main()
