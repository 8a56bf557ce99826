"""Turn a result into points and a verdict, as a policy says."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from otelkata.judge.criteria import BONUS, CRITERIA

from .graded import Graded, Judged
from .policy import CONTRACT, Level, Policy
from .seen import at_level

CONTRACT_TITLE = "The contract of a submission is kept"

Status = Literal["passed", "failed", "blocked", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A criterion, the contract, or a check with a weight of its own: all of its points or none.

    `checks` are those that it is judged by, as far as a learner sees them where it is shown.
    """

    id: str
    title: str
    status: Status
    bonus: bool
    level: Level
    checks: tuple[Judged, ...]
    points: float
    most: float

    @property
    def name(self) -> str:
        """Return the item as a learner knows it."""
        bonus = " (bonus)" if self.bonus else ""
        return f"{self.id} {self.title}{bonus}" if self.id in CRITERIA else f"{self.title}{bonus}"


@dataclass(frozen=True, slots=True)
class Marks:
    """What a result is worth: items in order, points of `most`, and the verdict."""

    items: tuple[Item, ...]
    points: float
    most: float
    verdict: Literal["passed", "failed", "error"]

    @property
    def share(self) -> float:
        """Return the points as a part of all, from 0 to 1."""
        if not self.most:
            return float(self.verdict == "passed")
        return min(1.0, round(self.points / self.most, 6))

    @property
    def shown(self) -> tuple[Item, ...]:
        """Return the items that a learner sees now."""
        return tuple(item for item in self.items if item.level != "nothing")

    @property
    def line(self) -> str:
        """Return verdict and points in one line."""
        return f"{self.verdict}, {amount(self.points)} of {amount(self.most)} points"


def amount(points: float) -> str:
    """Return a number of points as people write it."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def mark(graded: Graded, policy: Policy) -> Marks:
    """Return what `graded` is worth; what was not run counts neither for nor against it."""
    found = [_Found(name, graded) for name in _names(graded, policy)]
    weights = {one.name: policy.weight(one.name, bonus=one.bonus) for one in found}
    required = math.fsum(weights[one.name] for one in found if not one.bonus)
    each = policy.points / required if required else 0.0
    items = tuple(one.item(each * weights[one.name], policy) for one in found)
    most = policy.points if required else 0.0
    share = math.fsum(weights[one.name] for one in found if one.status == "passed")
    points = round(share / required * most, 4) if required else 0.0
    if policy.bonus != "on_top":
        points = min(points, most)
    return Marks(items, points, most, _verdict(graded, policy, items, points))


class _Found:
    # A criterion, the contract or a check, with the checks that it is judged by.

    def __init__(self, name: str, graded: Graded) -> None:
        self.name = name
        self.checks = tuple(check for check in graded.checks if _is_of(check, name))
        self.bonus = name in BONUS or any(check.id == name and check.bonus for check in self.checks)
        self.status = _status(name, graded, self.checks)

    def item(self, worth: float, policy: Policy) -> Item:
        title = CRITERIA.get(self.name, CONTRACT_TITLE)
        level = policy.level(self.name)
        if "." in self.name:
            [check] = self.checks
            title = check.title
            level = policy.level_of_check(self.name, check.criteria)
        worth = round(worth, 4)
        return Item(
            id=self.name,
            title=title,
            status=self.status,
            bonus=self.bonus,
            level=level,
            checks=tuple(_seen_under(self.checks, level, policy)),
            points=worth if self.status == "passed" else 0.0,
            most=worth,
        )


def _names(graded: Graded, policy: Policy) -> Iterable[str]:
    if any(not check.criteria for check in graded.checks):
        yield CONTRACT
    yield from (name for name in CRITERIA if graded.criteria.get(name, "not_run") != "not_run")
    yield from (check.id for check in graded.checks if check.id in policy.weights)


def _is_of(check: Judged, name: str) -> bool:
    return name in {check.id, *(check.criteria or (CONTRACT,))}


def _status(name: str, graded: Graded, checks: Iterable[Judged]) -> Status:
    known = graded.criteria.get(name, "not_run")
    if known != "not_run":
        return known
    statuses = {check.status for check in checks}
    order: tuple[Status, ...] = ("failed", "error", "blocked")
    return next((status for status in order if status in statuses), "passed")


def _seen_under(checks: Iterable[Judged], level: Level, policy: Policy) -> Iterable[Judged]:
    if level == "result":
        return
    for check in checks:
        if level == "nothing":
            # It will be seen one day, and then with all that is not a mere result for good.
            yield at_level(check, policy.level_once_shown(check.id, check.criteria))
        elif (own := policy.level_of_check(check.id, check.criteria)) != "nothing":
            yield at_level(check, own)


def _verdict(
    graded: Graded, policy: Policy, items: Iterable[Item], points: float
) -> Literal["passed", "failed", "error"]:
    if graded.verdict == "error" or not policy.says_what_passes:
        return graded.verdict
    ran = {check.id: check.status for check in graded.checks}
    ran |= {item.id: item.status for item in items}
    missed = any(ran.get(name, "passed") != "passed" for name in policy.required or ())
    too_few = policy.pass_points is not None and points < policy.pass_points
    return "failed" if missed or too_few else "passed"
