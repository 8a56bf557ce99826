"""Say in plain text what a check came to: for files of results, which have no form of their own."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from .graded import Judged, LintFinding, Place
from .words import TEXT_LIMIT, cut

SIGNS = {"passed": "✓", "failed": "✗", "blocked": "?", "error": "!"}
ROOMS: Final = (TEXT_LIMIT, 1_000, 200, 80, 0)
"""Longest texts, in characters, from which `fitting` chooses; 0: nothing is told but results."""

ROOM_FOR_TRACES = 1_000
ROOM_FOR_REASONS = 200

_COMMAND = re.compile(r"^(\s*)::|##\[", re.MULTILINE)


def explain(judged: Judged, room: int = TEXT_LIMIT) -> str:
    """Return what is wrong, where, why and how to mend it, and the trace."""
    facts = {
        "where": where(judged.location) if judged.location else "",
        "why": judged.why,
        "fix": judged.fix,
    }
    lines = [cut(judged.message, room)]
    if judged.status != "passed" and room >= ROOM_FOR_REASONS:
        lines += [f"{name}: {fact}" for name, fact in facts.items() if fact]
        if judged.trace and room >= ROOM_FOR_TRACES:
            lines += ["", cut(judged.trace, room)]
    return "\n".join(lines)


def headline(judged: Judged) -> str:
    """Return in one line which check it is, and what it came to."""
    outcome = "" if judged.status == "passed" else f": {judged.status}"
    return f"{SIGNS[judged.status]} {judged.title} ({judged.id}){outcome}"


def told(checks: Iterable[Judged], room: int = TEXT_LIMIT) -> str:
    """Return what several checks came to, each with its headline."""
    parts = []
    for check in checks if room else ():
        said = f"\n{explain(check, room)}" if check.status != "passed" else ""
        parts.append(f"{headline(check)}{said}")
    return "\n\n".join(parts)


def where(place: Place | LintFinding) -> str:
    """Return path and line, in one line."""
    path = one_line(place.path)
    return f"{path}:{place.line}" if place.line > 0 else path


def one_line(text: str) -> str:
    """Return `text` without line breaks."""
    return " ".join(text.split())


def harmless(text: str) -> str:
    """Return `text` so that a runner of workflows that prints it takes no line for a command."""
    return _COMMAND.sub(lambda found: f"{found[1]}: :" if found[1] is not None else "# #[", text)


def fitting(make: Callable[[int], str], limit: int) -> str:
    """Return what `make` makes with the longest texts that keep it within `limit` bytes."""
    made = ""
    for room in ROOMS:
        made = make(room)
        if len(made.encode()) <= limit:
            break
    return made
