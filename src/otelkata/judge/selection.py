"""Find the checks that somebody names, and what is needed to run them alone."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from otelkata.evidence.only import EVERYTHING, Only

from .criteria import CRITERIA
from .registry import Check

_NEAREST = 3


class UnknownCheck(LookupError):
    """There is no such check or criterion; the message names those that are nearest."""


def select(names: Iterable[str], checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the ids of the checks that `names` name: each a criterion or the id of a check.

    Raises UnknownCheck.
    """
    chosen: set[str] = set()
    for name in names:
        found = {check.id for check in checks if name == check.id or name in check.criteria}
        if not found:
            raise UnknownCheck(_unknown(name, checks))
        chosen |= found
    return tuple(check.id for check in checks if check.id in chosen)


def only(ids: Iterable[str], checks: Iterable[Check]) -> Only:
    """Return what a run is for, and needs, that is only for the checks with these ids."""
    wanted = set(ids)
    chosen = [check for check in checks if check.id in wanted]
    return Only(tuple(check.id for check in chosen), frozenset(_needs(chosen)))


def never_run(ids: Iterable[str], checks: Iterable[Check], left_out: Iterable[str]) -> list[str]:
    """Return those of `ids` that cannot be judged by a run without what is `left_out`."""
    wanted, gone = set(ids), set(left_out)
    return [check.id for check in checks if check.id in wanted and check.lacks(gone)]


def _needs(checks: Iterable[Check]) -> Iterable[str]:
    for check in checks:
        # Beside cases, `view` is where their spans are looked up; alone, it is all there is.
        yield from {*check.needs} - {EVERYTHING} or {EVERYTHING}


def _unknown(name: str, checks: Iterable[Check]) -> str:
    known = {word.lower(): word for word in CRITERIA}
    for check in checks:
        # A check is known by its own name as well as with its theme before it.
        known |= {check.id.rpartition(".")[2]: check.id, check.id: check.id}
    found = get_close_matches(name.lower(), known, n=2 * _NEAREST)
    nearest = list(dict.fromkeys(known[word] for word in found))[:_NEAREST]
    if nearest:
        return f"there is no check or criterion {name}; nearest: {', '.join(nearest)}"
    *first, last = CRITERIA
    return (
        f"there is no check or criterion {name}; criteria are {', '.join(first)} and {last}, and "
        "docs/checks.md lists the checks"
    )
