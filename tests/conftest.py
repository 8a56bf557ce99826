"""Make generated examples the same in every run; `--hypothesis-profile=explore` finds new ones."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _results_are_kept_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # No test may be answered from what another run has kept, nor leave anything to the user.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "OTELKATA_CACHE", str(tmp_path_factory.mktemp("kept")))
        yield
