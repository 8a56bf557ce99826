"""Follow each span from its start over every path, until somebody has ended or taken it.

A path is a walk over the graph of one function; what it carries is which names hold the span,
whether it has ended, how unusual the path is, and what `finally` blocks resume to.
"""

from __future__ import annotations

import weakref
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import libcst as cst

from otelkata.lint.flow.belonging import is_same_place
from otelkata.lint.flow.conditions import NOTHING, Conditions, Facts
from otelkata.lint.flow.effects import Deed, Effect, Effects
from otelkata.lint.flow.graph import Edge, Graph, Jump, Point, Role
from otelkata.lint.flow.hazards import Flow
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import SCOPES, walk

MOST_STATES = 5_000
STATES_PER_POINT = 40
"""How much of a function is explored for one span: beyond that, nothing is said about it."""
MOST_OF_FUNCTION = 100_000
"""How much of a function is explored for all its spans together."""
MOST_AFTER_END = 300
"""How many states are explored after the end, for what is done to a span that has ended."""
FURTHEST = 200
"""Through how many functions a span is followed; who gets it after that is believed."""

_RANK = {Flow.NEXT: 0, Flow.TRUE: 0, Flow.FALSE: 0, Flow.RAISE: 1, Flow.CLOSE: 2, Flow.CANCEL: 3}
_MOVES = frozenset({Deed.RETURN, Deed.STORE, Deed.PASS, Deed.CAPTURE, Deed.ENTER})


class _State(NamedTuple):
    point: int
    names: frozenset[str]
    ended: cst.CSTNode | None
    flow: Flow
    stack: tuple[Jump, ...]
    facts: Facts = NOTHING


@dataclass(slots=True)
class Fates:
    """What became of one span, over all paths.

    `leaks` has the shortest path out for each kind of path: the points passed with why each was
    taken. `moved` says what others did to take it, the first one first, and `managed` that a `with`
    did; `complete` is False where a function was too large to be explored.
    """

    leaks: dict[Flow, list[tuple[Flow, cst.CSTNode]]] = field(default_factory=dict)
    twice: list[cst.CSTNode] = field(default_factory=list)
    late: list[cst.CSTNode] = field(default_factory=list)
    moved: list[Deed] = field(default_factory=list)
    managed: bool = False
    ended: bool = False
    complete: bool = True
    spent: bool = False
    """Some path returns it when it has ended."""


class Flows:
    """The graphs of a module's functions, and what they do to spans."""

    def __init__(self, module: Module) -> None:
        """Build graphs as they are asked for."""
        self._module = module
        self._graphs: dict[Body, Graph] = {}
        self._fates: dict[tuple[cst.FunctionDef, str], Deed] = {}
        self._conditions: dict[Body, Conditions] = {}
        self._inner: dict[Body, list[cst.CSTNode]] = {}
        self.explored: Counter[Body] = Counter()
        self._hops = 0
        # Held weakly, so that nothing of a file outlives its linting.
        flows = weakref.proxy(self)
        self.effects = Effects(
            module,
            lambda function, name: flows.fate_of_parameter(function, name),  # noqa: PLW0108
        )

    def graph(self, body: Body) -> Graph:
        """Return the graph of `body`."""
        if body not in self._graphs:
            self._graphs[body] = Graph(self._module, body)
        return self._graphs[body]

    def conditions(self, body: Body) -> Conditions:
        """Return what is worth remembering of the conditions in `body`."""
        if body not in self._conditions:
            self._conditions[body] = Conditions(self._module, self.graph(body))
        return self._conditions[body]

    def inner_scopes(self, body: Body) -> list[cst.CSTNode]:
        """Return the functions, classes and lambdas made directly in `body`."""
        if body not in self._inner:
            self._inner[body] = [
                node
                for node in walk(body, into_scopes=False)
                if isinstance(node, SCOPES) and node is not body
            ]
        return self._inner[body]

    def follow(self, body: Body, start: cst.CSTNode | None, names: frozenset[str]) -> Fates:
        """Follow what `names` hold from `start` (None: from the beginning) to every exit."""
        return _Walk(self, self._module, body, start, names).fates

    def fate_of_parameter(self, function: cst.FunctionDef, name: str) -> Deed:
        """Return what `function` does with the span that it gets as `name`."""
        key = (function, name)
        if key not in self._fates:
            if self._hops >= FURTHEST:
                return Deed.PASS
            # Whoever calls itself with the span is believed.
            self._fates[key] = Deed.PASS
            self._hops += 1
            fates = self.follow(function, None, frozenset({name}))
            self._hops -= 1
            self._fates[key] = _deed_of(fates)
        return self._fates[key]


def _deed_of(fates: Fates) -> Deed:
    if fates.moved or not fates.complete:
        return Deed.PASS
    if fates.managed or fates.ended:
        return Deed.PASS if Flow.NEXT in fates.leaks else Deed.END
    return Deed.BORROW


class _Walk:
    """One exploration."""

    def __init__(
        self,
        flows: Flows,
        module: Module,
        body: Body,
        start: cst.CSTNode | None,
        names: frozenset[str],
    ) -> None:
        self.fates = Fates()
        self._module = module
        self._effects = flows.effects
        self._graph = flows.graph(body)
        self._known: dict[tuple[int, frozenset[str]], list[Effect]] = {}
        self._came: dict[_State, tuple[_State, Flow] | None] = {}
        self._waiting: deque[_State] = deque()
        self._after_end = 0
        self._conditions = flows.conditions(body)
        self._start = start
        self._body = body
        self._explored = flows.explored
        if names and self._effects.captures(flows.inner_scopes(body), names):
            self.fates.moved.append(Deed.CAPTURE)
            return
        called = module.called(start) if isinstance(start, cst.Call) else None
        self._is_attached = called is not None and called.kind == "attach"
        self._begin(start, names)
        self._explore()

    def _begin(self, start: cst.CSTNode | None, names: frozenset[str]) -> None:
        if start is None:
            entry, rest = self._graph.entry[0], self._graph.entry[1:]
            stack = (rest,) if rest else ()
            first = _State(entry, names, ended=None, flow=Flow.NEXT, stack=stack)
            self._visit(first, None)
            return
        number = _point_with(self._graph, self._module, start)
        if number is None:
            self.fates.complete = False
            return
        facts = self._conditions.before(start)
        here = _State(number, names, None, Flow.NEXT, self._graph.points[number].resumes, facts)
        if not names:
            self._leak(here)
            return
        # A loop may come back here; the beginning of the path is a state of its own.
        before = here._replace(names=frozenset())
        self._came[before] = None
        for edge in self._edges(here):
            if _RANK[edge.flow] == 0:
                self._go(here, edge, came_from=before)

    def _explore(self) -> None:
        left = MOST_OF_FUNCTION - self._explored[self._body]
        budget = min(left, max(MOST_STATES, STATES_PER_POINT * len(self._graph.points)))
        while self._waiting and self.fates.complete:
            self._step(self._waiting.popleft())
            if len(self._came) > budget:
                self.fates.complete = False
                self._module.give_up(self._body)
        self._explored[self._body] += len(self._came)

    def _step(self, state: _State) -> None:
        point = self._graph.points[state.point]
        if point.role is Role.EXIT:
            if state.ended is None:
                self._leak(state)
            return
        if point.role is Role.RESUME:
            self._go(state, Edge(Flow.NEXT, state.stack[-1]))
            return
        after = self._apply(state, point)
        if after is None:
            return
        failed = after
        if any(isinstance(part, cst.Assign | cst.AnnAssign) for part in point.parts):
            # What raises has bound nothing.
            failed = after._replace(facts=state.facts)
        for edge in self._edges(after):
            self._go(failed if _RANK[edge.flow] else after, edge, came_from=state)

    def _apply(self, state: _State, point: Point) -> _State | None:
        """Return the state after what is done at `point`; None where the path needs no more."""
        came = state
        for effect in self._effects_at(state.point, point, state.names):
            if state.ended is None and self._is_taken(effect):
                return None
            state = self._changed(state, effect)
        if not state.names:
            if state.ended is None:
                self._leak(came)
            return None
        if state.ended is not None:
            self._after_end += 1
            if self._after_end > MOST_AFTER_END:
                return None
        return state._replace(facts=self._conditions.after(state.point, state.facts))

    def _changed(self, state: _State, effect: Effect) -> _State:
        """Return the state after one deed, and note what was wrong with it."""
        match effect.deed:
            case Deed.END:
                self.fates.ended = True
                if state.ended is not None:
                    self._note(self.fates.twice, _by_hand(state.ended, effect.node))
                return state._replace(ended=effect.node)
            case Deed.RETURN if state.ended is not None:
                self.fates.spent = True
            case Deed.USE if state.ended is not None:
                self._note(self.fates.late, effect.node)
            case Deed.ALIAS:
                return state._replace(names=state.names | effect.names)
            case Deed.REBIND:
                return state._replace(names=state.names - effect.names)
        return state

    def _is_taken(self, effect: Effect) -> bool:
        if effect.deed is Deed.MANAGE:
            self.fates.managed = True
            # Where its end is a point of the graph, the way there is followed as well.
            return not any(around in self._graph.managers for around in self._around(effect.node))
        if effect.deed in _MOVES:
            if effect.deed not in self.fates.moved:
                self.fates.moved.append(effect.deed)
            return True
        return False

    def _around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for around in (node, *self._module.ancestors(node)):
            yield around
            if isinstance(around, cst.WithItem | cst.BaseStatement):
                return

    def _note(self, nodes: list[cst.CSTNode], node: cst.CSTNode) -> None:
        if node not in nodes:
            nodes.append(node)

    def _effects_at(self, number: int, point: Point, names: frozenset[str]) -> list[Effect]:
        key = (number, names)
        if point.role is Role.LEAVE and isinstance(point.node, cst.WithItem):
            return self._effects.of_leaving(point.node, names, self._start)
        if key not in self._known:
            self._known[key] = [
                effect for part in point.parts for effect in self._effects.of(part, names)
            ]
        return self._known[key]

    def _edges(self, state: _State) -> Iterator[Edge]:
        """Yield the ways on that what is known allows."""
        point = self._graph.points[state.point]
        truth = None
        if point.role is Role.TEST:
            truth = self._truth(point.parts[0], state)
            if truth is None:
                truth = self._conditions.answer(state.point, state.facts)
            if truth is None and self._is_attached:
                truth = is_same_place(self._module, point.parts[0])
        for edge in point.edges:
            if truth is None or edge.flow is not (Flow.FALSE if truth else Flow.TRUE):
                yield edge

    def _truth(self, test: cst.CSTNode, state: _State) -> bool | None:
        """Return what a condition comes to while names hold a span; None if that is open."""
        names = state.names
        truth: bool | None = None
        match test:
            case cst.Name() | cst.Attribute() if dotted(test) in names:
                truth = True
            case cst.Call(func=cst.Attribute(attr=cst.Name(value="is_recording")) as asked):
                # What records nothing needs no end, and what has ended records nothing.
                truth = state.ended is None if dotted(asked.value) in names else None
            case cst.Call(func=cst.Name(value="isinstance")) if _is_for_show(test):
                truth = False if dotted(test.args[0].value) in names else None
            case cst.NamedExpr():
                truth = True if dotted(test.target) in names else None
            case cst.UnaryOperation(operator=cst.Not()):
                inner = self._truth(test.expression, state)
                truth = None if inner is None else not inner
            case cst.Comparison() if _name(test.left) in names and len(test.comparisons) == 1:
                truth = _compared(test.comparisons[0])
            case cst.BooleanOperation():
                truth = self._combined(test, state)
        return truth

    def _combined(self, test: cst.BooleanOperation, state: _State) -> bool | None:
        sides = (self._truth(test.left, state), self._truth(test.right, state))
        decisive = isinstance(test.operator, cst.Or)
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive

    def _go(self, state: _State, edge: Edge, came_from: _State | None = None) -> None:
        target, rest = edge.jump[0], edge.jump[1:]
        depth = len(self._graph.points[target].resumes)
        stack = (*state.stack[: depth - 1], rest) if rest else state.stack[:depth]
        flow = edge.flow if _RANK[edge.flow] > _RANK[state.flow] else state.flow
        facts = state.facts
        if edge.flow in {Flow.TRUE, Flow.FALSE}:
            facts = self._conditions.told(state.point, facts, answer=edge.flow is Flow.TRUE)
        reached = _State(target, state.names, state.ended, flow, stack, facts)
        self._visit(reached, (came_from or state, edge.flow))

    def _visit(self, state: _State, came: tuple[_State, Flow] | None) -> None:
        if state not in self._came:
            self._came[state] = came
            self._waiting.append(state)

    def _leak(self, state: _State) -> None:
        if state.flow not in self.fates.leaks:
            self.fates.leaks[state.flow] = list(reversed(list(self._trace(state))))

    def _trace(self, state: _State) -> Iterator[tuple[Flow, cst.CSTNode]]:
        """Yield the way that led to `state`, from its end, as what was done at each point."""
        current: _State | None = state
        flow = Flow.NEXT
        while current is not None:
            yield flow, self._graph.points[current.point].node
            came = self._came.get(current)
            current, flow = came if came is not None else (None, Flow.NEXT)


def _by_hand(first: cst.CSTNode, second: cst.CSTNode) -> cst.CSTNode:
    """Return the one of two ends that somebody wrote: a `with` ends by itself."""
    return first if isinstance(second, cst.WithItem) else second


def _is_for_show(call: cst.Call) -> bool:
    """Tell whether a test is for a span that records nothing, and so needs no end."""
    kind = dotted(call.args[1].value) if len(call.args) == 2 else None
    return (kind or "").rpartition(".")[2] == "NonRecordingSpan"


def _name(node: cst.BaseExpression) -> str | None:
    return dotted(node.target if isinstance(node, cst.NamedExpr) else node)


def _compared(target: cst.ComparisonTarget) -> bool | None:
    if not is_literal(target.comparator, "None"):
        return None
    if isinstance(target.operator, cst.Is | cst.Equal):
        return False
    return True if isinstance(target.operator, cst.IsNot | cst.NotEqual) else None


def _point_with(graph: Graph, module: Module, node: cst.CSTNode) -> int | None:
    """Return the point at which `node` is evaluated."""
    for candidate in (node, *module.ancestors(node)):
        number = graph.point_of.get(candidate)
        if number is not None:
            return number
    return None
