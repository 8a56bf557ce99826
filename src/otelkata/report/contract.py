"""Read what was written as the contract's JSON: one result, or a list of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from otelkata.judge.criteria import CRITERIA, REQUIRED
from otelkata.judge.verdict import CheckStatus, CriterionStatus

from .graded import SCHEMA_VERSION, Graded, Judged, LintFinding, Place, Score

DEPTH_LIMIT = 100
"""How deep lists and objects may lie in each other; those of a result do a few times."""


class ContractError(Exception):
    """Data is no result as the contract has it; the message says where."""


class _Check(msgspec.Struct, frozen=True):
    id: str
    criteria: tuple[str, ...]
    bonus: bool
    status: CheckStatus
    message: str
    why: str
    fix: str
    trace: str | None
    location: Place | None
    duration_s: float


class _Scores(msgspec.Struct, frozen=True):
    required: Score
    bonus: Score


class _Result(msgspec.Struct, frozen=True):
    submission: str
    verdict: Literal["passed", "failed", "error"]
    criteria: dict[str, CriterionStatus]
    seed: int
    partial: bool
    score: _Scores
    checks: tuple[_Check, ...]
    lint: tuple[LintFinding, ...]
    advice: tuple[str, ...]
    isolation: str
    duration_s: float


def read(data: bytes) -> list[Mapping[str, Any]]:
    """Return the objects in `data`, each as it stands there; raise ContractError for all else."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise ContractError(_TOO_DEEP) from error
    if _is_deep(document):
        raise ContractError(_TOO_DEEP)
    objects = document if isinstance(document, list) else [document]
    for number, item in enumerate(objects, 1):
        where = f"result {number}: " if isinstance(document, list) else ""
        version = item.get("schema_version") if isinstance(item, dict) else None
        if version is None:
            raise ContractError(f"{where}it is no result of kata-grade --format json")
        if version != SCHEMA_VERSION:
            raise ContractError(
                f"{where}its schema_version is {version}; this version reads {SCHEMA_VERSION}"
            )
        try:
            result = msgspec.convert(item, type=_Result)
        except msgspec.ValidationError as error:
            raise ContractError(f"{where}it is not as the contract has it: {error}") from error
        if contradiction := _contradiction(result):
            raise ContractError(f"{where}it contradicts itself: {contradiction}")
    return objects


def to_graded(item: Mapping[str, Any], titles: Mapping[str, str]) -> Graded:
    """Return what one of the objects that `read` returned tells; `titles` are those of checks."""
    result = msgspec.convert(item, type=_Result)
    return Graded(
        submission=result.submission,
        verdict=result.verdict,
        seed=result.seed,
        criteria={name: result.criteria.get(name, "not_run") for name in CRITERIA},
        left_out=("some of what is judged",) if result.partial else (),
        required=result.score.required,
        bonus=result.score.bonus,
        checks=tuple(_judged(check, titles) for check in result.checks),
        lint=result.lint,
        advice=result.advice,
        isolation=result.isolation,
        duration_s=result.duration_s,
        error=_error(result.verdict, result.checks, result.advice),
    )


_TOO_DEEP = f"it is no result: lists or objects are nested more than {DEPTH_LIMIT} deep"


def _is_deep(document: object) -> bool:
    # What can be read may still be too deep to be written.
    level = [document]
    for _ in range(DEPTH_LIMIT):
        level = [part for item in level for part in _parts(item)]
        if not level:
            return False
    return True


def _parts(item: object) -> Iterable[object]:
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return (part for part in inner if isinstance(part, dict | list))


def _contradiction(result: _Result) -> str:
    for check in result.checks:
        for name in check.criteria:
            told = result.criteria.get(name, "failed")
            if check.status == "failed" and told != "failed":
                return f"{check.id} failed, and {name} is told as {told}"
    short = [check for check in result.checks if not check.bonus and check.status != "passed"]
    if result.verdict == "failed" and not short:
        return "its verdict is failed, and no required check says why"
    if result.verdict != "passed":
        return ""
    if short:
        return f"its verdict is passed, and {short[0].id} is told as {short[0].status}"
    unmet = [name for name in REQUIRED if result.criteria.get(name) in {"failed", "blocked"}]
    if unmet:
        return f"its verdict is passed, and {unmet[0]} is told as {result.criteria[unmet[0]]}"
    return "" if result.checks else "its verdict is passed, and nothing was checked"


def _judged(check: _Check, titles: Mapping[str, str]) -> Judged:
    fields = {name: getattr(check, name) for name in check.__struct_fields__}
    return Judged(title=titles.get(check.id, check.id), **fields)


def _error(verdict: str, checks: Sequence[_Check], advice: Sequence[str]) -> str:
    # Where nothing was judged, the last remark is why.
    return advice[-1] if verdict == "error" and advice and not checks else ""
