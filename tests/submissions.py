"""Make submissions that go wrong at one place of the reference solution, and grade them."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import planted

from otelkata.drive import load

PATIENCE = 100 * load.MOST
"""Longest time, in seconds, that grading may take, so that a grader that hangs fails its test.

A grader is up to so many times as patient where others keep the machine busy.
"""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the reference solution: the one line of `file` that begins with `before`."""

    file: str
    before: str


IMPORT = Spot("checkout/__init__.py", "from checkout.gateway import")
INIT_TRACER = Spot("checkout/tracer.py", "resource = Resource.create(")
SHUTDOWN_TRACER = Spot("checkout/tracer.py", "exported = False")
CREATE_GATEWAY = Spot("checkout/gateway.py", "tracer = provider.get_tracer(")
CREATE_PAYMENT = Spot("checkout/payment.py", "tracer = provider.get_tracer(")
STARTUP = Spot("checkout/application.py", "async with AsyncExitStack() as stack:")
SHUTDOWN = Spot("checkout/application.py", "yield")
GATEWAY_HANDLER = Spot("checkout/gateway.py", "order = await read_request(")
INVENTORY_HANDLER = Spot("checkout/inventory.py", "wanted = await read_request(")
PAYMENT_HANDLER = Spot("checkout/payment.py", "charge = await read_request(")


def copy_reference(target: Path) -> Path:
    """Return `target`, which has become a copy of the reference solution."""
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    return Path(shutil.copytree(planted.REFERENCE, target, ignore=ignored))


def insert(submission: Path, spot: Spot, code: str) -> int:
    """Put `code` at `spot`, as deep as what stands there; return the number of its first line.

    At `SHUTDOWN` it is put behind the line instead: that is where a lifespan goes on.
    """
    path = submission / spot.file
    lines = path.read_text("utf-8").splitlines()
    found = [n for n, line in enumerate(lines) if line.strip().startswith(spot.before)]
    if len(found) != 1:
        raise ValueError(f"{spot.file} has {len(found)} lines that begin with {spot.before!r}")
    indent = lines[found[0]].removesuffix(lines[found[0]].lstrip())
    at = found[0] + (spot is SHUTDOWN)
    lines[at:at] = textwrap.indent(textwrap.dedent(code).strip(), indent).splitlines()
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return at + 1


def broken(target: Path, spot: Spot, code: str) -> tuple[Path, int]:
    """Return a copy of the reference solution with `code` at `spot`, and the line of `code`."""
    submission = copy_reference(target)
    return submission, insert(submission, spot, code)


@dataclass(frozen=True, slots=True)
class Graded:
    """What `kata-grade` answered: exit code, reports in their order, what it said beside them."""

    exit_code: int
    reports: list[dict[str, Any]]
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """Return the only report."""
        [report] = self.reports
        return report

    def criteria(self, status: str) -> set[str]:
        """Return the criteria that have `status`."""
        return {name for name, found in self.report["criteria"].items() if found == status}

    def check(self, name: str) -> dict[str, Any]:
        """Return what came of the check `name`."""
        [check] = [check for check in self.report["checks"] if check["id"] == name]
        return dict(check)

    def explained(self) -> str:
        """Return what is needed to understand a wrong verdict."""
        checks = [c for report in self.reports for c in report["checks"] if c["status"] != "passed"]
        lines = [f"{c['id']} {c['status']}: {c['message']} {c['location']}" for c in checks]
        return "\n".join([f"exit code {self.exit_code}", self.stderr, *lines])


def grade(*paths: Path | str, cwd: Path | None = None, measured: bool = False) -> Graded:
    """Grade `paths` with the installed command, from the folder `cwd`.

    Coverage of it is only measured where something is `measured` that nothing else runs.
    """
    command = [sys.executable, "-m", "otelkata.cli.grade", "--quick", "--format", "json"]
    run = subprocess.run(
        [*command, *(str(path) for path in paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=PATIENCE,
        env=dict(os.environ) if measured else planted.unmeasured(),
    )
    answer = json.loads(run.stdout) if run.stdout else []
    return Graded(run.returncode, answer if isinstance(answer, list) else [answer], run.stderr)
