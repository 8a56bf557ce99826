"""The warm parent: what it cannot do it says, and nothing that it started outlives it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from event_loop import in_event_loop
from hosting import SUBMISSION, a_host, a_parent, leave, start, write

from otelkata.deploy.interpreter import ParentFailed
from otelkata.deploy.link import Exchange, Host, HostGone, Observations
from otelkata.deploy.parent import Parent
from otelkata.deploy.warm import Warm
from otelkata.host import wire


def a_script(tmp_path: Path, body: str) -> str:
    path = tmp_path / "interpreter"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("name", "reason"), [("missing", "No such file"), ("plain", "Permission denied")]
)
@in_event_loop
async def test_an_interpreter_that_cannot_be_run_is_named(
    name: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("")
    python = str(tmp_path / name)
    with pytest.raises(ParentFailed, match=reason) as failed:
        async with a_parent(tmp_path, python):
            pass
    assert python in str(failed.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("""echo '{"missing": "uvicorn", "reason": "no"}'""", "has no module uvicorn.*pip install"),
        ("exit 3", "ended with status 3"),
        ("echo hello", "status|said"),
    ],
    ids=["without uvicorn", "it just ends", "no Python"],
)
@in_event_loop
async def test_an_interpreter_that_cannot_host_says_why(
    body: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ParentFailed, match=message):
        async with a_parent(tmp_path, a_script(tmp_path, body)):
            pass


@in_event_loop
async def test_an_interpreter_without_the_sdk_is_told_from_its_own_words(tmp_path: Path) -> None:
    """A real one: with nothing but the standard library."""
    python = a_script(tmp_path, f'exec {sys.executable} -S "$@"')
    with pytest.raises(ParentFailed, match=r"has no module \w+; hosts need it"):
        async with a_parent(tmp_path, python):
            pass


@in_event_loop
async def test_a_host_that_leaves_ends_with_status_0(tmp_path: Path) -> None:
    async with a_host(tmp_path) as (host, observations):
        assert (await start(host)).ok
        assert await leave(host) == 0
        with pytest.raises(HostGone):
            await host.ask(wire.Leave)
    assert observations.problems == []


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import os; os._exit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11),
    ],
)
@in_event_loop
async def test_the_status_of_a_host_that_dies_is_known(
    source: str, status: int, tmp_path: Path
) -> None:
    async with a_host(tmp_path, source) as (host, _):
        assert await host.exited == status
        with pytest.raises(HostGone):
            await host.ask(wire.Leave)


@in_event_loop
async def test_hosts_have_the_environment_that_they_are_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KATA_SECRET", "of the grader")
    source = "import os; raise ValueError(sorted(n for n in os.environ if 'KATA' in n))"
    submission = write(tmp_path, source)
    async with a_parent(tmp_path) as (parent, observations):
        host = parent.make_host("main", submission, {"KATA_GIVEN": "1"})
        assert not (await start(host)).ok
    assert [p.message for p in observations.problems] == ["ValueError: ['KATA_GIVEN']"]


@in_event_loop
async def test_what_is_looked_for_ahead_hides_no_module_of_a_submission(tmp_path: Path) -> None:
    submission = write(tmp_path, "import sniffio; raise ValueError(sniffio.WHOSE)")
    (submission / "sniffio.py").write_text("WHOSE = 'its own'")
    async with a_parent(tmp_path) as (parent, observations):
        host = parent.make_host("main", submission, {})
        assert not (await start(host)).ok
    assert [p.message for p in observations.problems] == ["ValueError: its own"]


@in_event_loop
async def test_what_a_submission_prints_is_kept_apart(tmp_path: Path) -> None:
    source = "import os, sys; print('out'); print('err', file=sys.stderr); os.write(1, b'raw')"
    submission = write(tmp_path, SUBMISSION + source)
    async with a_parent(tmp_path) as (parent, _):
        host = parent.make_host("main", submission, {})
        await start(host, serves=False)
        assert await leave(host) == 0
    assert all(word in host.output for word in ("out", "err", "raw"))


@in_event_loop
async def test_when_the_parent_is_closed_its_hosts_end_and_what_they_started(
    tmp_path: Path,
) -> None:
    """A pipe that the host and its child hold open comes to its end when both have ended."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    source = f"""
import subprocess
held = open({str(pipe)!r}, "wb")
subprocess.Popen(["sleep", "1000"], stdout=held)
held.write(b"open"); held.flush()
"""
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    try:
        async with a_host(tmp_path, source) as (host, _):
            assert (await start(host)).ok
        assert await asyncio.to_thread(os.read, reading, 100) == b"open"
        assert await asyncio.to_thread(os.read, reading, 100) == b""
    finally:
        os.close(reading)


@in_event_loop
async def test_without_fork_every_host_is_a_new_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    async with a_host(tmp_path) as (host, observations):
        assert (await start(host)).ok
        assert await leave(host) == 0
        other: Host = host
    assert other.gone
    assert observations.problems == []


@in_event_loop
async def test_without_fork_a_host_that_stays_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    async with a_host(tmp_path) as (host, _):
        assert (await start(host)).ok
    assert await asyncio.shield(host.exited) == -9


@in_event_loop
async def test_a_parent_that_was_never_opened_can_be_closed(tmp_path: Path) -> None:
    exchange = Exchange(Observations())
    warm = Warm(sys.executable)
    parent = Parent(warm, exchange, tmp_path)
    await parent.close()
    await warm.close()
    exchange.close()
