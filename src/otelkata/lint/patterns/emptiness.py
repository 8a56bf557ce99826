"""Which contexts are empty."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.flow.sequence import reaching
from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted

ALWAYS, SOMETIMES = "always", "sometimes"

_DEEPEST = 4
"""How many names are followed one into the other."""


def emptiness(module: Module, node: cst.BaseExpression, depth: int = 0) -> str | None:
    """Tell whether the value of `node` is always an empty context, or sometimes."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, cst.Call):
        return ALWAYS if _is_empty(module, node, depth) else None
    match node:
        case cst.IfExp(body=one, orelse=other) | cst.BooleanOperation(left=one, right=other):
            return _either(module, one, other, depth)
        case cst.NamedExpr():
            return emptiness(module, node.value, depth)
        case cst.Name() | cst.Attribute():
            return _of_name(module, node, depth)
        case _:
            return None


def _is_empty(module: Module, call: cst.Call, depth: int) -> bool:
    called = module.called(call)
    if called is None:
        return False
    if called.kind in {"set_baggage", "set_value"}:  # they add to the context that they are given
        given = argument(call, "context", 2)
        return given is not None and emptiness(module, given.value, depth + 1) == ALWAYS
    return called.kind == "Context" and all(
        isinstance(arg.value, cst.Dict) and not arg.value.elements for arg in call.args
    )


def _either(
    module: Module, one: cst.BaseExpression, other: cst.BaseExpression, depth: int
) -> str | None:
    """Judge two cases; beside a context from elsewhere, the empty one only stands in for it."""
    found = {
        SOMETIMES if is_literal(node, "None") else emptiness(module, node, depth + 1)
        for node in (one, other)
    }
    if None in found or ALWAYS not in found:
        return None
    return ALWAYS if found == {ALWAYS} else SOMETIMES


def _of_name(module: Module, node: cst.Name | cst.Attribute, depth: int) -> str | None:
    scope = module.scope(node)
    if isinstance(node, cst.Name):
        bindings = reaching(module, node)
    else:
        owner = scope.class_scope() if dotted(node.value) == scope.object_name() else None
        name = node.attr.value
        bindings = [*owner.attributes.get(name, []), *owner.names.get(name, [])] if owner else []
    found = {
        emptiness(module, binding.value, depth + 1) if binding.value is not None else None
        for binding in bindings
    }
    if found != {ALWAYS}:
        return None
    return SOMETIMES if any(binding.is_parameter for binding in bindings) else ALWAYS
