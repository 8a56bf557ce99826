"""The rules for fixit, which lints with libcst as well: `enable = ["otelkata.lint.fixit"]`.

Each rule that is on by default becomes a rule of fixit by the same class name. Its messages begin
with the code. Comments of both linters keep a finding quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import libcst as cst
from fixit import LintRule
from libcst.metadata import CodePosition, CodeRange

from otelkata.lint import rule
from otelkata.lint.command import suppression
from otelkata.lint.command.explain import shown
from otelkata.lint.finding import Finding
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Rule
from otelkata.lint.source.words import WORDS, has_site, holds


@lru_cache(maxsize=1)
def _module(tree: cst.Module) -> Module | None:
    """Return what is known of a file; None if no rule can begin there. All rules ask in a row."""
    source = tree.bytes
    if not holds(source, WORDS) or not has_site(source):
        return None
    return Module(tree, "<fixit>", source=source)


def _found(one: Rule, tree: cst.Module) -> Iterator[tuple[Module, Finding]]:
    module = _module(tree)
    if module is not None and holds(tree.bytes, one.words):
        for finding in suppression.read(tree.code).keep(one.check(module)):
            yield module, finding


def _node(module: Module, finding: Finding) -> cst.CSTNode:
    """Return the statement or handler on whose first line a finding stands, for its comments."""
    kinds = (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.ExceptHandler)
    line = finding.place.line
    around = [
        node
        for node in module.index.parents
        if isinstance(node, kinds)
        and module.place(node).line <= line <= module.place(node).end_line
    ]
    return around[-1] if around else module.tree


def _replacement(module: Module, finding: Finding) -> tuple[cst.CSTNode, cst.CSTNode] | None:
    """Return a node and what takes its place; None where fixit cannot put it there.

    fixit replaces one node for each finding: a fix that needs an import as well is left out.
    """
    change = module.changes.get(finding, ())
    if len(change) != 1:
        return None
    [part] = change
    if len(part.old) == len(part.new) == 1:
        return part.old[0], part.new[0]
    block = module.parent(part.old[0])
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return None
    at = next(number for number, node in enumerate(block.body) if node is part.old[0])
    body = [*block.body[:at], *part.new, *block.body[at + len(part.old) :]]
    return block, block.with_changes(body=body)


def _adapted(one: Rule) -> type[LintRule]:
    def visit_module(self: LintRule, node: cst.Module) -> None:
        for module, finding in _found(one, node):
            place = finding.place
            where = CodeRange(
                CodePosition(place.line, place.column - 1),
                CodePosition(place.end_line, place.end_column - 1),
            )
            message = f"{finding.code} {finding.message}"
            old, new = _replacement(module, finding) or (None, None)
            at = _node(module, finding)
            if old is None:
                self.report(at, message, position=where)
            elif not self.ignore_lint(at):
                self.report(old, message, position=where, replacement=new)

    name = type(one).__name__
    said = {
        "__doc__": type(one).__doc__,
        "__module__": __name__,
        "VALID": [shown(example) for example in one.good],
        "INVALID": [shown(example) for example in one.bad],
        "visit_Module": visit_module,
    }
    return type(name, (LintRule,), said)


# fixit looks for classes among the names of a module.
globals().update(
    {
        type(one).__name__: _adapted(one)
        for one in rule.load()
        if not one.opt_in and one.code != suppression.CODE
    }
)
