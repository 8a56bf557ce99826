"""An edited check takes effect, in the source tree and in an installed package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted import ROOT

NEW_CHECK = '''
from otelkata.check import SOUND, Findings, View, check


@check(why="It was edited.", fix="Nothing.")
def takes_effect(view: View) -> Findings:
    """An edited check takes effect."""
    yield SOUND
'''
LIST = "from otelkata.judge import registry; print(*(check.id for check in registry.load()))"


@pytest.mark.parametrize(
    ("package", "checks"),
    [
        pytest.param("src/otelkata", "checks", id="source tree"),
        pytest.param("site/otelkata", "site/otelkata/_kata/checks", id="installed"),
    ],
)
def test_an_edited_check_takes_effect(package: str, checks: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "otelkata", tmp_path / package)
    (tmp_path / checks).mkdir(parents=True)
    (tmp_path / checks / "edited.py").write_text(NEW_CHECK)
    environment = os.environ | {"PYTHONPATH": str((tmp_path / package).parent)}
    command = [sys.executable, "-c", LIST]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["edited.takes_effect"]
