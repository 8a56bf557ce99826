"""Right submissions pass, whatever their style; each planted fault fails exactly its checks."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import planted
import pytest

pytestmark = pytest.mark.fixtures

STARTER = planted.ROOT / "fixtures" / "starter"
BONUS = {"B1", "B2", "B3", "B4"}


def in_parts(waits: bool) -> Iterator[list[Path]]:
    """Yield faults that show only where one waits, or the others, in parts."""
    paths = [path for path in planted.FAILING if planted.read(path).waits == waits]
    for first in range(0, len(paths), TOGETHER):
        yield paths[first : first + TOGETHER]


TOGETHER = 12
"""Submissions that one worker has at a time, so that their waits overlap."""

PARTS = [*in_parts(waits=True), *in_parts(waits=False)]


def grade(paths: Sequence[Path], *options: str) -> list[dict[str, Any]]:
    """Return the verdicts of the installed command on `paths`."""
    command = [sys.executable, "-m", "otelkata.cli.grade", "--format", "json", *options]
    run = subprocess.run(
        [*command, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        env=planted.unmeasured(),
    )
    assert run.returncode in {0, 1, 3}, run.stderr
    answer = json.loads(run.stdout)
    verdicts: list[dict[str, Any]] = answer if len(paths) > 1 else [answer]
    assert not [c for v in verdicts for c in v["checks"] if c["status"] == "error"], run.stderr
    outcomes = {verdict["verdict"] for verdict in verdicts}
    assert run.returncode == (3 if "error" in outcomes else int(outcomes != {"passed"}))
    return verdicts


def explained(verdict: dict[str, Any]) -> str:
    """Return what is needed to understand a wrong verdict."""
    checks = [c for c in verdict["checks"] if c["status"] != "passed"]
    lines = [f"{c['id']} {c['status']}: {c['message']}\n{c['trace'] or ''}" for c in checks]
    return f"seed {verdict['seed']}\n" + "\n".join(lines)


def test_the_reference_passes_everything() -> None:
    [verdict] = grade([planted.REFERENCE])
    assert set(verdict["criteria"].values()) == {"passed"}, explained(verdict)


def test_honest_styles_pass() -> None:
    """Completely, too: what a style does while its exporter hangs is its own."""
    wrong = []
    for path, verdict in zip(planted.PASSING, grade(planted.PASSING), strict=True):
        fixture = tomllib.loads((path / "fixture.toml").read_text("utf-8"))
        passed = {criterion for criterion in BONUS if verdict["criteria"][criterion] == "passed"}
        if verdict["verdict"] != "passed" or passed != set(fixture["bonus"]):
            wrong.append(f"{path.name} passes {passed}, {explained(verdict)}")
    assert not wrong, "\n".join(wrong)


def test_the_starter_works_and_passes_no_criterion() -> None:
    [verdict] = grade([STARTER], "--quick")
    by_id = {check["id"]: check["status"] for check in verdict["checks"]}
    assert by_id["submission.runs"] == by_id["submission.answers"] == "passed", explained(verdict)
    assert "passed" not in verdict["criteria"].values()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part[0].stem}...{part[-1].stem}")
def test_planted_faults_fail_exactly_their_checks(part: Sequence[Path], tmp_path: Path) -> None:
    faults = [planted.read(path) for path in part]
    submissions = [planted.plant(fault, tmp_path) for fault in faults]
    quick = [] if faults[0].waits else ["--quick"]
    wrong = []
    for fault, verdict in zip(faults, grade(submissions, *quick), strict=True):
        failed = sorted(c["id"] for c in verdict["checks"] if c["status"] == "failed")
        criteria = {name for name, status in verdict["criteria"].items() if status == "failed"}
        excused = planted.excused(verdict)
        wanted = set() if excused & set(fault.checks) else set(fault.criteria)
        if failed != sorted(set(fault.checks) - excused) or not (
            wanted <= criteria <= {*fault.criteria, *fault.may}
        ):
            wrong.append(f"{fault.name} fails {failed} and {criteria}, {explained(verdict)}")
    assert not wrong, "\n".join(wrong)
