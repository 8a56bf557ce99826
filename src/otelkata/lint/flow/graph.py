"""The control flow of one function: what runs after what, and where an exception goes.

Points are built from the last statement to the first, so that each knows what comes next. A *jump*
is a target and what `finally` blocks on the way resume to: such a block stands in the graph once,
and what it was entered for is a matter of the path, not of the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

import libcst as cst

from otelkata.lint.flow.catching import (
    CATCHES_ALL,
    NO_ERRORS,
    caught_by,
    suppresses,
    suppresses_all,
)
from otelkata.lint.flow.hazards import Flow, Hazards
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import MANAGER
from otelkata.lint.meaning.scopes import dotted

Jump: TypeAlias = tuple[int, ...]


class Role(Enum):
    """What a point stands for."""

    STATEMENT = "statement"
    TEST = "test"
    ENTER = "enter"
    LEAVE = "leave"
    HANDLER = "handler"
    DISPATCH = "dispatch"
    RESUME = "resume"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Edge:
    """What may come next, and why."""

    flow: Flow
    jump: Jump


@dataclass(slots=True)
class Point:
    """A step of a function. `parts` are evaluated here.

    `resumes` says where the `finally` blocks around it go on once nothing was amiss, the outermost
    block first.
    """

    role: Role
    node: cst.CSTNode
    parts: tuple[cst.CSTNode, ...]
    resumes: tuple[Jump, ...]
    edges: list[Edge] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Around:
    """Where the ways out of a block lead."""

    returns: Jump
    escapes: Mapping[Flow, Jump]
    breaks: Jump = ()
    continues: Jump = ()
    caught: Mapping[str, Jump] = field(default_factory=dict)
    """Handlers of the innermost `try`, by the names of what they catch."""
    resumes: tuple[Jump, ...] = ()

    def through(self, finally_entry: int) -> _Around:
        """Return the same ways, each through a `finally` block first."""
        return replace(
            self,
            returns=(finally_entry, *self.returns),
            escapes={flow: (finally_entry, *jump) for flow, jump in self.escapes.items()},
            breaks=(finally_entry, *self.breaks) if self.breaks else (),
            continues=(finally_entry, *self.continues) if self.continues else (),
            caught={name: (finally_entry, *jump) for name, jump in self.caught.items()},
        )


_ESCAPES = (Flow.RAISE, Flow.CANCEL, Flow.CLOSE)


class Graph:
    """The control flow of a function, or of a module's top level."""

    def __init__(self, module: Module, body: cst.FunctionDef | cst.Module) -> None:
        """Build the points of `body`."""
        self.points: list[Point] = []
        self.managers: set[cst.WithItem] = set()
        """Items of `with` that end a span when they are left."""
        self._module = module
        self._hazards = Hazards(module)
        self.leave = self._add(Role.EXIT, body, ())
        self.fail = self._add(Role.EXIT, body, ())
        around = _Around((self.leave,), dict.fromkeys(_ESCAPES, (self.fail,)))
        block: Sequence[cst.BaseStatement | cst.BaseSmallStatement]
        block = body.body if isinstance(body, cst.Module) else body.body.body
        self.entry = self._block(block, (self.leave,), around)
        self.point_of: dict[cst.CSTNode, int] = {}
        for number, point in enumerate(self.points):
            for part in point.parts:
                self.point_of.setdefault(part, number)

    def _add(
        self,
        role: Role,
        node: cst.CSTNode,
        parts: tuple[cst.CSTNode, ...],
        resumes: tuple[Jump, ...] = (),
    ) -> int:
        self.points.append(Point(role, node, parts, resumes))
        return len(self.points) - 1

    def _point(
        self,
        role: Role,
        node: cst.CSTNode,
        parts: tuple[cst.CSTNode | None, ...],
        around: _Around,
        *edges: tuple[Flow, Jump],
    ) -> int:
        """Add a point that goes on by `edges`, or escapes by what its parts can raise."""
        kept = tuple(part for part in parts if part is not None)
        number = self._add(role, node, kept, around.resumes)
        self._connect(number, *edges)
        for flow in self._hazards.of(*kept):
            self._connect(number, (flow, around.escapes[flow]))
        return number

    def _connect(self, number: int, *edges: tuple[Flow, Jump]) -> None:
        self.points[number].edges += [Edge(flow, jump) for flow, jump in edges]

    def _block(
        self,
        statements: Sequence[cst.BaseStatement | cst.BaseSmallStatement],
        after: Jump,
        around: _Around,
    ) -> Jump:
        for statement in reversed(statements):
            if isinstance(statement, cst.SimpleStatementLine):
                after = self._block(statement.body, after, around)
            else:
                after = self._statement(statement, after, around)
        return after

    def _suite(self, suite: cst.BaseSuite | None, after: Jump, around: _Around) -> Jump:
        return after if suite is None else self._block(suite.body, after, around)

    def _statement(
        self, node: cst.BaseStatement | cst.BaseSmallStatement, after: Jump, around: _Around
    ) -> Jump:
        match node:
            case cst.If():
                jump = self._if(node, after, around)
            case cst.While():
                jump = self._while(node, after, around)
            case cst.For():
                jump = self._for(node, after, around)
            case cst.With():
                jump = self._with(node, after, around)
            case cst.Try() | cst.TryStar():
                jump = self._try(node, after, around)
            case cst.Match():
                jump = self._match(node, after, around)
            case _:
                jump = self._simple(node, after, around)
        return jump

    def _simple(self, node: cst.CSTNode, after: Jump, around: _Around) -> Jump:
        match node:
            case cst.Return():
                return (
                    self._point(Role.STATEMENT, node, (node,), around, (Flow.NEXT, around.returns)),
                )
            case cst.Raise():
                return self._raise(node, around)
            case cst.Break() if around.breaks:
                return around.breaks
            case cst.Continue() if around.continues:
                return around.continues
            case cst.Pass() | cst.Global() | cst.Nonlocal() | cst.Import() | cst.ImportFrom():
                return after
            case _:
                return (self._point(Role.STATEMENT, node, (node,), around, (Flow.NEXT, after)),)

    def _raise(self, node: cst.Raise, around: _Around) -> Jump:
        raised = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
        name = (dotted(raised) or "").rpartition(".")[2]
        number = self._add(Role.STATEMENT, node, (node,), around.resumes)
        target = around.caught.get(name) or around.escapes[Flow.RAISE]
        self._connect(number, (Flow.RAISE, target))
        return (number,)

    def _if(self, node: cst.If, after: Jump, around: _Around) -> Jump:
        chain = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        last = chain[-1].orelse
        otherwise = self._suite(last.body if isinstance(last, cst.Else) else None, after, around)
        for link in reversed(chain):
            body = self._suite(link.body, after, around)
            edges = ((Flow.TRUE, body), (Flow.FALSE, otherwise))
            otherwise = (self._point(Role.TEST, link.test, (link.test,), around, *edges),)
        return otherwise

    def _while(self, node: cst.While, after: Jump, around: _Around) -> Jump:
        header = self._point(Role.TEST, node.test, (node.test,), around)
        inside = replace(around, breaks=after, continues=(header,))
        body = self._suite(node.body, (header,), inside)
        self._connect(header, (Flow.TRUE, body))
        if not (is_literal(node.test, "True") or _is_one(node.test)):
            orelse = self._suite(node.orelse.body if node.orelse else None, after, around)
            self._connect(header, (Flow.FALSE, orelse))
        return (header,)

    def _for(self, node: cst.For, after: Jump, around: _Around) -> Jump:
        header = self._add(Role.STATEMENT, node, (node.target,), around.resumes)
        for flow in self._hazards.of_loop(node):
            self._connect(header, (flow, around.escapes[flow]))
        inside = replace(around, breaks=after, continues=(header,))
        body = self._suite(node.body, (header,), inside)
        orelse = self._suite(node.orelse.body if node.orelse else None, after, around)
        self._connect(header, (Flow.TRUE, body), (Flow.FALSE, orelse))
        return (
            self._point(Role.STATEMENT, node.iter, (node.iter,), around, (Flow.NEXT, (header,))),
        )

    def _with(self, node: cst.With, after: Jump, around: _Around) -> Jump:
        inside = around
        entered: list[tuple[cst.WithItem, _Around]] = []
        for item in node.items:
            # What an item raises as it is entered leaves by way of those before it.
            entered.append((item, inside))
            if suppresses(item):
                inside = self._suppressing(node, item, after, inside)
            after, inside = self._managed(item, after, inside)
        jump = self._suite(node.body, after, inside)
        for item, outside in reversed(entered):
            number = self._point(Role.ENTER, item, (item,), outside, (Flow.NEXT, jump))
            if node.asynchronous is not None:
                self._connect(number, (Flow.CANCEL, outside.escapes[Flow.CANCEL]))
            jump = (number,)
        return jump

    def _suppressing(
        self, node: cst.With, item: cst.WithItem, after: Jump, around: _Around
    ) -> _Around:
        """Return the ways out of a `with` that may stop exceptions: past it, or on."""
        escapes = dict(around.escapes)
        for flow in _ESCAPES:
            stops_all = suppresses_all(item, flow)
            if stops_all or flow is Flow.RAISE:
                number = self._add(Role.DISPATCH, node, (), around.resumes)
                self._connect(number, (Flow.NEXT, after))
                if not stops_all:
                    self._connect(number, (flow, around.escapes[flow]))
                escapes[flow] = (number,)
        return replace(around, escapes=escapes, caught={})

    def _managed(self, item: cst.WithItem, after: Jump, around: _Around) -> tuple[Jump, _Around]:
        """Let every way out of a `with` that manages a span pass the place where that ends it."""
        known = self._module.known(item.item)
        # What chooses among managers is not looked into; it is believed to end what it holds.
        is_plain = isinstance(item.item, cst.Call) or dotted(item.item) is not None
        if known is None or known.kind not in {MANAGER, "Span"} or not is_plain:
            return after, around
        resumes = (*around.resumes, after)
        resume = self._add(Role.RESUME, item, (), resumes)
        leave = self._add(Role.LEAVE, item, (), resumes)
        self._connect(leave, (Flow.NEXT, (resume,)))
        self.managers.add(item)
        return (leave, *after), around.through(leave)

    def _try(self, node: cst.Try | cst.TryStar, after: Jump, around: _Around) -> Jump:
        if node.finalbody is not None:
            inner = replace(around, resumes=(*around.resumes, after))
            resume = self._add(Role.RESUME, node, (), inner.resumes)
            entry = self._suite(node.finalbody.body, (resume,), inner)
            if len(entry) > 1 or len(self.points[entry[0]].resumes) != len(inner.resumes):
                # A block that begins with a jump of its own needs a point to be entered by.
                number = self._add(Role.DISPATCH, node.finalbody, (), inner.resumes)
                self._connect(number, (Flow.NEXT, entry))
                entry = (number,)
            after, around = (entry[0], *after), around.through(entry[0])
        within = self._handlers(node, after, around) if node.handlers else around
        orelse = self._suite(node.orelse.body if node.orelse else None, after, around)
        return self._suite(node.body, orelse, within)

    def _handlers(self, node: cst.Try | cst.TryStar, after: Jump, around: _Around) -> _Around:
        """Return the ways out of a `try` body, past its handlers."""
        entries: list[tuple[frozenset[str], int]] = []
        for handler in node.handlers:
            body = self._suite(handler.body, after, around)
            entry = self._add(Role.HANDLER, handler, (), around.resumes)
            self._connect(entry, (Flow.NEXT, body))
            entries.append((caught_by(handler), entry))
        escapes = {flow: self._dispatch(node, flow, entries, around) for flow in _ESCAPES}
        caught: dict[str, Jump] = {
            name: (entry,) for names, entry in reversed(entries) for name in names
        }
        if not any(names & CATCHES_ALL[Flow.RAISE] for names, _ in entries):
            caught = {**around.caught, **caught}
        return replace(around, escapes=escapes, caught=caught)

    def _dispatch(
        self,
        node: cst.Try | cst.TryStar,
        flow: Flow,
        entries: list[tuple[frozenset[str], int]],
        around: _Around,
    ) -> Jump:
        number = self._add(Role.DISPATCH, node, (), around.resumes)
        for names, entry in entries:
            catches_all = bool(names & CATCHES_ALL[flow])
            if catches_all or (flow is Flow.RAISE and not names <= NO_ERRORS):
                self._connect(number, (Flow.NEXT, (entry,)))
            if catches_all:
                return (number,)
        self._connect(number, (flow, around.escapes[flow]))
        return (number,)

    def _match(self, node: cst.Match, after: Jump, around: _Around) -> Jump:
        otherwise = after
        for case in reversed(node.cases):
            body = self._suite(case.body, after, around)
            if case.guard is not None:
                edges = [(Flow.TRUE, body), (Flow.FALSE, otherwise)]
                body = (self._point(Role.TEST, case.guard, (case.guard,), around, *edges),)
            edges = [(Flow.TRUE, body)]
            if not _is_irrefutable(case.pattern):
                edges.append((Flow.FALSE, otherwise))
            otherwise = (self._point(Role.STATEMENT, case, (), around, *edges),)
        subject = (Flow.NEXT, otherwise)
        return (self._point(Role.STATEMENT, node.subject, (node.subject,), around, subject),)


def _is_one(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer) and node.value == "1"


def _is_irrefutable(pattern: cst.MatchPattern) -> bool:
    return isinstance(pattern, cst.MatchAs) and pattern.pattern is None
