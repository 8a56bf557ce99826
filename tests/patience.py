"""Wait for what comes by itself, and fail where it does not."""

import time
from collections.abc import Callable

LIMIT = 100.0
"""Seconds after which a test that waits in vain fails; none of them comes near to it."""


def until(condition: Callable[[], object]) -> None:
    """Return as soon as `condition` holds."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "what the test waits for has not come"
