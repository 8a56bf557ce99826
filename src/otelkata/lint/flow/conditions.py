"""What is known of conditions along a path: the same test asked twice has the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import takewhile
from typing import TypeAlias

import libcst as cst

from otelkata.lint.flow.graph import Graph, Point, Role
from otelkata.lint.flow.questions import (
    CONSTANTS,
    asked,
    bound_by,
    facts_of,
    is_rich,
    names_in,
    only_looks,
    stripped,
)
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import SCOPES, walk

Facts: TypeAlias = frozenset[tuple[str, bool]]
NOTHING: Facts = frozenset()

MOST = 4
"""How many conditions of a function are remembered; each may double what is explored."""


class Conditions:
    """The tests of one function that are worth remembering."""

    def __init__(self, module: Module, graph: Graph) -> None:
        """Look for tests that are asked twice, or whose name is set to a constant."""
        self._module = module
        self._graph = graph
        self._names: dict[str, frozenset[str]] = {}
        self._bindings: dict[int, list[tuple[str, str | None]]] = {}

    @cached_property
    def _tests(self) -> dict[int, tuple[str, bool]]:
        """What each remembered test asks, and which answer makes that true."""
        tests: dict[int, tuple[str, bool]] = {}
        for number, point in enumerate(self._graph.points):
            if point.role is Role.TEST and point.parts:
                test, plain = stripped(point.parts[0])
                if isinstance(test, cst.BaseExpression) and not is_rich(test):
                    text, plain = asked(self._module, test, plain=plain)
                    tests[number] = (text, plain)
                    self._names[text] = names_in(test)
        counted = Counter(text for text, _ in tests.values())
        constants = {
            text
            for sets in self._sets.values()
            for name, value in sets
            for text, _ in facts_of(name, value)
        }
        worth = [
            text
            for text in counted
            if counted[text] > 1 or text in constants or text in self._steady
        ][:MOST]
        return {number: item for number, item in tests.items() if item[0] in worth}

    @cached_property
    def _steady(self) -> dict[str, str]:
        """Names that are given one and the same expression twice, which finds out nothing new."""
        given: dict[str, list[cst.BaseExpression]] = {}
        for point in self._graph.points:
            for part in point.parts:
                if isinstance(part, cst.Assign) and len(part.targets) == 1:
                    name = dotted(part.targets[0].target)
                    if name is not None and dotted(part.value) not in CONSTANTS:
                        given.setdefault(name, []).append(part.value)
        steady = {}
        for name, values in given.items():
            texts = {self._module.code(value) for value in values}
            if len(values) > 1 and len(texts) == 1 and only_looks(values[0]):
                steady[name] = texts.pop()
                self._names[steady[name]] = names_in(values[0])
        return steady

    @cached_property
    def _sets(self) -> dict[int, list[tuple[str, str | None]]]:
        """Which names each point binds, and to which constant, if it is one."""
        found = {
            number: [bound for node in _evaluated(point) for bound in bound_by(node)]
            for number, point in enumerate(self._graph.points)
        }
        return {number: bound for number, bound in found.items() if bound}

    @cached_property
    def _worth(self) -> frozenset[str]:
        """The conditions that are worth remembering."""
        return frozenset(text for text, _ in self._tests.values())

    def after(self, number: int, facts: Facts) -> Facts:
        """Return what is known after the point `number`."""
        if not self._tests:
            return facts
        worth = self._worth
        for name, value in self._sets.get(number, ()):
            facts = frozenset(
                (text, truth) for text, truth in facts if name not in self._names[text]
            )
            facts |= {fact for fact in facts_of(name, value) if fact[0] in worth}
            if value is None and name in worth:
                same = self._steady.get(name)
                facts |= {(name, truth) for text, truth in facts if text == same}
        return facts

    def answer(self, number: int, facts: Facts) -> bool | None:
        """Return the answer to the test at `number`, if it is known."""
        test = self._tests.get(number)
        if test is None:
            return None
        text, plain = test
        for known, truth in facts:
            if known == text:
                return truth is plain
        return None

    def told(self, number: int, facts: Facts, *, answer: bool) -> Facts:
        """Return what is known once the test at `number` has had this answer."""
        test = self._tests.get(number)
        if test is None:
            return facts
        text, truth = test[0], answer is test[1]
        new = {(text, truth)}
        if text in self._steady and not any(text == known for known, _ in facts):
            new.add((self._steady[text], truth))
        return facts | new

    def before(self, start: cst.CSTNode) -> Facts:
        """Return what is known where `start` runs: from tests around it and constants before it."""
        texts = {text for text, _ in self._tests.values()}
        if not texts:
            return NOTHING
        facts = {text: truth for text, truth in _conditions(self._module, start) if text in texts}
        facts |= {text: truth for text, truth in self._constants(start) if text in texts}
        return frozenset(facts.items())

    def _constants(self, start: cst.CSTNode) -> Iterator[tuple[str, bool]]:
        """Yield what a statement before `start`, in a block around it, made true or false.

        Of what a loop around binds anew, nothing is known that stands before the loop.
        """
        known: dict[str, str | None] = {}
        bound_again: set[str] = set()
        inside = start
        for around in self._module.ancestors(start):
            if isinstance(around, cst.For | cst.While):
                bound_again.update(name for name, _ in self._bound_in(around))
            if isinstance(around, cst.IndentedBlock | cst.Module):
                found = self._constants_in(around, inside)
                fresh = {name: found[name] for name in found.keys() - bound_again}
                known = {**fresh, **known}
            if isinstance(around, cst.FunctionDef):
                break
            inside = around
        for name, value in known.items():
            yield from facts_of(name, value)

    def _constants_in(
        self, block: cst.IndentedBlock | cst.Module, inside: cst.CSTNode
    ) -> dict[str, str | None]:
        known: dict[str, str | None] = {}
        for statement in _before(block, inside):
            plain = isinstance(statement, cst.SimpleStatementLine)
            for name, value in self._bound_in(statement):
                known[name] = value if plain else None
        return known

    def _bound_in(self, statement: cst.CSTNode) -> list[tuple[str, str | None]]:
        """Return what `statement` binds; kept, as each span asks for all that is before it."""
        if id(statement) not in self._bindings:
            self._bindings[id(statement)] = [
                bound for node in walk(statement, into_scopes=False) for bound in bound_by(node)
            ]
        return self._bindings[id(statement)]


def _evaluated(point: Point) -> Iterator[cst.CSTNode]:
    """Yield what is evaluated or bound at a point: a loop binds its target in each round."""
    match point.node:
        case cst.For() as loop:
            yield loop
        case cst.ExceptHandler(name=cst.AsName() as caught):
            yield caught
    for part in point.parts:
        if not isinstance(part, SCOPES):
            yield from walk(part, into_scopes=False)


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
    for statement in _before(block, inside):
        if isinstance(statement, cst.If) and statement.orelse is None and _leaves(statement.body):
            yield from _told(module, statement.test, holds=False)


def _before(
    block: cst.IndentedBlock | cst.Module, inside: cst.CSTNode
) -> Iterator[cst.BaseStatement | cst.BaseSmallStatement]:
    """Yield the statements of `block` that come before its part `inside`."""
    return takewhile(lambda statement: statement is not inside, block.body)


def _leaves(suite: cst.BaseSuite) -> bool:
    last = suite.body[-1]
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, cst.Return | cst.Raise | cst.Continue | cst.Break)


def _told(module: Module, test: cst.BaseExpression, *, holds: bool) -> Iterator[tuple[str, bool]]:
    """Yield a condition, and its parts where each of them must have held."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _told(module, test.expression, holds=not holds)
        return
    text, plain = asked(module, test, plain=True)
    yield text, holds is plain
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And) is holds:
        yield from _told(module, test.left, holds=holds)
        yield from _told(module, test.right, holds=holds)
