"""Read the patterns of a `.gitignore` as git does, into expressions that no name takes long.

What stands between two wildcards is taken where it comes first, and nowhere else is tried: the
time grows with the length of the name times that of the pattern. Git compares bytes, this
characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_ITEM = re.compile(
    r"\[:(?P<kind>\w+):\]|(?P<first>\\.|[^\\])(?:-(?P<last>\\.|[^\]\\]))?", re.DOTALL
)
_KINDS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_ANY = "*"
"""Stands for itself among the expressions of single characters; a star that is none is escaped."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one line says: which names, or else paths, are ignored, or are not after all."""

    ignores: bool
    only_folders: bool
    by_name: bool
    expression: re.Pattern[str]


def read(line: str) -> Pattern | None:
    """Return the pattern that `line` is; None for one that says nothing or makes no sense."""
    said = _without_blanks(line)
    if said.startswith("#"):
        return None
    ignores = not said.startswith("!")
    said = said if ignores else said[1:]
    only_folders = said.endswith("/")
    said = said.removesuffix("/")
    if not said:
        return None
    by_name = "/" not in said
    try:
        characters = [*_characters(said.removeprefix("/"))]
    except ValueError:
        return None
    expression = _name(characters) if by_name else _path(_split(characters, "/"))
    return Pattern(ignores, only_folders, by_name, re.compile(expression, re.DOTALL))


def _without_blanks(line: str) -> str:
    """Return `line` without the spaces at its end, of which the first may be escaped."""
    said = line.rstrip(" ")
    escapes = len(said) - len(said.rstrip("\\"))
    return f"{said} " if escapes % 2 and said != line else said


def _path(names: Iterable[Sequence[str]]) -> str:
    """Return the expression for a path; a `**` among its names stands for any number of them."""
    runs: list[list[str]] = [[]]
    for name in names:
        if len(name) > 1 and set(name) == {_ANY}:
            # Two in a row are as one.
            runs += [[]] if runs[-1] or len(runs) == 1 else []
        else:
            runs[-1].append(_name(name))
    if len(runs) == 1:
        return "/".join(runs[0])
    first, *inner, last = runs
    found = [f"{name}/" for name in first]
    found += [f"(?>(?:[^/]++/)*?{''.join(f'{name}/' for name in run)})" for run in inner]
    found.append(f"(?:[^/]++/)*{'/'.join(last)}" if last else ".+")
    return "".join(found)


def _name(characters: Iterable[str]) -> str:
    first, *others = ("".join(run) for run in _split(characters, _ANY))
    if not others:
        return first
    *inner, last = others
    return f"{first}{''.join(f'(?>[^/]*?{run})' for run in inner if run)}[^/]*{last}"


def _split(characters: Iterable[str], at: str) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for one in characters:
        if one == at:
            runs.append([])
        else:
            runs[-1].append(one)
    return runs


def _characters(text: str) -> Iterator[str]:
    """Yield the expression of each character, `_ANY` for a `*`; a slash in brackets splits nothing.

    Raises:
        ValueError: something is left open, or the name of a kind of characters is none.
    """
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            yield _ANY
        elif char == "?":
            yield "[^/]"
        elif char == "[":
            expression, at = _one_of(text, at)
            yield expression
        else:
            if char == "\\":
                char = text[at : at + 1]
                at += 1
            if not char:
                raise ValueError(text)
            yield re.escape(char)


def _one_of(text: str, begin: int) -> tuple[str, int]:
    """Return the expression of the characters in brackets that open before `begin`, and its end."""
    is_negated = text.startswith(("!", "^"), begin)
    at = begin = begin + is_negated
    found = []
    while at == begin or not text.startswith("]", at):
        item = _ITEM.match(text, at)
        if item is None or (item["kind"] and item["kind"] not in _KINDS):
            raise ValueError(text)
        found.append(_KINDS[item["kind"]] if item["kind"] else _range(item["first"], item["last"]))
        at = item.end()
    inside = "".join(found)
    if is_negated:
        return f"[^/{inside}]", at + 1
    return f"(?!/)[{inside}]" if inside else "(?!)", at + 1


def _range(first: str, last: str | None) -> str:
    first = first[-1]
    if last is None:
        return re.escape(first)
    last = last[-1]
    return f"{re.escape(first)}-{re.escape(last)}" if first <= last else re.escape(first)
