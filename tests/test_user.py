"""Submissions that run at the same time have different users; the kernel counts by user."""

import os
import sys
from pathlib import Path

import pytest

from otelkata.deploy import user
from otelkata.deploy.user import own_user
from otelkata.host.isolation import HOST_UIDS, changes_user

only_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root has users to change to"
)


@only_root
def test_two_submissions_at_a_time_have_two_users() -> None:
    with own_user() as one, own_user() as other:
        assert one in HOST_UIDS
        assert other in HOST_UIDS
        assert one != other


@only_root
def test_a_user_is_free_again_when_its_submission_is_gone() -> None:
    with own_user() as first:
        pass
    seen = set()
    with own_user() as one, own_user() as two, own_user() as three:
        seen |= {one, two, three}
    assert first is not None
    assert len(seen) == 3


@only_root
def test_what_a_submission_leaves_in_shared_memory_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user, "SHARED_MEMORY", str(tmp_path))

    def leave(name: str, owner: int) -> Path:
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / f"{name}.file").touch()
        (tmp_path / f"{name}.link").symlink_to(tmp_path / "of root.file")
        for path in tmp_path.glob(f"{name}*"):
            os.chown(path, owner, owner, follow_symlinks=False)
        return tmp_path / name

    leave("of root", 0)
    before = sorted(tmp_path.iterdir())
    for owner in HOST_UIDS:
        (tmp_path / f"{owner}").touch()
        os.chown(tmp_path / f"{owner}", owner, owner)
    with own_user() as one:
        assert one is not None
        assert not (tmp_path / f"{one}").exists()
        leave("of a submission", one)
    assert sorted(p for p in tmp_path.iterdir() if not p.name.isdigit()) == before


def test_who_is_not_root_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not changes_user()
    with own_user() as nobody:
        assert nobody is None
