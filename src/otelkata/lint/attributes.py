"""Which attributes a file sets on its spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from .conventions import named_by_constant
from .module import Module, argument, text_of
from .sequence import reaching
from .walk import walk


@dataclass(frozen=True, slots=True)
class SpanAttribute:
    """One attribute that is set on a span; `certain` is False where the span is only called one."""

    key: cst.BaseExpression
    name: str
    value: cst.BaseExpression
    certain: bool


def span_attributes(module: Module) -> Iterator[SpanAttribute]:
    """Yield each attribute whose name can be read, once."""
    seen: set[cst.CSTNode] = set()
    for key, value, certain in _pairs(module):
        if key in seen:
            continue
        seen.add(key)
        name = attribute_name(module, key)
        if name is not None:
            yield SpanAttribute(key, name, value, certain)


def attribute_name(module: Module, key: cst.BaseExpression) -> str | None:
    """Return the name that `key` stands for: a literal, a constant of the file or of semconv."""
    text = text_of(key)
    if text is not None:
        return text
    origin = module.origin(key)
    if origin is not None:
        is_semconv = origin.startswith("opentelemetry.semconv.")
        return named_by_constant(origin.rpartition(".")[2]) if is_semconv else None
    value = only_value(module, key)
    return None if value is None else text_of(value)


def only_value(module: Module, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what is assigned to the name `node`, where that is the only thing."""
    if not isinstance(node, cst.Name):
        return None
    bindings = reaching(module, node)
    if len(bindings) != 1 or bindings[0].is_parameter or bindings[0].entered:
        return None
    return bindings[0].value


Pair = tuple[cst.BaseExpression, cst.BaseExpression, bool]


def _pairs(module: Module) -> Iterator[Pair]:
    for call in module.index.calls:
        method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
        if method in {"set_attribute", "set_attributes"}:
            certain = _is_span(module, call)
            if certain is not None:
                yield from _set(module, call, method, certain=certain)
    for start in module.starts:
        if start.attributes is not None:
            for key, value in _items(module, start.attributes, 0):
                yield key, value, start.certain


def _is_span(module: Module, call: cst.Call) -> bool | None:
    """Tell whether a method is a span's for certain; None if it is not at all."""
    assert isinstance(call.func, cst.Attribute)
    owner = call.func.value
    known = module.known(owner)
    if known is not None:
        return known.certain if known.kind == "Span" else None
    if not module.imports_opentelemetry or module.origin(owner) is not None:
        return None
    name = owner.attr if isinstance(owner, cst.Attribute) else owner
    called_span = isinstance(name, cst.Name) and name.value.lower().endswith("span")
    return False if called_span else None


def _set(module: Module, call: cst.Call, method: str, *, certain: bool) -> Iterator[Pair]:
    if method == "set_attributes":
        given = argument(call, "attributes", 0)
        if given is not None and not given.star:
            for key, value in _items(module, given.value, 0):
                yield key, value, certain
        return
    key_given, value_given = argument(call, "key", 0), argument(call, "value", 1)
    if key_given is not None and value_given is not None:
        yield key_given.value, value_given.value, certain


Item = tuple[cst.BaseExpression, cst.BaseExpression]

_DEEPEST = 4
"""How many names and functions are followed to a dictionary's display."""


def _items(module: Module, node: cst.BaseExpression, depth: int) -> Iterator[Item]:
    """Yield the keys and values of a dictionary, as far as this file shows them."""
    if depth > _DEEPEST:
        return
    match node:
        case cst.Dict():
            for element in node.elements:
                if isinstance(element, cst.DictElement):
                    yield element.key, element.value
                else:
                    yield from _items(module, element.value, depth + 1)
        case cst.BinaryOperation(operator=cst.BitOr()):
            yield from _items(module, node.left, depth + 1)
            yield from _items(module, node.right, depth + 1)
        case cst.Name():
            yield from _named(module, node, depth)
        case cst.Call():
            yield from _returned(module, node, depth)


def _named(module: Module, node: cst.Name, depth: int) -> Iterator[Item]:
    for binding in module.scope(node).lookup(node.value):
        if binding.value is not None and not binding.is_parameter and binding.value is not node:
            yield from _items(module, binding.value, depth + 1)
    body = module.body_of(node)
    if isinstance(body, cst.FunctionDef):
        yield from _stored(body, node.value)


def _stored(body: cst.FunctionDef, name: str) -> Iterator[Item]:
    """Yield what a function puts into the dictionary `name`, one by one."""
    for found in walk(body.body, into_scopes=False):
        if not isinstance(found, cst.Assign):
            continue
        for target in found.targets:
            place = target.target
            if (
                isinstance(place, cst.Subscript)
                and isinstance(place.value, cst.Name)
                and place.value.value == name
                and isinstance(place.slice[0].slice, cst.Index)
            ):
                yield place.slice[0].slice.value, found.value


def _returned(module: Module, call: cst.Call, depth: int) -> Iterator[Item]:
    function = module.definition(call)
    if function is None:
        if isinstance(call.func, cst.Name) and call.func.value == "dict" and call.args:
            first = call.args[0]
            if first.keyword is None and not first.star:
                yield from _items(module, first.value, depth + 1)
        return
    for found in walk(function.body, into_scopes=False):
        if isinstance(found, cst.Return) and found.value is not None:
            yield from _items(module, found.value, depth + 1)
