"""What is called a tracer, and may be one of OpenTelemetry's for all that its file says."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.meaning.names import FOREIGN
from otelkata.lint.meaning.origins import Origins
from otelkata.lint.meaning.scopes import Binding, Index, dotted, last_name


def is_called_a_tracer(index: Index, origins: Origins, func: cst.Attribute) -> bool:
    """Tell whether `func` starts a span on what is called a tracer, and is not known as another's.

    Most projects import their tracer from a module of their own, which this file cannot see.
    """
    if func.attr.value not in {"start_span", "start_as_current_span"}:
        return False
    name = last_name(func.value)
    if name is None or not origins.imports_opentelemetry or not name.lower().endswith("tracer"):
        return False
    return not _is_another(index, origins, func.value)


def _is_another(index: Index, origins: Origins, node: cst.BaseExpression) -> bool:
    """Tell whether `node` is known to be something else than OpenTelemetry's."""
    first = dotted(node)
    if first is None:
        return True
    for binding in index.scope_of(node).lookup(first.partition(".")[0]):
        if binding.origin is not None:
            return binding.origin.split(".")[0] in FOREIGN
        if isinstance(binding.defined, cst.ClassDef):
            return True
    values = _assigned(index, origins, node)
    return any(_is_made_here_or_foreign(index, origins, value) for value in values)


def _assigned(index: Index, origins: Origins, node: cst.BaseExpression) -> list[cst.BaseExpression]:
    scope = index.scope_of(node)
    bindings: list[Binding] = []
    if isinstance(node, cst.Name):
        bindings = scope.lookup(node.value)
    elif isinstance(node, cst.Attribute):
        owner = origins.owner(node.value, scope)
        if owner is not None:
            name = node.attr.value
            bindings = [*owner.attributes.get(name, []), *owner.names.get(name, [])]
    found = [item.value for item in bindings if item.value is not None]
    return found + [item.annotation for item in bindings if item.annotation is not None]


def _is_made_here_or_foreign(index: Index, origins: Origins, value: cst.BaseExpression) -> bool:
    """Tell whether a tracer is an object of a class of this file, or of somebody else's."""
    target = value.func if isinstance(value, cst.Call) else value
    origin = origins.origin(target)
    if origin is not None:
        return origin.split(".")[0] != "opentelemetry" and (
            origin.split(".")[0] in FOREIGN or isinstance(value, cst.Call)
        )
    if isinstance(target, cst.Name):
        return any(
            isinstance(item.defined, cst.ClassDef)
            for item in index.scope_of(target).lookup(target.value)
        )
    return False
