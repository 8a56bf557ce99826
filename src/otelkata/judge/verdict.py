"""Run checks on evidence and draw the verdict from what they found."""

import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from otelkata.evidence.only import READING

from .cases import CaseView
from .criteria import BONUS, CRITERIA, REQUIRED
from .finding import Fault, Finding, Sound, Unjudged
from .registry import Check
from .view import View

NOTHING_SEEN = "nothing of the kind was seen: mend what failed, and it can be judged"

NOTHING_JUDGED = (
    "nothing was judged: this run left out all that it was for; run the submission again"
)
_MOST_NAMED = 3

CheckStatus = Literal["passed", "failed", "blocked", "error"]
CriterionStatus = Literal["passed", "failed", "blocked", "not_run"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one check came to: `fault` is the first of `faults`, `message` also says why not.

    `blames_machine` tells that nothing but a busy machine keeps it from being judged.
    """

    check: Check
    status: CheckStatus
    message: str
    fault: Fault | None
    faults: int
    duration_s: float
    blames_machine: bool = False

    @property
    def fix(self) -> str:
        """Return what to do: of the fault, if that is special, or else of all that are like it."""
        return (self.fault.fix if self.fault else "") or self.check.fix


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a submission came to; `unknown` are ids that the run was for and that no check has."""

    results: list[Result]
    criteria: dict[str, CriterionStatus]
    unknown: tuple[str, ...] = ()

    @property
    def gap(self) -> str:
        """Return in words why nothing can be said of what the run was for; empty where it can."""
        if self.unknown:
            more = len(self.unknown) - _MOST_NAMED
            named = ", ".join(self.unknown[:_MOST_NAMED]) + (
                f" and {more} more" if more > 0 else ""
            )
            return (
                f"this run was for {named}, and this grader has no check of that name; "
                "run the submission again, or judge with the checks that it was run for"
            )
        return "" if self.results else NOTHING_JUDGED

    @property
    def outcome(self) -> Literal["passed", "failed", "error"]:
        """Return `passed` when every required check passed, and nothing is missing.

        Where one crashed, or all that keeps it from passing is a machine that was too busy, that is
        nothing to blame the submission for, and another run may tell.
        """
        if self.gap:
            return "error"
        required = [result for result in self.results if not result.check.bonus]
        short = [result for result in required if result.status != "passed"]
        if not short:
            return "passed"
        crashed = any(result.status == "error" for result in short)
        return "error" if crashed or all(result.blames_machine for result in short) else "failed"

    def score(self, criteria: Iterable[str]) -> tuple[int, int]:
        """Return how many of `criteria` passed, and of how many that were run."""
        statuses = [self.criteria[criterion] for criterion in criteria]
        ran = [status for status in statuses if status != "not_run"]
        return ran.count("passed"), len(ran)

    @property
    def required(self) -> tuple[int, int]:
        """Return how many required criteria passed, and of how many."""
        return self.score(REQUIRED)

    @property
    def bonus(self) -> tuple[int, int]:
        """Return how many bonus criteria passed, and of how many."""
        return self.score(BONUS)


def judge(view: View, checks: Iterable[Check]) -> Verdict:
    """Run every check that the run was for; none hides another. Where one is unknown, none is run.

    Where one of a partial run could not be judged, what broke the contract is told with it, because
    that is why.
    """
    every = list(checks)
    ids = {check.id for check in every}
    if unknown := tuple(name for name in view.evidence.only if name not in ids):
        return Verdict([], dict.fromkeys(CRITERIA, "not_run"), unknown)
    results = [run(view, check) for check in every if is_about(view, check)]
    only = frozenset(view.evidence.only)
    if only and any(result.status == "blocked" for result in results):
        contract = [check for check in every if not check.criteria and check.id not in only]
        broken = [run(view, check) for check in contract]
        results = [*(result for result in broken if result.status == "failed"), *results]
    partly = {name for check in every if only and check.id not in only for name in check.criteria}
    criteria = {name: _criterion(name, results) for name in CRITERIA}
    # One that other checks judge as well has not passed before these have been run.
    criteria |= {n: "not_run" for n in partly if criteria[n] in {"passed", "blocked"}}
    return Verdict(results, criteria)


def is_about(view: View, check: Check) -> bool:
    """Tell whether this run was meant to have what `check` needs; some leave things out."""
    if view.evidence.only and check.id not in view.evidence.only:
        return False
    return not check.lacks(view.evidence.left_out)


def run(view: View, check: Check) -> Result:
    """Run one check: failed when it found a fault, blocked when something was not judged."""
    began = time.perf_counter()
    try:
        found = list(findings(view, check))
    except Exception:  # noqa: BLE001 (a check that crashes is the grader's fault, and is told)
        took = time.perf_counter() - began
        return Result(check, "error", traceback.format_exc(limit=-2), None, 0, took)
    took = time.perf_counter() - began
    faults = [finding for finding in found if isinstance(finding, Fault)]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return Result(check, "failed", faults[0].message + more, faults[0], len(faults), took)
    unjudged = [finding for finding in found if isinstance(finding, Unjudged)]
    if unjudged:
        # What is the submission's own hides more, and is told first.
        first = min(unjudged, key=lambda finding: finding.blames_machine)
        return Result(check, "blocked", first.reason, None, 0, took, first.blames_machine)
    if not any(isinstance(finding, Sound) for finding in found):
        return Result(check, "blocked", NOTHING_SEEN, None, 0, took)
    return Result(check, "passed", "", None, 0, took)


def findings(view: View, check: Check) -> Iterable[Finding]:
    """Yield what `check` finds in what it asked for; what could not be driven is unjudged."""
    arguments: dict[str, object] = {}
    for need in check.needs:
        if need == "view":
            arguments[need] = view
        elif need == READING:
            arguments[need] = view.reading
        elif need.startswith("exits_"):
            tag = need.removeprefix("exits_")
            arguments[need] = [seen for seen in view.exits if tag in seen.tags]
        else:
            usable: list[CaseView] = []
            for case in view.tagged(need):
                if case.obstacle:
                    yield Unjudged(case.obstacle)
                else:
                    usable.append(case)
            arguments[need] = usable
    yield from check.function(**arguments)


def _criterion(criterion: str, results: list[Result]) -> CriterionStatus:
    statuses = {result.status for result in results if criterion in result.check.criteria}
    if "failed" in statuses:
        return "failed"
    # Where nothing was seen running, code without a fault proves nothing.
    if not any(criterion in r.check.criteria and not r.check.is_static for r in results):
        return "not_run"
    return "blocked" if statuses & {"blocked", "error"} else "passed"
