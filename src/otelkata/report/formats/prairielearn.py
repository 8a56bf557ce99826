"""PrairieLearn's results.json, as "External Grading" of its documentation has it.

A criterion is a test. The score is a part of 1; bonus beyond the total cannot show there. Where
the grader failed the submission is not gradable, and so costs no attempt. The file may have 1 MB.
"""

import json
from typing import Any

from otelkata.report.formats import Format
from otelkata.report.graded import Graded
from otelkata.report.marks import Item, Marks, mark
from otelkata.report.plain import fitting, told
from otelkata.report.policy import Policy
from otelkata.report.remarks import remarks

LIMIT = 900_000


def _one(graded: Graded, policy: Policy) -> str:
    marks = mark(graded, policy)
    said = remarks(graded, policy)
    return fitting(lambda room: _results(marks, said, room), LIMIT)


def _results(marks: Marks, said: list[str], room: int) -> str:
    results: dict[str, Any] = {
        "gradable": marks.verdict != "error",
        "score": marks.share,
        "message": said[0] if said else "",
        "output": "\n".join(said[1:]),
        "tests": [_test(item, room) for item in marks.shown],
    }
    if marks.verdict == "error":
        # Neither score nor points: PrairieLearn would show them as a grade.
        results = {"gradable": False, "format_errors": said[:1], "message": said[0]}
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _test(item: Item, room: int) -> dict[str, Any]:
    return {
        "name": item.name,
        "points": item.points,
        "max_points": item.most,
        "message": item.status,
        "output": told(item.checks, room),
    }


FORMAT = Format(
    about="PrairieLearn's `results.json` of an external grader",
    document="PrairieLearn documentation, “External Grading”, section “Grading results”",
    suffix="json",
    one=_one,
)
