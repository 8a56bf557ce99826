"""Grade submissions: drive each, judge the evidence."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from otelkata.deploy.interpreter import Launched, ParentFailed
from otelkata.deploy.network import widen
from otelkata.deploy.parent import Parent
from otelkata.deploy.scratch import Scratch, temporary_folder
from otelkata.deploy.source import UnusableSubmission
from otelkata.deploy.user import own_user
from otelkata.deploy.warm import Warm
from otelkata.drive.load import patience
from otelkata.drive.reading import Reader
from otelkata.drive.run import Crew, Settings, observe
from otelkata.evidence import store
from otelkata.evidence.model import Evidence
from otelkata.host.isolation import Level
from otelkata.host.wire import Problem, text
from otelkata.judge import registry
from otelkata.judge.registry import Check
from otelkata.judge.verdict import judge
from otelkata.judge.view import View
from otelkata.report.graded import NOT_RUN, Graded, failure, graded

from .turns import Turns


class Grader:
    """Grades submissions in hosts forked from one warm parent.

    Many may be graded at the same time. Only one of them is driven, or judged, at any moment; what
    only has to wait, for the submission's own timeouts say, waits beside it.
    """

    def __init__(self, python: str, isolation: Level | None = None) -> None:
        self._warm = Warm(python, isolation)
        self._reader = Reader()
        self._turns = Turns()
        self._checks: Sequence[Check] = ()

    def open(self, launched: Launched | None = None) -> None:
        """Begin; `launched` is an interpreter for the hosts that was started before, if one was.

        Raises ParentFailed where the interpreter cannot be run.
        """
        self._warm.open(launched)
        widen()
        # Loaded while the hosts' interpreter starts.
        self._checks = registry.load()

    async def __aenter__(self) -> Self:
        """Return itself; what it runs is ended with the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what it runs."""
        self._warm.end()
        self._reader.end()
        await asyncio.gather(self._warm.close(), self._reader.close())

    async def isolation(self) -> str:
        """Return what will keep submissions apart.

        Raises ParentFailed where the interpreter of the hosts cannot host anything,
        IsolationUnavailable where the system does not give the level that was asked for.
        """
        with own_user() as user:
            async with temporary_folder() as folder:
                (folder / "submission").mkdir()
                place = Scratch(folder, user).place(folder / "submission")
                keeper, in_force = await self._warm.enclose(place)
                if keeper is not None:
                    await keeper.close()
        return in_force.words

    async def grade(
        self,
        path: str,
        settings: Settings,
        keep: Callable[[Evidence], None] = lambda _: None,
        begin: Callable[[], None] = lambda: None,
        folder: str = "",
    ) -> Graded:
        """Return what the submission at `path` came to; a failure of the grader is told in it.

        `begin` is called when its turn has come, `keep` is given the evidence; `folder` is where
        the submission lies, if not at `path`. Raises IsolationUnavailable where the system does not
        give the level that was asked for.
        """
        began = time.monotonic()
        lies = Path(folder or path)
        try:
            async with self.collect(lies, settings, begin, path) as evidence, self._turns.next():
                result = judge_evidence(path, evidence, self._checks)
                keep(replace(evidence, submission=text(path)))
        except ParentFailed as error:
            return failure(path, settings.seed, str(error), time.monotonic() - began)
        return msgspec.structs.replace(result, duration_s=time.monotonic() - began)

    @asynccontextmanager
    async def collect(
        self,
        submission: Path,
        settings: Settings,
        begin: Callable[[], None] = lambda: None,
        named: str = "",
    ) -> AsyncIterator[Evidence]:
        """Give the evidence on `submission`, also where it cannot be run at all.

        `named` is what it was called, if otherwise. Raises ParentFailed where the interpreter of
        the hosts cannot host anything, IsolationUnavailable where the system does not give the
        level that was asked for.
        """
        crew = Crew(self._reader, lambda *run: Parent(self._warm, *run), patience=patience())
        async with AsyncExitStack() as stack:
            rest = await stack.enter_async_context(self._turns.first())
            begin()
            try:
                evidence = await stack.enter_async_context(
                    observe(submission, settings, crew, rest)
                )
            except UnusableSubmission as error:
                evidence = nothing_seen(submission, settings, unusable(error, named or submission))
            rest()
            yield evidence


def judge_evidence(path: str, evidence: Evidence, checks: Sequence[Check]) -> Graded:
    """Judge what was observed, now or before."""
    view = View(evidence)
    return graded(path, view, judge(view, checks))


def regrade(file: Path, checks: Sequence[Check]) -> Graded:
    """Judge the evidence in `file`; that it cannot be judged is told in what is returned."""
    try:
        evidence = store.read(file)
    except store.EvidenceError as error:
        return failure(str(file), 0, str(error))
    return judge_evidence(evidence.submission, evidence, checks)


def unusable(reason: UnusableSubmission, named: Path | str) -> Problem:
    """Return why the submission that was `named` cannot be run at all."""
    return Problem("", "", reason.stage, text(reason.told(named)), "", 0)


def nothing_seen(submission: Path | str, settings: Settings, *problems: Problem) -> Evidence:
    """Return the evidence on a submission that cannot be run at all because of `problems`."""
    return Evidence(
        submission=text(submission),
        seed=settings.seed,
        left_out=[],
        only=list(settings.only.checks) if settings.only else [],
        platform="",
        python="",
        isolation=NOT_RUN,
        resource={},
        probes=[],
        starts=[],
        cases=[],
        exchanges=[],
        exits=[],
        deliveries=[],
        problems=[*problems],
        logs=[],
        queries=[],
        started=[],
        ended=[],
        spans=[],
        duration_s=0.0,
    )
