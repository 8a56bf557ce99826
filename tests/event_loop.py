"""Run asynchronous tests, each in an event loop of its own."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")

PATIENCE = 30.0
"""Seconds after which a test that hangs fails; none of them comes near to it."""


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until `condition` holds."""
    while not condition():  # noqa: ASYNC110 (the condition is one of the product, without an event)
        await asyncio.sleep(0)


def in_event_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a coroutine function a test that pytest can call."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE))

    return run
