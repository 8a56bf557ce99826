"""`[tool.kata-lint]` in a `pyproject.toml`: what a project says about how it is linted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from otelkata.lint.command.selection import Selection
from otelkata.lint.finding import Unread
from otelkata.lint.options import Options
from otelkata.lint.source import reading
from otelkata.lint.source.excludes import DEFAULT, Excludes

TABLE = "tool.kata-lint"


class ConfigMistake(ValueError):
    """What is wrong in a configuration: file, key, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Config:
    """How the files below `root` are linted; `file` is None where nothing is configured."""

    root: str
    file: str | None = None
    selection: Selection = field(default_factory=Selection)
    excludes: Excludes = field(
        default_factory=lambda: Excludes(os.path.abspath(os.curdir), DEFAULT)
    )
    per_file: tuple[tuple[Excludes, tuple[str, ...]], ...] = ()
    """Which rules are ignored in which files."""
    options: Options = field(default_factory=Options)

    def ignored_in(self, path: str) -> tuple[str, ...]:
        """Return the selectors of the rules that are ignored in the file of this absolute path."""
        found: list[str] = []
        for files, selectors in self.per_file:
            if files.match(os.path.basename(path), path):
                found += selectors
        return tuple(found)


def closest(folder: str) -> Config:
    """Return what holds in `folder`, by the closest `pyproject.toml` upwards that has the table.

    Raises:
        ConfigMistake: that table is wrong.
    """
    current = os.path.abspath(folder)
    while True:
        found = read(current)
        if found is not None:
            return found
        above = os.path.dirname(current)
        if above == current:
            return Config(os.path.abspath(os.curdir))
        current = above


@cache
def read(folder: str) -> Config | None:
    """Return what the `pyproject.toml` in `folder` says; None if it has no table for the linter.

    Raises:
        ConfigMistake: the table is wrong, or the file cannot be read.
    """
    path = os.path.join(folder, "pyproject.toml")
    if not os.path.exists(path):
        return None
    source = reading.read(path, done="read")
    if isinstance(source, Unread):
        raise ConfigMistake(f"{path}: {source.reason}")
    if b"kata-lint" not in source:
        return None
    from otelkata import toml  # noqa: PLC0415 (few runs need it)

    try:
        table = toml.loads(source.decode()).get("tool", {})
        said = table.get("kata-lint") if isinstance(table, dict) else None
    except ValueError as error:
        raise ConfigMistake(f"{path}: is no TOML: {error}") from None
    return None if said is None else _config(path, folder, said)


def _config(path: str, root: str, said: object) -> Config:
    if not isinstance(said, dict):
        raise ConfigMistake(f"{path}: {TABLE} has to be a table")
    for key in said:
        if key not in _KEYS:
            raise ConfigMistake(f"{path}: {TABLE} has no key {key!r}; it has {', '.join(_KEYS)}")

    def get(key: str) -> _Value:
        value = _KEYS[key](said[key]) if key in said else None
        if key in said and value is None:
            raise ConfigMistake(f"{path}: {TABLE}.{key} {_EXPECTED[_KEYS[key]]}")
        return value

    strings = {key: get(key) for key in _KEYS if _KEYS[key] in {_strings, _names}}
    listed = {k: v for k, v in strings.items() if isinstance(v, tuple)}
    per_file = get("per-file-ignores")
    excluded = (*listed.get("exclude", DEFAULT), *listed.get("extend-exclude", ()))
    return Config(
        root=root,
        file=path,
        selection=Selection(
            listed.get("select"), listed.get("extend-select", ()), listed.get("ignore", ())
        ),
        excludes=Excludes(root, excluded),
        per_file=tuple(
            (Excludes(root, (pattern,)), selectors)
            for pattern, selectors in (per_file.items() if isinstance(per_file, dict) else ())
        ),
        options=Options(
            strict_ownership=get("strict-ownership") is True,
            start_signatures=frozenset(listed.get("start-signatures", ())),
            end_signatures=frozenset(listed.get("end-signatures", ())),
        ),
    )


_Value: TypeAlias = tuple[str, ...] | Mapping[str, tuple[str, ...]] | bool | None
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _strings(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return None
    return tuple(value)


def _names(value: object) -> tuple[str, ...] | None:
    names = _strings(value)
    return names if names is not None and all(map(_DOTTED.fullmatch, names)) else None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _lists_by_pattern(value: object) -> Mapping[str, tuple[str, ...]] | None:
    if not isinstance(value, dict):
        return None
    lists = {pattern: _strings(item) for pattern, item in value.items()}
    return None if None in lists.values() else {k: v for k, v in lists.items() if v is not None}


_KEYS: Mapping[str, Callable[[object], _Value]] = {
    "select": _strings,
    "extend-select": _strings,
    "ignore": _strings,
    "exclude": _strings,
    "extend-exclude": _strings,
    "per-file-ignores": _lists_by_pattern,
    "strict-ownership": _boolean,
    "start-signatures": _names,
    "end-signatures": _names,
}
_EXPECTED: Mapping[Callable[[object], _Value], str] = {
    _strings: "has to be a list of texts that are not empty",
    _names: 'has to be a list of dotted names, as "shop.tracing.start"',
    _boolean: "has to be true or false",
    _lists_by_pattern: 'has to be a table of lists, as {"tests/*" = ["OTK101"]}',
}
