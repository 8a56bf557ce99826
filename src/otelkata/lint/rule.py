"""What a rule is: one file in `ast_rules/` with one class, from which all else derives."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from otelkata import content
from otelkata.lint.finding import Finding, Severity, Step

if TYPE_CHECKING:
    import libcst as cst

    from otelkata.lint.fixes.change import Change
    from otelkata.lint.meaning.module import Module
    from otelkata.lint.source.glance import Glance


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code, complete as a file; `# expect: CODE` ends each line of a finding."""

    code: str


class Rule:
    """One fault that can be seen in source code.

    The docstring has a first line (the fault in one sentence) and the sections *What it does*, *Why
    it matters*, *Instead* and *References*.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    criteria: ClassVar[tuple[str, ...]] = ()
    """Criteria of the kata that a certain finding fails."""
    severity: ClassVar[Severity] = Severity.ERROR
    opt_in: ClassVar[bool] = False
    """Whether it is off unless selected, or unless a submission is graded."""
    words: ClassVar[tuple[bytes, ...]]
    """Text without any of which no file can have a finding."""
    calls: ClassVar[tuple[str, ...]] = ()
    """Names without a call of any of which no file can have a finding; none: words alone tell."""
    bad: ClassVar[tuple[Example, ...]]
    good: ClassVar[tuple[Example, ...]]

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether a file may have a finding, by what is seen before it is parsed."""
        return not self.calls or glance.calls(*self.calls)

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield what is wrong in `module`."""
        raise NotImplementedError

    def finding(
        self,
        module: Module,
        node: cst.CSTNode,
        message: str,
        *,
        severity: Severity | None = None,
        certain: bool = True,
        if_started: bool = False,
        change: Change | None = None,
        steps: tuple[Step, ...] = (),
    ) -> Finding:
        """Return a finding of this rule at `node`; `change` is what mends it, if that is safe."""
        found = Finding(
            code=self.code,
            name=self.name,
            path=module.path,
            place=module.place(node),
            message=message,
            severity=severity or self.severity,
            certain=certain,
            if_started=if_started and not certain,
            fixable=change is not None,
            steps=steps,
        )
        if change is not None:
            module.changes[found] = change
        return found


def load(folder: Path | None = None) -> list[Rule]:
    """Return one of each rule in `folder` (default: the rules that are shipped), by code.

    Raises:
        ValueError: two rules have one code or one name.
    """
    rules: list[Rule] = []
    for path in sorted((folder or content.folder("ast_rules")).glob("*.py")):
        name = f"otelkata_ast_rules.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        rules += [
            found()
            for _, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, Rule) and found.__module__ == name
        ]
    for attribute in ("code", "name"):
        seen: set[str] = set()
        for rule in rules:
            value: str = getattr(rule, attribute)
            if value in seen:
                raise ValueError(f"two rules have the {attribute} {value}")
            seen.add(value)
    return sorted(rules, key=lambda rule: rule.code)
