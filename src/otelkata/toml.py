"""Read TOML that may come from anywhere."""

import re
import tomllib
from typing import Any

_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]{1,200}+|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
    r"""[ \t]*+\.[ \t]*+){100}"""
)


def loads(text: str) -> dict[str, Any]:
    """Return the document; raise ValueError where it is none, or nested too deeply.

    What `tomllib` takes for a dotted key, memory as well, grows with the square of its parts: ten
    gigabytes for a line of 100 KiB. None is longer than a hundred, but one of very long parts.
    """
    if _LONG_KEY.search(text):
        raise ValueError("a key has more than 100 parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("lists or tables are nested too deeply") from None
