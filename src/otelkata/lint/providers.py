"""What a file says about the tracer providers that it makes: with which options and resources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import libcst as cst

from .module import Module, argument, is_literal, text_of
from .names import canonical
from .scopes import Binding
from .walk import walk

KEYS = {"SERVICE_NAME": "service.name", "SERVICE_VERSION": "service.version"}
"""Attributes that tell services apart, by the constants of the SDK and the conventions."""

_MERGED = frozenset({"Resource.create", "get_aggregated_resources"})
_DEEPEST = 6

Entry: TypeAlias = tuple[cst.CSTNode, str, cst.BaseExpression]
"""An entry of a dictionary: where it stands, its key and its value."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a call gives for one parameter.

    `node` is where it stands (an argument, or an entry of a dictionary of arguments), `value` what
    it is; both are None if nothing was found. `readable` is False where `*` or `**` may hide more.
    """

    node: cst.CSTNode | None
    value: cst.BaseExpression | None
    readable: bool


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


def made(module: Module) -> Iterator[cst.Call]:
    """Yield the calls that make a tracer provider, those in subclasses of it included."""
    yield from module.calls("TracerProvider")
    for call in module.index.calls:
        func = call.func
        if not (isinstance(func, cst.Attribute) and func.attr.value == "__init__"):
            continue
        is_super = isinstance(func.value, cst.Call) and is_literal(func.value.func, "super")
        owner = module.scope(call).class_scope()
        if is_super and owner is not None and isinstance(owner.node, cst.ClassDef):
            known = [module.annotated(base.value) for base in owner.node.bases]
            if any(base is not None and base.kind == "TracerProvider" for base in known):
                yield call


def partially_made(module: Module) -> Iterator[cst.Call]:
    """Yield the calls of `functools.partial` for the class of a tracer provider."""
    for call in module.index.calls:
        if module.origin(call.func) == "functools.partial" and call.args:
            origin = module.origin(call.args[0].value)
            if origin is not None and canonical(origin) == "TracerProvider":
                yield call


def keeps_spans_in_memory(module: Module) -> bool:
    """Tell whether this file is a test that looks at its own spans: nothing there is operated."""
    return any(
        "InMemorySpanExporter" in scope.names or "InMemorySpanExporter" in (origin or "")
        for scope in module.index.scopes.values()
        for bindings in scope.names.values()
        for origin in (binding.origin for binding in bindings)
    )


def given(module: Module, call: cst.Call, keyword: str, position: int) -> Given:
    """Return what `call` gives for `keyword`, also in a `**` dictionary that can be read."""
    found = argument(call, keyword, position)
    if found is not None:
        return Given(found, found.value, readable=True)
    readable = True
    for arg in call.args:
        if arg.star == "*":
            readable = False
        elif arg.star == "**":
            entries, complete = dictionary(module, arg.value)
            readable = readable and complete
            for node, key, value in entries:
                if key == keyword:
                    return Given(node, value, readable=True)
    return Given(None, None, readable)


def dictionary(
    module: Module, node: cst.BaseExpression | None, depth: int = 0
) -> tuple[list[Entry], bool]:
    """Return the entries of a dictionary, and whether those are all."""
    match node:
        case cst.Dict():
            return _literal(module, node, depth)
        case cst.Call(func=cst.Name(value="dict")) if all(arg.keyword for arg in node.args):
            return [(arg, arg.keyword.value, arg.value) for arg in node.args if arg.keyword], True
        case cst.Name() if depth < _DEEPEST:
            return _named(module, node, depth)
        case _:
            return [], False


def _literal(module: Module, node: cst.Dict, depth: int) -> tuple[list[Entry], bool]:
    entries: list[Entry] = []
    complete = True
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = key_of(module, element.key)
            complete = complete and key is not None
            if key is not None:
                entries.append((element, key, element.value))
        else:
            more, whole = dictionary(module, element.value, depth + 1)
            entries += more
            complete = complete and whole
    return entries, complete


def _named(module: Module, node: cst.Name, depth: int) -> tuple[list[Entry], bool]:
    """Follow a name to its one literal, and to what is put into it by `name[key] = value`."""
    bindings = module.scope(node).lookup(node.value)
    if len(bindings) != 1 or bindings[0].value is None or bindings[0].is_parameter:
        return [], False
    entries, complete = dictionary(module, bindings[0].value, depth + 1)
    for used in walk(module.tree):
        match used:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript() as target)]) if (
                isinstance(target.value, cst.Name) and target.value.value == node.value
            ):
                index = target.slice[0].slice
                key = key_of(module, index.value) if isinstance(index, cst.Index) else None
                complete = complete and key is not None
                if key is not None:
                    entries.append((used, key, used.value))
            case (
                cst.Call(func=cst.Attribute(value=cst.Name(value=node.value)))
                | cst.AugAssign(target=cst.Name(value=node.value))
            ):
                complete = False
    return entries, complete


def key_of(module: Module, node: cst.BaseExpression) -> str | None:
    """Return the text of a key: a literal, a constant of this file, or one of OpenTelemetry's."""
    text = text_of(node)
    if text is not None:
        return text
    origin = module.origin(node)
    if origin is not None:
        last = origin.rpartition(".")[2]
        return KEYS.get(last, origin)
    if isinstance(node, cst.Name):
        values = [binding.value for binding in module.scope(node).lookup(node.value)]
        if len(values) == 1 and values[0] is not None:
            return text_of(values[0])
    return None


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
