"""Which contexts and spans were made once, and not for a request."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from otelkata.lint.flow.sequence import MOST
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import Binding, Scope, dotted

MAKERS = frozenset(
    {"get_current", "set_span_in_context", "Context.copy", "set_value", "set_baggage"}
    | {"clear", "remove_baggage"}
)

_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Shared:
    """A context or span that several requests see; `where` says where its `value` was made.

    `certain` is False where it may be made anew, or on purpose.
    """

    value: cst.BaseExpression
    where: str
    certain: bool


def shared_value(module: Module, node: cst.BaseExpression) -> Shared | None:
    """Return what `node`, in a function, stands for, if that was made once for all calls."""
    return _shared(module, node, 0) if module.function(node) is not None else None


def _shared(module: Module, node: cst.BaseExpression, depth: int) -> Shared | None:
    if depth > _DEEPEST:
        return None
    if isinstance(node, cst.Name):
        owner, bindings = _bound(module.scope(node), node.value)
        if owner is None or owner.is_class:
            return None
        if owner is module.index.module:
            return _of_module(module, bindings)
        return _of_local(module, bindings, depth)
    if isinstance(node, cst.Attribute):
        return _of_class(module, node)
    return None


def _bound(scope: Scope, name: str) -> tuple[Scope | None, list[Binding]]:
    """Return the scope in which `name` is bound, with its bindings."""
    current: Scope | None = scope
    while current is not None:
        is_seen = current is scope or not current.is_class
        if is_seen and name in current.names and name not in current.elsewhere:
            return current, current.names[name]
        current = current.parent
    return None, []


def _of_module(module: Module, bindings: list[Binding]) -> Shared | None:
    made = [binding for binding in bindings[:MOST] if not _is_nothing(binding)]
    found = next((item for item in made if _is_parent(module, item)), None)
    if found is None or found.value is None or _is_script(module, found.value):
        return None
    if module.function(found.value) is not None:
        return Shared(found.value, "in a global variable", certain=False)
    return Shared(found.value, "when the module was imported", certain=len(made) == 1)


def _of_local(module: Module, bindings: list[Binding], depth: int) -> Shared | None:
    if len(bindings) != 1 or bindings[0].value is None:
        return None
    value = bindings[0].value
    if not bindings[0].is_parameter:
        return _shared(module, value, depth + 1) if isinstance(value, cst.Name) else None
    if not _is_parent(module, bindings[0]) or module.function(value) is not _owner(module, value):
        return None
    return Shared(value, "when the function was defined", certain=False)


def _owner(module: Module, default: cst.BaseExpression) -> cst.FunctionDef | None:
    """Return the function whose parameter has `default`, unless it stands in another one."""
    for ancestor in module.ancestors(default):
        if isinstance(ancestor, cst.FunctionDef):
            outer = module.function(ancestor)
            return ancestor if outer is None else None
    return None


def _of_class(module: Module, node: cst.Attribute) -> Shared | None:
    owner = _class_of(module, node.value)
    if owner is None or owner.attributes.get(node.attr.value):
        return None
    bindings = owner.names.get(node.attr.value, [])
    found = next((item for item in bindings if _is_parent(module, item)), None)
    if found is None or found.value is None:
        return None
    return Shared(found.value, "when the class was defined", certain=len(bindings) == 1)


def _class_of(module: Module, node: cst.BaseExpression) -> Scope | None:
    scope = module.scope(node)
    if dotted(node) == scope.object_name():
        return scope.class_scope()
    if isinstance(node, cst.Name):
        for binding in scope.lookup(node.value):
            if isinstance(binding.defined, cst.ClassDef):
                return module.index.scopes.get(binding.defined)
    return None


def _is_nothing(binding: Binding) -> bool:
    """Tell whether a binding only declares a name."""
    return binding.defined is None and (binding.value is None or is_literal(binding.value, "None"))


def _is_parent(module: Module, binding: Binding) -> bool:
    """Tell whether a binding holds a span, or a context that was made here."""
    value = binding.value
    if not isinstance(value, cst.Call):
        return False
    if binding.entered:
        return False
    known = module.known(value)
    if known is None:
        return False
    called = module.called(value)
    return known.kind == "Span" or (called is not None and called.kind in MAKERS)


def _is_script(module: Module, value: cst.BaseExpression) -> bool:
    """Tell whether it is made under `if __name__ == "__main__"`."""
    return any(
        isinstance(ancestor, cst.If) and "__name__" in module.code(ancestor.test)
        for ancestor in module.ancestors(value)
    )
