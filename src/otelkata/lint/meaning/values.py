"""What the values of a file are: which of OpenTelemetry's kinds, as far as the file says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from otelkata.lint.meaning.guesses import is_called_a_tracer
from otelkata.lint.meaning.names import CLASSES, MANAGER, RESULTS, canonical
from otelkata.lint.meaning.origins import Origins
from otelkata.lint.meaning.scopes import Binding, Index, Scope, is_context_manager, last_name
from otelkata.lint.source.walk import walk

_DEEPEST = 12
"""How many names, calls and helpers are followed one into the other."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a value is.

    `kind` is one of OpenTelemetry's classes, `SpanManager` or `Token`. `certain` is False where
    only its name says so.
    """

    kind: str
    certain: bool = True


class Values:
    """The values of one file."""

    def __init__(self, index: Index, origins: Origins) -> None:
        """Look names up in `index`."""
        self._index = index
        self._origins = origins
        self._known: dict[cst.CSTNode, Known | None] = {}

    def called(self, call: cst.Call) -> Known | None:
        """Return the canonical name of what `call` calls: `get_tracer`, `Tracer.start_span`, …"""
        func = call.func
        origin = self._origins.origin(func)
        if origin is not None and origin.split(".")[0] == "opentelemetry":
            name = canonical(origin)
            return Known(name) if name else None
        if isinstance(func, cst.Attribute):
            receiver = self.known(func.value)
            if receiver is not None:
                return Known(f"{receiver.kind}.{func.attr.value}", receiver.certain)
            return self._guessed(func)
        return None

    def known(self, node: cst.BaseExpression) -> Known | None:
        """Return what the value of `node` is, as far as this file says; None if it does not."""
        return self._know(node, 0)

    def annotated(self, node: cst.BaseExpression) -> Known | None:
        """Return what a type annotation promises: `Span`, `trace.Span | None`, `"Span"`, …"""
        match node:
            case cst.Name() | cst.Attribute():
                return self._of_type(node)
            case cst.Subscript():
                if last_name(node.value) not in {"Optional", "Annotated", "Union", "Final"}:
                    return None
                indices = [
                    item.slice.value for item in node.slice if isinstance(item.slice, cst.Index)
                ]
                return next(filter(None, map(self.annotated, indices)), None)
            case cst.BinaryOperation(operator=cst.BitOr()):
                return self.annotated(node.left) or self.annotated(node.right)
            case cst.SimpleString():
                return self._of_quoted(node)
            case _:
                return None

    def _know(self, node: cst.BaseExpression, depth: int) -> Known | None:
        if node in self._known:
            return self._known[node]
        if depth > _DEEPEST:
            return None
        # What is defined by itself is nothing known.
        self._known[node] = None
        self._known[node] = self._by_form(node, depth + 1)
        return self._known[node]

    def _by_form(self, node: cst.BaseExpression, depth: int) -> Known | None:
        match node:
            case cst.Call():
                found = self._of_call(node, depth)
            case cst.Name():
                found = self._of_bindings(self._index.scope_of(node).lookup(node.value), depth)
            case cst.Attribute():
                found = self._of_attribute(node, depth)
            case cst.Await():
                found = self._know(node.expression, depth)
            case cst.NamedExpr():
                found = self._know(node.value, depth)
            case cst.IfExp():
                found = self._know(node.body, depth) or self._know(node.orelse, depth)
            case cst.BooleanOperation():
                found = self._know(node.left, depth) or self._know(node.right, depth)
            case _:
                found = None
        return found

    def _of_call(self, call: cst.Call, depth: int) -> Known | None:
        called = self._called_at(call, depth)
        if called is not None:
            if called.kind in CLASSES:
                return called
            result = RESULTS.get(called.kind)
            if result is not None:
                return replace(called, kind=result)
        name = last_name(call.func)
        if name == "cast" and len(call.args) == 2:
            return self.annotated(call.args[0].value) or self._know(call.args[1].value, depth)
        if name in {"enter_context", "enter_async_context"} and call.args:
            return self._entered(self._know(call.args[0].value, depth))
        return self._of_own_call(call, depth)

    def _called_at(self, call: cst.Call, depth: int) -> Known | None:
        """Do what `called` does, without following names for ever."""
        func = call.func
        if isinstance(func, cst.Attribute) and self._origins.origin(func) is None:
            receiver = self._know(func.value, depth)
            if receiver is not None:
                return Known(f"{receiver.kind}.{func.attr.value}", receiver.certain)
            return self._guessed(func)
        return self.called(call)

    def _of_own_call(self, call: cst.Call, depth: int) -> Known | None:
        """Return what a function or class of this file gives."""
        function = self._origins.definition(call)
        if function is not None:
            return self._of_function(function, depth)
        if isinstance(call.func, cst.Name):
            for binding in self._index.scope_of(call).lookup(call.func.value):
                if isinstance(binding.defined, cst.ClassDef):
                    return self._of_class(binding.defined)
        return None

    def _of_function(self, function: cst.FunctionDef, depth: int) -> Known | None:
        if is_context_manager(function):
            return None
        if function.returns is not None:
            found = self.annotated(function.returns.annotation)
            if found is not None:
                return found
        for node in walk(function.body, into_scopes=False):
            if isinstance(node, cst.Return) and node.value is not None:
                found = self._know(node.value, depth)
                if found is not None:
                    return found
        return None

    def _of_class(self, node: cst.ClassDef) -> Known | None:
        for base in node.bases:
            found = self.annotated(base.value)
            if found is not None:
                return found
        return None

    def _of_bindings(self, bindings: list[Binding], depth: int) -> Known | None:
        for binding in bindings:
            found = self._of_binding(binding, depth)
            if found is not None:
                return found
        return None

    def _of_binding(self, binding: Binding, depth: int) -> Known | None:
        if binding.annotation is not None:
            found = self.annotated(binding.annotation)
            if found is not None:
                return found
        if binding.value is None:
            return None
        value = self._know(binding.value, depth)
        return self._entered(value) if binding.entered else value

    def _entered(self, value: Known | None) -> Known | None:
        """Return what entering a context manager gives: a span gives itself."""
        return replace(value, kind="Span") if value and value.kind in {MANAGER, "Span"} else None

    def _of_attribute(self, node: cst.Attribute, depth: int) -> Known | None:
        origin = self._origins.origin(node)
        if origin is not None:
            return None
        owner = self._origins.owner(node.value, self._index.scope_of(node))
        if owner is not None:
            name = node.attr.value
            found = self._of_bindings(
                [*owner.attributes.get(name, []), *owner.names.get(name, [])], depth
            )
            if found is not None:
                return found
            return self._of_property(owner, name, depth)
        return None

    def _of_property(self, owner: Scope, name: str, depth: int) -> Known | None:
        for binding in owner.names.get(name, []):
            if isinstance(binding.defined, cst.FunctionDef) and any(
                last_name(item.decorator) in {"property", "cached_property"}
                for item in binding.defined.decorators
            ):
                return self._of_function(binding.defined, depth)
        return None

    def _of_type(self, node: cst.BaseExpression) -> Known | None:
        origin = self._origins.origin(node)
        if origin is not None:
            name = canonical(origin)
            return Known(name) if name in CLASSES else None
        if isinstance(node, cst.Name):
            for binding in self._index.scope_of(node).lookup(node.value):
                if isinstance(binding.defined, cst.ClassDef):
                    return self._of_class(binding.defined)
        return None

    def _of_quoted(self, node: cst.SimpleString) -> Known | None:
        text = str(node.evaluated_value)
        for part in text.replace("Optional[", "").replace("]", "").split("|"):
            first, dot, rest = part.strip().partition(".")
            for binding in self._index.scope_of(node).lookup(first):
                name = canonical(f"{binding.origin}{dot}{rest}") if binding.origin else None
                if name in CLASSES:
                    return Known(name)
        return None

    def _guessed(self, func: cst.Attribute) -> Known | None:
        if not is_called_a_tracer(self._index, self._origins, func):
            return None
        return Known(f"Tracer.{func.attr.value}", certain=False)
