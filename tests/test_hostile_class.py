"""In a class with hostile submissions, everybody gets what they get alone."""

from collections.abc import Sequence
from pathlib import Path

import hostile
import pytest
from classroom import Honest, honest, mixed, plant
from surroundings import grade, surroundings

ATTACKS = [hostile.read(path) for path in hostile.HOSTILE]
QUICK = [attack for attack in ATTACKS if not attack.slow]
LIGHT = [attack for attack in QUICK if attack.tries not in {"crashes", "floods", "hangs"}]
"""Attacks that leave the processors to the tests beside them."""

HONEST = honest()
PARTS = 4
SECONDS = 900


@pytest.mark.fixtures
@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.hostile)])
def test_no_submission_changes_what_another_one_gets(part: int, tmp_path: Path) -> None:
    check_class(tmp_path, mixed(LIGHT[part::2], among(part), part))


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("part", range(PARTS))
def test_nor_does_one_that_takes_what_it_can_get(part: int, tmp_path: Path) -> None:
    check_class(tmp_path, mixed(QUICK[part::PARTS], among(part), part))


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("seed", range(2))
def test_all_attacks_at_once_change_nothing(seed: int, tmp_path: Path) -> None:
    check_class(tmp_path, mixed(ATTACKS, HONEST[seed::3], seed))


def among(part: int) -> list[Honest]:
    """Return the reference, and some of those that pass and that fail, others in each part."""
    styles = [member for member in HONEST if not member.checks]
    broken = [member for member in HONEST if member.checks]
    return [*styles[:1], *styles[1 + part :: PARTS], *broken[part :: len(broken) // 4]]


def check_class(tmp_path: Path, members: Sequence[hostile.Attack | Honest], jobs: int = 2) -> None:
    with surroundings(tmp_path) as world:
        school = plant(world, members)
        ended = grade(world, school.paths, SECONDS, "--jobs", str(jobs), "--no-cache")
        faults = school.faults(world, ended)
    assert not faults, "\n".join([*faults, ended.err[-2000:]])
