"""Write the reference pages of criteria and checks from what they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otelkata import content
from otelkata.drive.scenario import all_scenarios
from otelkata.drive.values import Values
from otelkata.judge import registry
from otelkata.judge.criteria import BONUS, CRITERIA
from otelkata.judge.registry import Check
from otelkata.lint import rule
from otelkata.lint.command.explain import Page
from otelkata.lint.rule import Rule

from . import lesson
from .lesson import Lesson

INDEX = "index.md"
FOLDERS = ("checks", "criteria")
NAMED = 6
"""How many scenarios a page names before it only counts them."""

_WRITTEN = "Written by `python -m otelkata.report.reference` from `checks/`; do not edit."


@dataclass(frozen=True, slots=True)
class Reference:
    """All that pages are written of."""

    checks: Sequence[Check]
    rules: Sequence[Rule]
    lessons: Mapping[str, Lesson]

    @classmethod
    def load(cls) -> "Reference":
        """Return what is shipped."""
        return cls(registry.load(), rule.load(), lesson.load())

    def pages(self) -> dict[str, str]:
        """Return each page, in Markdown, by its path below `docs`."""
        return {
            f"checks/{INDEX}": self._index_of_checks(),
            **{f"checks/{check.id}.md": self.check(check) for check in self.checks},
            f"criteria/{INDEX}": self._index_of_criteria(),
            **{f"criteria/{name}.md": self.criterion(name) for name in CRITERIA},
        }

    def criterion(self, name: str) -> str:
        """Return the page on a criterion."""
        told = self.lessons[name]
        bonus = " It is a bonus: it fails nobody." if name in BONUS else ""
        checks = [check for check in self.checks if name in check.criteria]
        rules = [one for one in self.rules if name in one.criteria]
        return _page(
            f"# {name}: {CRITERIA[name]}",
            f"{told.asks}{bonus}",
            f"## Why\n\n{told.why}",
            *_patterns(told),
            "## Checks\n\nEach of these has to pass.\n\n"
            + _listed(f"[{check.id}](../checks/{check.id}.md): {check.title}" for check in checks),
            "## Rules\n\nA finding that is certain fails the criterion; `kata-lint` shows it "
            "without running anything.\n\n" + _listed(map(_of_rule, rules))
            if rules
            else "",
        )

    def check(self, check: Check) -> str:
        """Return the page on a check."""
        rules = [one for one in self.rules if set(one.criteria) & set(check.criteria)]
        told = self.lessons[check.criteria[-1]] if check.criteria else None
        return _page(
            f"# {check.id}",
            check.title,
            _judges(check),
            f"## Why\n\n{check.why}",
            f"## Fix\n\n{check.fix}",
            *(_patterns(told) if told else ()),
            f"## Judged on\n\n{_judged_on(check)}",
            "## Rules\n\nWhat `kata-lint` finds in the code for the same criteria:\n\n"
            + _listed(map(_of_rule, rules))
            if rules
            else "",
        )

    def _index_of_criteria(self) -> str:
        rows = "\n".join(
            f"| [{name}]({name}.md){' (bonus)' if name in BONUS else ''} | {title} |"
            for name, title in CRITERIA.items()
        )
        return (
            "# Criteria\n\n"
            f"{_WRITTEN}\n\n"
            "F: functional requirements; C: idiomatic constraints; T: the four self-tests; "
            "B: bonus, which fails nobody.\n\n"
            f"| criterion | |\n|---|---|\n{rows}\n"
        )

    def _index_of_checks(self) -> str:
        groups = [
            (f"[{name}](../criteria/{name}.md) {title}{' (bonus)' if name in BONUS else ''}", name)
            for name, title in CRITERIA.items()
        ]
        parts = ["# Checks", _WRITTEN]
        for title, name in [*groups, ("The contract itself", "")]:
            checks = [c for c in self.checks if (name in c.criteria if name else not c.criteria)]
            listed = _listed(f"[{check.id}]({check.id}.md): {check.title}" for check in checks)
            parts.append(f"## {title}\n\n{listed}")
        return "\n\n".join(parts) + "\n"


def write(reference: Reference, docs: Path) -> None:
    """Write the pages into `docs`; pages of what is no more are removed."""
    pages = reference.pages()
    for folder in FOLDERS:
        (docs / folder).mkdir(parents=True, exist_ok=True)
        for old in (docs / folder).glob("*.md"):
            if f"{folder}/{old.name}" not in pages:
                old.unlink()
    for path, text in pages.items():
        (docs / path).write_text(text, encoding="utf-8")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([title, f"<!-- {_WRITTEN} -->", *filter(None, parts)]) + "\n"


def _listed(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _patterns(told: Lesson) -> Iterator[str]:
    yield f"## Wrong\n\n```python\n{told.wrong}```"
    yield f"## Right\n\n```python\n{told.right}```"


def _of_rule(one: Rule) -> str:
    name = f"{one.code}-{one.name}"
    return f"[{one.code} {one.name}](../rules/{name}.md): {Page.of(one).fault}"


def _judges(check: Check) -> str:
    if not check.criteria:
        return "It belongs to no criterion: it judges the contract itself, and has to pass."
    judged = [f"[{name}](../criteria/{name}.md) ({CRITERIA[name]})" for name in check.criteria]
    return f"It judges {', '.join(judged)}.{' It is a bonus.' if check.bonus else ''}"


def _judged_on(check: Check) -> str:
    if check.is_static:
        return "The source, as the linter reads it; nothing has to run."
    parts = []
    tags = set(check.needs)
    titles = [one.title for one in all_scenarios(Values(0)) if tags & set(one.tags)]
    if titles:
        more = f"; and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
        parts.append(f"{len(titles)} scenarios: {'; '.join(titles[:NAMED])}{more}.")
    if any(tag.startswith("exits_") for tag in tags):
        parts.append("The ends of providers, services and processes.")
    if not parts:
        parts.append("Everything that was observed.")
    return " ".join(parts)


if __name__ == "__main__":
    write(Reference.load(), content.folder("docs"))
