"""What a submission takes is counted wherever it is, and it steps back when it takes much."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import until

from otelkata.deploy.scratch import remove
from otelkata.host import processes
from otelkata.host.isolation import SCRATCH_FILES_LIMIT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the system has to tell")

BUSY = """
import hashlib, threading
for _ in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print(flush=True)
while True:
    hashlib.sha256(bytes(2**16))
"""


@pytest.fixture
def busy() -> "Iterator[subprocess.Popen[bytes]]":
    """Give a process that computes, in a session of its own, with four threads."""
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, start_new_session=True
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running
        running.kill()


def test_the_time_of_all_descendants_is_known(busy: "subprocess.Popen[bytes]") -> None:
    def seconds() -> float:
        return {p.pid: p.seconds for p in processes.descendants(os.getpid())}[busy.pid]

    before, spent = seconds(), processes.spent()
    until(lambda: seconds() > before)
    seen = seconds()
    busy.kill()
    busy.wait()
    assert round(processes.spent() - spent, 4) >= round(seen, 4) > 0


def test_the_time_of_who_was_waited_for_by_nobody_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def process(pid: int, own: float, waited: float = 0.0, began: int = 0) -> processes.Process:
        return processes.Process(pid, 1, 0, began, own, own + waited)

    monkeypatch.setattr(processes, "spent", lambda: 0.0)
    taken = processes.Taken()
    assert taken.look([process(2, 1.0), process(3, 2.0)]) == 3.0
    assert taken.look([process(2, 1.5)]) == 3.5
    assert taken.look([process(2, 1.5), process(3, 0.5, began=1)]) == 4.0  # the number of another
    assert taken.look([process(2, 1.5)]) == 4.0
    assert taken.look([process(2, 1.5, waited=9.0)]) == 10.5  # counted once


def test_shared_memory_of_a_submission_is_counted_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.geteuid()
    monkeypatch.setattr(processes, "SHARED_MEMORY", str(tmp_path))
    monkeypatch.setattr(processes, "HOST_UIDS", [me])
    (tmp_path / "a" / "b").mkdir(parents=True)
    for path in (tmp_path / "file", tmp_path / "a" / "b" / "file"):
        path.write_bytes(b"x" * 2**20)
    assert 2**21 <= processes.shared_memory_usage(me) < 2**22
    assert processes.shared_memory_usage(me + 1) == 0
    for number in range(SCRATCH_FILES_LIMIT):
        (tmp_path / f"{number}").touch()
    assert processes.shared_memory_usage(me) == processes.BEYOND


def test_who_steps_back_does_so_with_all_threads_and_the_session(
    busy: "subprocess.Popen[bytes]",
) -> None:
    until(lambda: processes.step_back([busy.pid]))
    processes.idle([busy.pid])
    threads = [int(path.name) for path in Path(f"/proc/{busy.pid}/task").iterdir()]
    assert len(threads) == 4
    for thread in threads:
        assert os.getpriority(os.PRIO_PROCESS, thread) == 19
        assert os.sched_getscheduler(thread) == os.SCHED_IDLE
    group = Path(f"/proc/{busy.pid}/autogroup")
    if group.exists() and (shares := group.read_text()):
        assert shares.endswith("nice 19\n")


def test_who_has_gone_does_not_matter() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert processes.step_back([gone.pid])
    processes.idle([gone.pid])
    assert processes.unnamed_usage([gone.pid]) == 0


def test_what_has_no_name_any_more_is_counted_once(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file, (tmp_path / "b").open("wb"):
        file.write(bytes(2**20))
        file.flush()
        before = processes.unnamed_usage([os.getpid()])
        again = os.dup(file.fileno())
        (tmp_path / "a").unlink()
        assert processes.unnamed_usage([os.getpid()]) - before == 2**20
        os.close(again)
    assert processes.disk_usage(str(tmp_path)) == 0


def test_what_lies_deep_is_counted_or_more_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * 2**20)
    used = processes.disk_usage(str(tmp_path))
    assert 2**20 <= used < 2**21
    here = os.open(tmp_path / "a", os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert processes.disk_usage(str(tmp_path)) == processes.BEYOND
    remove(tmp_path / "a")  # pytest could not


def test_too_many_files_are_more_than_allowed(tmp_path: Path) -> None:
    for number in range(SCRATCH_FILES_LIMIT + 1):
        (tmp_path / f"{number}").touch()
    assert processes.disk_usage(str(tmp_path)) == processes.BEYOND


def test_a_folder_that_has_gone_takes_nothing(tmp_path: Path) -> None:
    assert processes.disk_usage(str(tmp_path / "missing")) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_what_cannot_be_looked_into_is_more_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert processes.disk_usage(str(tmp_path)) == processes.BEYOND
