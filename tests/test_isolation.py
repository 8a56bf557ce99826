"""Each layer of isolation holds against an attack that is really tried, from a submission."""

import asyncio
import os
import platform
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attacks import attempt, attempt_all
from event_loop import in_event_loop

from otelkata.host.isolation import DESCRIPTORS_LIMIT, LEVELS, TASKS_LIMIT, Level

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the levels need Linux")

CALLS = {
    "PTRACE": (101, 117),
    "VM_READ": (310, 270),
    "UNSHARE": (272, 97),
    "MOUNT": (165, 40),
    "HOSTNAME": (170, 161),
    "MQ_OPEN": (240, 180),
}
"""Numbers of system calls on x86_64 and aarch64."""

STRONG: list[Level] = ["restricted", "sandbox"]
X86 = platform.machine() == "x86_64"


ATTACKS = {
    "write outside of scratch": "open(OUTSIDE + '/marker', 'w')",
    "change its own": "open(os.path.dirname(__file__) + '/checkout.py', 'a')",
    "write into the interpreter": "os.mkdir(sys.prefix + '/marker')",
    "write into the system": "open('/etc/marker', 'w')",
    "read a file of the grader": "return open(OUTSIDE + '/secret').read()",
    "list a directory of the grader": "return os.listdir(OUTSIDE + '/hidden')",
    "memory of its parent": "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "memory of the grader": "open(f'/proc/{GRADER}/mem', 'rb').read(1)",
    "the grader's environment": "return open(f'/proc/{GRADER}/environ').read()",
    "descriptors of the grader": "return os.listdir(f'/proc/{GRADER}/fd')",
    "signal to the grader": "os.kill(GRADER, 0)",
    "ptrace of its parent": "call(PTRACE, 16, os.getppid(), 0, 0)",
    "ptrace of itself": "call(PTRACE, 0, 0, 0, 0)",
    "process_vm_readv": "call(VM_READ, os.getppid(), 0, 0, 0, 0, 0)",
    "a user namespace of its own": "call(UNSHARE, 0x10000000)",
    "mount": "call(MOUNT, b'x', b'/', b'tmpfs', 0, b'')",
    "remount to write": "call(MOUNT, b'', b'/', b'', 4096 | 32, b'')",
    "become another user": "os.setuid(1)",
    "chroot": "os.chroot('/')",
    "sockets of virtual machines": "socket.socket(40, socket.SOCK_STREAM)",
    "packet sockets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "raw sockets": "socket.socket(type=socket.SOCK_RAW, proto=1)",
    "the kernel's log": "open('/dev/kmsg', 'w')",
    "rename the machine": "call(HOSTNAME, b'marker', 6)",
    "message queues": "call(MQ_OPEN, b'marker', 0o102, 0o600, 0)",
    "limits of its parent": "resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))",
}

LIMITS = {
    "bytearray(5 * 2**30)": "failed: ENOMEM",
    "return len(bytearray(2**26))": f"did: {2**26}",
    "with open(TMP + '/big', 'w') as f: f.truncate(2**30)": "failed: EFBIG",
    "[open('/dev/null') for _ in range(5000)]": "failed: EMFILE",
    "return open('/dev/null').read() + str(len(open('/dev/urandom', 'rb').read(9)))": "did: 9",
    "return open(TMP + '/file', 'w').write('x')": "did: 1",
    "return subprocess.run([sys.executable, '-c', '']).returncode": "did: 0",
    "import multiprocessing; multiprocessing.Lock()": "did: None",
    (
        "from multiprocessing.shared_memory import SharedMemory as Shared; "
        "made = Shared(create=True, size=9); made.close(); made.unlink()"
    ): "did: None",
    "return socket.gethostbyname('localhost')": "did: 127.0.0.1",
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))": "did: None",
    "resource.prlimit(os.getpid(), resource.RLIMIT_CORE)": "did: None",
    "os.sched_setaffinity(os.getpid(), os.sched_getaffinity(0))": "did: None",
    "os.sched_setaffinity(threading.get_native_id(), os.sched_getaffinity(0))": "did: None",
    "os.setpriority(os.PRIO_PROCESS, os.getpid(), 0)": "did: None",
    "import sqlite3; sqlite3.connect(TMP + '/db').execute('CREATE TABLE t (x)')": "did: None",
}


def a_folder() -> tempfile.TemporaryDirectory[str]:
    # Other than pytest's own, other users can get through it, as a submission may have to.
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a directory that other users can get through."""
    with a_folder() as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="module", params=STRONG)
def told(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return what came of all attacks, tried in one host."""
    with a_folder() as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        outside = path / "outside"
        (outside / "hidden").mkdir(parents=True)
        (outside / "secret").write_text("of the grader")
        (outside / "secret").chmod(0o600)
        (outside / "hidden").chmod(0o700)
        known = {name: numbers[0 if X86 else 1] for name, numbers in CALLS.items()}
        names = {"OUTSIDE": str(outside), "GRADER": os.getpid(), **known}
        heads = "; ".join(f"{name} = {value!r}" for name, value in names.items())
        codes = {name: f"{heads}\n{code}" for name, code in ATTACKS.items()}
        came = asyncio.run(attempt_all(path, codes, request.param))
        came["marker"] = str(sorted(found.name for found in outside.iterdir()))
        yield came


@pytest.mark.parametrize("name", ATTACKS)
def test_what_a_submission_must_not_do_fails(name: str, told: dict[str, str]) -> None:
    assert re.match(r"failed: E[A-Z]+$", told[name]), told[name]


def test_no_marker_was_left(told: dict[str, str]) -> None:
    assert told["marker"] == "['hidden', 'secret']"


@pytest.mark.parametrize("level", STRONG)
@in_event_loop
async def test_a_parent_that_is_shot_at_lives_on(level: Level, tmp_path: Path) -> None:
    """`attempt` makes another host afterwards."""
    told = await attempt(tmp_path, "os.kill(os.getppid(), signal.SIGKILL)", level)
    assert told in {"did: None", "failed: EPERM"}


@pytest.mark.parametrize(
    "code",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "socket.create_connection(('2001:db8::1', 80), timeout=5)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 53))",
    ],
)
@in_event_loop
async def test_there_is_no_way_out_of_the_sandboxs_network(code: str, tmp_path: Path) -> None:
    told = await attempt(tmp_path, code, "sandbox")
    assert told in {"failed: ENETUNREACH", "failed: EADDRNOTAVAIL", "failed: EAFNOSUPPORT"}


@contextmanager
def a_listener(family: int, address: object) -> Iterator[socket.socket]:
    with socket.socket(family) as listener:
        listener.bind(address)  # type: ignore[arg-type]
        listener.listen()
        listener.setblocking(False)
        yield listener


@in_event_loop
async def test_the_machines_own_loopback_is_another_one(tmp_path: Path) -> None:
    with a_listener(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        code = f"socket.create_connection({listener.getsockname()})"
        assert await attempt(tmp_path, code, "sandbox") == "failed: ECONNREFUSED"
        with pytest.raises(BlockingIOError):
            listener.accept()


@in_event_loop
async def test_abstract_sockets_of_the_machine_are_out_of_reach(tmp_path: Path) -> None:
    name = f"\0otelkata-{os.getpid()}"
    with a_listener(socket.AF_UNIX, name) as listener:
        code = f"socket.socket(socket.AF_UNIX).connect({name!r})"
        assert await attempt(tmp_path, code, "sandbox") == "failed: ECONNREFUSED"
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("level", LEVELS)
@in_event_loop
async def test_a_host_inherits_its_channel_and_nothing_else(level: Level, tmp_path: Path) -> None:
    code = """
    def kind(number):
        return os.readlink(f"/proc/self/fd/{number}").partition(":")[0]
    kinds = []
    for number in range(1000):
        try:
            kinds.append(kind(number))
        except OSError:
            pass
    return kinds
    """
    told = await attempt(tmp_path, code, level)
    assert told == "did: ['/dev/null', 'pipe', 'pipe', 'socket']"


@pytest.mark.parametrize("level", LEVELS)
@in_event_loop
async def test_the_environment_is_a_clean_one(
    level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    code = """
    texts = [str(dict(os.environ)), open("/proc/self/environ").read()]
    try:
        texts.append(open(f"/proc/{os.getppid()}/environ").read())
    except OSError:
        pass
    return any("GRADER_TOKEN" in text for text in texts)
    """
    assert await attempt(tmp_path, code, level) == "did: False"


@pytest.mark.parametrize("level", LEVELS)
@in_event_loop
async def test_limits_bound_one_process_and_let_honest_ones_live(
    level: Level, tmp_path: Path
) -> None:
    assert DESCRIPTORS_LIMIT < 5000
    codes = {code: f"TMP = os.environ['TMPDIR']\n{code}" for code in LIMITS}
    assert await attempt_all(tmp_path, codes, level) == LIMITS


@pytest.mark.parametrize("level", STRONG)
@in_event_loop
async def test_the_number_of_tasks_is_bounded(level: Level, tmp_path: Path) -> None:
    code = f"""
    threading.stack_size(65_536)
    over, count = threading.Event(), 0
    try:
        while count < {2 * TASKS_LIMIT}:
            threading.Thread(target=over.wait).start()
            count += 1
        return "no end"
    except RuntimeError:
        return 100 < count <= {TASKS_LIMIT}
    finally:
        over.set()
        while threading.active_count() > 5:
            time.sleep(0)
    """
    assert await attempt(tmp_path, code, level) == "did: True"
