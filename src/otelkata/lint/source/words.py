"""Words that tell, before anything is parsed, that a file may have a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable

WORDS = (b"opentelemetry", b"kata-lint")
"""Text without any of which no rule has a finding.

What is not OpenTelemetry's is left alone, and a file gets at it by an import; a file with the
second word may hold a comment that suppresses nothing. A rule's own `words` come after these.
"""

_CALLED = (
    rb"TracerProvider|Context|attach|detach|extract|inject|start_span|start_as_current_span|use_span"
    rb"|get_current_span|set_span_in_context|record_exception|set_status|set_attributes?|add_event"
    rb"|update_name"
)
_SITE = re.compile(
    # A call, or a name by which it may be called.
    rb"\b(?:" + _CALLED + rb")\s*(?:\(|\\|\#|as\b)"
    # A shutdown may be handed over, a sampler comes by its keyword.
    rb"|\bshutdown\b|\bsampler[\"']?\s*[=:\]]"
    # What a class makes of its bases, it does in its own name. Without a limit, many open brackets
    # would each be followed to the end.
    rb"|\bclass\s+\w+\s*\([^)]{0,500}?(?:Sampler|TracerProvider|Tracer)\b"
)


def has_site(source: bytes, signatures: Iterable[str] = ()) -> bool:
    """Tell whether `source` has a place at which any rule begins.

    Half of the files that import OpenTelemetry only pass its objects on.
    """
    if _SITE.search(source):
        return True
    return holds(source, (name.rpartition(".")[2].encode() for name in signatures))


def wanted(signatures: Iterable[str] = ()) -> tuple[bytes, ...]:
    """Return the words to search for, where functions of these dotted names start or end spans."""
    own = {name.rpartition(".")[2].encode() for name in signatures}
    words = {*WORDS, *own}
    # A word that holds another one is found wherever that one is.
    return tuple(sorted(w for w in words if not any(o != w and o in w for o in words)))


def holds(source: bytes, words: Iterable[bytes]) -> bool:
    """Tell whether any of `words` is in `source`."""
    return any(word in source for word in words)
