"""Which names a file binds, where, and to what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import libcst as cst

from otelkata.lint.source.walk import SCOPES, children

ScopeNode: TypeAlias = cst.Module | cst.FunctionDef | cst.ClassDef | cst.Lambda


@dataclass(frozen=True, slots=True)
class Binding:
    """One thing that a name is bound to.

    `value` is the expression that was assigned, or entered by a `with` where `entered`; `origin`
    is the dotted origin of an import; `defined` is a function or class. `position` says which
    element of `value` it is, where that is taken apart.
    """

    value: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None
    origin: str | None = None
    defined: cst.FunctionDef | cst.ClassDef | None = None
    entered: bool = False
    is_parameter: bool = False


@dataclass(slots=True)
class Scope:
    """A module, class, function or lambda, with the names bound in it."""

    node: ScopeNode
    parent: Scope | None
    names: defaultdict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    attributes: defaultdict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    """Of a class: what its methods bind on `self` and `cls`."""
    elsewhere: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""

    @property
    def is_class(self) -> bool:
        """Tell whether names bound here are seen by functions inside."""
        return isinstance(self.node, cst.ClassDef)

    @property
    def self_name(self) -> str | None:
        """Return what a method calls its object; None outside methods."""
        if not isinstance(self.node, cst.FunctionDef) or not (self.parent and self.parent.is_class):
            return None
        first = (*self.node.params.posonly_params, *self.node.params.params)[:1]
        return first[0].name.value if first else None

    def class_scope(self) -> Scope | None:
        """Return the class in one of whose methods this is, and None in a plain function."""
        scope: Scope | None = self
        while scope is not None:
            if scope.self_name is not None:
                return scope.parent
            scope = scope.parent
        return None

    def object_name(self) -> str | None:
        """Return the name of the object of the method in which this is."""
        scope: Scope | None = self
        while scope is not None:
            if scope.self_name is not None:
                return scope.self_name
            scope = scope.parent
        return None

    def lookup(self, name: str) -> list[Binding]:
        """Return what `name` may be bound to, seen from here; nothing for a name from elsewhere."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if (
                (first or not scope.is_class)
                and name in scope.names
                and name not in scope.elsewhere
            ):
                return scope.names[name]
            first = False
            scope = scope.parent
        return []


class Index:
    """Every node's parent and scope, from one walk over the tree."""

    def __init__(self, tree: cst.Module) -> None:
        """Walk `tree`."""
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.scopes: dict[cst.CSTNode, Scope] = {}
        self.module = Scope(tree, None)
        self.calls: list[cst.Call] = []
        self.functions: list[cst.FunctionDef] = []
        self.handlers: list[cst.ExceptHandler] = []
        self.classes: dict[str, Scope] = {}
        self.scopes[tree] = self.module
        binders: dict[type[cst.CSTNode], Callable[[Any, Scope], None]] = {
            cst.FunctionDef: self._function,
            cst.Lambda: self._lambda,
            cst.ClassDef: self._class,
            cst.Assign: self._assign,
            cst.AnnAssign: self._annotated,
            cst.NamedExpr: self._walrus,
            cst.For: self._for,
            cst.CompFor: self._for,
            cst.WithItem: self._item,
            cst.ExceptHandler: self._handler,
            cst.MatchAs: self._capture,
            cst.MatchStar: self._capture,
            cst.Global: self._elsewhere,
            cst.Nonlocal: self._elsewhere,
            cst.Import: self._import,
            cst.ImportFrom: self._import_from,
        }
        waiting: list[tuple[cst.CSTNode, Scope]] = [(tree, self.module)]
        while waiting:
            node, scope = waiting.pop()
            kind = node.__class__
            if kind is cst.Call:
                self.calls.append(node)  # type: ignore[arg-type]
            elif (bind := binders.get(kind)) is not None:
                bind(node, scope)
                if kind in SCOPES:
                    scope = self.scopes[node]
            below = children(node)
            for child in below:
                self.parents[child] = node
            below.reverse()
            waiting += [(child, scope) for child in below]
        self._scope_of: dict[cst.CSTNode, Scope] = dict(self.scopes)

    def scope_of(self, node: cst.CSTNode) -> Scope:
        """Return the scope in which `node` is evaluated; of a scope itself, its own."""
        passed = []
        current: cst.CSTNode | None = node
        found = None
        while current is not None:
            found = self._scope_of.get(current)
            if found is not None:
                break
            passed.append(current)
            current = self.parents.get(current)
        scope = found or self.module
        # A branch of a long `elif` stands in all those before it: each is climbed once.
        self._scope_of.update(dict.fromkeys(passed, scope))
        return scope

    def _function(self, node: cst.FunctionDef, scope: Scope) -> None:
        scope.names[node.name.value].append(Binding(defined=node))
        self.scopes[node] = inner = Scope(node, scope)
        self.functions.append(node)
        self._parameters(node.params, inner)

    def _lambda(self, node: cst.Lambda, scope: Scope) -> None:
        self.scopes[node] = inner = Scope(node, scope)
        self._parameters(node.params, inner)

    def _parameters(self, params: cst.Parameters, inner: Scope) -> None:
        listed = (*params.posonly_params, *params.params, *params.kwonly_params)
        stars = (params.star_arg, params.star_kwarg)
        for param in (*listed, *(star for star in stars if isinstance(star, cst.Param))):
            annotation = param.annotation.annotation if param.annotation else None
            inner.names[param.name.value].append(
                Binding(value=param.default, annotation=annotation, is_parameter=True)
            )

    def _class(self, node: cst.ClassDef, scope: Scope) -> None:
        scope.names[node.name.value].append(Binding(defined=node))
        self.scopes[node] = self.classes[node.name.value] = Scope(node, scope)

    def _assign(self, node: cst.Assign, scope: Scope) -> None:
        for target in node.targets:
            self._bind(target.target, node.value, scope)

    def _annotated(self, node: cst.AnnAssign, scope: Scope) -> None:
        self._bind(node.target, node.value, scope, annotation=node.annotation.annotation)

    def _walrus(self, node: cst.NamedExpr, scope: Scope) -> None:
        self._bind(node.target, node.value, scope)

    def _for(self, node: cst.For | cst.CompFor, scope: Scope) -> None:
        self._bind(node.target, None, scope)

    def _item(self, node: cst.WithItem, scope: Scope) -> None:
        if node.asname is not None:
            self._bind(node.asname.name, node.item, scope, entered=True)

    def _handler(self, node: cst.ExceptHandler, scope: Scope) -> None:
        self.handlers.append(node)
        if node.name is not None:
            self._bind(node.name.name, None, scope)

    def _capture(self, node: cst.MatchAs | cst.MatchStar, scope: Scope) -> None:
        if node.name is not None:
            self._bind(node.name, None, scope)

    def _elsewhere(self, node: cst.Global | cst.Nonlocal, scope: Scope) -> None:
        scope.elsewhere.update(item.name.value for item in node.names)

    def _import(self, node: cst.Import, scope: Scope) -> None:
        for alias in node.names:
            name = dotted(alias.name) or ""
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                scope.names[alias.asname.name.value].append(Binding(origin=name))
            else:
                first = name.partition(".")[0]
                scope.names[first].append(Binding(origin=first))

    def _import_from(self, node: cst.ImportFrom, scope: Scope) -> None:
        if isinstance(node.names, cst.ImportStar):
            return
        source = "." * len(node.relative) + (dotted(node.module) or "" if node.module else "")
        for alias in node.names:
            bound = alias.asname.name if alias.asname is not None else alias.name
            if isinstance(bound, cst.Name):
                scope.names[bound.value].append(Binding(origin=f"{source}.{dotted(alias.name)}"))

    def _bind(
        self,
        target: cst.BaseExpression,
        value: cst.BaseExpression | None,
        scope: Scope,
        *,
        annotation: cst.BaseExpression | None = None,
        entered: bool = False,
    ) -> None:
        if isinstance(target, cst.Name):
            outer = self._outer(scope) if target.value in scope.elsewhere else scope
            outer.names[target.value].append(Binding(value, annotation, entered=entered))
        elif isinstance(target, cst.Attribute):
            owner = scope.class_scope()
            if (
                owner is not None
                and isinstance(target.value, cst.Name)
                and target.value.value == scope.object_name()
            ):
                owner.attributes[target.attr.value].append(
                    Binding(value, annotation, entered=entered)
                )
        elif isinstance(target, cst.Tuple | cst.List):
            self._unpack(target, value, scope)

    def _unpack(
        self, target: cst.Tuple | cst.List, value: cst.BaseExpression | None, scope: Scope
    ) -> None:
        values = value.elements if isinstance(value, cst.Tuple | cst.List) else ()
        aligned = len(values) == len(target.elements)
        for position, element in enumerate(target.elements):
            self._bind(element.value, values[position].value if aligned else None, scope)

    def _outer(self, scope: Scope) -> Scope:
        outer = scope.parent
        while outer is not None and outer.is_class:
            outer = outer.parent
        return outer or self.module


def dotted(node: cst.BaseExpression | None) -> str | None:
    """Return a dotted name as text; None if `node` is something else."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])


def last_name(node: cst.CSTNode | None) -> str | None:
    """Return the last part of a name, or of what is called; None if `node` is neither."""
    if isinstance(node, cst.Call):
        node = node.func
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else None


def is_context_manager(function: cst.FunctionDef | cst.Lambda | None) -> bool:
    """Tell whether a generator becomes a context manager by its decorator."""
    return isinstance(function, cst.FunctionDef) and any(
        last_name(item.decorator) in {"asynccontextmanager", "contextmanager"}
        for item in function.decorators
    )
