"""Find the checks that somebody names, and what is needed to run them alone."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from otelkata.evidence.only import EVERYTHING, Only

from .criteria import CRITERIA
from .registry import Check

_NEAREST = 3
*_FIRST, _LAST = CRITERIA
KNOWN = (
    f"criteria are {', '.join(_FIRST)} and {_LAST}; "
    f"kata-grade --explain {_LAST} names the checks of {_LAST}"
)
"""Where names are found, in words."""


class UnknownCheck(LookupError):
    """There is no such check or criterion; the message names those that are nearest."""


def select(names: Iterable[str], checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the ids of the checks that `names` name: each a criterion or an id, in any case.

    Raises UnknownCheck.
    """
    chosen: set[str] = set()
    for name in names:
        wanted = name.lower()
        found = {
            check.id
            for check in checks
            if wanted in {word.lower() for word in (check.id, *check.criteria)}
        }
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


def called(checks: Iterable[Check]) -> dict[str, str]:
    """Return the criteria and the ids of `checks` by what they are called, in small letters.

    A check is called by its own name as well as with its theme before it.
    """
    names = {criterion.lower(): criterion for criterion in CRITERIA}
    for check in checks:
        names |= {check.id.rpartition(".")[2]: check.id, check.id: check.id}
    return names


def nearest(name: str, names: Mapping[str, str]) -> list[str]:
    """Return those of `names`, which are in small letters, that `name` may have meant."""
    found = get_close_matches(name.lower(), names, n=2 * _NEAREST)
    return list(dict.fromkeys(names[word] for word in found))[:_NEAREST]


def meant(name: str, names: Mapping[str, str]) -> str:
    """Return in words what `name` may have meant among `names`, which are in small letters.

    The name of a theme stands for none of its checks, but for all of them it may have.
    """
    theme = f"{name.lower().removesuffix('.').removesuffix('.*')}."
    family = [known for word, known in names.items() if word.startswith(theme)]
    if family:
        *most, last = family
        listed = f"{', '.join(most)} or {last}" if most else last
        return f"it is a theme, and its checks are named in full: did you mean {listed}?"
    near = nearest(name, names)
    return f"nearest: {', '.join(near)}" if near else KNOWN


def _unknown(name: str, checks: Iterable[Check]) -> str:
    return f"there is no check or criterion {name}; {meant(name, called(checks))}"
