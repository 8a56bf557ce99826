"""Compare kata-lint on large trees with grep and with ruff.

The trees are made of the packages and the standard library of this interpreter. Each pair of runs
is one measurement, so that a machine that gets slower meanwhile changes no ratio.
"""

import argparse
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from otelkata.lint.source.words import WORDS

FILES = 20_000
SHARE = 0.03
"""How much of the second tree has one of the words."""
LIMITS = {"grep": 2.0, "ruff": 1.0}


def sources() -> tuple[list[bytes], list[bytes]]:
    """Return the installed files without and with the words, in a stable order."""
    without: list[bytes] = []
    holding: list[bytes] = []
    for scheme in ("stdlib", "purelib", "platlib"):
        for path in sorted(Path(sysconfig.get_path(scheme)).rglob("*.py")):
            source = path.read_bytes()
            found = any(word in source for word in WORDS)
            (holding if found else without).append(source)
    return without, holding


def lay(folder: Path, files: Iterator[bytes], count: int) -> int:
    """Write `count` of `files`, ten to a directory; return their size."""
    size = 0
    for number, source in enumerate(itertools.islice(files, count)):
        parent = folder / f"d{number // 1000}" / f"e{number // 10 % 100}"
        parent.mkdir(parents=True, exist_ok=True)
        (parent / f"m{number}.py").write_bytes(source)
        size += len(source)
    return size


def mixed(without: Sequence[bytes], holding: Sequence[bytes]) -> Iterator[bytes]:
    """Yield files of which the given share has one of the words, evenly spread."""
    plain, spoken = itertools.cycle(without), itertools.cycle(holding)
    every = round(1 / SHARE)
    for number in itertools.count():
        yield next(spoken if number % every == 0 else plain)


def seconds(command: Sequence[str]) -> float:
    """Return how long `command` takes as a whole process, whatever it finds."""
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True)
    took = time.perf_counter() - began
    if done.returncode not in {0, 1, 2} or re.search(rb"Traceback|No module named", done.stderr):
        raise SystemExit(f"{command} failed: {done.stderr.decode(errors='replace')}")
    return took


def compare(name: str, tree: Path, other: Sequence[str], runs: int) -> None:
    """Print the ratio of kata-lint to `other` on `tree`."""
    lint = [sys.executable, "-m", "otelkata.cli.lint", "--statistics", str(tree)]
    seconds(other), seconds(lint)
    pairs = [(seconds(lint), seconds(other)) for _ in range(runs)]
    ratios = [mine / its for mine, its in pairs]
    mine, its = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"kata-lint / {name}: median {statistics.median(ratios):.2f}, min {min(ratios):.2f}, "
        f"max {max(ratios):.2f} (at most {LIMITS[name]}); {mine:.2f} s against {its:.2f} s"
    )


def main() -> None:
    """Print both ratios and how they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    without, holding = sources()
    words = "|".join(word.decode() for word in WORDS)
    with tempfile.TemporaryDirectory(prefix="kata-lint-") as folder:
        nothing, some = Path(folder, "nothing"), Path(folder, "some")
        size = lay(nothing, itertools.cycle(without), FILES)
        print(f"{FILES} files, {size / 1e6:.0f} MB, none with {words}; {options.runs} pairs")
        compare("grep", nothing, ["grep", "-rlE", words, str(nothing)], options.runs)
        shutil.rmtree(nothing)
        size = lay(some, mixed(without, holding), FILES)
        print(f"{FILES} files, {size / 1e6:.0f} MB, {SHARE:.0%} with them; {options.runs} pairs")
        ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--quiet"]
        compare("ruff", some, [*ruff, "--select", "F401", str(some)], options.runs)


if __name__ == "__main__":
    main()
