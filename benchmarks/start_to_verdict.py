"""Compare a whole `kata-grade` with importing what a grader of this kind imports.

Each pair of runs is one measurement, so that a machine that gets slower meanwhile changes no ratio.
"""

import argparse
import compileall
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
IMPORTS = "import fastapi, httpx, opentelemetry.sdk.trace, libcst, pytest"
QUICK_LIMIT = 2.5
SHUTDOWN_SECONDS = 8.0
"""How long the reference solution waits for its exporter at lifespan shutdown."""


def seconds(command: Sequence[str]) -> float:
    """Return how long `command` takes as a whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the ratios and how they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--full", action="store_true", help="measure without --quick as well")
    options = parser.parse_args()
    for folder in ("src", "checks"):
        # An installation is compiled, as what it is compared with; a checkout may not be.
        compileall.compile_dir(ROOT / folder, quiet=1)
    imports = [sys.executable, "-c", IMPORTS]
    grade = [sys.executable, "-m", "otelkata.cli.grade", str(REFERENCE)]
    seconds(imports), seconds([*grade, "--quick"])
    pairs = [(seconds([*grade, "--quick"]), seconds(imports)) for _ in range(options.runs)]
    ratios = [quick / base for quick, base in pairs]
    quick, base = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"kata-grade --quick / {IMPORTS!r}, whole processes, {options.runs} pairs in turn")
    print(
        f"ratio: median {statistics.median(ratios):.2f}, min {min(ratios):.2f}, max "
        f"{max(ratios):.2f} (at most {QUICK_LIMIT}); median {quick:.2f} s against {base:.2f} s"
    )
    if options.full:
        full = [seconds(grade) for _ in range(3)]
        over = (statistics.median(full) - SHUTDOWN_SECONDS) / base
        print(
            f"complete: median {statistics.median(full):.2f} s of 3, without the submission's own "
            f"{SHUTDOWN_SECONDS:.0f} s: ratio {over:.2f} (at most {QUICK_LIMIT})"
        )


if __name__ == "__main__":
    main()
