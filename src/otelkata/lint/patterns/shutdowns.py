"""Where a tracer provider is shut down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

OWNED = frozenset({"BatchSpanProcessor", "SimpleSpanProcessor", "SpanProcessor", "TracerProvider"})
_OTHER_SIGNALS = ("meter", "metric", "log", "event")


@dataclass(frozen=True, slots=True)
class Shutdown:
    """A call of `.shutdown()`, or a mention of it that is handed to whoever calls it.

    `certain` is False where only the receiver's name says that it is a tracer provider.
    """

    node: cst.Call | cst.Attribute
    receiver: cst.BaseExpression
    certain: bool


def shutdowns(module: Module) -> Iterator[Shutdown]:
    """Yield each shutdown of a tracer provider or span processor without arguments."""
    for call in module.index.calls:
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value == "shutdown" and not call.args:
            yield from _shutdown(module, call, func.value)
        for arg in call.args:
            value = arg.value
            if isinstance(value, cst.Attribute) and value.attr.value == "shutdown":
                yield from _shutdown(module, value, value.value)


def mentions_shutdown(module: Module) -> bool:
    """Tell whether anything that may be a tracer provider is shut down in this file."""
    return any(
        isinstance(node, cst.Attribute)
        and node.attr.value == "shutdown"
        and any(True for _ in _shutdown(module, node, node.value))
        for node in walk(module.tree)
    )


def _shutdown(
    module: Module, node: cst.Call | cst.Attribute, receiver: cst.BaseExpression
) -> Iterator[Shutdown]:
    if module.origin(receiver) is None or isinstance(receiver, cst.Call):
        known = module.known(receiver)
        if known is not None and known.kind in OWNED:
            yield Shutdown(node, receiver, known.certain)
        elif known is None and _is_called_a_provider(module, receiver):
            yield Shutdown(node, receiver, certain=False)


def _is_called_a_provider(module: Module, node: cst.BaseExpression) -> bool:
    name = (dotted(node) or "").rpartition(".")[2].lower().lstrip("_")
    if not module.imports_opentelemetry or any(word in name for word in _OTHER_SIGNALS):
        return False
    return name in {"provider", "tracerprovider"} or name.endswith(
        ("tracer_provider", "trace_provider")
    )


def passes_on(module: Module, shutdown: Shutdown) -> bool:
    """Tell whether this is the shutdown of a processor or exporter around another one."""
    function = module.function(shutdown.node)
    owner = module.scope(shutdown.node).class_scope()
    if not isinstance(function, cst.FunctionDef) or owner is None:
        return False
    assert isinstance(owner.node, cst.ClassDef)
    bases = "".join(module.code(base.value) for base in owner.node.bases)
    return function.name.value == "shutdown" and any(
        kind in bases for kind in ("Processor", "Exporter", "Provider")
    )


def has_own(module: Module) -> bool:
    """Tell whether a provider of this file has a shutdown of its own, which may be bounded."""
    for scope in module.index.classes.values():
        if isinstance(scope.node, cst.ClassDef) and "shutdown" in scope.names:
            known = [module.annotated(base.value) for base in scope.node.bases]
            if any(base is not None and base.kind == "TracerProvider" for base in known):
                return True
    return False
