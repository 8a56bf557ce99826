"""Say what a mutation operator is, and apply its edits."""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import libcst as cst

from benchmarks.mutants.submission import NodeT, Source, Submission
from benchmarks.mutants.syntax import Statement, code_of, statement

Replacement = (
    cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.BaseStatement] | cst.MaybeSentinel
)


@dataclass(eq=False)
class Edit:
    """One change at one site of one module, and the imports and globals that it needs."""

    source: Source
    site: cst.CSTNode
    replacements: dict[cst.CSTNode, Replacement] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    prelude: list[str] = field(default_factory=list)

    def swap(self, old: cst.CSTNode, new: Replacement) -> Self:
        """Put one node in place of another."""
        self.replacements[old] = new
        return self

    def splice(self, old: Statement, *new: cst.BaseStatement) -> Self:
        """Put any number of statements in place of one."""
        return self.swap(old, cst.FlattenSentinel(new) if new else cst.RemoveFromParent())

    def insert_after(self, stmt: Statement, *code: str) -> Self:
        """Put statements after one."""
        return self.splice(stmt, stmt, *map(statement, code))

    def name(self, module: str, name: str) -> str:
        """Return what a name of a library is called in the module, importing it if need be."""
        if self.source.imported_from(name).startswith(module.partition(".")[0]):
            return name
        taken = self.source.uses(name)
        used = f"otel_{name}" if taken else name
        self.imports.append(f"from {module} import {name}" + (f" as {used}" if taken else ""))
        return used

    @cached_property
    def code(self) -> str:
        """The module's code with the change."""
        around = {each for old in self.replacements for each in self.source.ancestors(old)}
        changed = self.source.module.visit(_Replace(self.replacements, around))
        assert isinstance(changed, cst.Module)
        return self.source.code_with(_with_head(changed, self.imports, self.prelude))

    def within(self, outer: NodeT, old: cst.CSTNode, new: Replacement) -> NodeT:
        """Return a node with another one put in place of one that is in it."""
        around: set[cst.CSTNode] = {outer, *self.source.ancestors(old)}
        changed = outer.visit(_Replace({old: new}, around))
        assert isinstance(changed, type(outer))
        return changed


class _Replace(cst.CSTTransformer):
    """Replace some nodes, visiting nothing but the way to them."""

    def __init__(
        self, replacements: Mapping[cst.CSTNode, Replacement], around: Container[cst.CSTNode]
    ) -> None:
        super().__init__()
        self.replacements = replacements
        self.around = around

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node in self.around and node not in self.replacements

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Replacement:  # type: ignore[override]  # libcst's own type names no MaybeSentinel
        return self.replacements.get(original_node, updated_node)


def _is_import(stmt: cst.CSTNode) -> bool:
    return isinstance(stmt, cst.SimpleStatementLine) and isinstance(
        stmt.body[0], cst.Import | cst.ImportFrom
    )


def _with_head(
    module: cst.Module, imports: list[str], prelude: list[str]
) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
    """Add imports before the module's own, and statements after them."""
    body = list(module.body)
    places = [index for index, stmt in enumerate(body) if _is_import(stmt)]
    first = next((i for i in places if "__future__" not in code_of(body[i])), len(body))
    end = first
    while end < len(body) and _is_import(body[end]):
        end += 1
    body[end:end] = [statement(code) for code in prelude]
    body[first:first] = [statement(code) for code in imports]
    return body


@dataclass(frozen=True)
class Mutant:
    """A submission with one fault planted in it."""

    operator: str
    number: int
    path: str
    line: int
    before: str
    after: str
    head: tuple[str, ...]
    """Imports and globals that the change needs, added at the head of the module."""
    code: str
    """The whole changed module."""


Sites = Callable[[Submission], Iterator[Edit]]
Rule = Callable[[Submission, Edit], bool]


@dataclass(frozen=True, eq=False)
class Operator:
    """A kind of fault, and how to plant it.

    `criteria` are those that the contract makes fail for it, at least one of which has to fail.
    """

    name: str
    fault: str
    criteria: tuple[str, ...]
    because: str
    sites: Sites
    unless: tuple[Rule, ...] = ()
    """What makes a mutant of this operator equivalent, beside what makes any."""


CATALOGUE: list[Operator] = []


def operator(criteria: str, because: str, *unless: Rule) -> Callable[[Sites], Sites]:
    """Register a function that finds the sites of a fault; its name and docstring describe it."""

    def register(sites: Sites) -> Sites:
        CATALOGUE.append(
            Operator(
                name=sites.__name__.replace("_", "-"),
                fault=(sites.__doc__ or "").strip(),
                criteria=tuple(criteria.split()),
                because=because,
                sites=sites,
                unless=unless,
            )
        )
        return sites

    return register


def mutant_of(name: str, number: int, edit: Edit) -> Mutant:
    """Apply an edit, and say where and what it changed."""
    head = tuple(line for code in (*edit.imports, *edit.prelude) for line in code.splitlines())
    old, new = edit.source.code.splitlines(), edit.code.splitlines()
    for line in head:
        new.remove(line)
    start = _common(old, new)
    rest = _common(old[start:][::-1], new[start:][::-1])
    return Mutant(
        operator=name,
        number=number,
        path=edit.source.path,
        line=start + 1,
        before="\n".join(old[start : len(old) - rest]),
        after="\n".join(new[start : len(new) - rest]),
        head=head,
        code=edit.code,
    )


def _common(some: list[str], others: list[str]) -> int:
    """Count the lines at the start that are the same."""
    pairs = zip(some, others, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(some), len(others)))
