"""The published figures are those of this version, of these faults and correct submissions."""

import re
import tomllib

from benchmarks.adequacy import GRADED, MAP, REPORT, inputs, reasons, summary
from otelkata import __version__

TEXT = REPORT.read_text("utf-8")
ROWS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]*?) \|", TEXT, re.MULTILINE))


def number(row: str) -> int:
    return int(ROWS[row].split()[0])


def test_the_figures_are_of_this_version() -> None:
    assert ROWS["otelkata"] == __version__, "run `python -m benchmarks.adequacy --write`"


def test_the_figures_are_of_these_faults_and_submissions() -> None:
    known = ROWS["faults and correct submissions"]
    assert known == summary(*GRADED), "run `python -m benchmarks.adequacy --write`: some 20 minutes"
    assert set(inputs()) <= set(ROWS)
    assert ROWS["mutants graded"] == "all"


def test_the_figures_add_up() -> None:
    by_fault = TEXT.split("## By kind of fault")[1].split("## By criterion")[0]
    planted = {
        name: int(count)
        for name, count in re.findall(r"^\| ([\w-]+) \| (\d+) \|", by_fault, re.MULTILINE)
    }
    total = sum(planted.values())
    assert f"{total} faulty ones" in TEXT
    assert set(planted) <= set(tomllib.loads(MAP.read_text("utf-8")))
    right = number("detected at a right criterion")
    assert number("missed") + number("the grader itself failed") <= total - right
    assert f"**{right / total:.2%}**" in TEXT
    listed = re.findall(r"^- \*\*[\w-]+\*\* in ", TEXT, re.MULTILINE)
    assert len(listed) == total - right


def test_every_miss_has_its_reason_and_every_reason_its_miss() -> None:
    missed = re.findall(r"^- \*\*([\w-]+)\*\* in (\w+) .*<br>(.*)$", TEXT, re.MULTILINE)
    assert {(operator, submission): reason for operator, submission, reason in missed} == reasons()
