"""Make what a submission says fit to be shown: as text, and not at any length."""

import hashlib
import os
import re
from pathlib import Path

TEXT_LIMIT = 4_000
"""Longest text, in characters, of any one value in a report."""

NAME_LIMIT = 200
"""Longest name that is shown, in characters."""

_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e"
    r"\u2066-\u2069\ud800-\udfff]"
)
_COMMANDS = re.compile(r"::(?=\w)|##(?=\[|vso\[)")
"""What begins a line that a CI runner obeys; where lines begin is up to who wraps them."""

_IN_FILE_NAMES = re.compile(r"[^\w.@ -]|^[-. ]")
_NAME_BYTES = 120


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` as every reader can show it: controls escaped, at a bounded length."""
    shown = _COMMANDS.sub(lambda match: "\\".join(match.group()), visible(text[: limit + 1]))
    return shown if len(shown) <= limit else f"{shown[:limit]}… (cut)"


def cut_line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` as `cut` does, on one line."""
    return cut(text.replace("\n", "\\n"), limit)


def file_name(path: str, suffix: str = "", times: int = 0) -> str:
    """Return the name of a file on the submission that was given as `path`, at a bounded length.

    It is the same in every run, so that what is newer takes the place of what is older, and another
    one for every path: a submission that was given `times` before has one more.
    """
    name = _IN_FILE_NAMES.sub("_", Path(path).resolve().name)
    kept = name.encode()[:_NAME_BYTES].decode(errors="ignore")
    mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"{kept}-{mark}{f'-{times + 1}' if times else ''}{suffix}"


def visible(text: str) -> str:
    """Return `text` with its controls, those of direction included, written as escapes."""
    return _UNPRINTABLE.sub(lambda match: ascii(match.group())[1:-1], text)
