"""Have the source of a submission linted while it runs."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import msgspec

from otelkata.evidence.model import Reading

READING_LIMIT = 60.0
"""Longest time, in seconds, that the linter may take over one submission."""

_POLITENESS = 3
"""By how much the linter steps back: the scenarios are timed, and it is not, but is waited for."""


async def read_source(copied: Path) -> Reading:
    """Return what the linter says of the submission in `copied`, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "otelkata.lint.submission",
        str(copied),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, own + _POLITENESS)
    try:
        written, errors = await asyncio.wait_for(process.communicate(), READING_LIMIT)
    except (TimeoutError, asyncio.CancelledError) as ended:
        process.kill()
        await process.wait()
        if not isinstance(ended, TimeoutError):
            raise
        return Reading(remarks=[], unread=[f"the linter was not done after {READING_LIMIT:.0f} s"])
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        reason = "".join(last) or f"status {process.returncode}"
        return Reading(remarks=[], unread=[f"the linter failed: {reason}"])
    return msgspec.json.decode(written, type=Reading)
