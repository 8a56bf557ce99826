"""Words that tell, before anything is parsed, that a file may have a finding."""

from __future__ import annotations

from collections.abc import Iterable

WORDS = (b"opentelemetry", b"kata-lint")
"""Text without any of which no rule has a finding.

What is not OpenTelemetry's is left alone, and a file gets at it by an import; a file with the
second word may hold a comment that suppresses nothing. A rule's own `words` come after these.
"""


def wanted(signatures: Iterable[str] = ()) -> tuple[bytes, ...]:
    """Return the words to search for, where functions of these dotted names start or end spans."""
    own = {name.rpartition(".")[2].encode() for name in signatures}
    words = {*WORDS, *own}
    # A word that holds another one is found wherever that one is.
    return tuple(sorted(w for w in words if not any(o != w and o in w for o in words)))


def holds(source: bytes, words: Iterable[bytes]) -> bool:
    """Tell whether any of `words` is in `source`."""
    return any(word in source for word in words)
