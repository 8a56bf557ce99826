"""Grade one submission: drive it, judge the evidence."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from otelkata.deploy.interpreter import Launched, ParentFailed
from otelkata.deploy.source import UnusableSubmission
from otelkata.drive.run import Settings, observe
from otelkata.evidence.model import Evidence
from otelkata.host.wire import Problem
from otelkata.judge import registry
from otelkata.judge.registry import Check
from otelkata.judge.verdict import judge
from otelkata.judge.view import View
from otelkata.report.graded import Graded


async def grade(path: str, settings: Settings, launched: Launched | None = None) -> Graded:
    """Return what the submission at `path` came to; a failure of the grader is told in it.

    Raises IsolationUnavailable where the system does not give the level that was asked for.
    `launched` is an interpreter for its hosts that was started before, if one was.
    """
    began = time.monotonic()
    # Loaded while the hosts' interpreter starts.
    checks = registry.load()
    try:
        async with collect(Path(path), settings, launched) as evidence:
            graded = judge_evidence(path, evidence, checks)
    except ParentFailed as error:
        return Graded(path, settings.seed, error=str(error), duration_s=time.monotonic() - began)
    return replace(graded, duration_s=time.monotonic() - began)


@asynccontextmanager
async def collect(
    submission: Path, settings: Settings, launched: Launched | None = None
) -> AsyncIterator[Evidence]:
    """Give the evidence on `submission`, also where it cannot be run at all.

    Raises ParentFailed where the interpreter of the hosts cannot host anything,
    IsolationUnavailable where the system does not give the level that was asked for.
    """
    async with AsyncExitStack() as stack:
        try:
            evidence = await stack.enter_async_context(observe(submission, settings, launched))
        except UnusableSubmission as error:
            evidence = _nothing_seen(submission, settings, str(error))
        yield evidence


def judge_evidence(path: str, evidence: Evidence, checks: Sequence[Check]) -> Graded:
    """Judge what was observed, now or before."""
    verdict = judge(View(evidence), checks)
    errors = [r.message for r in verdict.results if r.status == "error"]
    return Graded(
        path,
        evidence.seed,
        verdict,
        evidence,
        evidence.duration_s,
        advice=[f"a check of the grader failed: {error}" for error in errors],
    )


def _nothing_seen(submission: Path, settings: Settings, reason: str) -> Evidence:
    return Evidence(
        submission=str(submission),
        seed=settings.seed,
        left_out=[],
        platform="",
        python="",
        isolation="it was not run",
        resource={},
        probes=[],
        starts=[],
        cases=[],
        exchanges=[],
        exits=[],
        deliveries=[],
        problems=[Problem("", "", "deploy", reason, "", 0)],
        logs=[],
        queries=[],
        started=[],
        ended=[],
        spans=[],
        duration_s=0.0,
    )
