"""What a submission has too much of ends it, with a message; and nothing of it outlives its run."""

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from event_loop import in_event_loop, until
from hosting import SUBMISSION, a_parent, place_in, start, write

from otelkata.deploy import keeper
from otelkata.deploy.keeper import IsolationUnavailable
from otelkata.deploy.link import Host
from otelkata.deploy.parent import Parent
from otelkata.drive.run import Settings
from otelkata.grade import Grader
from otelkata.host import linux, processes
from otelkata.host.isolation import LEVELS, OUTPUT_KEPT, SCRATCH_FILES_LIMIT, Level

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the levels need Linux")

STRONG: list[Level] = ["restricted", "sandbox"]

DAEMON = """
import os, signal
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        held = os.open(os.environ["TMPDIR"] + "/pipe", os.O_WRONLY)
        os.write(held, b"here")
        while True:
            signal.pause()
    os._exit(0)
os.wait()
"""

FORK_BOMB = """
import os
held = os.open(os.environ["TMPDIR"] + "/pipe", os.O_WRONLY)
os.write(held, b"here")
while True:
    try:
        os.fork()
    except OSError:
        pass
"""

RABBITS = """
import os, time
if os.fork() == 0:
    held = os.open(os.environ["TMPDIR"] + "/pipe", os.O_WRONLY)
    os.write(held, b"here")
    end, made = time.monotonic() + 60, 0
    while made < 2 and time.monotonic() < end:
        try:
            if os.fork():
                made += 1
            else:
                os.setpgid(0, 0)
                made = 0
        except OSError:
            pass
    os._exit(0)
"""
"""Whoever looks for them finds only those that have ended since."""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a directory that other users can get through."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        yield path


@asynccontextmanager
async def running(
    tmp_path: Path, source: str, level: Level
) -> AsyncIterator[tuple[Parent, Host, Path]]:
    """Yield the parent, a host that imports `source`, and its scratch directory."""
    submission = write(tmp_path, SUBMISSION + source)
    try:
        async with a_parent(tmp_path, level=level) as (parent, _):
            work = tmp_path / "run" / "work"
            os.mkfifo(work / "pipe")
            (work / "pipe").chmod(0o666)
            yield parent, parent.make_host("main", submission, {"TMPDIR": str(work)}), work
    except IsolationUnavailable as error:
        pytest.skip(str(error))


def has_spoken(pipe: int) -> bool:
    try:
        return bool(os.read(pipe, 4))
    except BlockingIOError:
        return False  # the other end is open, and nothing written yet


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(DAEMON, id="a daemon"),
        # A thousand processes leave nothing to the tests beside it.
        pytest.param(FORK_BOMB, id="a fork bomb", marks=pytest.mark.hostile),
    ],
)
@pytest.mark.parametrize("level", LEVELS)
@in_event_loop
async def test_nothing_outlives_the_run(level: Level, source: str, tmp_path: Path) -> None:
    """A pipe that they hold open comes to its end when all of them have."""
    if source is FORK_BOMB and level == "process" and os.geteuid() == 0:
        pytest.skip("the number of root's own processes is not limited")
    async with running(tmp_path, source, level) as (_, _, work):
        pipe = os.open(work / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        await until(lambda: has_spoken(pipe))
        os.set_blocking(pipe, True)
    try:
        assert await asyncio.to_thread(os.read, pipe, 4) == b""
    finally:
        os.close(pipe)


@pytest.mark.hostile
@pytest.mark.parametrize("level", STRONG)
@in_event_loop
async def test_who_forks_faster_than_is_looked_does_not_outlive_the_run(
    level: Level, tmp_path: Path
) -> None:
    if level == "restricted" and os.geteuid() and linux.landlock_version() < 6:
        pytest.skip("nothing here sends a signal to all of a submission's processes")
    async with running(tmp_path, RABBITS, level) as (_, _, work):
        pipe = os.open(work / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        await until(lambda: has_spoken(pipe))
        os.set_blocking(pipe, True)
    try:
        assert await asyncio.to_thread(os.read, pipe, 4) == b""
    finally:
        os.close(pipe)


async def the_keeper() -> int:
    """Return the number of the first process of the sandbox that a test has made."""
    while True:
        for process in processes.descendants(os.getpid()):
            with suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                if re.search(r"^NSpid:.*\s1$", status, re.MULTILINE):
                    return process.pid
        await asyncio.sleep(0)


@in_event_loop
async def test_a_keeper_that_is_ended_in_the_sandbox_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, "", "sandbox") as (parent, host, _):
        assert (await start(host)).ok
        assert parent.lost == ""
        os.kill(await the_keeper(), signal.SIGKILL)
        assert await host.exited == -9
        await until(lambda: parent.lost)
        assert parent.lost == "the process that kept the sandbox was ended by SIGKILL"


@in_event_loop
async def test_a_submission_whose_keeper_is_ended_fails(tmp_path: Path) -> None:
    """Nobody else in the sandbox could have done it."""
    submission = write(tmp_path, "import threading; threading.Event().wait()")

    async def end() -> None:
        keeper = await the_keeper()
        await until(lambda: processes.descendants(keeper))
        os.kill(keeper, signal.SIGKILL)

    ending = asyncio.create_task(end())
    try:
        settings = Settings(seed=1, quick=True)
        async with Grader(sys.executable, "sandbox") as grader:
            grader.open()
            result = await grader.grade(str(submission), settings)
    except IsolationUnavailable as error:
        pytest.skip(str(error))
    finally:
        ending.cancel()
    (runs,) = (check for check in result.checks if check.id == "submission.runs")
    assert result.verdict == "failed"
    assert "kept the sandbox was ended by SIGKILL" in runs.message


@in_event_loop
async def test_a_keeper_that_does_not_end_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "END_LIMIT", 0.0)
    place = place_in(tmp_path)
    mine, its = socket.socketpair()
    with mine, its:
        stopped = keeper.Keeper(mine)
        opening = asyncio.ensure_future(stopped.open("process", place))
        await asyncio.to_thread(socket.recv_fds, its, 65_536, 1)
        await stopped.close()
        assert stopped.ended.is_set()
        with pytest.raises(IsolationUnavailable):
            await opening


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "import os\nfor _ in range(1024): os.write(1, b'x' * 2**20)",
            "it printed more than",
            id="1 GB of output",
        ),
        pytest.param(
            f"""
import os
for n in range({SCRATCH_FILES_LIMIT} + 1): open(os.environ["TMPDIR"] + f"/{{n}}", "w").close()
import threading; threading.Event().wait()
""",
            "it filled its scratch directory",
            id="many files",
        ),
        pytest.param(
            """
import os, signal
held = bytearray(2**29)
for _ in range(8):
    if os.fork() == 0:
        sum(held[::4096])
        signal.pause()
signal.pause()
""",
            "its processes took more than",
            id="memory in many processes",
        ),
        pytest.param(
            """
import os, signal
for _ in range(300):
    os.posix_spawn("/bin/sleep", ["sleep", "100"], {})
signal.pause()
""",
            "it had more than",
            id="many processes",
        ),
        pytest.param(
            """
import os, signal
held = [None] * 6
for number in range(6):
    held[number] = open(os.environ["TMPDIR"] + "/file", "wb")
    os.unlink(os.environ["TMPDIR"] + "/file")
    for _ in range(100):
        held[number].write(bytes(2**20))
signal.pause()
""",
            "it filled its scratch directory",
            id="files without a name",
        ),
    ],
)
@pytest.mark.parametrize("level", LEVELS)
@in_event_loop
async def test_a_flood_ends_the_submission_and_is_told(
    level: Level, source: str, reason: str, tmp_path: Path
) -> None:
    async with running(tmp_path, source, level) as (parent, host, _):
        assert await host.exited == -9
        await until(lambda: parent.flooded)
        assert parent.flooded.startswith(reason)
        assert len(host.output.encode()) <= OUTPUT_KEPT
        other = parent.make_host("other", tmp_path, {})
        assert await other.exited == -9
