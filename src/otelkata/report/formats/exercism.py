"""Exercism's results.json, version 3, as "The Test Runner Interface" of its documentation has it.

A check is a test, what to mend first comes first, because Exercism shows the first failure alone.
A check of one criterion belongs to the task of that number, F1 being 1. Exercism has no failure
that fails nobody: a bonus check is a test only where it passed. `output` is for what a learner
prints, which is nothing here.
"""

import json
from typing import Any

from otelkata.judge.criteria import CRITERIA
from otelkata.report.faults import urgency
from otelkata.report.formats import Format
from otelkata.report.graded import Graded, Judged
from otelkata.report.plain import explain, one_line
from otelkata.report.policy import Policy
from otelkata.report.remarks import remarks
from otelkata.report.seen import seen

STATUSES = {"passed": "pass", "failed": "fail", "blocked": "error", "error": "error"}
MESSAGE_LIMIT = 65_535 // 4
"""Longest message of the whole, in characters: Exercism's limit is in bytes."""


def _one(graded: Graded, policy: Policy) -> str:
    checks = sorted(seen(graded, policy).checks, key=urgency)
    tests = [_test(check) for check in checks if not check.bonus or check.status == "passed"]
    statuses = {test["status"] for test in tests}
    results: dict[str, Any] = {"version": 3, "status": "pass", "message": None, "tests": tests}
    if graded.error or statuses == {"error"}:
        results |= {"status": "error", "message": _message(graded, policy)[:MESSAGE_LIMIT]}
    elif statuses & {"fail", "error"}:
        results["status"] = "fail"
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _test(check: Judged) -> dict[str, Any]:
    return {
        "name": check.title,
        "status": STATUSES[check.status],
        "message": None if check.status == "passed" else explain(check),
        "test_code": f"{' '.join(check.criteria) or 'contract'}: {check.id}",
        **_task(check),
    }


def _task(check: Judged) -> dict[str, int]:
    if len(check.criteria) != 1:
        return {}
    return {"task_id": [*CRITERIA].index(check.criteria[0]) + 1}


def _message(graded: Graded, policy: Policy) -> str:
    reasons = {one_line(check.message) for check in seen(graded, policy).checks}
    return "\n".join([*remarks(graded, policy)[:1], *sorted(reasons)])


FORMAT = Format(
    about="the `results.json` of an Exercism test runner, version 3",
    document="Exercism documentation, “The Test Runner Interface”",
    suffix="json",
    one=_one,
)
