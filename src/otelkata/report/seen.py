"""Leave of a result what a learner may see."""

from collections.abc import Collection, Mapping

import msgspec

from otelkata.judge.criteria import BONUS, REQUIRED
from otelkata.judge.verdict import CriterionStatus

from .graded import Graded, Judged, LintFinding, Score
from .policy import Level, Policy

UNTOLD = "it is only told whether this passed"


def seen(graded: Graded, policy: Policy) -> Graded:
    """Return what the policy shows of `graded`."""
    if not policy.hides:
        return graded
    levels = {check.id: policy.level_of_check(check.id, check.criteria) for check in graded.checks}
    criteria = {
        name: status for name, status in graded.criteria.items() if policy.level(name) != "nothing"
    }
    return msgspec.structs.replace(
        graded,
        criteria=criteria,
        required=_score(criteria, REQUIRED),
        bonus=_score(criteria, BONUS),
        checks=tuple(
            at_level(check, levels[check.id])
            for check in graded.checks
            if levels[check.id] != "nothing"
        ),
        lint=tuple(finding for finding in graded.lint if _is_shown(finding, policy)),
        # Requests of a case, and what a failed check of the grader says, may tell of anything.
        scenarios=(),
        advice=(),
    )


def at_level(check: Judged, level: Level) -> Judged:
    """Return what is seen of `check` at `level`, which is not `nothing`."""
    if level == "all":
        return check
    return msgspec.structs.replace(
        check, message=UNTOLD, why="", fix="", trace=None, location=None, drawing=None
    )


def _score(criteria: Mapping[str, CriterionStatus], among: Collection[str]) -> Score:
    # A number that counts what is hidden would tell it.
    ran = [status for name, status in criteria.items() if name in among and status != "not_run"]
    return Score(ran.count("passed"), len(ran))


def _is_shown(finding: LintFinding, policy: Policy) -> bool:
    return {policy.level(criterion) for criterion in finding.criteria} == {"all"}
