"""Who keeps an object that a function makes: that function alone, or somebody else."""

from __future__ import annotations

from enum import Enum, auto

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

_BORROWERS = frozenset(
    {"isinstance", "type", "id", "repr", "str", "len", "bool", "hasattr", "print"}
)
_BORROWED_AS = frozenset({"tracer_provider"})
"""Parameters by which a provider is used, and not taken over."""
_READERS = (
    cst.AnnAssign,
    cst.AssignTarget,
    cst.Attribute,
    cst.Comparison,
    cst.ComparisonTarget,
    cst.Expr,
    cst.If,
    cst.UnaryOperation,
)
"""Nodes that use a value without keeping it."""


class Kept(Enum):
    """Who keeps an object."""

    HERE = auto()
    """The function that makes it, until it returns."""
    WITHIN_REACH = auto()
    """This function, and whoever asks for the module's name or for the global provider."""
    ELSEWHERE = auto()


class Keepers:
    """Who keeps the tracer providers of a file."""

    def __init__(self, module: Module) -> None:
        """Look at `module`."""
        self._module = module
        self._found: dict[tuple[cst.CSTNode, str], Kept] = {}

    def of(self, call: cst.Call) -> Kept:
        """Return who keeps the tracer provider that `call` makes."""
        target = _name(self._module, call)
        if target is None:
            return _use(self._module, call)
        key = self._module.scope(target).node, target.value
        if key not in self._found:
            self._found[key] = self._of_name(*key)
        return self._found[key]

    def _of_name(self, owner: cst.CSTNode, name: str) -> Kept:
        found = Kept.HERE if isinstance(owner, cst.FunctionDef) else Kept.WITHIN_REACH
        for node in walk(owner):
            if not isinstance(node, cst.Name) or node.value != name:
                continue
            parent = self._module.parent(node)
            if isinstance(parent, cst.Attribute) and parent.value is not node:
                continue
            use = _use(self._module, node)
            if use is Kept.ELSEWHERE:
                return use
            if use is Kept.WITHIN_REACH:
                found = use
        return found


def _name(module: Module, call: cst.Call) -> cst.Name | None:
    """Return the one name to which the value of `call` is bound."""
    parent = module.parent(call)
    match parent:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            return name
        case cst.AnnAssign(target=cst.Name() as name):
            return name
        case _:
            return None


def _use(module: Module, node: cst.BaseExpression) -> Kept:
    """Return what one use of a provider says of its keeper."""
    parent = module.parent(node)
    match parent:
        case cst.Arg(keyword=cst.Name(value=keyword)) if keyword in _BORROWED_AS:
            return Kept.HERE
        case cst.DictElement(key=cst.SimpleString() as key) if key.evaluated_value in _BORROWED_AS:
            return Kept.HERE
        case cst.Arg():
            return _handed(module.parent(parent))
        case _:
            return Kept.HERE if isinstance(parent, _READERS) else Kept.ELSEWHERE


def _handed(call: cst.CSTNode | None) -> Kept:
    name = (dotted(call.func) or "").rpartition(".")[2] if isinstance(call, cst.Call) else ""
    if name == "set_tracer_provider":
        return Kept.WITHIN_REACH
    return Kept.HERE if name in _BORROWERS else Kept.ELSEWHERE
