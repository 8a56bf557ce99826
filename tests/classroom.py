"""Make classes of honest and hostile submissions, and tell what each of them must come to."""

import random
import shutil
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile
import planted
from surroundings import Ended, Planted, World, strict

BONUS = frozenset({"B1", "B2", "B3", "B4"})


@dataclass(frozen=True, slots=True)
class Honest:
    """An honest submission: the checks that it fails, and the bonus criteria that it passes.

    `bonus` is None where it may pass any.
    """

    name: str
    source: Path
    checks: list[str]
    bonus: frozenset[str] | None

    def plant(self, folder: Path, number: int) -> Path:
        """Make it below `folder`."""
        target = folder / f"{number:04}-{self.name}"
        if self.source.suffix == ".toml":
            made = planted.plant(planted.read(self.source), folder / "made")
            return made.rename(target)
        ignored = shutil.ignore_patterns("tests", "__pycache__")
        return Path(shutil.copytree(self.source, target, ignore=ignored))

    def differs(self, report: dict[str, Any]) -> list[str]:
        """Return what in `report` is not as when it is graded alone."""
        faults = []
        verdict = "failed" if self.checks else "passed"
        checks = sorted(set(self.checks) - planted.excused(report))
        failed = sorted(c["id"] for c in report["checks"] if c["status"] == "failed")
        passed = {criterion for criterion in BONUS if report["criteria"][criterion] == "passed"}
        messages = [c["message"] for c in report["checks"] if c["status"] != "passed"]
        # Where all that it fails was excused, another run is asked for.
        may = {verdict} if checks or not self.checks else {verdict, "error"}
        if report["verdict"] not in may and not self._is_bonus(report):
            faults.append(f"is {report['verdict']}, not {verdict}: {messages[:3]}")
        if failed != checks and (self.checks or self.bonus == BONUS):
            faults.append(f"fails {failed}, not {checks}: {messages[:3]}")
        if self.bonus is not None and passed != self.bonus:
            faults.append(f"passes {sorted(passed)}, not {sorted(self.bonus)}: {messages[:3]}")
        return [f"{report['submission']} {fault} {report['advice'][:1]}" for fault in faults]

    def _is_bonus(self, report: dict[str, Any]) -> bool:
        # Checks of the bonus never fail a submission.
        failed = [c for c in report["checks"] if c["status"] == "failed"]
        return report["verdict"] == "passed" and all(check["bonus"] for check in failed)


def honest() -> list[Honest]:
    """Return all honest submissions that there are, the reference first.

    Those that show their fault only where their own shutdown is waited for are left out.
    """
    found = [Honest("reference", planted.REFERENCE, [], BONUS)]
    for path in planted.PASSING:
        bonus = tomllib.loads((path / "fixture.toml").read_text("utf-8"))["bonus"]
        found.append(Honest(path.name, path, [], frozenset(bonus)))
    for path in planted.FAILING:
        fault = planted.read(path)
        if not fault.waits:
            found.append(Honest(path.stem, path, fault.checks, None))
    return found


def mixed(
    attacks: Sequence[hostile.Attack], among: Iterable[Honest], seed: int
) -> list[hostile.Attack | Honest]:
    """Return hostile and honest submissions in an order that `seed` chooses."""
    members: list[hostile.Attack | Honest] = [*attacks, *among]
    random.Random(seed).shuffle(members)
    return members


@dataclass(frozen=True, slots=True)
class Classroom:
    """A class that was planted: who is in it, and where, in one order."""

    members: Sequence[hostile.Attack | Honest]
    paths: list[Path]
    attacks: dict[int, Planted]

    def faults(self, world: World, ended: Ended) -> list[str]:
        """Return what is wrong with how the class was graded."""
        faults = [*world.reached(), *ended.spoilt(world)]
        if ended.code != 1:
            return [*faults, f"exit code {ended.code}"]
        reports: list[dict[str, Any]] = strict(ended.out)
        for number, report in enumerate(reports):
            faults += self.differs(number, report)
        return faults if len(reports) == len(self.members) else [*faults, "reports are missing"]

    def differs(self, number: int, report: dict[str, Any]) -> list[str]:
        """Return what in one report is not as it must be."""
        member = self.members[number]
        if isinstance(member, Honest):
            return member.differs(report)
        return [*self.attacks[number].left(), *self.attacks[number].spoilt(report)]


def plant(world: World, members: Sequence[hostile.Attack | Honest]) -> Classroom:
    """Make the directories of a class."""
    folder = world.neighbour.parent
    (folder / "made").mkdir()
    paths: list[Path] = []
    attacks: dict[int, Planted] = {}
    for number, member in enumerate(members):
        if isinstance(member, Honest):
            paths.append(member.plant(folder, number))
        else:
            attacks[number] = world.plant(member, f"{number:04}-{member.name}")
            paths.append(attacks[number].path)
    return Classroom(members, paths, attacks)
