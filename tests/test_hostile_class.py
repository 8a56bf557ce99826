"""In a class with hostile submissions, everybody gets what they get alone."""

from collections.abc import Sequence
from pathlib import Path

import hostile
import pytest
from classroom import Honest, honest, mixed, plant
from surroundings import grade, surroundings

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
    among = [*styles[:1], *styles[1 + part :: PARTS], *broken[part :: len(broken) // 4]]
    # The parts run side by side already.
    check_class(tmp_path, mixed(QUICK[part::PARTS], among, part), jobs=1)


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("seed", range(2))
def test_all_attacks_at_once_change_nothing(seed: int, tmp_path: Path) -> None:
    check_class(tmp_path, mixed(ATTACKS, HONEST[seed::3], seed), jobs=2)


def check_class(tmp_path: Path, members: Sequence[hostile.Attack | Honest], *, jobs: int) -> None:
    with surroundings(tmp_path) as world:
        school = plant(world, members)
        ended = grade(world, school.paths, SECONDS, "--jobs", str(jobs), "--no-cache")
        faults = school.faults(world, ended)
    assert not faults, "\n".join([*faults, ended.err[-2000:]])
