"""What a file says about the resource of a tracer provider."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import Binding
from otelkata.lint.patterns.providers import dictionary
from otelkata.lint.source.walk import walk

_MERGED = frozenset({"Resource.create", "get_aggregated_resources"})
_DEEPEST = 6


@dataclass(slots=True)
class ResourceFacts:
    """What is known of a resource that is made of others.

    `calls` make it, `keys` are its attributes, `readable` says that there are no others, `merged`
    that the environment's attributes are in it.
    """

    calls: list[cst.Call] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    readable: bool = True
    merged: bool = False


def resource(module: Module, node: cst.BaseExpression) -> ResourceFacts:
    """Return what is known of the resource that `node` is."""
    facts = ResourceFacts()
    _resource(module, node, facts, 0)
    return facts


def _resource(module: Module, node: cst.BaseExpression, facts: ResourceFacts, depth: int) -> None:
    if depth > _DEEPEST:
        facts.readable, facts.merged = False, True
    elif isinstance(node, cst.Call):
        _made_by(module, node, facts, depth)
    else:
        value = _value(module, node)
        if value is None:
            facts.readable, facts.merged = False, True
        else:
            _resource(module, value, facts, depth + 1)


def _made_by(module: Module, call: cst.Call, facts: ResourceFacts, depth: int) -> None:
    called = module.called(call)
    name = called.kind if called is not None else None
    attributes = argument(call, "attributes", 0)
    if name in {"Resource", "Resource.create"}:
        facts.calls.append(call)
        facts.merged = facts.merged or name in _MERGED
        readable = not any(arg.star for arg in call.args)
        if attributes is not None and not is_literal(attributes.value, "None"):
            entries, complete = dictionary(module, attributes.value)
            facts.keys.update(key for _, key, _ in entries)
            readable = readable and complete
        facts.readable = facts.readable and readable
    elif name == "Resource.merge" and isinstance(call.func, cst.Attribute) and call.args:
        _resource(module, call.func.value, facts, depth + 1)
        _resource(module, call.args[0].value, facts, depth + 1)
    elif name == "Resource.get_empty":
        facts.calls.append(call)
    elif name == "get_aggregated_resources":
        _aggregated(module, call, facts, depth)
    else:
        _returned(module, call, facts, depth)


def _aggregated(module: Module, call: cst.Call, facts: ResourceFacts, depth: int) -> None:
    facts.merged = True
    initial = argument(call, "initial_resource", 1)
    if initial is None or is_literal(initial.value, "None"):
        facts.readable = False
    else:
        _resource(module, initial.value, facts, depth + 1)


def _returned(module: Module, call: cst.Call, facts: ResourceFacts, depth: int) -> None:
    """Look at what a function of this file returns."""
    function = module.definition(call)
    returned = [
        node.value
        for node in (walk(function.body, into_scopes=False) if function is not None else ())
        if isinstance(node, cst.Return) and node.value is not None
    ]
    if len(returned) == 1:
        _resource(module, returned[0], facts, depth + 1)
    else:
        facts.readable, facts.merged = False, True


def _value(module: Module, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what a name is bound to; None where that is not seen in full."""
    bindings: list[Binding] = []
    if isinstance(node, cst.Name):
        bindings = module.scope(node).lookup(node.value)
    elif isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        owner = module.scope(node).class_scope()
        if owner is not None and node.value.value == module.scope(node).object_name():
            bindings = owner.attributes.get(node.attr.value, [])
    if len(bindings) != 1 or bindings[0].is_parameter or bindings[0].entered:
        return None
    return bindings[0].value
