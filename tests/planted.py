"""Plant the fault that a file of `fixtures/failing` describes into a copy of the reference."""

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otelkata.judge.finding import BUSY

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference_solution"
FAULTS = ROOT / "fixtures" / "failing"
FAILING = sorted(FAULTS.glob("*.toml"))
PASSING = sorted(path.parent for path in (ROOT / "fixtures").glob("*/*/fixture.toml"))


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault: what it is, which criteria and which checks it must fail.

    `may` are criteria that may rightly fail as well. `waits` tells that it shows only where the
    submission's own shutdown timeout is waited for.
    """

    name: str
    description: str
    criteria: list[str]
    may: list[str]
    checks: list[str]
    waits: bool
    edits: list[dict[str, str]]
    files: list[dict[str, str]]


def read(path: Path) -> Planted:
    """Return the fault that the file `path` describes."""
    data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return Planted(
        path.stem,
        data["description"],
        data["criteria"],
        data.get("may", []),
        data.get("checks", []),
        data.get("waits", False),
        data.get("edit", []),
        data.get("file", []),
    )


def excused(verdict: dict[str, Any]) -> set[str]:
    """Return the checks that could not be judged because others kept the machine busy."""
    return {c["id"] for c in verdict["checks"] if c["status"] == "blocked" and BUSY in c["message"]}


def unmeasured() -> dict[str, str]:
    """Return an environment in which coverage is not measured: it doubles what a grading takes."""
    return {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}


def plant(fault: Planted, into: Path) -> Path:
    """Return a copy of the reference below `into` with `fault` in it."""
    target = into / fault.name
    shutil.copytree(REFERENCE, target, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for edit in fault.edits:
        path = target / edit["file"]
        text, find = path.read_text("utf-8"), edit["find"]
        if text.count(find) != 1:
            raise ValueError(f"{fault.name}: {edit['file']} has the text {text.count(find)} times")
        path.write_text(text.replace(find, edit["replace"]), "utf-8")
    for file in fault.files:
        (target / file["path"]).write_text(file["content"], "utf-8")
    return target
