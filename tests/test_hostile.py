"""No attack gets a pass, touches anything outside its scratch, or spoils the report.

Here each is graded alone, by a command of its own; `test_hostile_class.py` grades them in classes.
"""

from pathlib import Path

import hostile
import planted
import pytest
from surroundings import grade, strict, surroundings

SECONDS = 180


@pytest.mark.hostile
@pytest.mark.fixtures
@pytest.mark.parametrize("path", hostile.HOSTILE, ids=lambda path: path.stem)
def test_an_attack_fails_and_touches_nothing(path: Path, tmp_path: Path) -> None:
    attack = hostile.read(path)
    with surroundings(tmp_path) as world:
        submission = world.plant(attack)
        ended = grade(world, [submission.path], SECONDS)
        faults = [*submission.left(), *world.reached(), *ended.spoilt(world)]
        try:
            report = strict(ended.out)
            faults += submission.spoilt(report)
            expected = {"passed": 0, "failed": 1, "error": 3}[report["verdict"]]
        except (AssertionError, KeyError, ValueError) as error:
            faults.append(f"no strict JSON: {error!r}: {ended.out[:300]!r}")
            expected = 0
        if ended.code != expected:
            faults.append(f"exit code {ended.code}, not {expected}")
    assert not faults, "\n".join([attack.description, *faults, ended.err[-2000:]])


def test_each_category_is_tried() -> None:
    attacks = [hostile.read(path) for path in hostile.HOSTILE]
    assert {attack.tries for attack in attacks} == hostile.CATEGORIES
    assert len(attacks) >= 100


@pytest.mark.parametrize("path", hostile.HOSTILE, ids=lambda path: path.stem)
def test_what_could_be_graded_is_broken(path: Path) -> None:
    """No attack depends on its own success to fail, where it leaves the rest of the code right."""
    attack = hostile.read(path)
    assert attack.verdict in {"failed", "any"}
    assert attack.breaks is None or (planted.FAULTS / f"{attack.breaks}.toml").is_file()
