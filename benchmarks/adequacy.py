"""Measure the grader as a classifier: plant one fault at a time in correct submissions, grade all.

Run it from the root of the repository: `python -m benchmarks.adequacy`. Faults, and the criteria
that each must make fail, are those of `benchmarks/mutants/map.toml`, fixed before anything is
graded. `--write` puts the report into `docs/adequacy.md`; a test keeps its inputs honest.
`--rounds` grades a part of them again and again, and tells every result that changes.
"""

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.mutants.generate import NOT_COPIED, originals, planted, write
from benchmarks.mutants.submission import load
from benchmarks.stability import busy
from otelkata import __version__, content
from otelkata.judge.criteria import CRITERIA

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "adequacy.md"
MISSED = ROOT / "benchmarks" / "missed.toml"
MAP = ROOT / "benchmarks" / "mutants" / "map.toml"
UNKNOWN = "The reason is not known yet."
RIGHT_LIMIT = 0.98
ONE_IN = 20
"""Of so many mutants one is graded again in each round."""
GRADER = ("checks", "ast_rules", "src/otelkata")
GRADED = ("benchmarks/mutants", "reference_solution/checkout", "fixtures/passing")


@dataclass(frozen=True, slots=True)
class Graded:
    """One mutant, with the criteria that it must fail, one at least, and those that it did."""

    operator: str
    submission: str
    number: str
    criteria: frozenset[str]
    failed: frozenset[str]
    verdict: str
    seed: int
    change: str

    @property
    def kind(self) -> str:
        """Return `right` criterion, `other` criterion, `contract` or `missed`."""
        if self.verdict == "error":
            return "error"
        if self.criteria & self.failed:
            return "right"
        if self.failed:
            return "other"
        return "contract" if self.verdict == "failed" else "missed"


@dataclass(frozen=True, slots=True)
class Again:
    """What came of grading `count` submissions in each of so many rounds, beside a load.

    The load is the number of processes that did nothing but take processors. Each change is a line
    of Markdown; those of verdicts are counted apart from those of criteria alone.
    """

    rounds: int
    count: int
    load: int
    verdicts: int
    changes: list[str]


@dataclass(slots=True)
class Rates:
    """How many were detected, and how."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Return how many there were."""
        return self.counts.total()

    def share(self, *kinds: str) -> float:
        """Return the part of them that were of these `kinds`."""
        return sum(self.counts[kind] for kind in kinds) / self.total if self.total else 0.0


def generate(folder: Path, only: Sequence[str], every: int) -> int:
    """Write the mutants and a copy of each original below `folder`; return how many equal it."""
    equivalent = seen = 0
    for original in originals():
        submission = load(original)
        ignored = shutil.ignore_patterns(*NOT_COPIED)
        shutil.copytree(original, folder / "original" / submission.name, ignore=ignored)
        for each in planted(submission, only):
            if each.equivalent is not None:
                equivalent += 1
                continue
            seen += 1
            if seen % every == 0:
                write(folder / "mutants", original, each)
    return equivalent


def grade(paths: Iterable[Path], jobs: int, cache: Path) -> list[dict[str, Any]]:
    """Return the report on each submission, graded in one batch."""
    command = [sys.executable, "-m", "otelkata.cli.grade", "-", "--jobs", str(jobs), "--no-cache"]
    run = subprocess.run(
        [*command, "--format", "json", "--cache", str(cache)],
        input="\n".join(map(str, paths)).encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    reports: list[dict[str, Any]] = json.loads(run.stdout)
    return reports


def again(
    paths: Sequence[Path], reports: Sequence[Mapping[str, Any]], rounds: int, load: int, jobs: int
) -> Again:
    """Grade submissions that have been reported on in more rounds, each with other seeds."""
    verdicts, changes = 0, list[str]()
    with tempfile.TemporaryDirectory() as cache, busy(load):
        for number in range(1, rounds + 1):
            for before, now in zip(reports, grade(paths, jobs, Path(cache)), strict=True):
                if before["verdict"] == now["verdict"] and before["criteria"] == now["criteria"]:
                    continue
                verdicts += before["verdict"] != now["verdict"]
                changes.append(f"- {_named(now)}: {_result(now)}; before, {_result(before)}")
            print(f"round {number}: {len(changes)} changed so far", file=sys.stderr, flush=True)
    return Again(rounds, len(paths), load, verdicts, changes)


def _named(report: Mapping[str, Any]) -> str:
    place = Path(report["submission"])
    return "/".join(place.parts[-5:-1]) if place.name == "submission" else place.name


def _result(report: Mapping[str, Any]) -> str:
    criteria = " ".join(sorted(failed(report)))
    return f"{report['verdict']} {criteria}".strip() + f" (seed {report['seed']})"


def failed(report: Mapping[str, Any]) -> frozenset[str]:
    """Return the criteria that failed."""
    return frozenset(name for name, status in report["criteria"].items() if status == "failed")


def classify(
    report: Mapping[str, Any], facts: Mapping[str, Any], before: frozenset[str], number: str
) -> Graded:
    """Return what came of a mutant; what its original failed `before` is not its fault."""
    return Graded(
        facts["operator"],
        facts["submission"],
        number,
        frozenset(facts["criteria"]),
        failed(report) - before,
        report["verdict"],
        report["seed"],
        f"{facts['path']}:{facts['line']}: {facts['before'].strip()} → {facts['after'].strip()}",
    )


def summary(*folders: str) -> str:
    """Return what stands for all Python and TOML files in `folders`."""
    digest = hashlib.sha256()
    files = [path for name in folders for path in (ROOT / name).rglob("*")]
    for path in sorted(files):
        if path.suffix in {".py", ".toml"} and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def inputs() -> dict[str, str]:
    """Return what the figures depend on, by the names that it has in the report."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "otelkata": __version__,
        "commit": commit or "none",
        "faults and correct submissions": summary(*GRADED),
        "checks, rules and framework": summary(*GRADER),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("opentelemetry-sdk", "fastapi", "httpx", "libcst")},
        "seeds": "each submission has its own; those of misses are listed",
    }


def page(
    mutants: Sequence[Graded],
    originals: Sequence[Mapping[str, Any]],
    equal: int,
    every: int,
    later: Again | None,
) -> str:
    """Return the report in Markdown."""
    by_operator: dict[str, Rates] = defaultdict(Rates)
    by_criterion: dict[str, Rates] = defaultdict(Rates)
    all_of_them = Rates()
    matrix: Counter[tuple[str, str]] = Counter()
    for each in mutants:
        all_of_them.counts[each.kind] += 1
        by_operator[each.operator].counts[each.kind] += 1
        for criterion in each.criteria:
            by_criterion[criterion].counts["right" if criterion in each.failed else "other"] += 1
            for other in each.failed:
                matrix[criterion, other] += 1
    alarms = [report for report in originals if report["verdict"] != "passed"]
    missed = [each for each in mutants if each.kind != "right"]
    counts = all_of_them.counts
    detected = all_of_them.total - counts["missed"] - counts["error"]
    right = f"**{all_of_them.share('right'):.2%}** (aim: {RIGHT_LIMIT:.0%})"
    sample = {"mutants graded": "all" if every == 1 else f"one in {every}"}
    rows = "\n".join(f"| {name} | {value} |" for name, value in (inputs() | sample).items())
    somehow = f"{detected / all_of_them.total:.2%}"
    head = f"""# How good the grader is

Written by `python -m benchmarks.adequacy --write --rounds 10`; do not edit.

{len(by_operator)} kinds of fault, planted in {len(originals)} correct submissions, gave
{len(mutants)} faulty ones. {equal} more do what their originals do, as code decided beforehand,
and were not graded. Which criteria a fault must make fail was fixed before the first run
(`benchmarks/mutants/map.toml`).

| | | |
|---|---|---|
| detected at a right criterion | {counts["right"]} | {right} |
| detected at any criterion, or as a breach of the contract | {detected} | {somehow} |
| missed | {counts["missed"]} | {all_of_them.share("missed"):.2%} |
| the grader itself failed | {counts["error"]} | |
| false alarms on correct submissions | {len(alarms)} of {len(originals)} | |

| input | |
|---|---|
{rows}

`python -m benchmarks.adequacy --inputs` prints what they are now. A test holds this page to the
version of otelkata, and to the faults and the correct submissions, that are in the repository.

## What was not detected at a right criterion
"""
    by_criterion_rows = [
        f"| {name} | {CRITERIA[name]} | {rates.total} | {rates.share('right'):.0%} |"
        for name in CRITERIA
        for rates in [by_criterion[name]]
    ]
    together = [
        f"| {row} | " + " | ".join(str(matrix[row, column] or "") for column in CRITERIA) + " |"
        for row in CRITERIA
    ]
    sections = [
        head,
        "\n".join(map(_miss, missed)) or "Nothing.",
        *(_rounds(later) if later else []),
        "\n## By kind of fault\n",
        "| fault | mutants | right criterion | any | missed |\n|---|---|---|---|---|",
        *(_row(name, rates) for name, rates in by_operator.items()),
        "\n## By criterion\n",
        "Of the mutants that may fail a criterion, how many did; the others failed another right",
        "one, unless they are listed above.\n",
        "| criterion | | mutants | failed it |\n|---|---|---|---|",
        *by_criterion_rows,
        "\n## Which criteria failed together\n",
        "Rows: criteria of which a fault must fail at least one. Columns: criteria that failed.\n",
        f"| | {' | '.join(CRITERIA)} |\n|---|{'---|' * len(CRITERIA)}",
        *together,
    ]
    return "\n".join(sections) + "\n"


def _rounds(later: Again) -> list[str]:
    return [
        "\n## Graded again\n",
        f"{later.count} of the submissions, the correct ones and one in {ONE_IN} of the others, in",
        f"{later.rounds} more rounds with other seeds, beside {later.load} processes that kept the",
        f"processors busy: {later.verdicts} verdicts changed, and {len(later.changes)} results.\n",
        *later.changes,
    ]


def reasons() -> dict[tuple[str, str], str]:
    """Return why a fault is not detected, by its operator and the submission that it is in."""
    return {
        (operator, submission): entry["reason"]
        for entry in tomllib.loads(MISSED.read_text("utf-8"))["missed"]
        for operator in entry["operators"]
        for submission in entry["submissions"]
    }


def _miss(each: Graded) -> str:
    got = ", ".join(sorted(each.failed)) or each.kind
    wanted = " or ".join(sorted(each.criteria))
    change = " ".join(each.change.split()).replace("`", "'")[:200]
    reason = reasons().get((each.operator, each.submission), UNKNOWN)
    return (
        f"- **{each.operator}** in {each.submission} ({each.number}): {got} instead of {wanted}; "
        f"`{change}` (seed {each.seed})<br>{reason}"
    )


def _row(name: str, rates: Rates) -> str:
    return (
        f"| {name} | {rates.total} | {rates.share('right'):.0%} | "
        f"{rates.share('right', 'other', 'contract'):.0%} | {rates.counts['missed'] or ''} |"
    )


def main() -> None:
    """Grade, print the report, and write it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], metavar="OPERATOR")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth mutant")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="grade some again")
    parser.add_argument("--load", type=int, default=2, help="busy processes beside them (2)")
    parser.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    parser.add_argument("--inputs", action="store_true", help="print what stands for the inputs")
    options = parser.parse_args()
    if options.inputs:
        print(*(f"{name}: {value}" for name, value in inputs().items()), sep="\n")
        return
    assert content.folder("checks") == ROOT / "checks", "grade with the code of this checkout"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        equal = generate(folder, options.only, options.every)
        correct = sorted((folder / "original").iterdir())
        faulty = sorted(path.parent for path in folder.glob("mutants/*/*/*/mutant.json"))
        paths = [*correct, *(path / "submission" for path in faulty)]
        reports = grade(paths, options.jobs, folder / "cache")
        before = {path.name: failed(report) for path, report in zip(correct, reports, strict=False)}
        graded = [
            classify(report, facts, before[facts["submission"]], path.name)
            for path, report in zip(faulty, reports[len(correct) :], strict=True)
            for facts in [json.loads((path / "mutant.json").read_text())]
        ]
        later = None
        if options.rounds:
            some = [*range(len(correct)), *range(len(correct), len(paths), ONE_IN)]
            chosen, known = [paths[at] for at in some], [reports[at] for at in some]
            later = again(chosen, known, options.rounds, options.load, options.jobs)
    written = page(graded, reports[: len(correct)], equal, options.every, later)
    print(written)
    if options.write:
        REPORT.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
