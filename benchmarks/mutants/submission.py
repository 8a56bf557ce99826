"""Read a submission as the modules that make it up."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

import libcst as cst

from benchmarks.mutants.syntax import Statement, children, code_of, last_name, walk

NodeT = TypeVar("NodeT", bound=cst.CSTNode)
CONTRACT = frozenset(
    {"init_tracer", "shutdown_tracer", "create_gateway", "create_inventory", "create_payment"}
)


@dataclass(frozen=True, eq=False)
class Source:
    """One module, with the way up from each of its nodes."""

    path: str
    module: cst.Module

    @cached_property
    def code(self) -> str:
        """The module's code as it is."""
        return self.module.code

    @cached_property
    def _parts(self) -> Mapping[cst.CSTNode, str]:
        return {stmt: self.module.code_for_node(stmt) for stmt in self.module.body}

    def code_with(self, body: Sequence[cst.CSTNode]) -> str:
        """Return the module's code with other statements; those that it has need not be made."""
        own = "".join(self._parts.values())
        before, found, after = self.code.partition(own)
        assert found, f"{self.path} does not end in a new line"
        parts = (self._parts.get(stmt) or self.module.code_for_node(stmt) for stmt in body)
        return before + "".join(parts) + after

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        """Map each node to the one that it is in."""
        return {child: node for node in walk(self.module) for child in children(node)}

    @cached_property
    def nodes(self) -> list[cst.CSTNode]:
        """List all nodes in the order of the code."""
        return list(walk(self.module))

    @cached_property
    def _by_kind(self) -> dict[type[cst.CSTNode], list[cst.CSTNode]]:
        return {}

    def all(self, kind: type[NodeT]) -> list[NodeT]:
        """List the nodes of one kind in the order of the code."""
        if kind not in self._by_kind:
            self._by_kind[kind] = [node for node in self.nodes if isinstance(node, kind)]
        return cast(list[NodeT], self._by_kind[kind])

    def calls(self, *names: str) -> list[cst.Call]:
        """List the calls whose last name is one of `names`."""
        return [call for call in self.all(cst.Call) if last_name(call.func) in names]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what a node is in, from the inside to the module."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def enclosing(self, node: cst.CSTNode, kind: type[NodeT]) -> NodeT | None:
        """Find the nearest node of one kind around another."""
        return next((each for each in self.ancestors(node) if isinstance(each, kind)), None)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Find the function that a node is in."""
        return self.enclosing(node, cst.FunctionDef)

    def statement(self, node: cst.CSTNode) -> Statement | None:
        """Find the statement that a node is in, where it stands in a block."""
        for each in (node, *self.ancestors(node)):
            if isinstance(each, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                in_block = isinstance(self.parents.get(each), cst.IndentedBlock | cst.Module)
                return each if in_block else None
        return None

    def siblings(self, stmt: cst.CSTNode) -> list[cst.BaseStatement]:
        """List the statements of the block that a statement is in."""
        block = self.parents[stmt]
        assert isinstance(block, cst.IndentedBlock | cst.Module)
        return list(block.body)

    def after(self, stmt: cst.CSTNode) -> list[cst.BaseStatement]:
        """List the statements that follow one in its block."""
        siblings = self.siblings(stmt)
        return siblings[next(i for i, each in enumerate(siblings) if each is stmt) + 1 :]

    def before(self, stmt: cst.CSTNode) -> list[cst.BaseStatement]:
        """List the statements that precede one in its block."""
        siblings = self.siblings(stmt)
        return siblings[: next(i for i, each in enumerate(siblings) if each is stmt)]

    def imported_from(self, name: str) -> str:
        """Return the module that a name was imported from, by `from module import name`."""
        for node in self.all(cst.ImportFrom):
            if isinstance(node.names, cst.ImportStar):
                continue
            for alias in node.names:
                if alias.asname is None and last_name(alias.name) == name:
                    return code_of(node.module) if node.module else ""
        return ""

    def mentions(self, name: str) -> bool:
        """Say whether a name stands anywhere in the module."""
        return any(node.value == name for node in self.all(cst.Name))

    def uses(self, name: str) -> bool:
        """Say whether a name stands anywhere in the module, other than as an attribute's."""
        return any(
            node.value == name and getattr(self.parents[node], "attr", None) is not node
            for node in self.all(cst.Name)
        )


@dataclass(frozen=True, eq=False)
class Submission:
    """The modules of a submission by their paths, and what its fixture says of it."""

    name: str
    sources: Mapping[str, Source]
    bonus: frozenset[str] | None = field(default=None)
    """The bonus criteria that the original meets; None: not known, so all may be."""

    def __iter__(self) -> Iterator[Source]:
        """Yield the modules in a fixed order."""
        return iter(self.sources[path] for path in sorted(self.sources))

    def functions(self, name: str) -> list[tuple[Source, cst.FunctionDef]]:
        """Find the functions and methods of a name."""
        return [
            (source, node)
            for source in self
            for node in source.all(cst.FunctionDef)
            if node.name.value == name
        ]

    def classes(self, name: str) -> list[cst.ClassDef]:
        """Find the classes of a name."""
        return [
            node for source in self for node in source.all(cst.ClassDef) if node.name.value == name
        ]

    def mentions(self, *names: str) -> bool:
        """Say whether one of some names stands anywhere in the submission."""
        return any(source.mentions(name) for source in self for name in names)

    @cached_property
    def constants(self) -> Mapping[str, str]:
        """Map the submission's own names of texts, such as `USER_ID = "user.id"`, to the texts."""
        found: dict[str, str] = {}
        for source in self:
            for node in source.all(cst.Assign):
                value = node.value
                if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
                    for target in node.targets:
                        found[last_name(target.target)] = value.evaluated_value
        return found


def parse(name: str, modules: Mapping[str, str], bonus: frozenset[str] | None) -> Submission:
    """Make a submission of the code of its modules."""
    sources = {path: Source(path, cst.parse_module(code)) for path, code in modules.items()}
    return Submission(name, sources, bonus)


def load(folder: Path) -> Submission:
    """Read the `checkout` module or package of a submission; its own tests are none of it."""
    package = folder / "checkout"
    files = sorted(package.rglob("*.py")) if package.is_dir() else [folder / "checkout.py"]
    modules = {file.relative_to(folder).as_posix(): file.read_text() for file in files}
    facts = folder / "fixture.toml"
    bonus = None
    if facts.exists():
        bonus = frozenset(tomllib.loads(facts.read_text()).get("bonus", []))
    return parse(folder.name, modules, bonus)
