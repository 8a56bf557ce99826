"""Read a grading policy from a TOML file, and tell all its mistakes at once."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from otelkata import toml
from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.registry import Check

from .policy import CONTRACT, POINTS, Bonus, Level, Policy, Until

MOST = 1_000_000
"""Largest weight, and largest number of points."""

SIZE_LIMIT = 256 * 1024
"""Largest file, in bytes; one that names every check takes a tenth of it."""

KEYS = ("points", "bonus", "weights", "pass", "show")
KEYS_OF_PASS = ("required", "points")


class PolicyError(Exception):
    """A policy cannot be used; `mistakes` says why, one line each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def read(path: Path, checks: Sequence[Check]) -> Policy:
    """Return the policy in the file `path`; raise PolicyError where it cannot be used."""
    try:
        policy, mistakes = _policy(_bytes(path), checks)
    except OSError as error:
        raise PolicyError([f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PolicyError([f"is not UTF-8 (at line {line})"]) from None
    except ValueError as error:
        raise PolicyError([f"is no valid TOML: {error}"]) from None
    except RecursionError:
        raise PolicyError(["is nested too deeply"]) from None
    if mistakes:
        raise PolicyError(mistakes)
    return policy


def _policy(data: bytes, checks: Sequence[Check]) -> tuple[Policy, list[str]]:
    reader = _Reader(checks)
    policy = reader.policy(toml.loads(data.decode("utf-8")))
    return policy, reader.mistakes


def _bytes(path: Path) -> bytes:
    # Not by what the system says of its size: a device has none and no end.
    with path.open("rb") as stream:
        data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise PolicyError([f"is larger than {SIZE_LIMIT // 1024} KiB"])
    return data


class _Reader:
    # Goes on after a mistake with a default, so that all of them are found.

    def __init__(self, checks: Sequence[Check]) -> None:
        self._names = [*CRITERIA, CONTRACT, *(check.id for check in checks)]
        self._bonus = {*BONUS, *(check.id for check in checks if check.bonus)}
        self.mistakes: list[str] = []

    def policy(self, document: Mapping[str, Any]) -> Policy:
        self._check_keys(document, KEYS, "")
        bonus = cast("Bonus", self._one_of(document, "bonus", get_args(Bonus), "none"))
        points = self._positive(document.get("points", POINTS), "points", POINTS)
        weights = self._weights(document, bonus)
        required, pass_points = self._pass(document, points, bonus)
        show = self._flat(document, "show")
        otherwise = self._one_of(show, "default", get_args(Level), "all", "show.")
        until = self._one_of(show, "until", get_args(Until), "published", "show.")
        shown = {
            name: cast("Level", self._one_of(show, name, get_args(Level), "all", "show."))
            for name in show
            if name not in {"default", "until"} and self._is_known(name, "show", "default", "until")
        }
        return Policy(
            points=points,
            bonus=bonus,
            weights=weights,
            required=required,
            pass_points=pass_points,
            shown=shown,
            shown_otherwise=cast("Level", otherwise),
            until=cast("Until", until),
        )

    def _weights(self, document: Mapping[str, Any], bonus: Bonus) -> dict[str, float]:
        weights = {}
        for name, value in self._flat(document, "weights").items():
            if not self._is_known(name, "weights"):
                continue
            weights[name] = self._number(value, f"weights.{name}", 0.0)
            if name in self._bonus and bonus == "none" and weights[name]:
                self.mistakes.append(
                    f"weights.{name}: bonus gives no points unless the policy says "
                    'bonus = "on_top" or bonus = "capped"'
                )
        policy = Policy(weights=weights)
        required = [name for name in self._names if name not in self._bonus]
        if not any(policy.weight(name, bonus=False) for name in required):
            self.mistakes.append("weights: every weight is 0, and so nothing gives points")
        return weights

    def _pass(
        self, document: Mapping[str, Any], points: float, bonus: Bonus
    ) -> tuple[tuple[str, ...] | None, float | None]:
        if "pass" not in document:
            return None, None
        table = self._table(document, "pass")
        self._check_keys(table, KEYS_OF_PASS, "pass.")
        if not table:
            self.mistakes.append('pass: is empty; it needs "required", "points" or both')
        least = None
        if "points" in table:
            least = self._number(table["points"], "pass.points", 0.0)
            if least > points and bonus != "on_top":
                self.mistakes.append(f"pass.points: {least:g} are more than all {points:g} points")
        required = None
        if "required" in table:
            required = tuple(self._required(table["required"]))
        return required, least

    def _required(self, value: object) -> Iterator[str]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self.mistakes.append(f"pass.required: {_shown(value)} is no list of names")
            return
        for number, name in enumerate(value):
            if name in value[:number]:
                self.mistakes.append(f"pass.required: {name} stands there twice")
            elif self._is_known(name, "pass.required"):
                yield name

    def _flat(self, document: Mapping[str, Any], key: str) -> dict[str, Any]:
        # A check's id without quotes is a table in a table to TOML.
        flat: dict[str, Any] = {}
        for name, value in self._table(document, key).items():
            inner = {name: value}
            if isinstance(value, dict):
                inner = {f"{name}.{rest}": item for rest, item in value.items()}
            for full, item in inner.items():
                if full in flat:
                    self.mistakes.append(f"{key}.{full}: stands there twice")
                flat[full] = item
        return flat

    def _table(self, document: Mapping[str, Any], key: str) -> dict[str, Any]:
        table = document.get(key, {})
        if isinstance(table, dict):
            return table
        self.mistakes.append(f"{key}: {_shown(table)} is no table; write [{key}] above its lines")
        return {}

    def _check_keys(self, table: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
        self.mistakes += [
            f"{prefix}{key}: there is no such setting{_meant(key, known)}"
            for key in table
            if key not in known
        ]

    def _is_known(self, name: str, place: str, *others: str) -> bool:
        if name in self._names:
            return True
        where = place if place.startswith("pass") else f"{place}.{name}"
        self.mistakes.append(
            f"{where}: there is no criterion or check {name}{_meant(name, [*self._names, *others])}"
        )
        return False

    def _one_of(
        self,
        table: Mapping[str, Any],
        key: str,
        choices: Sequence[str],
        default: str,
        prefix: str = "",
    ) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        listed = ", ".join(f'"{choice}"' for choice in choices)
        meant = _meant(value, choices) if isinstance(value, str) else ""
        self.mistakes.append(f"{prefix}{key}: {_shown(value)} is none of {listed}{meant}")
        return default

    def _positive(self, value: object, place: str, default: float) -> float:
        number = self._number(value, place, default)
        if number == 0:
            self.mistakes.append(f"{place}: has to be more than 0")
            return default
        return number

    def _number(self, value: object, place: str, default: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.mistakes.append(f"{place}: {_shown(value)} is no number")
        elif isinstance(value, float) and not math.isfinite(value):
            self.mistakes.append(f"{place}: {value} is no finite number")
        elif value < 0:
            self.mistakes.append(f"{place}: {value} is negative")
        elif value > MOST:
            self.mistakes.append(f"{place}: is more than {MOST}")
        else:
            return float(value)
        return default


def _meant(name: str, known: Sequence[str]) -> str:
    # The last part alone is what somebody remembers of a check.
    spelt = {one.rpartition(".")[2].casefold(): one for one in known}
    spelt |= {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name.casefold(), spelt, n=1, cutoff=0.5)
    return f"; did you mean {spelt[found[0]]}?" if found else ""


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else f"{value!r}"
    return text if len(text) <= 60 else f"{text[:60]}…"
