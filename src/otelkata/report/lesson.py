"""Read what there is to learn about each criterion from `checks/criteria/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otelkata import content
from otelkata.judge.criteria import CRITERIA

SECTIONS = ("Why", "Wrong", "Right")

_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a criterion asks for and why, in Markdown; `wrong` and `right` are Python files."""

    criterion: str
    asks: str
    why: str
    wrong: str
    right: str


def load(folder: Path | None = None) -> Mapping[str, Lesson]:
    """Return the lesson of each criterion, in the criteria's order.

    Raises:
        ValueError: a lesson lacks a section, has another one, or code that is not one block.
    """
    directory = folder or content.folder("checks") / "criteria"
    return {name: parse(name, (directory / f"{name}.md").read_text("utf-8")) for name in CRITERIA}


def parse(criterion: str, text: str) -> Lesson:
    """Return the lesson that `text` holds; raise ValueError as `load` does."""
    asks, *rest = _HEADING.split(text)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    if tuple(sections) != SECTIONS or not asks.strip():
        raise ValueError(f"{criterion}.md has to say what it asks, then {', '.join(SECTIONS)}")
    code = {title: _CODE.findall(sections[title]) for title in SECTIONS[1:]}
    for title, blocks in code.items():
        if len(blocks) != 1:
            raise ValueError(f"{criterion}.md: {title} has to be one block of Python")
    return Lesson(
        criterion, asks.strip(), sections["Why"].strip(), code["Wrong"][0], code["Right"][0]
    )
