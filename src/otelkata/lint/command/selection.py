"""Which rules are on, by selectors: a code, the beginning of codes, a name, `ALL`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

_WHOLE = 100
"""How specific a selector is that names one rule; a beginning of codes: its length."""


class Selectable(Protocol):
    """A rule, or what the catalogue has of it."""

    @property
    def code(self) -> str:
        """The rule's code."""

    @property
    def name(self) -> str:
        """The rule's name."""

    @property
    def opt_in(self) -> bool:
        """Whether it is off unless selected."""


class UnknownSelector(ValueError):
    """A selector that stands for no rule."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: `select` instead of the default, `extend` besides, `ignore` less."""

    select: tuple[str, ...] | None = None
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def over(self, other: Selection) -> Selection:
        """Return this selection laid over `other`: a `select` begins anew, the rest adds."""
        if self.select is not None:
            return self
        return Selection(other.select, other.extend + self.extend, other.ignore + self.ignore)


def active(entries: Iterable[Selectable], selection: Selection) -> frozenset[str]:
    """Return the codes of the rules that are on: the more specific selector decides."""
    on = (*(selection.select or ()), *selection.extend)
    codes = set()
    for entry in entries:
        asked = max((_specific(selector, entry) for selector in on), default=0)
        if selection.select is None and not entry.opt_in:
            asked = max(asked, 1)
        refused = max((_specific(selector, entry) for selector in selection.ignore), default=0)
        if asked > refused:
            codes.add(entry.code)
    return frozenset(codes)


def matching(entries: Iterable[Selectable], selectors: Iterable[str]) -> frozenset[str]:
    """Return the codes for which any of `selectors` stands."""
    wanted = tuple(selectors)
    return frozenset(e.code for e in entries if any(_specific(s, e) for s in wanted))


def check(entries: Sequence[Selectable], selectors: Iterable[str]) -> None:
    """Refuse a selector that stands for no rule.

    Raises:
        UnknownSelector: with the selector, and what is allowed.
    """
    for selector in selectors:
        if not any(_specific(selector, entry) for entry in entries):
            raise UnknownSelector(
                f"{selector!r} is no rule; a code (OTK101), the beginning of codes (OTK1), a name "
                "(span-not-ended) or ALL is"
            )


def _specific(selector: str, entry: Selectable) -> int:
    if selector in {entry.code, entry.name}:
        return _WHOLE
    if selector == "ALL":
        return 1
    return len(selector) if len(selector) >= 3 and entry.code.startswith(selector) else 0
