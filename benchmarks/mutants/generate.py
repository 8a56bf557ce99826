"""Write each mutant of the correct submissions as a submission of its own.

Run it from the root of the repository: `python -m benchmarks.mutants.generate DIR`.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mutants.catalogue import operators
from benchmarks.mutants.equivalence import equivalent_by
from benchmarks.mutants.mutation import Mutant, Operator, mutant_of
from benchmarks.mutants.submission import Submission, load

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference_solution"
PASSING = ROOT / "fixtures" / "passing"
MAP = Path(__file__).with_name("map.toml")
NOT_COPIED = ("__pycache__", ".*", "tests", "fixture.toml")


@dataclass(frozen=True)
class Planted:
    """A mutant of a submission, and the rule by which it is equivalent, if there is one."""

    submission: Submission
    operator: Operator
    mutant: Mutant
    equivalent: str | None


def originals() -> list[Path]:
    """List the submissions that are correct: the reference and the passing fixtures."""
    return [REFERENCE, *sorted(path for path in PASSING.iterdir() if path.is_dir())]


def planted(submission: Submission, only: Sequence[str] = ()) -> Iterator[Planted]:
    """Yield every mutant of a submission, operator by operator, in the order of the code."""
    for _theme, operator in operators():
        if only and operator.name not in only:
            continue
        seen: set[tuple[str, str]] = set()
        for edit in operator.sites(submission):
            mutant = mutant_of(operator.name, len(seen) + 1, edit)
            if (mutant.path, mutant.code) in seen:
                continue
            seen.add((mutant.path, mutant.code))
            yield Planted(submission, operator, mutant, equivalent_by(submission, operator, edit))


def facts(each: Planted) -> dict[str, object]:
    """Say what was done to a submission, for whoever judges what came of it."""
    return {
        "operator": each.operator.name,
        "criteria": list(each.operator.criteria),
        "submission": each.submission.name,
        "path": each.mutant.path,
        "line": each.mutant.line,
        "before": each.mutant.before,
        "after": each.mutant.after,
    }


def write(folder: Path, original: Path, each: Planted) -> None:
    """Write a mutant beside what is said of it."""
    place = folder / each.submission.name / each.operator.name / str(each.mutant.number)
    copy = place / "submission"
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / each.mutant.path).write_text(each.mutant.code)
    (place / "mutant.json").write_text(json.dumps(facts(each), indent=2) + "\n")


def table(found: Sequence[Planted]) -> str:
    """Count the mutants by operator and submission; those that are equivalent follow a plus."""
    names = list(dict.fromkeys(each.submission.name for each in found))
    faults = Counter((e.operator.name, e.submission.name) for e in found if e.equivalent is None)
    others = Counter((e.operator.name, e.submission.name) for e in found if e.equivalent)
    rows = [["", *names, "all"]]
    for _theme, operator in operators():
        cells = [_cell(faults[operator.name, name], others[operator.name, name]) for name in names]
        total = sum(faults[operator.name, name] for name in names)
        equal = sum(others[operator.name, name] for name in names)
        rows.append([operator.name, *cells, _cell(total, equal)])
    sums = [_cell(_of(faults, name), _of(others, name)) for name in names]
    rows.append(["all", *sums, _cell(faults.total(), others.total())])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _of(counts: Counter[tuple[str, str]], submission: str) -> int:
    return sum(count for (_operator, name), count in counts.items() if name == submission)


def _cell(faults: int, equivalent: int) -> str:
    return f"{faults}+{equivalent}" if equivalent else str(faults)


def operator_map() -> str:
    """Write down which criteria each operator must make fail, and why."""
    lines = [
        "# Written by `python -m benchmarks.mutants.generate --map`: what each fault must fail.",
        "# At least one of `criteria` is the right one. It is fixed before any mutant is graded.",
    ]
    for theme, operator in operators():
        lines += [
            "",
            f"[{operator.name}]",
            f"theme = {json.dumps(theme)}",
            f"fault = {json.dumps(operator.fault, ensure_ascii=False)}",
            f"criteria = {json.dumps(list(operator.criteria))}",
            f"because = {json.dumps(operator.because, ensure_ascii=False)}",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the mutants, list them, or write the map of the operators."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--only", action="append", default=[], metavar="OPERATOR")
    parser.add_argument("--list", action="store_true", help="print how many there are of each")
    parser.add_argument("--map", action="store_true", help=f"write {MAP.name} anew")
    options = parser.parse_args()
    if options.map:
        MAP.write_text(operator_map())
    found: list[Planted] = []
    if options.list or options.folder:
        for original in originals():
            for each in planted(load(original), options.only):
                found.append(each)
                if options.folder and each.equivalent is None:
                    write(options.folder, original, each)
    if options.folder:
        excluded = [facts(each) | {"rule": each.equivalent} for each in found if each.equivalent]
        (options.folder / "equivalent.json").write_text(json.dumps(excluded, indent=2) + "\n")
    if options.list:
        print(table(found))


if __name__ == "__main__":
    main()
