"""In a class with hostile submissions, everybody gets what they get alone."""

from pathlib import Path
from typing import Any

import hostile
import pytest
from classroom import Honest, honest, mixed
from surroundings import World, grade, strict, surroundings

ATTACKS = [hostile.read(path) for path in hostile.HOSTILE]
QUICK = [attack for attack in ATTACKS if not attack.slow]
HONEST = honest()
PARTS = 4
SECONDS = 900


@pytest.mark.fixtures
@pytest.mark.parametrize("part", range(PARTS))
def test_no_submission_changes_what_another_one_gets(part: int, tmp_path: Path) -> None:
    """The reference and the styles that pass are in every part, in an order of its own."""
    styles = [member for member in HONEST if not member.checks]
    broken = [member for member in HONEST if member.checks]
    among = [*styles[:1], *styles[1 + part :: PARTS], *broken[part :: len(broken) // 5]]
    check_class(tmp_path, mixed(QUICK[part::PARTS], among, part))


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("seed", range(2))
def test_all_attacks_at_once_change_nothing(seed: int, tmp_path: Path) -> None:
    check_class(tmp_path, mixed(ATTACKS, HONEST[seed::3], seed))


def check_class(tmp_path: Path, members: list[hostile.Attack | Honest]) -> None:
    with surroundings(tmp_path) as world:
        faults = faults_of(world, members)
    assert not faults, "\n".join(faults)


def faults_of(world: World, members: list[hostile.Attack | Honest]) -> list[str]:
    """Grade a class in one command; return what is wrong."""
    folder = world.neighbour.parent
    (folder / "made").mkdir()
    attacks = {
        number: world.plant(member)
        for number, member in enumerate(members)
        if not isinstance(member, Honest)
    }
    paths = [
        member.plant(folder, number) if isinstance(member, Honest) else attacks[number].path
        for number, member in enumerate(members)
    ]
    ended = grade(world, paths, SECONDS, "--jobs", "2", "--no-cache")
    faults = [*world.reached(), *ended.spoilt(world)]
    if ended.code != 1:
        return [*faults, f"exit code {ended.code}", ended.err[-4000:]]
    reports: list[dict[str, Any]] = strict(ended.out)
    assert len(reports) == len(members)
    for number, (member, report) in enumerate(zip(members, reports, strict=True)):
        if isinstance(member, Honest):
            faults += member.differs(report)
        else:
            faults += [*attacks[number].left(), *attacks[number].spoilt(report)]
    return faults
