"""What a submission has too much of ends it, with a message; and nothing of it outlives its run."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from event_loop import in_event_loop, until
from hosting import SUBMISSION, a_parent, write

from otelkata.deploy.keeper import IsolationUnavailable
from otelkata.deploy.link import Host
from otelkata.deploy.parent import Parent
from otelkata.host.isolation import LEVELS, OUTPUT_KEPT, SCRATCH_FILES_LIMIT, Level

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the levels need Linux")

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


@pytest.mark.parametrize("source", [DAEMON, FORK_BOMB], ids=["a daemon", "a fork bomb"])
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
