"""Which spans cover a request that goes out, and which injections they miss."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import libcst as cst

from otelkata.lint.flow.sequence import MOST, grouped, is_inside, leads_to, mentions
from otelkata.lint.meaning.module import Body, Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.carriers import Carriage, injections
from otelkata.lint.patterns.starts import Start

OUTGOING = frozenset({"CLIENT", "PRODUCER"})


@dataclass(frozen=True, slots=True)
class ClientSpan:
    """A CLIENT or PRODUCER span that a function starts by `call`.

    `block` is the `with` that holds it. It `is_current` where that makes it the current span.
    """

    call: cst.Call
    kind: str
    block: cst.With | None
    is_current: bool
    certain: bool


class Outgoing:
    """The requests of a file: their spans, and what is injected into their headers."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.injections = list(injections(module))
        self._injected: defaultdict[Body | None, list[Carriage]] = defaultdict(list)
        for injection in self.injections:
            self._injected[module.body_of(injection.call)].append(injection)
        self._spans: defaultdict[Body | None, list[ClientSpan]] = defaultdict(list)
        if self.injections:
            self._find_spans()
            self._made_current = grouped(
                module, module.calls("attach", "use_span", "set_span_in_context")
            )

    def missed(self, injection: Carriage) -> ClientSpan | None:
        """Return the span in which headers are sent that name another one; None if all is well."""
        module = self._module
        body = module.body_of(injection.call)
        if injection.context is not None or injection.name is None or body is None:
            return None
        spans = self._spans[body][:MOST]
        if not spans or self._is_covered(injection, spans):
            return None
        missed = (span for span in spans if self._is_missed(injection, span))
        return next((span for span in missed if self._is_used(injection, span)), None)

    def _is_used(self, injection: Carriage, span: ClientSpan) -> bool:
        """Tell whether what is injected is used where `span` is open."""
        module = self._module
        where = span.block or module.body_of(span.call)
        return where is not None and any(
            leads_to(module, injection.call, node) and _holds(module, span, node)
            for node in mentions(module, where, injection.name or "")
        )

    def _find_spans(self) -> None:
        module = self._module
        managers: dict[Body | None, Start] = {}
        for start in module.starts:
            kind = start.kind(module)
            if kind in OUTGOING:
                body = module.body_of(start.call)
                block = _block(module, start.call)
                self._spans[body].append(
                    ClientSpan(start.call, kind, block, start.is_current, start.certain)
                )
                if start.is_current:
                    managers[body] = start
        for call in module.index.calls:
            block = _block(module, call)
            if block is not None:
                self._spans[module.body_of(call)] += _by_manager(module, call, block, managers)

    def _is_covered(self, injection: Carriage, spans: list[ClientSpan]) -> bool:
        """Tell whether one of `spans`, or one made current by hand, is there to be named."""
        module = self._module
        if any(span.is_current and _holds(module, span, injection.call) for span in spans):
            return True
        made_current = self._made_current[module.body_of(injection.call)]
        return any(leads_to(module, call, injection.call) for call in made_current)

    def _is_missed(self, injection: Carriage, span: ClientSpan) -> bool:
        """Tell whether `injection` does not name `span`, and none that comes later does."""
        module = self._module
        is_unseen = (
            not span.is_current
            and leads_to(module, span.call, injection.call)
            and not _is_entered(module, injection, span)
        )
        if not is_unseen and not leads_to(module, injection.call, span.call):
            return False
        return not any(
            other is not injection
            and other.name == injection.name
            and _holds(module, span, other.call)
            for other in self._injected[module.body_of(injection.call)]
        )


def _block(module: Module, call: cst.Call) -> cst.With | None:
    item = module.parent(call)
    outer = module.parent(item) if isinstance(item, cst.WithItem) else None
    return outer if isinstance(outer, cst.With) else None


def _by_manager(
    module: Module, call: cst.Call, block: cst.With, managers: dict[Body | None, Start]
) -> list[ClientSpan]:
    """Return the span of a project's own context manager: of this file, or called `client_span`."""
    manager = module.definition(call)
    if manager is not None:
        start = managers.get(manager)
        kind = None if start is None else start.kind(module)
        if start is None or kind is None:
            return []
        return [ClientSpan(call, kind, block, is_current=True, certain=start.certain)]
    name = (dotted(call.func) or "").rpartition(".")[2]
    if not name.endswith(("client_span", "producer_span")):
        return []
    kind = name.split("_")[-2].upper()
    return [ClientSpan(call, kind, block, is_current=True, certain=False)]


def _holds(module: Module, span: ClientSpan, node: cst.CSTNode) -> bool:
    """Tell whether `span` is open at `node`, as far as its `with` says."""
    is_after = leads_to(module, span.call, node)
    return is_after and (span.block is None or is_inside(module, node, span.block))


def _is_entered(module: Module, injection: Carriage, span: ClientSpan) -> bool:
    """Tell whether a `with` around the injection is given the span by name."""
    name = _name_of(module, span)
    if name is None:
        return True
    for block in module.ancestors(injection.call):
        if isinstance(block, cst.With) and block is not span.block:
            for item in block.items:
                if any(True for _ in mentions(module, item.item, name)):
                    return True
    return False


def _name_of(module: Module, span: ClientSpan) -> str | None:
    """Return the name to which a span is bound that was started without making it current."""
    parent = module.parent(span.call)
    if isinstance(parent, cst.WithItem):
        return "" if parent.asname is None else dotted(parent.asname.name)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        return dotted(parent.targets[0].target)
    if isinstance(parent, cst.AnnAssign):
        return dotted(parent.target)
    return None
