"""Which attributes a file sets on its spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.flow.sequence import reaching
from otelkata.lint.meaning.arguments import argument, text_of
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.conventions import named_by_constant
from otelkata.lint.source.walk import walk


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


def _pairs(module: Module) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression, bool]]:
    dictionaries = _Dictionaries(module)
    for call in module.index.calls:
        method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
        if method not in {"set_attribute", "set_attributes"}:
            continue
        certain = _is_span(module, call)
        if certain is None:
            continue
        first, second = argument(call, "key", 0), argument(call, "value", 1)
        if method == "set_attributes":
            first = argument(call, "attributes", 0)
            for key, value in dictionaries.items(first.value) if first is not None else ():
                yield key, value, certain
        elif first is not None and second is not None:
            yield first.value, second.value, certain
    for start in module.starts:
        for key, value in dictionaries.items(start.attributes):
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


Item = tuple[cst.BaseExpression, cst.BaseExpression]


class _Dictionaries:
    """What stands in dictionaries, as far as the file shows it; each is read once."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._read: set[object] = set()

    def items(self, node: cst.BaseExpression | None, depth: int = 0) -> Iterator[Item]:
        """Yield the keys and values of `node`, a display, a name, or a call of a function."""
        if depth > _DEEPEST:
            return
        match node:
            case cst.Dict():
                yield from self._displayed(node, depth)
            case cst.BinaryOperation(operator=cst.BitOr()):
                yield from self.items(node.left, depth + 1)
                yield from self.items(node.right, depth + 1)
            case cst.Name():
                yield from self._named(node, depth)
            case cst.Call():
                yield from self._returned(node, depth)

    def _is_new(self, what: object) -> bool:
        if what in self._read:
            return False
        self._read.add(what)
        return True

    def _displayed(self, node: cst.Dict, depth: int) -> Iterator[Item]:
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                yield element.key, element.value
            else:
                yield from self.items(element.value, depth + 1)

    def _named(self, node: cst.Name, depth: int) -> Iterator[Item]:
        body = self._module.body_of(node)
        if not self._is_new((body, node.value)):
            return
        for binding in self._module.scope(node).lookup(node.value):
            if not binding.is_parameter:
                yield from self.items(binding.value, depth + 1)
        if isinstance(body, cst.FunctionDef):
            yield from _stored(body, node.value)

    def _returned(self, call: cst.Call, depth: int) -> Iterator[Item]:
        function = self._module.definition(call)
        if function is None:
            if isinstance(call.func, cst.Name) and call.func.value == "dict":
                for arg in call.args[:1]:
                    yield from self.items(None if arg.keyword else arg.value, depth + 1)
        elif self._is_new(function):
            for found in walk(function.body, into_scopes=False):
                if isinstance(found, cst.Return):
                    yield from self.items(found.value, depth + 1)


_DEEPEST = 4
"""How many names and functions are followed to a dictionary's display."""


def _stored(body: cst.FunctionDef, name: str) -> Iterator[Item]:
    """Yield what a function puts into the dictionary `name`, one by one."""
    for found in walk(body.body, into_scopes=False):
        if not isinstance(found, cst.Assign):
            continue
        for target in found.targets:
            match target.target:
                case cst.Subscript(
                    value=cst.Name(value=held), slice=[cst.SubscriptElement(cst.Index(value=key))]
                ) if held == name:
                    yield key, found.value
