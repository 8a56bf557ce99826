"""Which values stand in the name of a span."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.flow.sequence import reaching
from otelkata.lint.meaning.arguments import argument, text_of
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.starts import is_opening, names
from otelkata.lint.source.walk import walk


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a name that differs from request to request; `certain` where it surely does."""

    node: cst.BaseExpression
    certain: bool


_MANY = """
account basket booking card cart charge checkout client conversation correlation customer
delivery device email event execution invoice item job message order parent passenger patient
payment person product purchase refund request reservation run session shipment span
thread ticket token trace transaction user visitor
"""
THINGS = frozenset(_MANY.split())
"""Things of which there are many: the id of one is a value."""

_FEW = """
action agent bucket collection command component dag database endpoint exchange executor flow
function graph handler method model module node operation phase pipeline plugin provider queue
region resource route scope service skill stage step subscription table task template tenant tool
topic type worker workflow
"""
KINDS = frozenset(_FEW.split())
"""Things of which there are few: their ids are names."""

IDENTITIES = frozenset(
    {"guid", "guids", "uuid", "uuids", "email", "sku", "skus", "timestamp", "nonce"}
)
PEOPLE = frozenset({"user", "username", "customer"})
NUMBERED = frozenset({"account", "card", "customer", "invoice", "order", "phone", "ticket"})
GENERATORS = (
    "uuid.uuid",
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "random.",
    "secrets.",
)
"""What is called for a new value each time, by the beginning of its origin."""

_DEEPEST = 4
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def named(module: Module) -> Iterator[tuple[cst.BaseExpression, bool]]:
    """Yield what spans are called, and whether it is certain that they are spans."""
    for start, name in names(module):
        yield name, start.certain
    for call in module.calls("Span.update_name"):
        given = argument(call, "name", 0)
        if given is not None and not given.star:
            known = module.called(call)
            yield given.value, known is not None and known.certain
    for call in module.index.calls:
        if is_opening(module, call):
            for arg in call.args:
                yield arg.value, False


def values_in(module: Module, name: cst.BaseExpression) -> Iterator[Value]:
    """Yield the values in the expression of a span's name."""
    yield from _values(module, name, 0, is_part=False)


def _values(
    module: Module, node: cst.BaseExpression, depth: int, *, is_part: bool
) -> Iterator[Value]:
    """Yield the values in `node`, which is a name or, where `is_part`, something put into one."""
    parts = _parts(node)
    if parts is not None:
        for part in parts:
            yield from _values(module, part, depth, is_part=True)
        return
    if depth < _DEEPEST:
        followed = list(_followed(module, node))
        if followed:
            for value in followed:
                for found in _values(module, value, depth + 1, is_part=is_part):
                    if found.certain:  # of what is one of several, only that is worth telling
                        yield Value(node if is_part else found.node, certain=True)
            return
    if is_part:
        certain = _is_value(module, node)
        if certain is not None:
            yield Value(node, certain)


def _parts(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """Return what a text is put together from; None if it is not put together."""
    match node:
        case cst.FormattedString():
            return [
                part.expression
                for part in node.parts
                if isinstance(part, cst.FormattedStringExpression)
            ]
        case cst.ConcatenatedString() | cst.BinaryOperation(operator=cst.Add()):
            return [node.left, node.right]
        case cst.BinaryOperation(operator=cst.Modulo()) if text_of(node.left) is not None:
            given = node.right
            return (
                [item.value for item in given.elements] if isinstance(given, cst.Tuple) else [given]
            )
        case cst.Call(func=cst.Attribute(value=receiver)) if text_of(receiver) is not None:
            return _arguments(node)
        case _:
            return None


def _arguments(call: cst.Call) -> list[cst.BaseExpression]:
    """Return what a method of a literal text, `format` or `join`, puts together."""
    given = [arg.value for arg in call.args]
    listed = given[0] if len(given) == 1 else None
    if isinstance(listed, cst.List | cst.Tuple):
        return [item.value for item in listed.elements]
    return given


def _followed(module: Module, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what `node` stands for: both branches, a name's values, what a function returns."""
    match node:
        case cst.IfExp():
            yield node.body
            yield node.orelse
        case cst.BooleanOperation():
            yield node.left
            yield node.right
        case cst.Name():
            for binding in reaching(module, node):
                value = binding.value
                if value is not None and not binding.is_parameter and _is_text(module, value):
                    yield value
        case cst.Call():
            function = module.definition(node)
            if function is not None:
                for found in walk(function.body, into_scopes=False):
                    if isinstance(found, cst.Return) and found.value is not None:
                        yield found.value


def _is_text(module: Module, value: cst.BaseExpression) -> bool:
    """Tell whether following a name to `value` says more than the name does."""
    if _parts(value) is not None or isinstance(value, cst.SimpleString | cst.IfExp):
        return True
    if not isinstance(value, cst.Call):
        return False
    return module.definition(value) is not None or _is_generated(module, value)


def _is_value(module: Module, node: cst.BaseExpression) -> bool | None:
    """Tell whether `node` is a value for certain; None if it is none, or nobody can tell."""
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Call):
        node = node.value
    if isinstance(node, cst.Call):
        inner = _inside(node)
        if inner is None or _is_generated(module, node):
            return _is_generated(module, node) or None
        return _is_value(module, inner)
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice
        key = text_of(index.value) if isinstance(index, cst.Index) else None
        return (
            _by_words(_words_of(node.value), _words(key)) if key else _is_value(module, node.value)
        )
    if isinstance(node, cst.Attribute):
        return _by_words(_words_of(node.value), _words(node.attr.value))
    if isinstance(node, cst.Name):
        return _by_words([], _words(node.value))
    return None


def _inside(call: cst.Call) -> cst.BaseExpression | None:
    """Return the value that a call only converts or looks up: `str(x)`, `x.lower()`, `d.get(x)`."""
    func = call.func
    if isinstance(func, cst.Name):
        return call.args[0].value if func.value in {"str", "repr"} and call.args else None
    if not isinstance(func, cst.Attribute):
        return None
    if func.attr.value in {"lower", "upper", "strip", "title", "hex", "isoformat", "decode"}:
        return func.value
    if func.attr.value in {"get", "pop"} and call.args and text_of(call.args[0].value):
        index = cst.Index(call.args[0].value)
        return cst.Subscript(func.value, [cst.SubscriptElement(index)])
    return None


def _is_generated(module: Module, call: cst.Call) -> bool:
    origin = module.origin(call.func)
    return origin is not None and origin.startswith(GENERATORS)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _words_of(node: cst.BaseExpression) -> list[str]:
    """Return the words of the last name of what holds a value."""
    if isinstance(node, cst.Attribute):
        return _words(node.attr.value)
    return _words(node.value) if isinstance(node, cst.Name) else []


def _by_words(owner: list[str], words: list[str]) -> bool | None:
    """Judge by the words of a name, and those of what it belongs to."""
    if not words:
        return None
    last, before = words[-1], (words[:-1] or owner)[-1:]
    if last in {"id", "ids", "pk"}:
        return _by_id(before, is_bare=len(words) == 1 and not owner)
    if last == "path":
        return False if set(before) & {"url", "raw", "request", "scope"} else None
    if last in {"url", "uri"} and set(before) <= {"request", "full", "raw", "target"}:
        # Of some services no URL has an id in it.
        return False
    is_value = (
        last in IDENTITIES
        or (last in PEOPLE and len(words) < 3)
        or (last in {"number", "no"} and bool(set(before) & NUMBERED))
    )
    return True if is_value else None


def _by_id(before: list[str], *, is_bare: bool) -> bool | None:
    if is_bare or set(before) & THINGS:
        return True
    return None if not before or set(before) & (KINDS | {"self", "cls"}) else False
