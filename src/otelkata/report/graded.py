"""Hold what one submission came to, with all that a report says of it."""

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from otelkata.evidence.model import Evidence, Remark
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.verdict import Result, Verdict

from .tree import draw

SCHEMA_VERSION = 1
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
TEXT_LIMIT = 4_000
"""Longest text, in characters, of any one value in a report."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission, graded. `path` is as it was given; `error` is the grader's own failure."""

    path: str
    seed: int
    verdict: Verdict | None = None
    evidence: Evidence | None = None
    duration_s: float = 0.0
    error: str = ""
    advice: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """Return `passed`, `failed` or `error`."""
        return self.verdict.outcome if self.verdict and not self.error else "error"

    @property
    def partial(self) -> bool:
        """Tell whether something was left out."""
        return bool(self.evidence and self.evidence.left_out)

    @property
    def isolation(self) -> str:
        """Return what kept the submission apart."""
        return self.evidence.isolation if self.evidence else "it was not run"

    @property
    def remarks(self) -> list[Remark]:
        """Return what the linter said of the source."""
        reading = self.evidence.reading if self.evidence else None
        return reading.remarks if reading else []

    @property
    def all_advice(self) -> list[str]:
        """Return the remarks that fail nothing, the linter's among them."""
        return self.advice + [
            f"{remark.path}:{remark.line}: {remark.message} ({remark.code} {remark.name})"
            for remark in self.remarks
            if not remark.criteria
        ]

    def location(self, result: Result) -> dict[str, str | int] | None:
        """Return the place in the submission that `result` points to, if any."""
        path, line = result.fault.place if result.fault else ("", 0)
        return {"path": cut(str(PurePath(self.path) / path)), "line": line} if path else None


def to_json(graded: Graded) -> dict[str, Any]:
    """Return the object of the contract, section 3."""
    verdict = graded.verdict
    passed, total = verdict.required if verdict else (0, 0)
    bonus_passed, bonus_total = verdict.bonus if verdict else (0, 0)
    return {
        "schema_version": SCHEMA_VERSION,
        "submission": graded.path,
        "verdict": graded.outcome,
        "criteria": verdict.criteria if verdict else dict.fromkeys(CRITERIA, "not_run"),
        "seed": graded.seed,
        "partial": graded.partial,
        "score": {
            "required": {"passed": passed, "total": total},
            "bonus": {"passed": bonus_passed, "total": bonus_total},
        },
        "checks": [_check(graded, result) for result in (verdict.results if verdict else [])],
        "lint": [_finding(graded, remark) for remark in graded.remarks if remark.criteria],
        "advice": [cut(remark) for remark in (*graded.all_advice, graded.error) if remark],
        "isolation": graded.isolation,
        "duration_s": round(graded.duration_s, 3),
    }


def cut(text: str) -> str:
    """Return `text` as every reader can show it: controls escaped, at a bounded length."""
    shown = _UNPRINTABLE.sub(lambda match: ascii(match.group())[1:-1], text)
    return shown if len(shown) <= TEXT_LIMIT else f"{shown[:TEXT_LIMIT]}… (cut)"


def _finding(graded: Graded, remark: Remark) -> dict[str, Any]:
    return {
        "code": remark.code,
        "path": cut(str(PurePath(graded.path) / remark.path)),
        "line": remark.line,
        "column": remark.column,
        "message": cut(remark.message),
    }


def _check(graded: Graded, result: Result) -> dict[str, Any]:
    trace = draw(result.fault) if result.fault else None
    return {
        "id": result.check.id,
        "criteria": list(result.check.criteria),
        "bonus": result.check.bonus,
        "status": result.status,
        "message": cut(" ".join((result.message or result.check.title).split())),
        "why": result.check.why,
        "fix": result.check.fix,
        "trace": cut(trace) if trace else None,
        "location": graded.location(result),
        "duration_s": round(result.duration_s, 6),
    }
