"""Measure all in-memory scenarios from the moment when the services are up."""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from otelkata.evidence import store

REFERENCE = Path(__file__).parents[1] / "reference_solution"
LIMIT = 1.5


def scenarios() -> float:
    """Return the seconds between the services being up and the last in-memory scenario's end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "otelkata.cli.grade", "--quick", "--evidence", folder]
        subprocess.run([*command, str(REFERENCE)], check=True, stdout=subprocess.DEVNULL)
        (file,) = Path(folder).iterdir()
        timings = store.read(file).timings
    return timings["in_memory"] - timings["up"]


def main() -> None:
    """Print the time, as a ratio of the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    times = [scenarios() for _ in range(options.runs)]
    median = statistics.median(times)
    print(f"in-memory scenarios after start-up, {options.runs} whole gradings with --quick")
    print(
        f"median {median:.2f} s, min {min(times):.2f}, max {max(times):.2f}; ratio to the limit of "
        f"{LIMIT} s: {median / LIMIT:.2f}"
    )


if __name__ == "__main__":
    main()
