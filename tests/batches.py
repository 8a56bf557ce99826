"""Run `kata-grade` on batches, in this process or in one of its own, and see what it leaves."""

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from submissions import PATIENCE

from otelkata.cli.grade import main

COMMAND = [sys.executable, "-m", "otelkata.cli.grade"]


def run(*arguments: object) -> int:
    """Run the command in this process; return its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)


def nothings(folder: Path, count: int) -> list[Path]:
    """Return directories that are no submissions: they are graded without running anything."""
    paths = [folder / f"student{number:02}" for number in range(1, count + 1)]
    for path in paths:
        path.mkdir(parents=True)
    return paths


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a directory that every user can get through."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


@dataclass
class Hanging:
    """A submission that says which keeper's host imports it, and then hangs until released."""

    path: Path
    _pipe: int
    _gate: int

    def keeper(self, *, after: str = "") -> str:
        """Wait for a host to say whose it is; one of another keeper than `after`."""
        while True:
            line = b""
            while not line.endswith(b"\n"):
                readable, _, _ = select.select([self._pipe], [], [], PATIENCE)
                assert readable, "no host has imported the submission"
                line += os.read(self._pipe, 1)
            if (keeper := line.decode().strip()) != after:
                return keeper

    def release(self) -> None:
        """Let all hosts go on, those that import it later as well."""
        os.write(self._gate, b"x" * 4096)


@contextmanager
def hanging(folder: Path, name: str = "hanging") -> Iterator[Hanging]:
    """Give a submission that tells of itself; hosts must not be kept from the file system."""
    path = folder / name
    path.mkdir()
    pipes = [folder / f"{name}.pipe", folder / f"{name}.gate"]
    for pipe in pipes:
        os.mkfifo(pipe)
        pipe.chmod(0o666)
    (path / "checkout.py").write_text(
        "import os\n"
        f"os.write(os.open({str(pipes[0])!r}, os.O_WRONLY), b'%d\\n' % os.getppid())\n"
        f"os.read(os.open({str(pipes[1])!r}, os.O_RDONLY), 1)\n"
    )
    # Open for reading and writing, so that neither comes to an end.
    told, gate = (os.open(pipe, os.O_RDWR) for pipe in pipes)
    try:
        yield Hanging(path, told, gate)
    finally:
        os.close(told)
        os.close(gate)


def ancestors(pid: int) -> Iterator[int]:
    """Yield the processes that `pid` descends from, the nearest first."""
    while pid > 1:
        lines = Path("/proc", str(pid), "status").read_text().splitlines()
        pid = next(int(line.split()[1]) for line in lines if line.startswith("PPid:"))
        yield pid


class Marked:
    """Processes that share a temporary directory: the grader's, and all that it runs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o711)
        self.environment = {"TMPDIR": str(folder)}
        self._mark = f"TMPDIR={folder}".encode()

    def find(self, part: str = "") -> list[int]:
        """Return those that run, with `part` in their command."""
        return [
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdecimal()
            and self._mark in _read(process / "environ").split(b"\0")
            and part.encode() in _read(process / "cmdline")
        ]

    def wait_for_end(self) -> None:
        """Return when none is left."""
        while found := self.find():
            for pid in found:
                try:
                    descriptor = os.pidfd_open(pid)
                except ProcessLookupError:
                    continue
                ended, _, _ = select.select([descriptor], [], [], PATIENCE)
                command = _read(Path("/proc", str(pid), "cmdline"))
                os.close(descriptor)
                assert ended, f"{command!r} has outlived the grader"


class Started:
    """The command, running in a process of its own; everything that it says is read as lines."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *(str(argument) for argument in arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
            # A test run in the background has it ignored, and whoever it starts as well.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        assert self.process.stdout is not None
        self._stdout = self.process.stdout

    def line(self) -> str:
        """Return the next line of output."""
        return self._stdout.readline().rstrip("\n")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def close(self) -> None:
        """Read nothing more; what has outlived the command may hold the other end."""
        self._stdout.close()

    def rest(self) -> str:
        """Wait for its end; return what it has said meanwhile."""
        return self.process.communicate(timeout=PATIENCE)[0]


@contextmanager
def started(*arguments: object, **environment: str) -> Iterator[Started]:
    """Give the running command; it is gone afterwards."""
    command = Started(*arguments, **environment)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.wait()
        command.close()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
