"""Spread a batch over a Dask cluster; submissions travel as bytes, results as JSON."""

import asyncio
import json
import logging
import secrets
import sys
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import msgspec
from distributed import Client, KilledWorker, LocalCluster

from otelkata.deploy.source import UnusableSubmission
from otelkata.drive.run import Settings
from otelkata.evidence import store
from otelkata.grade import judge_evidence, nothing_seen, unusable
from otelkata.judge import registry
from otelkata.report import graded as report
from otelkata.report.graded import Graded, failure

from . import cluster_worker, fingerprint, parcel
from .cluster_worker import Answer, Described, Station
from .engine import CannotGrade
from .pool import ATTEMPTS, IN_FLIGHT, KILLED
from .task import Began, Done, Task, Terms

CONNECT_LIMIT = 10
"""Longest time, in seconds, in which a scheduler has to answer."""

WORKERS_LIMIT = 60
"""Longest time, in seconds, in which a cluster has to have its first worker."""

GONE = "the scheduler of the cluster has gone; --resume goes on with this batch"
_LOGGERS = ("distributed", "distributed.client", "distributed.gc")
"""Those of the engine that it gives a level and an output of their own."""
_AHEAD = 2
"""How many submissions the cluster is given for each that it can run: the rest lie ready there."""


class Cluster:
    """The workers of the scheduler at `address`; None: `jobs` of its own on this machine."""

    def __init__(self, terms: Terms, jobs: int, address: str | None) -> None:
        # Without another wish, hosts run under each worker's own interpreter.
        python = "" if terms.python == sys.executable else terms.python
        self._terms = msgspec.structs.replace(terms, python=python)
        self._jobs = jobs
        self._address = address
        self._name = f"otelkata-{secrets.token_hex(8)}"
        self._died: Counter[int] = Counter()
        self._stack = AsyncExitStack()
        self._connected: Client | None = None

    async def open(self) -> str:
        """Begin on every worker; return what results depend on there. Raises CannotGrade."""
        # What it has to say of connections would stand between the lines of the report; what
        # matters of it is told by exceptions.
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            address = self._address or await self._local()
            client = Client(address, asynchronous=True, set_as_default=False, timeout=CONNECT_LIMIT)
            self._connected = await self._stack.enter_async_context(client)
            # Typed as what it returns where it is not asynchronous.
            await client.wait_for_workers(1, timeout=WORKERS_LIMIT)  # type: ignore[func-returns-value,misc]
        except (OSError, TimeoutError, ValueError) as error:
            raise CannotGrade(f"--scheduler {self._address}: {error}", usage=True) from error
        station = Station(self._terms, fingerprint.of_code())
        try:
            await client.register_plugin(station, name=self._name)
            self._stack.push_async_callback(self._forget)
            said = await client.run(cluster_worker.describe, self._name)
        except Exception as error:  # their installation may lack anything
            raise CannotGrade(f"the workers of the cluster cannot grade: {error!r}") from error
        return _agreed(said)

    async def close(self) -> None:
        """End what the batch has on the workers, and a cluster of its own."""
        await self._stack.aclose()

    async def grade(self, tasks: Iterable[Task]) -> AsyncGenerator[Began | Done]:
        """Yield what there is to say of `tasks`, as it comes; see `Engine`."""
        waiting, suspects = deque(tasks), deque[Task]()
        running: dict[asyncio.Task[Graded | None], Task] = {}
        try:
            while waiting or suspects or running:
                room = await self._room()
                while waiting and len(running) < room:
                    task = waiting.popleft()
                    running[asyncio.create_task(self._one(task, alone=False))] = task
                    yield Began(task.number)
                if suspects and not running:
                    task = suspects.popleft()
                    running[asyncio.create_task(self._one(task, alone=True))] = task
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    task, graded = running.pop(one), one.result()
                    if graded is None:
                        self._died[task.number] += 1
                        if self._died[task.number] < ATTEMPTS:
                            suspects.append(task)
                            continue
                        graded = failure(task.path, task.seed, KILLED)
                    yield Done(task.number, graded)
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def _client(self) -> Client:
        if self._connected is None:
            raise ValueError("it is not open")
        return self._connected

    async def _local(self) -> str:
        cluster = LocalCluster(
            n_workers=self._jobs,
            threads_per_worker=IN_FLIGHT,
            dashboard_address=None,
            asynchronous=True,
        )
        await self._stack.enter_async_context(cluster)
        return str(cluster.scheduler_address)

    async def _room(self) -> int:
        try:
            threads: Mapping[str, int] = await self._client.nthreads()
        except OSError as error:
            raise CannotGrade(GONE) from error
        return max(1, _AHEAD * sum(threads.values()))

    async def _one(self, task: Task, *, alone: bool) -> Graded | None:
        # None tells that whatever ran it has died.
        try:
            packed = await asyncio.to_thread(parcel.pack, Path(task.path))
        except UnusableSubmission as error:
            evidence = nothing_seen(task.path, Settings(task.seed), unusable(error, task.path))
            _keep(task, store.encode(evidence))
            return judge_evidence(task.path, evidence, registry.load())
        order = json.dumps(msgspec.to_builtins(task)).encode()
        future = self._client.submit(
            cluster_worker.grade, self._name, order, packed, alone=alone, pure=False
        )
        try:
            answer: Answer = await future
        except KilledWorker:
            return None
        except Exception as error:
            if future.cancelled():
                raise CannotGrade(GONE) from error
            return failure(task.path, task.seed, f"the cluster failed on it: {error!r}")
        if "refused" in answer:
            raise CannotGrade(answer["refused"])
        if "result" not in answer:
            return None
        _keep(task, answer["evidence"])
        return report.decode(answer["result"])

    async def _forget(self) -> None:
        # A scheduler that has gone has nothing to forget.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_LIMIT):
                await self._client.unregister_worker_plugin(self._name)


def _keep(task: Task, evidence: bytes) -> None:
    if task.evidence and evidence:
        store.write_encoded(evidence, Path(task.evidence))


def _agreed(said: Mapping[str, Described]) -> str:
    for worker, described in said.items():
        if "refused" in described:
            usage = described.get("usage", False)
            raise CannotGrade(f"the worker {worker}: {described['refused']}", usage=usage)
    return " ".join(sorted({described["surroundings"] for described in said.values()}))
