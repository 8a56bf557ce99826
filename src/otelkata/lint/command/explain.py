"""A rule as a page to read, from its docstring and its examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent, indent

from otelkata.lint.rule import Example, Rule

SECTIONS = ("What it does", "Why it matters", "Instead", "References")

_TITLE = re.compile(rf"(?:## )?({'|'.join(SECTIONS)}):?")
_MARKER = re.compile(r"[ \t]*#\s*expect:[\w:, -]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about a rule: the fault in one sentence, and the sections."""

    rule: Rule
    fault: str
    sections: Mapping[str, str]

    @classmethod
    def of(cls, rule: Rule) -> Page:
        """Return the page of `rule`.

        Raises:
            ValueError: a section is missing, empty, or in another place.
        """
        fault, *rest = inspect.cleandoc(type(rule).__doc__ or "").split("\n")
        bodies: dict[str, list[str]] = {}
        current: list[str] = []
        for line in rest:
            title = _TITLE.fullmatch(line)
            if title:
                current = bodies.setdefault(title[1], [])
            else:
                current.append(line)
        sections = {title: dedent("\n".join(body)).strip() for title, body in bodies.items()}
        if tuple(sections) != SECTIONS or not all(sections.values()):
            raise ValueError(
                f"{rule.code}: its docstring has to have the sections {', '.join(SECTIONS)}"
            )
        return cls(rule, fault, sections)

    @property
    def references(self) -> list[str]:
        """Where to read more."""
        lines = self.sections["References"].splitlines()
        return [line.strip().removeprefix("- ") for line in lines if line.strip()]

    def text(self) -> str:
        """Return the page for a terminal."""
        parts = [f"{self.rule.code} {self.rule.name}", self.fault, self._kind()]
        parts += [f"{title}\n{indent(self.sections[title], '    ')}" for title in SECTIONS[:-1]]
        for title, examples in self._examples():
            parts += [f"{title}\n{indent(shown(example), '    ')}" for example in examples]
        references = "\n".join(self.references)
        parts.append(f"References\n{indent(references, '    ')}")
        return "\n\n".join(parts) + "\n"

    def markdown(self) -> str:
        """Return the page in Markdown."""
        parts = [f"# {self.rule.code} {self.rule.name}", self.fault, self._kind()]
        for title in SECTIONS[:-1]:
            parts += [f"## {title}", self.sections[title]]
        for title, examples in self._examples():
            parts += [f"## {title}", *(f"```python\n{shown(one)}\n```" for one in examples)]
        listed = "\n".join(f"- <{reference}>" for reference in self.references)
        return "\n\n".join([*parts, "## References", listed]) + "\n"

    def _kind(self) -> str:
        criteria = ", ".join(self.rule.criteria)
        said = [
            f"Severity: {self.rule.severity}, or less by the kind of path.",
            f"When grading, a certain finding fails {criteria}." if criteria else "",
            "Off unless it is selected, or a submission is graded." if self.rule.opt_in else "",
        ]
        return " ".join(filter(None, said))

    def _examples(self) -> list[tuple[str, Sequence[Example]]]:
        return [("Wrong", self.rule.bad), ("Right", self.rule.good)]


def shown(example: Example) -> str:
    """Return the code of an example as a reader wants it: what is found stands in a comment."""
    return _MARKER.sub(lambda found: found[0].replace("expect: ", ""), example.code).strip("\n")
