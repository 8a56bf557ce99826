"""Which dictionaries are written to and then never looked at."""

from __future__ import annotations

import libcst as cst

from otelkata.lint.flow.sequence import is_inside, leads_to, loops, mentions
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.carriers import Carriage, sends

COPYING = frozenset({"copy", "deepcopy", "dict"})
LOOKING = frozenset({"get", "items", "keys", "setdefault", "update", "values", "pop"})


def is_temporary(module: Module, node: cst.BaseExpression) -> bool:
    """Tell whether `node` makes a dictionary that nothing else refers to."""
    if isinstance(node, cst.Dict):
        return True
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    if isinstance(func, cst.Name):
        return func.value == "dict" and not module.scope(node).lookup("dict")
    return isinstance(func, cst.Attribute) and func.attr.value == "copy" and not node.args


def is_thrown_away(module: Module, injection: Carriage) -> bool:
    """Tell whether the carrier is a dictionary of this function that nothing sees afterwards."""
    node = injection.carrier
    body = module.body_of(injection.call)
    if not isinstance(node, cst.Name) or not isinstance(body, cst.FunctionDef):
        return False
    if not _is_local_dictionary(module, node) or injection.has_setter:
        return False
    if any(leads_to(module, call, injection.call) for call in sends(module, body, node.value)):
        return False  # that is inject-after-send
    uses = [found for found in mentions(module, body, node.value) if found is not node]
    return not any(_is_seen(module, use, injection) for use in uses)


def _is_local_dictionary(module: Module, node: cst.Name) -> bool:
    scope = module.scope(node)
    bindings = scope.names.get(node.value, []) if node.value not in scope.elsewhere else []
    return bool(bindings) and all(
        binding.value is not None
        and not binding.is_parameter
        and not binding.entered
        and is_temporary(module, binding.value)
        for binding in bindings
    )


def _is_seen(module: Module, use: cst.BaseExpression, injection: Carriage) -> bool:
    """Tell whether through this use what was injected may be seen."""
    parent = module.parent(use)
    if isinstance(parent, cst.AssignTarget | cst.AnnAssign | cst.Del | cst.AugAssign):
        return False
    if module.body_of(use) is not module.body_of(injection.call) or _in_lambda(module, use):
        return True
    if leads_to(module, injection.call, use) or is_inside(module, use, injection.call):
        return True
    if set(loops(module, use)) & set(loops(module, injection.call)):
        return True
    return not _is_passing(module, parent)


def _in_lambda(module: Module, use: cst.CSTNode) -> bool:
    return isinstance(module.function(use), cst.Lambda)


def _is_passing(module: Module, parent: cst.CSTNode | None) -> bool:
    """Tell whether a use before the injection leaves no reference: a look, a store, a copy."""
    match parent:
        case cst.Subscript() | cst.ComparisonTarget() | cst.Comparison() | cst.StarredDictElement():
            return True
        case cst.Attribute():
            return parent.attr.value in LOOKING | COPYING
        case cst.Arg():
            call = module.parent(parent)
            func = call.func if isinstance(call, cst.Call) else None
            name = func.attr if isinstance(func, cst.Attribute) else func
            is_copied = isinstance(name, cst.Name) and name.value in COPYING
            return is_copied or parent.star == "**"
        case _:
            return False
