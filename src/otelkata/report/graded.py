"""Hold what one submission came to: plain data, from which every report derives.

It travels between processes and is kept on disk as JSON of its own (`encode`); the contract's
object, which has less, is made of it by `to_json`.
"""

from pathlib import PurePath
from typing import Any, Literal

import msgspec

from otelkata.evidence.model import Evidence, Remark
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.verdict import CheckStatus, CriterionStatus, Result, Verdict

from .drawing import Drawing, lay_out
from .tree import to_text
from .words import cut

SCHEMA_VERSION = 1
NOT_RUN = "it was not run"


class Place(msgspec.Struct, frozen=True):
    """A line of the submission; `path` begins with the submission's as it was given."""

    path: str
    line: int


class Score(msgspec.Struct, frozen=True):
    """How many criteria passed, of how many that were run."""

    passed: int
    total: int


class Judged(msgspec.Struct, frozen=True):
    """What one check came to; `title` is the line that says what it asks for.

    `trace` is `drawing` as text, or else what details there are.
    """

    id: str
    title: str
    criteria: tuple[str, ...]
    bonus: bool
    status: CheckStatus
    message: str
    why: str
    fix: str
    trace: str | None
    location: Place | None
    duration_s: float
    drawing: Drawing | None = None


class LintFinding(msgspec.Struct, frozen=True):
    """A finding of the linter that fails a criterion."""

    code: str
    path: str
    line: int
    column: int
    message: str


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, graded. `error` is the grader's own failure; then nothing is judged."""

    submission: str
    verdict: Literal["passed", "failed", "error"]
    seed: int
    criteria: dict[str, CriterionStatus] = msgspec.field(
        default_factory=lambda: dict.fromkeys(CRITERIA, "not_run")
    )
    left_out: tuple[str, ...] = ()
    required: Score = Score(0, 0)
    bonus: Score = Score(0, 0)
    checks: tuple[Judged, ...] = ()
    lint: tuple[LintFinding, ...] = ()
    advice: tuple[str, ...] = ()
    isolation: str = NOT_RUN
    duration_s: float = 0.0
    error: str = ""


def failure(submission: str, seed: int, error: str, duration_s: float = 0.0) -> Graded:
    """Return what is told where the grader itself failed."""
    return Graded(
        submission=cut(submission),
        verdict="error",
        seed=seed,
        error=cut(error),
        duration_s=duration_s,
    )


def graded(submission: str, evidence: Evidence, verdict: Verdict) -> Graded:
    """Return what `evidence` on the `submission`, named as it was given, came to."""
    errors = [r.message for r in verdict.results if r.status == "error"]
    reading = evidence.reading
    remarks = reading.remarks if reading else []
    return Graded(
        submission=cut(submission),
        verdict=verdict.outcome,
        seed=evidence.seed,
        criteria=verdict.criteria,
        left_out=tuple(evidence.left_out),
        required=Score(*verdict.required),
        bonus=Score(*verdict.bonus),
        checks=tuple(_judged(submission, result) for result in verdict.results),
        lint=tuple(_finding(submission, remark) for remark in remarks if remark.criteria),
        advice=tuple(
            [cut(f"a check of the grader failed: {error}") for error in errors]
            + [_advice(remark) for remark in remarks if not remark.criteria]
        ),
        isolation=evidence.isolation,
        duration_s=evidence.duration_s,
    )


def to_json(graded: Graded) -> dict[str, Any]:
    """Return the object of the contract, section 3."""
    return {
        "schema_version": SCHEMA_VERSION,
        "submission": graded.submission,
        "verdict": graded.verdict,
        "criteria": graded.criteria,
        "seed": graded.seed,
        "partial": bool(graded.left_out),
        "score": {
            "required": msgspec.to_builtins(graded.required),
            "bonus": msgspec.to_builtins(graded.bonus),
        },
        "checks": [_of_contract(judged) for judged in graded.checks],
        "lint": [msgspec.to_builtins(finding) for finding in graded.lint],
        "advice": [*graded.advice, *([graded.error] if graded.error else [])],
        "isolation": graded.isolation,
        "duration_s": round(graded.duration_s, 3),
    }


def encode(graded: Graded) -> bytes:
    """Return `graded` as one line of JSON."""
    return msgspec.json.encode(graded)


def decode(data: bytes) -> Graded:
    """Return what `encode` was given; raise msgspec.DecodeError where it was nothing of this."""
    return msgspec.json.decode(data, type=Graded)


def _judged(submission: str, result: Result) -> Judged:
    fault = result.fault
    drawing = lay_out(fault) if fault else None
    trace = to_text(drawing) if drawing else fault.details.strip() if fault else ""
    path, line = fault.place if fault else ("", 0)
    return Judged(
        id=result.check.id,
        title=result.check.title,
        criteria=result.check.criteria,
        bonus=result.check.bonus,
        status=result.status,
        message=cut(" ".join((result.message or result.check.title).split())),
        why=result.check.why,
        fix=result.check.fix,
        trace=cut(trace) if trace else None,
        location=Place(cut(str(PurePath(submission) / path)), line) if path else None,
        duration_s=round(result.duration_s, 6),
        drawing=drawing,
    )


def _finding(submission: str, remark: Remark) -> LintFinding:
    return LintFinding(
        code=remark.code,
        path=cut(str(PurePath(submission) / remark.path)),
        line=remark.line,
        column=remark.column,
        message=cut(remark.message),
    )


def _advice(remark: Remark) -> str:
    return cut(f"{remark.path}:{remark.line}: {remark.message} ({remark.code} {remark.name})")


def _of_contract(judged: Judged) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(judged)
    del fields["title"], fields["drawing"]
    return fields
