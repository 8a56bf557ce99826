"""Which functions start a span that is a root wherever no context is current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import libcst as cst

from otelkata.lint.meaning.arguments import argument
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.attributes import only_value
from otelkata.lint.patterns.handover import Handover
from otelkata.lint.patterns.starts import Start, is_opening
from otelkata.lint.source.walk import walk

Function: TypeAlias = cst.FunctionDef | cst.Lambda

CONTEXT_NAMES = ("context", "ctx", "span", "carrier", "traceparent", "headers")

ATTACHING = frozenset({"attach", "attach_context"})
HARMLESS = frozenset(
    {"staticmethod", "classmethod", "cache", "functools.cache", "lru_cache", "functools.lru_cache"}
)
"""Decorators that do not touch the context."""


def is_instrumented(module: Module) -> bool:
    """Tell whether this file sets up the instrumentation that carries context into threads."""
    return any(
        binding.origin is not None and binding.origin.endswith("ThreadingInstrumentor")
        for scope in module.index.scopes.values()
        for bindings in scope.names.values()
        for binding in bindings
    )


def resolved(module: Module, node: cst.BaseExpression) -> Function | None:
    """Return the function of this file that `node` names or is; None if it is not in here."""
    if isinstance(node, cst.Lambda):
        return node
    if isinstance(node, cst.Call):
        is_partial = (dotted(node.func) or "").rpartition(".")[2] == "partial"
        return resolved(module, node.args[0].value) if is_partial and node.args else None
    scope = module.scope(node)
    if isinstance(node, cst.Name):
        found = scope.lookup(node.value)
    elif isinstance(node, cst.Attribute) and dotted(node.value) == scope.object_name():
        owner = scope.class_scope()
        found = owner.names.get(node.attr.value, []) if owner is not None else []
    else:
        return None
    if len(found) != 1:
        return None
    if isinstance(found[0].value, cst.Lambda):
        return found[0].value
    return found[0].defined if isinstance(found[0].defined, cst.FunctionDef) else None


def takes_context(module: Module, handover: Handover) -> bool:
    """Tell whether a context, a span or headers are given to the function."""
    given = [*handover.given]
    if isinstance(handover.function, cst.Call):
        given += [arg.value for arg in handover.function.args[1:]]
    return any(_is_context(module, node) for value in given for node in walk(value))


def _is_context(module: Module, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Name):
        return node.value.lower().endswith(CONTEXT_NAMES)
    if not isinstance(node, cst.Call):
        return False
    known = module.known(node)
    return known is not None and known.kind in {"Context", "Span"}


class RootlessStarts:
    """Which functions of a file start a span that has no parent unless one is current."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._known = {start.call: start for start in module.starts}
        self._found: dict[Function, Start | None] = {}

    def of(self, function: Function) -> Start | None:
        """Return a start without parent in `function`, or in what it calls in this file."""
        if function not in self._found:
            self._found[function] = None
            self._found[function] = self._with_callees(function)
        return self._found[function]

    def _with_callees(self, function: Function) -> Start | None:
        calls = list(_calls(function))
        if self._cares(calls) or self._is_wrapped(function):
            return None
        found = self._first(calls)
        if found is not None:
            return found
        callees = {self._module.definition(call): None for call in calls}
        for callee in callees:
            if callee is not None and callee is not function:
                inner = list(_calls(callee))
                found = None if self._cares(inner) else self._first(inner)
                if found is not None:
                    return found
        return None

    def _first(self, calls: list[cst.Call]) -> Start | None:
        for call in calls:
            if call in self._known:
                return self._known[call]
            if is_opening(self._module, call):
                return Start(call, is_current=True, certain=False)
        return None

    def _is_wrapped(self, function: Function) -> bool:
        """Tell whether a decorator that is no span's may bring the context along."""
        if not isinstance(function, cst.FunctionDef):
            return False
        decorators = (item.decorator for item in function.decorators)
        return any(
            decorator not in self._known and _name(decorator) not in HARMLESS
            for decorator in decorators
        )

    def _cares(self, calls: list[cst.Call]) -> bool:
        """Tell whether one of `calls` gives a span its context, or makes one current."""
        return any(
            self._known[call].context is not None
            if call in self._known
            else self._makes_current(call)
            for call in calls
        )

    def _makes_current(self, call: cst.Call) -> bool:
        name = _name(call).rpartition(".")[2]
        return name in ATTACHING or (name == "use_span" and not self._is_own(call))

    def _is_own(self, use: cst.Call) -> bool:
        """Tell whether `use_span` is given a span that is started right there."""
        given = argument(use, "span", 0)
        if given is None:
            return False
        is_call = isinstance(given.value, cst.Call)
        value = given.value if is_call else only_value(self._module, given.value)
        return value in self._known


def _name(node: cst.BaseExpression) -> str:
    return dotted(node.func if isinstance(node, cst.Call) else node) or ""


def _calls(function: Function) -> Iterator[cst.Call]:
    """Yield what is called when `function` is: a decorator that opens a span, too."""
    if isinstance(function, cst.FunctionDef):
        yield from (
            item.decorator for item in function.decorators if isinstance(item.decorator, cst.Call)
        )
    for node in walk(function.body, into_scopes=False):
        if isinstance(node, cst.Call):
            yield node
