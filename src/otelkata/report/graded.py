"""Hold what one submission came to: plain data, from which every report derives.

It travels between processes and is kept on disk as JSON of its own (`encode`); the contract's
object, which has less, is made of it by `to_json`.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from otelkata.evidence.model import Remark
from otelkata.judge.cases import CaseView
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.verdict import CheckStatus, CriterionStatus, Result, Verdict
from otelkata.judge.view import View

from .drawing import Crossing, Drawing, lay_out, requests
from .tree import to_text
from .words import cut, cut_line

SCHEMA_VERSION = 1
NOT_RUN = "it was not run"
MOST_NAMED = 4
"""How many checks are named where the same is said of several; of more, the number is told."""

AROUND = 2
"""How many lines are quoted before and after the one that is meant."""

LINE_LIMIT = 160
"""Longest line of source that is quoted, in characters."""


class SourceLine(msgspec.Struct, frozen=True):
    """A line of the submission's source."""

    number: int
    text: str


class Place(msgspec.Struct, frozen=True):
    """A line of the submission; `path` begins with the submission's as it was given.

    `excerpt` is that line with those around it, where the source is known.
    """

    path: str
    line: int
    excerpt: tuple[SourceLine, ...] = ()


class Scenario(msgspec.Struct, frozen=True):
    """One case that was played: what the wire showed of it, and how many spans it left.

    `obstacle` says why its spans cannot be judged, where they cannot.
    """

    title: str
    spans: int
    obstacle: str
    crossings: tuple[Crossing, ...]


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
    """A finding of the linter that fails `criteria`."""

    code: str
    path: str
    line: int
    column: int
    message: str
    excerpt: tuple[SourceLine, ...] = ()
    criteria: tuple[str, ...] = ()


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, graded. `error` is the grader's own failure; then nothing is judged.

    `left_out` are the tags of what was not run, `only` the ids of the checks that it was run for.
    """

    submission: str
    verdict: Literal["passed", "failed", "error"]
    seed: int
    criteria: dict[str, CriterionStatus] = msgspec.field(
        default_factory=lambda: dict.fromkeys(CRITERIA, "not_run")
    )
    left_out: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    required: Score = Score(0, 0)
    bonus: Score = Score(0, 0)
    checks: tuple[Judged, ...] = ()
    lint: tuple[LintFinding, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    advice: tuple[str, ...] = ()
    isolation: str = NOT_RUN
    duration_s: float = 0.0
    error: str = ""

    @property
    def is_partial(self) -> bool:
        """Tell whether something was not judged on purpose."""
        return bool(self.left_out or self.only)

    @property
    def asked(self) -> tuple[Judged, ...]:
        """Return what was judged of what was asked for; a breach of the contract is told beside."""
        return tuple(check for check in self.checks if not self.only or check.id in self.only)

    @property
    def omissions(self) -> str:
        """Return in words what was not judged on purpose; empty where everything was."""
        words = []
        if self.left_out:
            words.append(f"left out {', '.join(name.replace('_', ' ') for name in self.left_out)}")
        if self.only:
            judged = len(self.asked)
            if judged < len(self.only):
                what = f"{judged} of the {len(self.only)} checks that were asked for"
            else:
                what = ", ".join(self.only) if judged <= MOST_NAMED else f"{judged} checks"
            words.append(f"judged only {what}")
        return "; ".join(words)


def failure(submission: str, seed: int, error: str, duration_s: float = 0.0) -> Graded:
    """Return what is told where the grader itself failed."""
    return Graded(
        submission=cut_line(submission),
        verdict="error",
        seed=seed,
        error=cut(error),
        duration_s=duration_s,
    )


def graded(submission: str, view: View, verdict: Verdict) -> Graded:
    """Return what was seen of the `submission`, named as it was given, and what it came to."""
    evidence = view.evidence
    errors = [r.message for r in verdict.results if r.status == "error"]
    reading = view.reading
    remarks = reading.remarks if reading else []
    return Graded(
        submission=cut_line(submission),
        verdict=verdict.outcome,
        seed=evidence.seed,
        criteria=verdict.criteria,
        left_out=tuple(evidence.left_out),
        only=tuple(map(cut_line, evidence.only)),
        required=Score(*verdict.required),
        bonus=Score(*verdict.bonus),
        checks=tuple(judged(submission, result, evidence.sources) for result in verdict.results),
        lint=tuple(
            _finding(submission, remark, evidence.sources) for remark in remarks if remark.criteria
        ),
        scenarios=tuple(_scenario(case) for case in view.cases.values()),
        advice=tuple(
            [cut(f"a check of the grader failed: {error}") for error in errors]
            + [_advice(remark) for remark in remarks if not remark.criteria]
        ),
        isolation=evidence.isolation,
        duration_s=evidence.duration_s,
        error=cut_line(verdict.gap),
    )


def to_json(graded: Graded) -> dict[str, Any]:
    """Return the object of the contract, section 3."""
    return {
        "schema_version": SCHEMA_VERSION,
        "submission": graded.submission,
        "verdict": graded.verdict,
        "criteria": graded.criteria,
        "seed": graded.seed,
        "partial": graded.is_partial,
        "score": {
            "required": msgspec.to_builtins(graded.required),
            "bonus": msgspec.to_builtins(graded.bonus),
        },
        "checks": [_of_contract(judged) for judged in graded.checks],
        "lint": [_of_contract(finding) for finding in graded.lint],
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


def judged(submission: str, result: Result, sources: Mapping[str, str]) -> Judged:
    """Return what one check came to, as anybody can be shown it; `sources` are the submission's."""
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
        fix=cut(result.fix),
        trace=cut(trace) if trace else None,
        location=_place(submission, path, line, sources) if path else None,
        duration_s=round(result.duration_s, 6),
        drawing=drawing,
    )


def _scenario(case: CaseView) -> Scenario:
    return Scenario(case.title, len(case.spans), cut(case.obstacle), requests(case))


def _place(submission: str, path: str, line: int, sources: Mapping[str, str]) -> Place:
    return Place(cut_line(str(PurePath(submission) / path)), line, _excerpt(sources, path, line))


def _excerpt(sources: Mapping[str, str], path: str, line: int) -> tuple[SourceLine, ...]:
    lines = sources.get(path, "").splitlines()
    if not 1 <= line <= len(lines):
        return ()
    first = max(1, line - AROUND)
    shown = [text.expandtabs(4) for text in lines[first - 1 : line + AROUND]]
    return tuple(SourceLine(first + n, cut(text, LINE_LIMIT)) for n, text in enumerate(shown))


def _finding(submission: str, remark: Remark, sources: Mapping[str, str]) -> LintFinding:
    return LintFinding(
        excerpt=_excerpt(sources, remark.path, remark.line),
        code=remark.code,
        path=cut_line(str(PurePath(submission) / remark.path)),
        line=remark.line,
        column=remark.column,
        message=cut_line(remark.message),
        criteria=tuple(remark.criteria),
    )


def _advice(remark: Remark) -> str:
    return cut_line(f"{remark.path}:{remark.line}: {remark.message} ({remark.code} {remark.name})")


def _of_contract(item: Judged | LintFinding) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(item)
    hidden = ["title", "drawing"] if isinstance(item, Judged) else ["excerpt", "criteria"]
    for name in hidden:
        del fields[name]
    if fields.get("location"):
        del fields["location"]["excerpt"]
    return fields
