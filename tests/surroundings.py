"""Surround submissions with what they have no right to, and grade them there."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import hostile
import planted
from hostile import Attack, Places

SECRET = "OTELKATA_HOSTILE_SECRET"
LONGEST_REPORT = 16 * 2**20
LARGEST_FILE = 4 * 2**30
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
BIDIRECTIONAL = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds submissions: a secret, a neighbour, open ports and a running process."""

    folder: Path
    neighbour: Path
    secret: str
    listeners: list[socket.socket]
    bystander: subprocess.Popen[bytes]

    @property
    def places(self) -> Places:
        """Return what an attack may aim at, but for what `plant` gives each its own of."""
        return Places(
            outside=self.folder / "outside",
            home=self.folder / "home",
            cache=self.folder / "kept",
            neighbour=self.neighbour,
            submission=self.neighbour.parent / "hostile",
            port=self.listeners[0].getsockname()[1],
            bystander=self.bystander.pid,
        )

    def plant(self, attack: Attack, name: str = "") -> "Planted":
        """Make a submission of `attack`, in a directory of that name or of `name`."""
        name = name or attack.name
        outside = self.places.outside / name
        outside.mkdir()
        submission = self.places.submission.with_name(name)
        places = replace(self.places, outside=outside, submission=submission)
        markers = hostile.markers(attack, places)
        for marker in markers:
            removed(marker)
        return Planted(attack, hostile.plant(attack, places), markers)

    def reached(self) -> list[str]:
        """Return what of it an attack got at."""
        found = []
        for listener in self.listeners:
            try:
                listener.accept()[0].close()
                found.append(f"connected to {listener.getsockname()!r}")
            except BlockingIOError:
                pass
        if self.bystander.poll() is not None:
            found.append("ended a process")
        if sorted(path.name for path in self.neighbour.iterdir()) != ["checkout.py"]:
            found.append("wrote beside another submission, or removed it")
        elif (self.neighbour / "checkout.py").read_text("utf-8") != source_of(self.secret):
            found.append("changed another submission")
        return found


@dataclass(frozen=True, slots=True)
class Planted:
    """A hostile submission, and the paths that are there only if its attack worked."""

    attack: Attack
    path: Path
    markers: list[Path]

    def left(self) -> list[str]:
        """Return, and remove, the markers that are there."""
        left = [str(marker) for marker in self.markers if removed(marker)]
        return [f"{self.attack.name} left {left}"] if left else []

    def spoilt(self, report: dict[str, Any]) -> list[str]:
        """Return what is wrong with the report on it."""
        said = json.dumps(report, ensure_ascii=False)
        faults = [f"its report tells {told!r}" for told in self.attack.told if told in said]
        if self.attack.verdict not in {"any", report["verdict"]}:
            faults.append(f"verdict {report['verdict']}, not {self.attack.verdict}")
        return [f"{self.attack.name}: {fault} {report['advice'][:1]}" for fault in faults]


def source_of(secret: str) -> str:
    """Return the source of the other submission."""
    return f"{SECRET} = {secret!r}\n"


@contextmanager
def surroundings(folder: Path) -> Iterator[World]:
    """Give a world in `folder`."""
    secret = uuid.uuid4().hex
    neighbour = folder / "class" / "beside"
    for directory in (folder / "outside", folder / "home", neighbour):
        directory.mkdir(parents=True)
    (neighbour / "checkout.py").write_text(source_of(secret), "utf-8")
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listeners, port = [tcp], tcp.getsockname()[1]
        names = [str(folder / "s")] + [f"\0otelkata-hostile-{port}"] * (sys.platform == "linux")
        for name in names:
            listeners.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
            listeners[-1].bind(name)
            listeners[-1].listen()
        for listener in listeners:
            listener.setblocking(False)
        bystander = stack.enter_context(subprocess.Popen(["sleep", "3000"], start_new_session=True))
        stack.callback(bystander.kill)
        yield World(folder, neighbour, secret, listeners, bystander)
    hostile.remove(folder / "class")


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended; `code` is None where it had to be killed."""

    code: int | None
    out: str
    err: str

    def spoilt(self, world: World) -> list[str]:
        """Return what is wrong with what it printed."""
        faults = []
        for name, text in (("standard output", self.out), ("standard error", self.err)):
            if CONTROLS.search(text) or BIDIRECTIONAL.search(text) or "\n::" in f"\n{text}":
                faults.append(f"{name} would be obeyed by a terminal or a runner")
            if world.secret in text:
                faults.append(f"{name} tells the secret")
        return faults


def grade(
    world: World,
    paths: Sequence[Path],
    limit: float,
    *options: str,
    started: Callable[[int], None] = lambda _: None,
) -> Ended:
    """Run the command in a session of its own: what kills the group kills no test.

    `started` is given the number of its process.
    """
    command = [sys.executable, "-m", "otelkata.cli.grade", "--quick", "--format", "json", *options]
    environment = {
        **planted.unmeasured(),
        SECRET: world.secret,
        "HOME": str(world.places.home),
        "OTELKATA_CACHE": str(world.places.cache),
    }
    out, err = world.folder / "out", world.folder / "err"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        run = subprocess.Popen(
            [*command, *map(str, paths)],
            stdout=out_file,
            stderr=err_file,
            env=environment,
            start_new_session=True,
            preexec_fn=limited,  # noqa: PLW1509 (no thread runs here)
        )
        started(run.pid)
        try:
            code = run.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            kill_group(run.pid)
            run.wait()
    longest = LONGEST_REPORT + 2**20 * len(paths)
    return Ended(code, said(out, longest), said(err, longest))


def limited() -> None:
    """Leave no core files behind, and fill no disk where the grader itself is led to it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


def kill_group(group: int) -> None:
    """End what is left of the run."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def said(path: Path, longest: int) -> str:
    """Return what was written: UTF-8, and never without a bound."""
    assert path.stat().st_size <= longest, f"{path.name}: {path.stat().st_size} bytes"
    return path.read_bytes().decode("utf-8")


def strict(text: str) -> Any:
    """Return what `text` holds, which has to be JSON that every reader can read."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def removed(path: Path) -> bool:
    """Remove a marker that was left; tell whether it was there."""
    there = path.exists() or path.is_symlink()
    if there:
        path.unlink()
    return there
