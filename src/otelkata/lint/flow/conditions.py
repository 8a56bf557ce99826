"""What is known of conditions along a path: the same test asked twice has the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

import libcst as cst

from otelkata.lint.flow.graph import Graph, Role
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

Facts: TypeAlias = frozenset[tuple[str, bool]]
NOTHING: Facts = frozenset()

MOST = 4
"""How many conditions of a function are remembered; each may double what is explored."""

_CONSTANTS = {"True": True, "False": False, "None": False}
_TOO_RICH = (cst.Call, cst.Await, cst.NamedExpr, cst.Yield)


class Conditions:
    """The tests of one function that are worth remembering."""

    def __init__(self, module: Module, graph: Graph) -> None:
        """Look for tests that are asked twice, or whose name is set to a constant."""
        self._module = module
        self._graph = graph
        self._names: dict[str, frozenset[str]] = {}
        self._bindings: dict[int, list[tuple[str, bool | None]]] = {}

    @cached_property
    def _tests(self) -> dict[int, tuple[str, bool]]:
        """What each remembered test asks, and which answer makes that true."""
        asked: dict[int, tuple[str, bool]] = {}
        for number, point in enumerate(self._graph.points):
            if point.role is Role.TEST and point.parts:
                test, plain = _stripped(point.parts[0])
                if isinstance(test, cst.BaseExpression) and not _is_rich(test):
                    text = self._module.code(test)
                    asked[number] = (text, plain)
                    self._names[text] = frozenset(
                        node.value for node in walk(test) if isinstance(node, cst.Name)
                    )
        counted = Counter(text for text, _ in asked.values())
        constants = {
            name for sets in self._sets.values() for name, value in sets if value is not None
        }
        worth = [text for text in counted if counted[text] > 1 or text in constants][:MOST]
        return {number: item for number, item in asked.items() if item[0] in worth}

    @cached_property
    def _sets(self) -> dict[int, list[tuple[str, bool | None]]]:
        """Which names each point binds, and to which truth, where it is a constant."""
        found = {
            number: [bound for part in point.parts for bound in _bound(part)]
            for number, point in enumerate(self._graph.points)
        }
        return {number: bound for number, bound in found.items() if bound}

    def after(self, number: int, facts: Facts) -> Facts:
        """Return what is known after the point `number`."""
        if not self._tests:
            return facts
        for name, value in self._sets.get(number, ()):
            facts = frozenset(
                (text, truth) for text, truth in facts if name not in self._names.get(text, ())
            )
            if value is not None and any(text == name for text, _ in self._tests.values()):
                facts |= {(name, value)}
        return facts

    def answer(self, number: int, facts: Facts) -> bool | None:
        """Return the answer to the test at `number`, if it is known."""
        asked = self._tests.get(number)
        if asked is None:
            return None
        text, plain = asked
        for known, truth in facts:
            if known == text:
                return truth is plain
        return None

    def told(self, number: int, facts: Facts, *, answer: bool) -> Facts:
        """Return what is known once the test at `number` has had this answer."""
        asked = self._tests.get(number)
        return facts if asked is None else facts | {(asked[0], answer is asked[1])}

    def before(self, start: cst.CSTNode) -> Facts:
        """Return what is known where `start` runs: from tests around it and constants before it."""
        texts = {text for text, _ in self._tests.values()}
        if not texts:
            return NOTHING
        facts = {text: truth for text, truth in _conditions(self._module, start) if text in texts}
        facts |= {name: value for name, value in self._constants(start) if name in texts}
        return frozenset(facts.items())

    def _constants(self, start: cst.CSTNode) -> Iterator[tuple[str, bool]]:
        """Yield names that a statement before `start`, in a block around it, made a constant."""
        known: dict[str, bool] = {}
        inside = start
        for around in self._module.ancestors(start):
            if isinstance(around, cst.For | cst.While):
                known = {name: value for name, value in known.items() if not _binds(around, name)}
            if isinstance(around, cst.IndentedBlock | cst.Module):
                found = self._constants_in(around, inside)
                known = {**found, **known}
            if isinstance(around, cst.FunctionDef):
                break
            inside = around
        yield from known.items()

    def _constants_in(
        self, block: cst.IndentedBlock | cst.Module, inside: cst.CSTNode
    ) -> dict[str, bool]:
        known: dict[str, bool] = {}
        for statement in block.body:
            if statement is inside:
                break
            plain = isinstance(statement, cst.SimpleStatementLine)
            for name, value in self._bound_in(statement):
                known.pop(name, None)
                if plain and value is not None:
                    known[name] = value
        return known

    def _bound_in(self, statement: cst.CSTNode) -> list[tuple[str, bool | None]]:
        """Return what `statement` binds; kept, as each span asks for all that is before it."""
        if id(statement) not in self._bindings:
            self._bindings[id(statement)] = [
                bound for node in walk(statement, into_scopes=False) for bound in _bound(node)
            ]
        return self._bindings[id(statement)]


def _binds(node: cst.CSTNode, name: str) -> bool:
    return any(name == bound for inner in walk(node) for bound, _ in _bound(inner))


def _stripped(test: cst.CSTNode) -> tuple[cst.CSTNode, bool]:
    """Return a test without `not`, and whether it means what it meant."""
    plain = True
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, plain = test.expression, not plain
    return test, plain


def _is_rich(test: cst.BaseExpression) -> bool:
    return any(isinstance(node, _TOO_RICH) for node in walk(test))


def _bound(node: cst.CSTNode) -> Iterator[tuple[str, bool | None]]:
    """Yield the names that `node` itself binds, with their truth where it is a constant."""
    match node:
        case cst.Assign():
            value = dotted(node.value)
            for target in node.targets:
                for part in walk(target.target):
                    if isinstance(part, cst.Name):
                        yield part.value, _CONSTANTS.get(value or "")
        case cst.AnnAssign() | cst.AugAssign() | cst.NamedExpr():
            constant = None if isinstance(node, cst.AugAssign) else dotted(node.value)
            yield dotted(node.target) or "", _CONSTANTS.get(constant or "")
        case cst.For() | cst.AsName():
            for part in walk(node.target if isinstance(node, cst.For) else node.name):
                if isinstance(part, cst.Name):
                    yield part.value, None


def _conditions(module: Module, start: cst.CSTNode) -> Iterator[tuple[str, bool]]:
    """Yield what held where `start` ran: the tests around it, and guards before it."""
    inside = start
    for around in module.ancestors(start):
        if isinstance(around, cst.If | cst.IfExp):
            if inside is around.body:
                yield from _told(module, around.test, holds=True)
            elif inside is around.orelse:
                yield from _told(module, around.test, holds=False)
        elif isinstance(around, cst.IndentedBlock | cst.Module):
            yield from _guards(module, around, inside)
        elif isinstance(around, cst.FunctionDef):
            return
        inside = around


def _guards(
    module: Module, block: cst.IndentedBlock | cst.Module, inside: cst.CSTNode
) -> Iterator[tuple[str, bool]]:
    for statement in block.body:
        if statement is inside:
            return
        if isinstance(statement, cst.If) and statement.orelse is None and _leaves(statement.body):
            yield from _told(module, statement.test, holds=False)


def _leaves(suite: cst.BaseSuite) -> bool:
    last = suite.body[-1] if suite.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, cst.Return | cst.Raise | cst.Continue | cst.Break)


def _told(module: Module, test: cst.BaseExpression, *, holds: bool) -> Iterator[tuple[str, bool]]:
    """Yield a condition, and its parts where each of them must have held."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _told(module, test.expression, holds=not holds)
        return
    yield module.code(test), holds
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And) is holds:
        yield from _told(module, test.left, holds=holds)
        yield from _told(module, test.right, holds=holds)
