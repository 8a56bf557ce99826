"""Where a file makes tracer providers, and with which options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst

from otelkata.lint.meaning.arguments import argument, is_literal, text_of
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import canonical
from otelkata.lint.source.walk import walk

KEYS = {"SERVICE_NAME": "service.name", "SERVICE_VERSION": "service.version"}
"""Attributes that tell services apart, by the constants of the SDK and the conventions."""

_SERVERS = re.compile(
    r"aiohttp|celery|django|fastapi|flask|granian|grpc|gunicorn|hypercorn|litestar|quart|sanic"
    r"|starlette|tornado|uvicorn"
)
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


def is_script(module: Module) -> bool:
    """Tell whether this file runs and ends by itself: there, the SDK's handler at exit runs."""
    serves = any(
        _SERVERS.fullmatch((binding.origin or "").split(".")[0])
        for scope in module.index.scopes.values()
        for bindings in scope.names.values()
        for binding in bindings
    )
    return not serves and any(
        isinstance(statement, cst.If) and "__name__" in module.code(statement.test)
        for statement in module.tree.body
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
        if not isinstance(used, cst.Name) or used.value != node.value or used is node:
            continue
        if module.scope(used).lookup(node.value) is bindings:
            put, whole = _put(module, used)
            entries += put
            complete = complete and whole
    return entries, complete


def _put(module: Module, name: cst.Name) -> tuple[list[Entry], bool]:
    """Return what one use of a name puts into its dictionary, and whether that is all."""
    parent = module.parent(name)
    if isinstance(parent, cst.Attribute | cst.AugAssign):
        return [], False
    target = module.parent(parent) if isinstance(parent, cst.Subscript) else None
    if not isinstance(target, cst.AssignTarget) or not isinstance(parent, cst.Subscript):
        return [], True
    statement = module.parent(target)
    index = parent.slice[0].slice
    key = key_of(module, index.value) if isinstance(index, cst.Index) else None
    if key is None or not isinstance(statement, cst.Assign):
        return [], False
    return [(statement, key, statement.value)], True


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
