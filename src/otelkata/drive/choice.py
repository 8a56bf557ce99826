"""Choose which scenarios a run plays, and name what it leaves out on purpose."""

from collections.abc import Collection, Iterable

from otelkata.evidence.only import EVERYTHING, Only

from .exits import TAGS, sigterm_works
from .scenario import Scenario

_EXITS = "exits_"
_WAITING = ("lifespan_hanging", "sigterm_hanging")
_SIGTERM = ("sigterm", "sigterm_hanging")


class Choice:
    """What of `scenarios`, and of the ends of processes, a run plays.

    `only` None: whatever any check may need. `left_out` are tags that are not run, and `groups` the
    groups that may be; None: all.
    """

    def __init__(
        self,
        scenarios: Iterable[Scenario],
        only: Only | None = None,
        left_out: Iterable[str] = (),
        groups: Collection[str] | None = None,
    ) -> None:
        self._needs = frozenset({EVERYTHING}) if only is None else only.needs
        self._left_out = set(left_out)
        every = list(scenarios)
        allowed = [s for s in every if groups is None or s.group in groups]
        if groups is not None:
            self._left_out |= _tags(every) - _tags(allowed)
            self._left_out |= {tag for group in TAGS if group not in groups for tag in TAGS[group]}
        self._groups = {s.group for s in allowed if self._is_wanted(s)}

    @property
    def left_out(self) -> list[str]:
        """Return the tags of what is not run on purpose, beside what nobody needs."""
        return sorted(self._left_out)

    def runs(self, *groups: str) -> bool:
        """Tell whether anything of one of `groups` is played."""
        return not self._groups.isdisjoint(groups)

    def plays(self, scenario: Scenario) -> bool:
        """Tell whether a scenario is played."""
        # What ends together is played together: an end needs the checkout before it.
        return scenario.group in self._groups and (
            scenario.group in TAGS or self._is_wanted(scenario)
        )

    def _is_wanted(self, scenario: Scenario) -> bool:
        exits = set(TAGS.get(scenario.group, ()))
        if exits and exits <= self._left_out:
            return False
        needed = {*scenario.tags, *(_EXITS + tag for tag in exits - self._left_out)}
        return EVERYTHING in self._needs or not needed.isdisjoint(self._needs)


def left_out(*, quick: bool) -> set[str]:
    """Return the tags of what no run has here, and of what one that is `quick` leaves out."""
    return {*(_WAITING if quick else ()), *(() if sigterm_works() else _SIGTERM)}


def _tags(scenarios: Iterable[Scenario]) -> set[str]:
    return {tag for scenario in scenarios for tag in scenario.tags}
