"""Grade in a worker of a Dask cluster, through a process that holds its own warm parent."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TypedDict

import msgspec
from distributed import Worker, WorkerPlugin, get_worker

from otelkata.deploy.scratch import temporary_folder
from otelkata.report import graded as report

from . import fingerprint, parcel
from .engine import CannotGrade
from .line import Ended, Line
from .task import Task, Terms


class Described(TypedDict, total=False):
    """What a worker says of itself: what results depend on there, or why it cannot grade."""

    surroundings: str
    refused: str
    usage: bool


class Answer(TypedDict, total=False):
    """What a submission came to: JSON as bytes, or why there is none.

    It is empty where the process that ran it has ended; `refused` tells that nothing can be graded.
    """

    result: bytes
    evidence: bytes
    refused: str


class Station(WorkerPlugin):
    """What one batch has on one worker; `code` stands for the grader that began the batch."""

    def __init__(self, terms: Terms, code: str) -> None:
        self._terms = terms
        self._code = code
        self._refusal = ""
        self._shared: Line | None = None

    def setup(self, worker: Worker) -> None:
        """Begin; the process is started when there is something to grade."""
        if fingerprint.of_code() != self._code:
            self._refusal = f"the worker {worker.address} has another version of otelkata"

    async def teardown(self, worker: Worker) -> None:  # noqa: ARG002 (Dask's signature)
        """End the process, and all that it runs."""
        if self._shared is not None:
            await self._shared.close()

    async def describe(self) -> Described:
        """Return what results depend on here."""
        if self._refusal:
            return Described(refused=self._refusal)
        try:
            isolated = await self._line().open()
            return Described(surroundings=fingerprint.of_terms(self._own_terms(), isolated))
        except CannotGrade as error:
            return Described(refused=str(error), usage=error.usage)

    async def grade(self, task: Task, packed: bytes, *, alone: bool) -> Answer:
        """Return what the submission in `packed` came to; `alone` in a process of its own."""
        if self._refusal:
            return Answer(refused=self._refusal)
        line = Line(self._own_terms()) if alone else self._line()
        try:
            await line.open()
            async with temporary_folder() as folder:
                return await _grade(line, task, packed, folder)
        except Ended:
            return Answer()
        except CannotGrade as error:
            return Answer(refused=str(error))
        finally:
            if alone:
                await line.close()

    def _line(self) -> Line:
        if self._shared is None or self._shared.is_ending:
            self._shared = Line(self._own_terms())
        return self._shared

    def _own_terms(self) -> Terms:
        # Without another wish, hosts run under the worker's own interpreter, as elsewhere.
        return msgspec.structs.replace(self._terms, python=self._terms.python or sys.executable)


async def _grade(line: Line, task: Task, packed: bytes, folder: Path) -> Answer:
    submission = folder / "submission"
    submission.mkdir()
    await asyncio.to_thread(parcel.unpack, packed, submission)
    evidence = folder / "evidence" if task.evidence else None
    graded = await line.grade(task, submission, evidence)
    kept = evidence.read_bytes() if evidence is not None and evidence.exists() else b""
    return Answer(result=report.encode(graded), evidence=kept)


async def describe(name: str, dask_worker: Worker) -> Described:
    """Return what the station `name` of a worker says of itself; Dask names the worker."""
    return await _station(dask_worker, name).describe()


async def grade(name: str, order: bytes, packed: bytes, *, alone: bool) -> Answer:
    """Have the station `name` of this worker grade a submission."""
    task = msgspec.convert(json.loads(order), type=Task)
    return await _station(get_worker(), name).grade(task, packed, alone=alone)


def _station(worker: Worker, name: str) -> Station:
    station = worker.plugins[name]
    if not isinstance(station, Station):
        raise TypeError(f"{name} is no station")
    return station
