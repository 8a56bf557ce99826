"""Which functions start a span that is a root wherever no context is current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import libcst as cst

from .attributes import only_value
from .handover import Handover
from .module import Module, argument
from .scopes import dotted
from .starts import Start, is_opening
from .walk import walk

Function: TypeAlias = cst.FunctionDef | cst.Lambda

CONTEXT_NAMES = ("context", "ctx", "span", "carrier", "traceparent", "headers")

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


def rootless_start(module: Module, function: Function) -> Start | None:
    """Return a start of a span without parent in `function`, or in what it calls in this file."""
    known = {start.call: start for start in module.starts}
    calls = list(_calls(function))
    if _cares(module, calls, known) or _is_wrapped(function, known):
        return None
    found = _first(module, calls, known)
    if found is not None:
        return found
    for call in calls:
        callee = module.definition(call)
        if callee is not None and callee is not function:
            inner = list(_calls(callee))
            found = None if _cares(module, inner, known) else _first(module, inner, known)
            if found is not None:
                return found
    return None


def _is_wrapped(function: Function, known: dict[cst.Call, Start]) -> bool:
    """Tell whether a decorator that is no span's may bring the context along."""
    if not isinstance(function, cst.FunctionDef):
        return False
    decorators = (item.decorator for item in function.decorators)
    return any(
        decorator not in known and (dotted(_called(decorator)) or "") not in HARMLESS
        for decorator in decorators
    )


def _called(decorator: cst.BaseExpression) -> cst.BaseExpression:
    return decorator.func if isinstance(decorator, cst.Call) else decorator


def _calls(function: Function) -> Iterator[cst.Call]:
    """Yield what is called when `function` is: a decorator that opens a span, too."""
    if isinstance(function, cst.FunctionDef):
        yield from (
            item.decorator for item in function.decorators if isinstance(item.decorator, cst.Call)
        )
    for node in walk(function.body, into_scopes=False):
        if isinstance(node, cst.Call):
            yield node


def _first(module: Module, calls: list[cst.Call], known: dict[cst.Call, Start]) -> Start | None:
    for call in calls:
        if call in known:
            return known[call]
        if is_opening(module, call):
            return Start(call, is_current=True, certain=False)
    return None


def _cares(module: Module, calls: list[cst.Call], known: dict[cst.Call, Start]) -> bool:
    """Tell whether one of `calls` gives a span its context, or makes one current."""
    for call in calls:
        start = known.get(call)
        if start is not None and start.context is not None:
            return True
        name = (dotted(call.func) or "").rpartition(".")[2]
        if name in {"attach", "attach_context"}:
            return True
        if name == "use_span" and not _is_own(module, call, known):
            return True
    return False


def _is_own(module: Module, use: cst.Call, known: dict[cst.Call, Start]) -> bool:
    """Tell whether `use_span` is given a span that is started right there."""
    given = argument(use, "span", 0)
    if given is None:
        return False
    value = given.value if isinstance(given.value, cst.Call) else only_value(module, given.value)
    return value in known
