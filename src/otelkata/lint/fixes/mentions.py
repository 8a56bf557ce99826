"""Where a name is mentioned, and which mentions can see the value of one assignment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import libcst as cst

from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import Scope

MOST_MENTIONS = 200
"""How many mentions of one name are looked at: beyond that, nothing is said about it."""


def mentions(module: Module, body: Body, name: str) -> list[cst.Name]:
    """Return where the variable `name` of `body` is read or bound, functions inside included."""
    return module.mentions.of(name)[body]


class Mentions:
    """Every mention of every name of a file, found once: fixes ask again and again."""

    def __init__(self, module: Module) -> None:
        """Collect the names of `module`, and not those of attributes and keywords."""
        self._scope_of = module.index.scope_of
        self._names: defaultdict[str, list[cst.Name]] = defaultdict(list)
        self._owned: dict[str, defaultdict[cst.CSTNode | None, list[cst.Name]]] = {}
        for node, parent in module.index.parents.items():
            if not isinstance(node, cst.Name):
                continue
            if isinstance(parent, cst.Attribute) and parent.attr is node:
                continue
            if isinstance(parent, cst.Arg) and parent.keyword is node:
                continue
            self._names[node.value].append(node)

    def of(self, name: str) -> defaultdict[cst.CSTNode | None, list[cst.Name]]:
        """Return the mentions of `name` by what has the variable."""
        if name not in self._owned:
            owned: defaultdict[cst.CSTNode | None, list[cst.Name]] = defaultdict(list)
            for node in self._names[name]:
                owned[_owner(self._scope_of(node), name)].append(node)
            self._owned[name] = owned
        return self._owned[name]


def _owner(scope: Scope, name: str) -> cst.CSTNode | None:
    """Return what has the variable `name` that is seen from `scope`."""
    current: Scope | None = scope
    while current is not None:
        visible = current is scope or not current.is_class
        if visible and name in current.names and name not in current.elsewhere:
            return current.node
        current = current.parent
    return None


def is_read(module: Module, mention: cst.Name) -> bool:
    """Tell whether a mention plainly reads its variable, and neither binds nor deletes it."""
    parent = module.parent(mention)
    match parent:
        case cst.Attribute():
            return not isinstance(module.parent(parent), cst.AssignTarget | cst.Del)
        case cst.Comparison() | cst.ComparisonTarget() | cst.BooleanOperation():
            return True
        case cst.Arg() | cst.UnaryOperation() | cst.If():
            return True
    return False


class Onlookers:
    """Tells who else could see what a name holds when the path from its start is cut short.

    An exception that now passes a `finally` shows to nobody but the code that runs after it and
    still has the name.
    """

    def __init__(self, module: Module, start: cst.Call, name: str) -> None:
        """Look from the assignment that holds `start`."""
        self._module = module
        self._start = start
        self._name = name
        self._body = module.body_of(start)
        self._path: set[cst.CSTNode] = {start, *module.ancestors(start)}
        self._loops = any(
            isinstance(node, cst.For | cst.While) for node in self._path if self._is_inside(node)
        )

    def _is_inside(self, node: cst.CSTNode) -> bool:
        return self._module.body_of(node) is self._body

    def may_see(self, mention: cst.Name, block: cst.CSTNode) -> bool:
        """Tell whether `mention`, outside of the span's own stretch of `block`, may run after it.

        What comes after the stretch in the same block runs only when that was left normally.
        """
        if isinstance(self._module.parent(mention), cst.AssignTarget | cst.AsName):
            return False
        if self._module.body_of(mention) is not self._body:
            return True
        if not self._loops and (self._is_before(mention) or self._is_in(mention, block)):
            return False
        return not self._is_bound_again(mention)

    def _is_before(self, mention: cst.Name) -> bool:
        return self._module.place(mention) < self._module.place(self._start)

    def _is_in(self, mention: cst.Name, block: cst.CSTNode) -> bool:
        return any(around is block for around in self._module.ancestors(mention))

    def _is_bound_again(self, mention: cst.Name) -> bool:
        """Tell whether every way to `mention` binds the name to something else first."""
        inside: cst.CSTNode = mention
        for around in self._module.ancestors(mention):
            if inside in self._path:
                break
            if isinstance(around, cst.IndentedBlock | cst.Module):
                for statement in self._earlier(around, inside):
                    if statement in self._path:
                        return False
                    if binds(statement, self._name):
                        return True
            inside = around
        return False

    def _earlier(
        self, block: cst.IndentedBlock | cst.Module, inside: cst.CSTNode
    ) -> Iterator[cst.BaseStatement]:
        body = list(block.body)
        at = next(number for number, statement in enumerate(body) if statement is inside)
        yield from reversed(body[:at])


def binds(statement: cst.CSTNode, name: str) -> bool:
    """Tell whether a line does nothing but to bind `name`."""
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Assign)
        and any(
            isinstance(target.target, cst.Name) and target.target.value == name
            for target in statement.body[0].targets
        )
    )
