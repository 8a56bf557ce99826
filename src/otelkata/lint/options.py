"""What a user can tell the engine about a project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the analysis.

    `start_signatures` and `end_signatures` are dotted names of a project's own functions that
    return a started span, and that end the span they are given. `strict_ownership` reports spans
    that are handed to another owner.
    """

    strict_ownership: bool = False
    start_signatures: frozenset[str] = frozenset()
    end_signatures: frozenset[str] = frozenset()
