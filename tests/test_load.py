"""On a machine that others keep busy, a run has more patience."""

import os
from pathlib import Path

import planted
import pytest

from otelkata.cli.grade import main
from otelkata.drive import load
from otelkata.drive.plan import MAIN
from otelkata.evidence import store


def busy(monkeypatch: pytest.MonkeyPatch, ready: float) -> None:
    """Let so many processes be ready to run, for each processor."""
    average = ready * (os.cpu_count() or 1)
    monkeypatch.setattr(os, "getloadavg", lambda: (average, 0.0, 0.0), raising=False)


@pytest.mark.parametrize(
    ("ready", "patience"), [(0.0, 1.0), (1.0, 1.0), (4.0, 1.0), (8.0, 2.0), (400.0, 4.0)]
)
def test_patience_grows_with_the_load_up_to_a_bound(
    ready: float, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(monkeypatch, ready)
    assert load.patience() == patience


def test_where_no_load_is_known_limits_are_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert load.patience() == 1.0


@pytest.mark.fixtures
def test_services_have_longer_timeouts_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(monkeypatch, 8.0)
    assert main([str(planted.REFERENCE), "--only", "T1", "--evidence", str(tmp_path)]) == 0
    [file] = tmp_path.glob(f"*{store.SUFFIX}")
    given = {start.name: start.timeout for start in store.read(file).starts}
    for planned in MAIN:
        if planned.timeout is not None:
            assert given[planned.name] == 2 * planned.timeout
