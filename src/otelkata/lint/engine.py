"""Lint one file: bytes in, findings out."""

from __future__ import annotations

from collections.abc import Sequence

from .finding import Finding, Unread
from .rule import Rule


def lint_source(source: bytes, path: str, rules: Sequence[Rule]) -> list[Finding] | Unread:
    """Return what `rules` find in `source`, by position; `path` is only a name.

    Suppression comments are not looked at. Never raises for any bytes.
    """
    raise NotImplementedError
