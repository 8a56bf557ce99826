"""Right submissions pass, whatever their style; each planted fault fails exactly its checks."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import planted
import pytest

pytestmark = pytest.mark.fixtures

STARTER = planted.ROOT / "fixtures" / "starter"
BONUS = {"B1", "B2", "B3", "B4"}


def grade(path: Path, *options: str) -> dict[str, Any]:
    """Return the verdict of the installed command on `path`."""
    command = [sys.executable, "-m", "otelkata.cli.grade", "--format", "json", *options, str(path)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=planted.unmeasured()
    )
    assert run.returncode in {0, 1}, run.stderr
    verdict: dict[str, Any] = json.loads(run.stdout)
    assert (run.returncode == 0) == (verdict["verdict"] == "passed")
    return verdict


def explained(verdict: dict[str, Any]) -> str:
    """Return what is needed to understand a wrong verdict."""
    checks = [c for c in verdict["checks"] if c["status"] != "passed"]
    lines = [f"{c['id']} {c['status']}: {c['message']}\n{c['trace'] or ''}" for c in checks]
    return f"seed {verdict['seed']}\n" + "\n".join(lines)


def test_the_reference_passes_everything() -> None:
    verdict = grade(planted.REFERENCE)
    assert set(verdict["criteria"].values()) == {"passed"}, explained(verdict)


@pytest.mark.parametrize("path", planted.PASSING, ids=lambda path: path.name)
def test_honest_styles_pass(path: Path) -> None:
    """Completely, too: what a style does while its exporter hangs is its own."""
    verdict = grade(path)
    fixture = tomllib.loads((path / "fixture.toml").read_text("utf-8"))
    assert verdict["verdict"] == "passed", explained(verdict)
    passed = {criterion for criterion in BONUS if verdict["criteria"][criterion] == "passed"}
    assert passed == set(fixture["bonus"]), explained(verdict)


def test_the_starter_works_and_passes_no_criterion() -> None:
    verdict = grade(STARTER, "--quick")
    by_id = {check["id"]: check["status"] for check in verdict["checks"]}
    assert by_id["submission.runs"] == by_id["submission.answers"] == "passed", explained(verdict)
    assert "passed" not in verdict["criteria"].values()


@pytest.mark.parametrize("path", planted.FAILING, ids=lambda path: path.stem)
def test_a_planted_fault_fails_exactly_its_checks(path: Path, tmp_path: Path) -> None:
    fault = planted.read(path)
    submission = planted.plant(fault, tmp_path)
    verdict = grade(submission, *([] if fault.waits else ["--quick"]))
    failed = sorted(c["id"] for c in verdict["checks"] if c["status"] == "failed")
    assert failed == fault.checks, explained(verdict)
    criteria = {name for name, status in verdict["criteria"].items() if status == "failed"}
    assert set(fault.criteria) <= criteria <= {*fault.criteria, *fault.may}
