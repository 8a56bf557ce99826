"""What comes after what in one function, and what mentions a name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TypeAlias

import libcst as cst

from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import Binding, dotted
from otelkata.lint.source.walk import walk

Loop: TypeAlias = cst.For | cst.While

MOST = 20
"""Of spans, headers or values of one name in one function: more is generated, and left alone."""

LEAVES = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_ROWS = (cst.IndentedBlock, cst.SimpleStatementSuite, cst.SimpleStatementLine)
"""What holds statements that run one after the other."""


def leads_to(module: Module, first: cst.CSTNode, then: cst.CSTNode) -> bool:
    """Tell whether `then` is reached from `first` in their function, going forward only.

    Loops are not gone round, and exceptions are not followed into handlers.
    """
    if module.body_of(first) is not module.body_of(then):
        return False
    met = _meeting(module, first, then)
    if met is None:
        return False
    meeting, before, after = met
    if _excludes(meeting, before, after):
        return False
    if module.ranks[before] >= module.ranks[after]:
        return False
    return not _leaves(module, first, meeting)


def is_inside(module: Module, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    """Tell whether `node` is a part of `outer`."""
    return any(ancestor is outer for ancestor in module.ancestors(node))


def loops(module: Module, node: cst.CSTNode) -> list[Loop]:
    """Return the loops of its function in which `node` stands, the innermost first."""
    found: list[Loop] = []
    for ancestor in module.ancestors(node):
        if isinstance(ancestor, cst.FunctionDef | cst.Lambda):
            break
        if isinstance(ancestor, cst.For | cst.While):
            found.append(ancestor)
    return found


def mentions(module: Module, node: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression]:
    """Yield where `name`, which may be dotted, is used in `node` and in the functions inside."""
    first = name.partition(".")[0]
    for found in walk(node):
        if not isinstance(found, cst.Name) or found.value != first or _is_label(module, found):
            continue
        whole: cst.BaseExpression = found
        while dotted(whole) != name:
            outer = module.parent(whole)
            if not isinstance(outer, cst.Attribute):
                break
            whole = outer
        else:
            yield whole


def _is_label(module: Module, name: cst.Name) -> bool:
    """Tell whether a name only labels something: an attribute, a keyword, a parameter."""
    parent = module.parent(name)
    match parent:
        case cst.Attribute():
            return parent.attr is name
        case cst.Arg():
            return parent.keyword is name
        case cst.Param():
            return parent.name is name
        case _:
            return False


def _meeting(
    module: Module, first: cst.CSTNode, then: cst.CSTNode
) -> tuple[cst.CSTNode, cst.CSTNode, cst.CSTNode] | None:
    """Return the innermost node that holds both, and which of its parts holds each."""
    path = [first, *module.ancestors(first)]
    places = {id(node): index for index, node in enumerate(path)}
    after = then
    for ancestor in module.ancestors(then):
        index = places.get(id(ancestor))
        if index is not None:
            return (ancestor, path[index - 1], after) if index else None
        after = ancestor
    return None


def _excludes(meeting: cst.CSTNode, before: cst.CSTNode, after: cst.CSTNode) -> bool:
    """Tell whether the two parts are alternatives, of which one is run."""
    match meeting:
        case cst.If() | cst.IfExp():
            return before is not meeting.test and after is not meeting.test
        case cst.Match():
            return before is not meeting.subject
        case cst.Try() | cst.TryStar():
            if isinstance(after, cst.ExceptHandler | cst.ExceptStarHandler):
                return True
            is_handler = isinstance(before, cst.ExceptHandler | cst.ExceptStarHandler)
            return is_handler and after is meeting.orelse
        case _:
            return False


def _leaves(module: Module, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    """Tell whether the way from `node` to the end of `outer`'s part always leaves before."""
    inside = takewhile(lambda ancestor: ancestor is not outer, module.ancestors(node))
    return any(isinstance(row, _ROWS) and _is_way_out(row.body[-1]) for row in inside)


def _is_way_out(statement: cst.CSTNode) -> bool:
    last = statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else statement
    return isinstance(last, LEAVES)


def grouped(module: Module, calls: Iterable[cst.Call]) -> defaultdict[Body | None, list[cst.Call]]:
    """Return `calls` by the function in which they stand."""
    found: defaultdict[Body | None, list[cst.Call]] = defaultdict(list)
    for call in calls:
        found[module.body_of(call)].append(call)
    return found


def bound_at(module: Module, node: cst.CSTNode, name: str) -> list[cst.BaseExpression]:
    """Return the values that are given to `name` in the function of `node`."""
    scope = module.scope(node)
    bindings = scope.names.get(name, [])
    return [binding.value for binding in bindings if binding.value is not None]


def reaching(module: Module, node: cst.Name) -> list[Binding]:
    """Return the bindings of a name whose values may be what `node` has.

    Left out are those of its own function that come later, or that a later one overwrites.
    """
    scope = module.scope(node)
    bindings = scope.lookup(node.value)
    if len(bindings) > MOST:
        return []
    if bindings is not scope.names.get(node.value) or not isinstance(scope.node, cst.FunctionDef):
        return bindings
    placed = [item for item in bindings if item.value is not None and not item.is_parameter]
    if len(placed) + sum(item.is_parameter for item in bindings) < len(bindings):
        return bindings
    last: Binding | None = None
    for item in placed:
        if item.value is not None and _always_runs(module, item.value, node):
            last = item
    if last is None or last.value is None:
        return [
            item
            for item in bindings
            if item.is_parameter
            or (item.value is not None and _may_reach(module, item.value, node))
        ]
    over = last.value
    return [last] + [
        item
        for item in placed
        if item.value is not None
        and leads_to(module, over, item.value)
        and _may_reach(module, item.value, node)
    ]


def _may_reach(module: Module, value: cst.CSTNode, node: cst.CSTNode) -> bool:
    return leads_to(module, value, node) or bool(
        set(loops(module, value)) & set(loops(module, node))
    )


def _always_runs(module: Module, value: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Tell whether `value` is assigned on every way to `node`: in a block that holds it."""
    if not leads_to(module, value, node):
        return False
    met = _meeting(module, value, node)
    statement = module.statement(value)
    line = module.parent(statement) if statement is not None else None
    block = module.parent(line) if isinstance(line, cst.SimpleStatementLine) else None
    return met is not None and met[0] is block


def is_parameter(module: Module, node: cst.BaseExpression) -> bool:
    """Tell whether `node` is a parameter of its function, or a part of one."""
    first = (dotted(node) or "").partition(".")[0]
    return any(binding.is_parameter for binding in module.scope(node).names.get(first, []))
