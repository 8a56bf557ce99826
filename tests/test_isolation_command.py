"""`kata-grade --isolation`: the level is given or refused, for whoever grades, wherever."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import planted
import pytest
import submissions

import otelkata
from otelkata.host.isolation import LEVELS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the levels need Linux")

SOURCE = str(Path(otelkata.__file__).parents[1])
NOBODY = 65_534
WITHOUT_NAMESPACES = """
import sys
from otelkata.cli.grade import main
from otelkata.host import linux
linux._prctl(38, 1)  # no new privileges
linux.filter_calls()  # what a container's own filter does as well
sys.exit(main())
"""
WITHOUT_USER_NAMESPACES = """
import os, sys
from otelkata.cli.grade import main
from otelkata.host import linux
unshared, mapped, root = os.pipe(), os.pipe(), os.getpid()
if os.fork() == 0:
    os.read(unshared[0], 1)
    for kind in ("uid", "gid"):
        open(f"/proc/{root}/{kind}_map", "w").write("0 0 65536\\n")
    os.write(mapped[1], b"1")
    os._exit(0)
linux.unshare(linux.NEW_USER)
os.write(unshared[1], b"1")
os.read(mapped[0], 1)
os.wait()
open("/proc/sys/user/max_user_namespaces", "w").write("0")
sys.exit(main())
"""
"""Root, with all users and privileges, of a system where nobody may make a user namespace."""

COMMANDS = {
    "namespaces": ["-m", "otelkata.cli.grade"],
    "no namespaces": ["-c", WITHOUT_NAMESPACES],
    "no user namespaces": ["-c", WITHOUT_USER_NAMESPACES],
}


@dataclass
class Answer:
    code: int
    report: dict[str, Any]
    stderr: str

    @property
    def level(self) -> str:
        return str(self.report["isolation"]).partition(":")[0]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that other users can get through."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


def grade(command: str, path: Path, *arguments: str, user: int | None = None) -> Answer:
    run = subprocess.run(
        [sys.executable, *COMMANDS[command], "--format", "json", "--quick", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCE, "HOME": str(path)},
        cwd=path,
        timeout=100,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    report = json.loads(run.stdout) if run.stdout else {}
    return Answer(run.returncode, report, run.stderr)


def another_user() -> int | None:
    """Return an ordinary user to grade as; skips where there is none, or it cannot run Python."""
    if os.geteuid() != 0:
        return None
    try:
        command = [sys.executable, "-c", "import uvicorn"]
        subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{sys.executable} lies where only root can read")
    return NOBODY


@pytest.mark.parametrize("ordinary", [False, True], ids=["oneself", "an ordinary user"])
@pytest.mark.parametrize("command", ["namespaces", "no namespaces"])
def test_the_strongest_level_is_taken_and_named(command: str, ordinary: bool, folder: Path) -> None:
    user = another_user() if ordinary else None
    answer = grade(command, planted.REFERENCE, user=user)
    assert (answer.code, answer.report.get("verdict")) == (0, "passed"), answer.stderr
    if command == "no namespaces":
        assert answer.level in {"process", "restricted"}
        assert "weak: " in answer.report["isolation"]
        assert "no sandbox: new namespaces are forbidden" in answer.report["isolation"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_root_needs_no_user_namespace(folder: Path) -> None:
    answer = grade("no user namespaces", planted.REFERENCE, "--isolation", "sandbox")
    assert (answer.code, answer.report.get("verdict")) == (0, "passed"), answer.stderr


@pytest.mark.parametrize("ordinary", [False, True], ids=["oneself", "an ordinary user"])
def test_a_level_that_cannot_be_given_is_refused_before_anything_runs(
    ordinary: bool, folder: Path
) -> None:
    user = another_user() if ordinary else None
    marker = folder / "marker"
    folder.chmod(0o777)
    (folder / "checkout.py").write_text(f"open({str(marker)!r}, 'w')\n")
    answer = grade("no namespaces", folder, "--isolation", "sandbox", user=user)
    assert answer.code == 2
    assert "--isolation sandbox is more than this system gives" in answer.stderr
    assert "new namespaces are forbidden" in answer.stderr
    assert not marker.exists()


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_that_is_asked_for_is_the_one_in_force(level: str) -> None:
    answer = grade("namespaces", planted.REFERENCE, "--isolation", level)
    if answer.code == 2:
        pytest.skip(answer.stderr)
    assert (answer.code, answer.level) == (0, level), answer.stderr


def test_an_unknown_level_is_wrong_usage(folder: Path) -> None:
    answer = grade("namespaces", folder, "--isolation", "perfect")
    assert answer.code == 2
    assert all(level in answer.stderr for level in LEVELS)


SPANS = """
from opentelemetry.sdk.trace import TracerProvider

def init_tracer(name, version, *, exporter=None):
    return TracerProvider()

def shutdown_tracer(provider, timeout):
    return True

def create_gateway(provider, **_):
    tracer = provider.get_tracer("flood")
    while True:
        tracer.start_span("x" * 10_000).end()

create_inventory = create_payment = create_gateway
"""
OUTPUT = """
import os
while True:
    os.write(1, b"x" * 65536)
"""


@pytest.mark.parametrize(
    ("code", "reason"),
    [(OUTPUT, "it printed more than"), (SPANS, "the process sent the grader more than")],
    ids=["output", "spans"],
)
def test_a_flood_is_a_failed_verdict_with_a_message(code: str, reason: str, folder: Path) -> None:
    (folder / "checkout.py").write_text(code)
    answer = grade("namespaces", folder)
    assert (answer.code, answer.report["verdict"]) == (1, "failed"), answer.stderr
    assert any(reason in check["message"] for check in answer.report["checks"])


def test_the_interpreter_that_is_named_and_linked_dependencies_can_be_read(folder: Path) -> None:
    submission = submissions.copy_reference(folder / "submission")
    (submission / "node_modules").mkdir()
    (submission / "node_modules" / "data").write_text("there")
    reading = """
        import pathlib, subprocess, sys
        here = pathlib.Path(__file__).parents[1]
        assert (here / "node_modules" / "data").read_text() == "there"
        assert subprocess.run([sys.executable, "-c", ""]).returncode == 0
    """
    submissions.insert(submission, submissions.IMPORT, reading)
    answer = grade("namespaces", submission, "--python", sys.executable)
    assert (answer.code, answer.report.get("verdict")) == (0, "passed"), answer.stderr
