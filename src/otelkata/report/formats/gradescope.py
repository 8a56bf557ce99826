"""Gradescope's results.json, as "Autograder Specifications" of its documentation has it.

A criterion is a test case. All texts are plain: by default Gradescope would render HTML in the
output. Where the grader failed there is no score at all, so that Gradescope gives none.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from otelkata.judge.criteria import CRITERIA
from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.marks import Item, Marks, mark
from otelkata.report.plain import fitting, told
from otelkata.report.policy import CONTRACT, Policy, Until
from otelkata.report.remarks import remarks

LIMIT = 900_000
VISIBILITY: dict[Until, str] = {
    "published": "after_published",
    "due_date": "after_due_date",
    "never": "hidden",
}


def _one(graded: Graded, policy: Policy) -> str:
    marks = mark(graded, policy)
    return fitting(lambda room: _results(graded, marks, policy, room), LIMIT)


def _results(graded: Graded, marks: Marks, policy: Policy, room: int) -> str:
    results: dict[str, Any] = {
        "score": marks.points,
        "execution_time": round(graded.duration_s, 3),
        "output": "\n".join(remarks(graded, policy)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {"number": number} | _test(item, marks, policy, room)
            for number, item in zip(_numbers(marks.items), marks.items, strict=True)
        ],
    }
    if marks.verdict == "error":
        del results["score"]
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _test(item: Item, marks: Marks, policy: Policy, room: int) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": item.name,
        "status": "passed" if item.status == "passed" else "failed",
        "output": told(item.checks, room),
        "visibility": VISIBILITY[policy.until] if item.level == "nothing" else "visible",
        "extra_data": {"id": item.id, "status": item.status},
    }
    if item.most and marks.verdict != "error":
        test |= {"score": item.points, "max_score": item.most}
    return test


def _numbers(items: Iterable[Item]) -> Iterator[str]:
    # The contract is 0, F1 is 1.1, C1 is 2.1, and so on; single checks come last.
    groups = list(dict.fromkeys(criterion[0] for criterion in CRITERIA))
    singles = 0
    for item in items:
        if item.id == CONTRACT:
            yield "0"
        elif item.id in CRITERIA:
            yield f"{groups.index(item.id[0]) + 1}.{item.id[1:]}"
        else:
            singles += 1
            yield f"{len(groups) + 1}.{singles}"


FORMAT = Format(
    about="Gradescope's `results.json`",
    document="Gradescope Autograder Documentation, “Autograder Specifications”",
    suffix="json",
    one=_one,
)
