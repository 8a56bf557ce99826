"""Measure the tests of what judges: change it in one place at a time, and count what they notice.

Run it from the root of the repository: `python -m benchmarks.mutation checks`. What is changed and
which tests are asked stands in `targets.toml`; survivors that no test can or should notice are
explained in `explained.toml`, one by one. `--write` puts the result into `docs/mutation.md`.
"""

import argparse
import contextlib
import hashlib
import importlib.metadata
import platform
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from benchmarks.mutation import report
from benchmarks.mutation.planting import Mutant, Wording, mutants, operators
from benchmarks.mutation.report import ROOT, Result, Survivor
from benchmarks.mutation.running import BaselineError, Suite, with_tests

TARGETS = Path(__file__).with_name("targets.toml")


@dataclass(frozen=True, slots=True)
class Target:
    """Files that are changed, as patterns, the tests that have to notice, and the least score."""

    title: str
    files: list[str]
    tests: list[str]
    limit: float


@dataclass(frozen=True, slots=True)
class Configuration:
    """What `targets.toml` says."""

    wording: Wording
    targets: dict[str, Target]


class Killed:
    """Mutants that are known to be killed, kept in a file, so that a run can be gone on with."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        kept = path.read_text("utf-8").split() if path and path.exists() else []
        self._known = set(kept)

    def __contains__(self, mutant: Mutant) -> bool:
        return self._name(mutant) in self._known

    def add(self, mutant: Mutant) -> None:
        """Remember a mutant."""
        if self._path is not None and mutant not in self:
            with self._path.open("a", encoding="utf-8") as kept:
                kept.write(self._name(mutant) + "\n")

    @staticmethod
    def _name(mutant: Mutant) -> str:
        return hashlib.sha256(f"{mutant.path}\0{mutant.code}".encode()).hexdigest()


def configuration() -> Configuration:
    """Read `targets.toml`."""
    return msgspec.convert(tomllib.loads(TARGETS.read_text("utf-8")), Configuration)


def paths_of(target: Target, only: str) -> list[Path]:
    """Return the files of a target whose names hold `only`, in order."""
    found = [path for pattern in target.files for path in sorted(ROOT.glob(pattern))]
    return [path for path in found if only in path.relative_to(ROOT).as_posix()]


def measure(target: Target, wording: Wording, only: str, killed: Killed) -> Result:
    """Test all mutants of a target, and tell each survivor as it is found.

    An interrupt ends it; the files that were done count.
    """
    using = operators()
    paths = paths_of(target, only)
    files: dict[str, tuple[int, int]] = {}
    survivors: list[Survivor] = []

    def use(suite: Suite) -> None:
        cost = suite.cost()
        print(f"{target.title}: the tests take {cost:.1f} s of processor time", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            for path in paths:
                name = path.relative_to(ROOT).as_posix()
                made, lived = 0, list[Survivor]()
                if test := suite.killer(path, path.read_text("utf-8")):
                    raise BaselineError(f"{test}, once {name} is put in its own place")
                for mutant in mutants(path, name, wording, using):
                    made += 1
                    if mutant in killed or suite.killer(path, mutant.code):
                        killed.add(mutant)
                    else:
                        lived.append(Survivor(name, mutant.line, *mutant.key[1:]))
                        print(f"{name}:{mutant.line}: {mutant.text}", flush=True)
                        print(f"    {mutant.before!r} -> {mutant.after!r}", flush=True)
                files[name] = made - len(lived), made
                survivors.extend(lived)
                print(f"{name}: {made - len(lived)} of {made} killed", flush=True)

    with_tests(ROOT, target.tests, use)
    return Result(
        target.title,
        target.tests,
        files,
        survivors,
        report.digest(paths_of(target, "")),
        importlib.metadata.version("mutmut"),
        platform.python_version(),
    )


def main() -> int:
    """Measure the targets that are named; return 0 where each has its least score."""
    configured = configuration()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(configured.targets))
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose names hold it")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="skip the mutants that FILE says are killed"
    )
    parser.add_argument("--write", action="store_true", help=f"write {report.REPORT.name}")
    options = parser.parse_args()
    for name in options.targets:
        if name not in configured.targets:
            parser.error(f"there is no target {name}: choose from {', '.join(configured.targets)}")
    known = report.explanations()
    found = report.results()
    ended = 0
    for name in options.targets:
        target = configured.targets[name]
        try:
            result = measure(target, configured.wording, options.only, Killed(options.resume))
        except ImportError as error:
            print(f"{error}: install it with `pip install -e '.[mutation]'`", file=sys.stderr)
            return 2
        except BaselineError as error:
            print(f"the tests fail without any change:\n{error}", file=sys.stderr)
            return 2
        result = report.merged(found.get(name), result)
        names = [path.relative_to(ROOT).as_posix() for path in paths_of(target, "")]
        result = replace(result, missing=[each for each in names if each not in result.files])
        found[name] = result
        score = report.score(result, known)
        unexplained = [each for each in result.survivors if each.key not in known]
        ended |= score < target.limit
        print(
            f"{name}: score {score:.1%} (at least {target.limit:.0%}); {len(result.survivors)} "
            f"survivors, {len(unexplained)} of them not explained"
        )
    if options.write:
        report.save(found)
        report.REPORT.write_text(report.page(found, known), "utf-8")
    return ended


if __name__ == "__main__":
    sys.exit(main())
