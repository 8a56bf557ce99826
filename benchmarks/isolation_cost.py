"""Compare grading in the strongest isolation that there is with grading in bare processes.

Each pair of runs, one of either kind with the same seed, is one measurement, so that a machine that
gets slower meanwhile changes no ratio; which comes first takes turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
LIMIT = 1.15


def measure(options: list[str]) -> tuple[float, str]:
    """Return how long one grading takes as a whole process, and what was in force."""
    command = [sys.executable, "-m", "otelkata.cli.grade", str(REFERENCE), "--format", "json"]
    began = time.perf_counter()
    run = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - began, str(json.loads(run.stdout)["isolation"])


def main() -> None:
    """Print the ratios and how they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--full", action="store_true", help="measure without --quick")
    parser.add_argument("--isolation", help="compare this level, not the strongest")
    options = parser.parse_args()
    asked = ["--isolation", options.isolation] if options.isolation else []
    ratios, in_force = [], ""
    pairs: list[tuple[float, float]] = []
    for number in range(options.runs + 1):
        common = ["--seed", str(number), *([] if options.full else ["--quick"])]
        kinds = [[*common, *asked], [*common, "--isolation", "process"]]
        order = (0, 1) if number % 2 else (1, 0)
        taken = {kind: measure(kinds[kind]) for kind in order}
        in_force = taken[0][1]
        if number:  # the first pair warms up
            pairs.append((taken[0][0], taken[1][0]))
            ratios.append(taken[0][0] / taken[1][0])
    isolated, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"compared with --isolation process: {in_force}")
    print(
        f"ratio of {options.runs} pairs: median {statistics.median(ratios):.3f}, min "
        f"{min(ratios):.3f}, max {max(ratios):.3f} (at most {LIMIT}); median {isolated:.2f} s "
        f"against {bare:.2f} s, ratio of medians {isolated / bare:.3f}"
    )


if __name__ == "__main__":
    main()
