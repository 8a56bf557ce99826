"""Grade every fixture again and again, each time with other seeds, and say what changed.

The reference and the passing fixtures have to pass, failing fixtures have to fail exactly their
checks. `--load N` keeps N processors busy meanwhile.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import planted  # noqa: E402 (how fixtures are read and planted is the tests' business)

REFERENCE = ROOT / "reference_solution"


def submissions(folder: Path) -> dict[str, set[str]]:
    """Return the path of every fixture, with the checks that it has to fail."""
    expected: dict[str, set[str]] = {str(REFERENCE): set()}
    expected |= {str(path): set() for path in planted.PASSING}
    for path in planted.FAILING:
        fault = planted.read(path)
        expected[str(planted.plant(fault, folder / path.stem))] = set(fault.checks)
    return expected


def wrong(report: Mapping[str, Any], expected: set[str]) -> list[str]:
    """Return what of a report is not as it has to be: checks, with what they say."""
    if report["verdict"] == "error":
        return [f"error: {report['advice']}"]
    checks = {check["id"]: check for check in report["checks"]}
    odd = expected ^ {id_ for id_, check in checks.items() if check["status"] == "failed"}
    if not expected:
        # A bonus may be missing in a fixture that passes.
        odd = {id_ for id_ in odd if not checks[id_]["bonus"]}
    return [f"{id_} {checks[id_]['status']}: {checks[id_]['message']}" for id_ in sorted(odd)]


@contextmanager
def busy(processors: int) -> Iterator[None]:
    """Keep so many processors busy."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(processors)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    """Print each round, and each verdict that is not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--load", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    wrongs = count = 0
    with tempfile.TemporaryDirectory() as place, busy(options.load):
        expected = submissions(Path(place))
        command = [sys.executable, "-m", "otelkata.cli.grade", "-", "--no-cache"]
        command += ["--jobs", str(options.jobs), "--format", "json", "--cache", f"{place}/cache"]
        for number in range(options.rounds):
            began = time.monotonic()
            run = subprocess.run(
                command, input="\n".join(expected).encode(), capture_output=True, check=False
            )
            if not run.stdout:
                sys.exit(run.stderr.decode(errors="replace"))
            for report in json.loads(run.stdout):
                count += 1
                if said := wrong(report, expected[report["submission"]]):
                    wrongs += 1
                    print(f"{report['submission']}, seed {report['seed']}:", *said, sep="\n  ")
            took = time.monotonic() - began
            print(f"round {number + 1}: {took:.0f} s, {wrongs} wrong of {count} so far", flush=True)


if __name__ == "__main__":
    main()
