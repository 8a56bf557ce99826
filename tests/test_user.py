"""Submissions that run at the same time have different users; the kernel counts by user."""

import os
import sys

import pytest

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


def test_who_is_not_root_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not changes_user()
    with own_user() as user:
        assert user is None
