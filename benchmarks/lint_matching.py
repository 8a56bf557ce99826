"""Compare all rules on the files that match with parsing them, and with other linters.

Only files that hold one of the linter's words are taken: from the packages installed beside this
Python, or below the folder given by --tree. Parsing and linting take turns in one process, and
processor time is compared. Other linters run as commands with one rule each, where installed; their
start-up, measured on an empty file, is taken off.
"""

import argparse
import gc
import importlib.util
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import libcst as cst

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Unread
from otelkata.lint.rule import Rule, load

LIMIT = 3.0
MOST = 400
"""Files that are measured; of more, every nth."""
OTHERS = {
    "fixit": ["fixit", "--rules", "fixit.rules:NoStaticIfCondition", "lint"],
    "pylint": ["pylint", "-j1", "--rcfile=", "--disable=all", "--enable=R1732"],
    "flake8_async": ["flake8", "-j1", "--isolated", "--select=ASYNC100"],
}
"""Modules that must be there, and how they are run."""


def matching(tree: Path, rules: list[Rule]) -> list[Path]:
    """Return the files that import the API and hold a word of some rule."""
    words = {word for rule in rules for word in rule.words}
    found = []
    for path in sorted(tree.rglob("*.py")):
        source = path.read_bytes()
        if b"opentelemetry" in source and any(word in source for word in words):
            found.append(path)
    return found[:: max(1, len(found) // MOST)]


def compared(files: list[Path], rules: list[Rule]) -> tuple[float, float, int]:
    """Return the seconds for parsing and for linting `files`, and how many were not read."""
    parsing = linting = 0.0
    unread = 0
    for path in files:
        source = path.read_bytes()
        before = time.process_time()
        tree = cst.parse_module(source)
        parsing += time.process_time() - before
        del tree
        before = time.process_time()
        found = lint_source(source, str(path), rules)
        linting += time.process_time() - before
        unread += isinstance(found, Unread)
    return parsing, linting, unread


def of_command(command: list[str], files: list[Path]) -> float:
    """Return the processor seconds that a command takes for `files`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", *command, *map(str, files)],
            check=False,
            capture_output=True,
            cwd=folder,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def others(files: list[Path], linting: float) -> None:
    """Print how other linters compare, or that they are not installed."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text("")
        for module, command in OTHERS.items():
            if importlib.util.find_spec(module) is None:
                print(f"{module}: not installed here, not measured")
                continue
            seconds = of_command(command, files) - of_command(command, [empty])
            print(f"{module}, one rule: {seconds:.2f} s, {seconds / linting:.1f} times ours")


def main() -> None:
    """Print the ratio and how it was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rules = load()
    files = matching(options.tree, rules)
    if not files:
        sys.exit(f"no file below {options.tree} matches; give a folder with --tree")
    size = sum(path.stat().st_size for path in files)
    compared(files[:5], rules)
    results = []
    for _ in range(options.runs):
        gc.collect()
        results.append(compared(files, rules))
    parsing, linting, unread = min(results, key=lambda result: result[1] / result[0])
    ratios = ", ".join(f"{of_all / of_parse:.2f}" for of_parse, of_all, _ in results)
    print(f"{len(files)} matching files, {size / 1e6:.1f} MB, {unread} unread; {len(rules)} rules")
    print(f"libcst.parse_module {parsing:.2f} s, all rules with parsing {linting:.2f} s")
    print(f"ratio {ratios} (each run); limit {LIMIT}")
    others(files, linting)


if __name__ == "__main__":
    main()
