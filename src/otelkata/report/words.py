"""Make what a submission says fit to be shown: as text, and not at any length."""

import re

TEXT_LIMIT = 4_000
"""Longest text, in characters, of any one value in a report."""

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` as every reader can show it: controls escaped, at a bounded length."""
    shown = _UNPRINTABLE.sub(lambda match: ascii(match.group())[1:-1], text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[:limit]}… (cut)"
