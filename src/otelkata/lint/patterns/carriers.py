"""Where trace context goes into headers and comes out of them, and where headers are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import libcst as cst

from otelkata.lint.flow.sequence import MOST, mentions
from otelkata.lint.meaning.arguments import argument, is_literal
from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.source.walk import walk

PROPAGATORS = ("TraceContextTextMapPropagator", "CompositePropagator", "TextMapPropagator")

SENDING = frozenset(
    {"basic_publish", "delete", "fetch", "get", "head", "options", "patch", "post", "produce"}
    | {"publish", "put", "request", "send", "send_and_wait", "send_message", "send_request"}
    | {"stream", "urlopen", "send_request_async", "apublish", "execute", "call"}
)
"""Functions that send something, by the last part of their names."""

SENT_BY_POSITION = SENDING - {"get", "head", "options", "delete", "execute", "call"}

HEADERS = frozenset({"headers", "extra_headers", "metadata", "properties"})
"""Keywords by which headers are given."""

READERS = frozenset({"get_current_span", "get_baggage", "get_all", "get_value", "Link"})
"""Functions that only look into a context."""


@dataclass(frozen=True, slots=True)
class Carriage:
    """A call of `inject` or `extract`.

    `carrier` is what is written to or read from, and `context` what is given explicitly. `certain`
    is False where only its name says that the propagator is one.
    """

    call: cst.Call
    carrier: cst.BaseExpression
    context: cst.BaseExpression | None
    certain: bool

    @property
    def name(self) -> str | None:
        """Return the carrier's name, which may be dotted; None if it has none."""
        return dotted(self.carrier)

    @property
    def has_setter(self) -> bool:
        """Tell whether something of the project's own writes into the carrier."""
        return argument(self.call, "setter", 2) is not None


def injections(module: Module) -> Iterator[Carriage]:
    """Yield each injection of trace context, in the order of the source."""
    return _carriages(module, "inject")


def extractions(module: Module) -> Iterator[Carriage]:
    """Yield each extraction of trace context, in the order of the source."""
    return _carriages(module, "extract")


def is_only_read(module: Module, extraction: Carriage) -> bool:
    """Tell whether what is extracted is only read: for a link, or for baggage."""
    call = next(
        (node for node in module.ancestors(extraction.call) if isinstance(node, cst.Call)), None
    )
    reader = module.called(call) if call is not None else None
    return reader is not None and reader.kind in READERS


def sends(module: Module, body: Body, carrier: str) -> Iterator[cst.Call]:
    """Yield the calls that send `carrier`, in `body` itself."""
    holder = carrier.rpartition(".")[0]
    calls = (node for node in walk(body, into_scopes=False) if isinstance(node, cst.Call))
    found = (
        call
        for call in calls
        if _sends(module, call, carrier) or (holder and _sends(module, call, holder))
    )
    return islice(found, MOST)


def _sends(module: Module, call: cst.Call, name: str) -> bool:
    method = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    verb = method.value.lower().strip("_") if isinstance(method, cst.Name) else ""
    for arg in call.args:
        keyword = arg.keyword.value if arg.keyword is not None else None
        if keyword is None:
            may_be_sent = verb in SENT_BY_POSITION and not arg.star
        else:
            may_be_sent = keyword == "metadata" or (keyword in HEADERS and verb in SENDING)
        if may_be_sent and any(True for _ in mentions(module, arg.value, name)):
            return True
    return False


def _carriages(module: Module, method: str) -> Iterator[Carriage]:
    wanted = {method, *(f"{propagator}.{method}" for propagator in PROPAGATORS)}
    seen: Counter[Body | None] = Counter()
    for call in module.index.calls:
        name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
        if not isinstance(name, cst.Name):
            continue
        called = module.called(call)
        if called is not None:
            is_carriage, certain = called.kind in wanted, called.certain
        else:
            is_carriage, certain = name.value == method and _is_propagator(module, call.func), False
        carrier = argument(call, "carrier", 0)
        if is_carriage and carrier is not None and not carrier.star:
            body = module.body_of(call)
            seen[body] += 1
            if seen[body] > MOST:
                continue
            context = argument(call, "context", 1)
            given = None if context is None or is_literal(context.value, "None") else context.value
            yield Carriage(call, carrier.value, given, certain)


def _is_propagator(module: Module, func: cst.BaseExpression) -> bool:
    """Tell whether a method's object is called a propagator, and may carry trace context."""
    if not isinstance(func, cst.Attribute) or not module.imports_opentelemetry:
        return False
    owner = func.value.func if isinstance(func.value, cst.Call) else func.value
    name = (dotted(owner) or "").rpartition(".")[2].lower()
    return "propagator" in name and "baggage" not in name
