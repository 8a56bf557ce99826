"""Which functions and classes of a file can be called without any exception coming back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import children, walk

_DEEPEST = 4
"""Calls from function to function that are followed."""
_PLAIN_DECORATORS = frozenset({"classmethod", "final", "override", "property", "staticmethod"})
_CATCH_ALL = frozenset({"Exception", "BaseException"})
_SCOPES = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


IsHazard: TypeAlias = Callable[[cst.CSTNode], bool]


class HarmlessCalls:
    """Looks into what this file defines; whoever asks says which single nodes are a hazard."""

    def __init__(self, module: Module) -> None:
        """Judge calls in `module`."""
        self._module = module
        self._known: dict[cst.CSTNode, bool] = {}
        self._depth = 0

    def returns(self, call: cst.Call, is_hazard: IsHazard) -> bool:
        """Tell whether `call` is known to come back: what it runs is here, and raises nothing."""
        runs = self._module.definition(call) or self._constructor(call)
        if isinstance(runs, cst.FunctionDef):
            return self._is_harmless(runs, is_hazard)
        return runs is not None

    def _constructor(self, call: cst.Call) -> cst.FunctionDef | cst.ClassDef | None:
        """Return the `__init__` that `call` runs; the class itself, if it has only fields."""
        if not isinstance(call.func, cst.Name):
            return None
        found = [item.defined for item in self._module.scope(call).lookup(call.func.value)]
        if len(found) != 1 or not isinstance(found[0], cst.ClassDef):
            return None
        owner = found[0]
        scope = self._module.index.scopes[owner]
        if scope.names.keys() & {"__new__", "__post_init__"} or owner.keywords:
            return None
        made = [binding.defined for binding in scope.names.get("__init__", ())]
        if len(made) == 1 and isinstance(made[0], cst.FunctionDef):
            return made[0]
        return owner if not made and (_is_dataclass(owner) or not owner.bases) else None

    def _is_harmless(self, function: cst.FunctionDef, is_hazard: IsHazard) -> bool:
        if function not in self._known:
            if self._depth >= _DEEPEST:
                return False
            # Whoever calls itself may do so for ever.
            self._known[function] = False
            self._depth += 1
            self._known[function] = _has_no_hazard(function, is_hazard)
            self._depth -= 1
        return self._known[function]


def _has_no_hazard(function: cst.FunctionDef, is_hazard: IsHazard) -> bool:
    names = {(dotted(item.decorator) or "?").rpartition(".")[2] for item in function.decorators}
    if not names <= _PLAIN_DECORATORS:
        return False
    return runs_later(function) or not any(map(is_hazard, _exposed(function.body)))


def runs_later(function: cst.FunctionDef) -> bool:
    """Tell whether a call only makes a generator or a coroutine, which somebody else runs."""
    return function.asynchronous is not None or is_generator(function)


def is_generator(function: cst.FunctionDef) -> bool:
    """Tell whether a call makes a generator."""
    return any(isinstance(node, cst.Yield) for node in walk(function.body, into_scopes=False))


def _exposed(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield what runs in `node` without a `try` around it that catches everything."""
    yield node
    for child in children(node):
        if isinstance(child, _SCOPES):
            continue
        if isinstance(node, cst.Try) and child is node.body and _catches_all(node):
            continue
        yield from _exposed(child)


def _catches_all(node: cst.Try) -> bool:
    return any(
        handler.type is None or (dotted(handler.type) or "").rpartition(".")[2] in _CATCH_ALL
        for handler in node.handlers
    )


def _is_dataclass(owner: cst.ClassDef) -> bool:
    names = (
        dotted(item.decorator.func if isinstance(item.decorator, cst.Call) else item.decorator)
        for item in owner.decorators
    )
    return any((name or "").rpartition(".")[2] == "dataclass" for name in names)
