"""Hold what an instructor says of a grade: weights, what has to pass, what a learner sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from otelkata.judge.criteria import BONUS, CRITERIA

Level = Literal["all", "result", "nothing"]
"""What is seen: everything, whether it passed, or nothing until it is published."""

Bonus = Literal["none", "on_top", "capped"]
"""What bonus is worth: nothing, points beyond the total, or points up to the total."""

Until = Literal["published", "due_date", "never"]
"""When what is hidden is shown, by systems that can."""

CONTRACT = "contract"
"""Stands for all checks that belong to no criterion."""

POINTS = 100.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How results become points, a verdict, and what a learner sees.

    Names are those of criteria, of checks, or `CONTRACT`. `required` and `pass_points` None: the
    verdict is that of the contract.
    """

    points: float = POINTS
    bonus: Bonus = "none"
    weights: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] | None = None
    pass_points: float | None = None
    shown: Mapping[str, Level] = field(default_factory=dict)
    shown_otherwise: Level = "all"
    until: Until = "published"

    @property
    def says_what_passes(self) -> bool:
        """Tell whether the verdict is this policy's, and not that of the contract."""
        return self.required is not None or self.pass_points is not None

    @property
    def hides(self) -> bool:
        """Tell whether there is anything that a learner does not see."""
        return {self.shown_otherwise, *self.shown.values()} != {"all"}

    @property
    def withholds(self) -> bool:
        """Tell whether there is anything of which a learner does not even see the result."""
        return "nothing" in {self.shown_otherwise, *self.shown.values()}

    @property
    def withholds_verdict(self) -> bool:
        """Tell whether a verdict would tell what a learner does not see; bonus changes none."""
        hidden = {name for name, level in self.shown.items() if level == "nothing"}
        if self.shown_otherwise == "nothing" or hidden - BONUS.keys():
            return True
        return bool(hidden) and self.says_what_passes

    def weight(self, name: str, *, bonus: bool) -> float:
        """Return how much a criterion or check counts beside the others."""
        if bonus and self.bonus == "none":
            return 0.0
        return self.weights.get(name, 1.0 if name in CRITERIA else 0.0)

    def level(self, name: str) -> Level:
        """Return what is seen of a criterion, or of `CONTRACT`."""
        return self.shown.get(name, self.shown_otherwise)

    def level_of_check(self, check: str, criteria: Iterable[str]) -> Level:
        """Return what is seen of a check: its own level, or the strictest of its criteria."""
        if check in self.shown:
            return self.shown[check]
        levels = [self.level(name) for name in tuple(criteria) or (CONTRACT,)]
        return max(levels, key=get_args(Level).index)

    def level_once_shown(self, check: str, criteria: Iterable[str]) -> Level:
        """Return what is seen of a check when everything that was hidden is shown."""
        names = [check] if check in self.shown else [*criteria] or [CONTRACT]
        return "result" if "result" in map(self.level, names) else "all"


DEFAULT = Policy()
