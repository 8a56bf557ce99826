"""Measure how soon `kata-grade --watch --quick` shows a verdict after a file was saved.

The reference is the time that the scenarios take alone, from the services being up to the last
scenario's end, in a grading of the same submission, the starter, right before.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from otelkata.cli.new import copy
from otelkata.evidence import store

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from terminal import terminal  # noqa: E402 (how a terminal is read is the tests' business)

LIMIT = 3.0
GRADE = [sys.executable, "-m", "otelkata.cli.grade", "--quick"]
SHOWN = "Ctrl-C ends it"


def scenarios(submission: Path, folder: Path) -> float:
    """Return the seconds that the scenarios take alone."""
    command = [*GRADE, "--evidence", str(folder), str(submission)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    (file,) = folder.iterdir()
    timings = store.read(file).timings
    file.unlink()
    return timings["in_memory"] - timings["up"]


def saves(submission: Path, evidence: Path, runs: int) -> Iterator[tuple[float, float]]:
    """Yield the seconds from a save to the verdict, and those of the scenarios alone."""
    source = submission / "checkout" / "__init__.py"
    text = source.read_text("utf-8")
    with terminal([*GRADE, "--watch", str(submission)], submission.parent) as shown:
        shown.until(SHOWN)
        for number in range(runs):
            alone = scenarios(submission, evidence)
            began = time.monotonic()
            source.write_text(f"{text}\n# saved {number}\n", "utf-8")
            shown.until(SHOWN)
            yield time.monotonic() - began, alone


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        copy(folder / "mine")
        (folder / "evidence").mkdir()
        pairs = list(saves(folder / "mine", folder / "evidence", options.runs))
    ratios = [saved / alone for saved, alone in pairs]
    print(f"from a save to the verdict / the scenarios alone, starter, --quick, {len(pairs)} saves")
    print(
        f"ratio: median {statistics.median(ratios):.2f}, min {min(ratios):.2f}, "
        f"max {max(ratios):.2f} (at most {LIMIT}); "
        f"median {statistics.median(saved for saved, _ in pairs):.2f} s against "
        f"{statistics.median(alone for _, alone in pairs):.2f} s"
    )


if __name__ == "__main__":
    main()
