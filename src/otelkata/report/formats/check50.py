"""The JSON of check50, as "JSON specification" of its documentation has it.

What was blocked, what crashed, and bonus that did not pass are skipped: neither passed nor failed.
Which check blocks another is not known, and so there are no dependencies.
"""

import json
from typing import Any

from otelkata import __version__
from otelkata.report.formats import Format
from otelkata.report.graded import Graded, Judged
from otelkata.report.plain import where
from otelkata.report.policy import Policy
from otelkata.report.seen import seen

SLUG = "otelkata/checkout"
PASSED = {"passed": True, "failed": False, "blocked": None, "error": None}


def _one(graded: Graded, policy: Policy) -> str:
    told: dict[str, Any] = {"results": [_result(check) for check in seen(graded, policy).checks]}
    if graded.error:
        told = {
            "error": {
                "type": "GraderFailed",
                "value": graded.error.partition("\n")[0],
                "traceback": graded.error.splitlines(),
                "data": {},
            }
        }
    output = {"slug": SLUG, **told, "version": __version__}
    return json.dumps(output, indent=4, allow_nan=False) + "\n"


def _result(check: Judged) -> dict[str, Any]:
    passed = PASSED[check.status]
    skipped = check.bonus and passed is False
    rationale = f"bonus: {check.message}" if skipped else check.message
    return {
        "name": check.id,
        "description": check.title,
        "passed": None if skipped else passed,
        "log": list(_log(check)),
        "cause": None if passed else {"rationale": rationale, "help": check.fix or None},
        "data": {"criteria": list(check.criteria), "bonus": check.bonus},
        "dependency": None,
    }


def _log(check: Judged) -> list[str]:
    place = [where(check.location)] if check.location else []
    return [*place, *(check.trace or "").splitlines()]


FORMAT = Format(
    about="what `check50 --output json` writes",
    document="check50 documentation, “JSON specification”",
    suffix="json",
    one=_one,
)
