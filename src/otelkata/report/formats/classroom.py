"""The result that GitHub Classroom's autograding-grading-reporter takes from a runner: base64.

Its fields are those of autograding-io-grader and autograding-python-grader, read by `src/main.js`
and `src/notify-classroom.js` of the reporter. It comes to the reporter in one variable of the
environment, for which Linux has 128 KiB. The reporter prints names and messages into the log of a
workflow, where a line that begins with two colons would be a command.
"""

import base64
import json
import math
from collections.abc import Iterator
from typing import Any

from otelkata.judge.verdict import CheckStatus
from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.marks import Item, Marks, mark
from otelkata.report.plain import fitting, harmless, told
from otelkata.report.policy import Policy
from otelkata.report.remarks import remarks

LIMIT = 90_000
STATUSES: dict[CheckStatus, str] = {
    "passed": "pass",
    "failed": "fail",
    "blocked": "error",
    "error": "error",
}
GRAIN = 64
WITHHELD = "what is not shown"


def _one(graded: Graded, policy: Policy) -> str:
    marks = mark(graded, policy)
    said = remarks(graded, policy)
    result = fitting(lambda room: _result(marks, said, room), LIMIT)
    return base64.b64encode(result.encode()).decode("ascii") + "\n"


def _result(marks: Marks, said: list[str], room: int) -> str:
    is_error = marks.verdict == "error"
    tests = [
        _test(item, score, room) if item.level != "nothing" else _withheld(score)
        for item, score in _scored(marks)
    ]
    if is_error:
        # Without points at all, the reporter leaves those in Classroom as they are.
        tests = [_entry("kata-grade", "error", "\n".join(said), 0.0)]
    result = {
        "version": 1,
        "status": {"passed": "pass", "failed": "fail", "error": "error"}[marks.verdict],
        "max_score": 0 if is_error else marks.most,
        "tests": tests,
    }
    return json.dumps(result, allow_nan=False, ensure_ascii=False)


def _scored(marks: Marks) -> Iterator[tuple[Item, float]]:
    # The reporter adds up floats: parts of a power of two add up to just what they should.
    items = [item for item in marks.items if item.level != "nothing"]
    items += [item for item in marks.items if item.level == "nothing"]
    so_far, given = 0.0, 0.0
    for item in items:
        so_far = min(so_far + item.points, marks.points)
        score = round(so_far * GRAIN) / GRAIN - given
        given += score
        # Bonus that is missed and worth nothing is no news that should look like a failure.
        if item.status == "passed" or item.most or not item.bonus:
            yield item, score


def _test(item: Item, score: float, room: int) -> dict[str, Any]:
    faults = [check for check in item.checks if check.status != "passed"]
    place = next((check.location for check in faults if check.location), None)
    return _entry(item.name, STATUSES[item.status], told(faults, room), score) | {
        "test_code": ", ".join(check.id for check in item.checks),
        "filename": harmless(place.path) if place else "",
        "line_no": place.line if place else 0,
        "execution_time": f"{math.fsum(check.duration_s for check in item.checks):.3f}s",
    }


def _withheld(score: float) -> dict[str, Any]:
    # Its points are in the total, and the total is all that Classroom keeps.
    return _entry(WITHHELD, "pass", "", score)


def _entry(name: str, status: str, message: str, score: float) -> dict[str, Any]:
    return {
        "name": harmless(name),
        "status": status,
        "message": harmless(message),
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "execution_time": "0.000s",
        "score": score,
    }


FORMAT = Format(
    about="a runner's result for GitHub Classroom's grading reporter, in base64",
    document="autograding-grading-reporter, README and `src/` (github-education-resources)",
    suffix="txt",
    one=_one,
)
