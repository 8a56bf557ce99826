"""No attack gets a pass, touches anything outside its scratch, or spoils the report."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hostile
import planted
import pytest
from hostile import Attack, Places

SECRET = "OTELKATA_HOSTILE_SECRET"
SECONDS = 120
LONGEST_REPORT = 16 * 2**20
LARGEST_FILE = 4 * 2**30
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
BIDIRECTIONAL = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds a submission: a secret, a neighbour, open ports and a running process."""

    places: Places
    secret: str
    listeners: list[socket.socket]
    bystander: subprocess.Popen[bytes]

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
        if neighbour_files(self.places.neighbour) != ["checkout.py"]:
            found.append("wrote beside another submission")
        if (self.places.neighbour / "checkout.py").read_text("utf-8") != neighbour(self.secret):
            found.append("changed another submission")
        return found


def neighbour(secret: str) -> str:
    """Return the source of the other submission."""
    return f"{SECRET} = {secret!r}\n"


def neighbour_files(directory: Path) -> list[str]:
    """Return what lies in the other submission."""
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    secret = uuid.uuid4().hex
    outside, home, beside = tmp_path / "outside", tmp_path / "home", tmp_path / "class" / "beside"
    for directory in (outside, home, beside):
        directory.mkdir(parents=True)
    (beside / "checkout.py").write_text(neighbour(secret), "utf-8")
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listeners, port = [tcp], tcp.getsockname()[1]
        names = [str(tmp_path / "s")] + [f"\0otelkata-hostile-{port}"] * (sys.platform == "linux")
        for name in names:
            listeners.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
            listeners[-1].bind(name)
            listeners[-1].listen()
        for listener in listeners:
            listener.setblocking(False)
        bystander = stack.enter_context(subprocess.Popen(["sleep", "600"], start_new_session=True))
        stack.callback(bystander.kill)
        submission = tmp_path / "class" / "hostile"
        kept = tmp_path / "kept"
        places = Places(outside, home, kept, beside, submission, port, bystander.pid)
        yield World(places, secret, listeners, bystander)
    hostile.remove(tmp_path / "class")


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended; `code` is None where it had to be killed."""

    code: int | None
    out: str
    err: str
    seconds: float


def grade(world: World, tmp_path: Path, *options: str) -> Ended:
    """Run the command in a session of its own: what kills the group kills no test."""
    command = [sys.executable, "-m", "otelkata.cli.grade", "--quick", "--format", "json", *options]
    environment = {**os.environ, SECRET: world.secret, "HOME": str(world.places.home)}
    environment["OTELKATA_CACHE"] = str(world.places.cache)
    began = time.monotonic()
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        run = subprocess.Popen(
            [*command, str(world.places.submission)],
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,
            preexec_fn=limited,  # noqa: PLW1509 (no thread runs here)
        )
        try:
            code = run.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            kill_group(run.pid)
            run.wait()
    return Ended(code, said(tmp_path / "out"), said(tmp_path / "err"), time.monotonic() - began)


def limited() -> None:
    """Leave no core files behind, and fill no disk where the grader itself is led to it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


def kill_group(group: int) -> None:
    """End what is left of the run."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def said(path: Path) -> str:
    """Return what was written: UTF-8, and never without a bound."""
    assert path.stat().st_size <= LONGEST_REPORT, f"{path.name}: {path.stat().st_size} bytes"
    return path.read_bytes().decode("utf-8")


def strict(text: str) -> dict[str, Any]:
    """Return the one object that `text` holds."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    verdict: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return verdict


def removed(path: Path) -> bool:
    """Remove a marker that was left; tell whether it was there."""
    there = path.exists() or path.is_symlink()
    if there:
        path.unlink()
    return there


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("path", hostile.HOSTILE, ids=lambda path: path.stem)
def test_an_attack_fails_and_touches_nothing(path: Path, world: World, tmp_path: Path) -> None:
    attack = hostile.read(path)
    hostile.plant(attack, world.places)
    markers = hostile.markers(attack, world.places)
    for marker in markers:
        removed(marker)
    ended = grade(world, tmp_path)
    left = [str(marker) for marker in markers if removed(marker)]
    faults = [*([f"left {left}"] if left else []), *world.reached(), *spoilt(attack, world, ended)]
    assert not faults, "\n".join([attack.description, *faults, ended.err[-2000:]])


def spoilt(attack: Attack, world: World, ended: Ended) -> list[str]:
    """Return what is wrong with the verdict or with the report."""
    if ended.code is None:
        return [f"still running after {SECONDS} s"]
    faults = []
    for name, text in (("standard output", ended.out), ("standard error", ended.err)):
        if CONTROLS.search(text) or BIDIRECTIONAL.search(text) or "\n::" in f"\n{text}":
            faults.append(f"{name} would be obeyed by a terminal or a runner")
        faults += [
            f"{name} tells {told!r}" for told in [world.secret, *attack.told] if told in text
        ]
    try:
        verdict = strict(ended.out)["verdict"]
    except (AssertionError, KeyError, ValueError) as error:
        return [*faults, f"exit code {ended.code}, no strict JSON: {error!r}: {ended.out[:300]!r}"]
    if attack.verdict != "any" and verdict != attack.verdict:
        faults.append(f"verdict {verdict}, not {attack.verdict}")
    if ended.code != (verdict != "passed"):
        faults.append(f"exit code {ended.code} for {verdict}")
    return faults


def test_each_category_is_tried() -> None:
    attacks = [hostile.read(path) for path in hostile.HOSTILE]
    assert {attack.tries for attack in attacks} == hostile.CATEGORIES
    assert len(attacks) >= 45


@pytest.mark.parametrize("path", hostile.HOSTILE, ids=lambda path: path.stem)
def test_what_could_be_graded_is_broken(path: Path) -> None:
    """No attack depends on its own success to fail, where it leaves the rest of the code right."""
    attack = hostile.read(path)
    assert attack.verdict in {"failed", "any"}
    assert attack.breaks is None or (planted.FAULTS / f"{attack.breaks}.toml").is_file()
