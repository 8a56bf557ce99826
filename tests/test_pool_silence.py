"""A worker that is brought to a halt ends, and its submissions get another one."""

import os
import signal
import sys
from pathlib import Path

import pytest
from event_loop import in_event_loop

from otelkata.batch import pool as pool_module
from otelkata.batch.pool import Pool
from otelkata.batch.task import Done, Task, Terms
from otelkata.drive import load, reading, run

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing can be stopped")


def test_the_longest_run_that_there_may_be_is_no_silence() -> None:
    assert load.MOST * run.RUN_LIMIT + reading.READING_LIMIT < pool_module.SILENCE_LIMIT


@in_event_loop
async def test_a_worker_without_news_is_ended_and_what_it_had_is_graded_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "SILENCE_LIMIT", 0.5)
    pool = Pool(Terms(python=sys.executable), 1)
    try:
        await pool.open()
        [worker] = pool.pids()
        os.kill(worker, signal.SIGSTOP)
        tasks = [Task(number, str(tmp_path), 1) for number in range(2)]
        done = [news.graded async for news in pool.grade(tasks) if isinstance(news, Done)]
        assert pool.pids() != [worker]
    finally:
        await pool.close()
    assert [graded.verdict for graded in done] == ["failed", "failed"]
