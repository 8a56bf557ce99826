"""Where spans are started, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted


@dataclass(frozen=True, slots=True)
class Start:
    """A call of `start_span` or `start_as_current_span`.

    `certain` is False where only its name says that the tracer is one.
    """

    call: cst.Call
    is_current: bool
    certain: bool

    @property
    def name(self) -> cst.BaseExpression | None:
        """Return the span's name."""
        return _value(argument(self.call, "name", 0))

    @property
    def context(self) -> cst.BaseExpression | None:
        """Return the parent's context; None where it is the current one."""
        found = _value(argument(self.call, "context", 1))
        return None if found is None or is_literal(found, "None") else found

    @property
    def attributes(self) -> cst.BaseExpression | None:
        """Return the attributes with which it starts."""
        return _value(argument(self.call, "attributes", 3))

    @property
    def has_links(self) -> bool:
        """Tell whether it is linked to other spans."""
        found = _value(argument(self.call, "links", 4))
        return found is not None and not is_literal(found, "None")

    def kind(self, module: Module) -> str | None:
        """Return the kind's name, such as `CLIENT`; None where it cannot be read."""
        value = _value(argument(self.call, "kind", 2))
        return None if value is None else _kind(module, value)


def starts(module: Module) -> Iterator[Start]:
    """Yield each start of a span, in the order of the source."""
    for call in module.calls("Tracer.start_span", "Tracer.start_as_current_span"):
        called = module.called(call)
        if called is not None:
            yield Start(call, called.kind == "Tracer.start_as_current_span", called.certain)


def names(module: Module) -> Iterator[tuple[Start, cst.BaseExpression]]:
    """Yield the spans' names; where a parameter gives one, what this file's calls pass for it."""
    named_by: dict[cst.FunctionDef, list[tuple[Start, str]]] = {}
    for start in module.starts:
        name = start.name
        if name is None:
            continue
        body = module.body_of(start.call)
        if isinstance(body, cst.FunctionDef) and _is_parameter(module, body, name):
            named_by.setdefault(body, []).append((start, name.value))  # type: ignore[attr-defined]
        else:
            yield start, name
    for call in module.index.calls if named_by else ():
        function = module.definition(call)
        if function is None:
            continue
        for start, parameter in named_by.get(function, ()):
            given = _value(argument(call, parameter, _position(module, function, parameter)))
            if given is not None:
                yield start, given


def _is_parameter(module: Module, function: cst.FunctionDef, name: cst.BaseExpression) -> bool:
    if not isinstance(name, cst.Name):
        return False
    bindings = module.index.scopes[function].names.get(name.value, ())
    return bool(bindings) and all(binding.is_parameter for binding in bindings)


def _position(module: Module, function: cst.FunctionDef, parameter: str) -> int | None:
    """Return at which position a call gives `parameter`; None if only by keyword."""
    params = [
        item.name.value for item in (*function.params.posonly_params, *function.params.params)
    ]
    if parameter not in params:
        return None
    is_method = module.index.scopes[function].self_name is not None
    return params.index(parameter) - is_method


def is_opening(module: Module, call: cst.Call) -> bool:
    """Tell whether `call` opens a span by what it looks like.

    A context manager that is called `…_span`, comes from another file and is given a tracer.
    """
    if not isinstance(module.parent(call), cst.WithItem):
        return False
    name = (dotted(call.func) or "").rpartition(".")[2]
    return (
        name.endswith("_span")
        and module.called(call) is None
        and module.definition(call) is None
        and any(_is_tracer(module, arg.value) for arg in call.args)
    )


def _is_tracer(module: Module, node: cst.BaseExpression) -> bool:
    known = module.known(node)
    if known is not None:
        return known.kind == "Tracer"
    return (dotted(node) or "").lower().endswith("tracer")


def _kind(module: Module, value: cst.BaseExpression) -> str | None:
    origin = module.origin(value)
    if origin is not None:
        owner, _, name = origin.rpartition(".")
        return name if owner.endswith("SpanKind") else None
    if isinstance(value, cst.Name):
        values = [binding.value for binding in module.scope(value).lookup(value.value)]
        if len(values) == 1 and values[0] is not None and values[0] is not value:
            origin = module.origin(values[0]) or ""
            owner, _, name = origin.rpartition(".")
            return name if owner.endswith("SpanKind") else None
    return None


def _value(found: cst.Arg | None) -> cst.BaseExpression | None:
    return None if found is None or found.star else found.value
