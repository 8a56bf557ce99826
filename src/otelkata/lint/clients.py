"""Which spans cover a request that goes out, and which injections they miss."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from .carriers import Carriage, injections
from .module import Module
from .scopes import dotted
from .sequence import is_inside, leads_to, mentions
from .walk import walk

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


def client_spans(module: Module, node: cst.CSTNode) -> list[ClientSpan]:
    """Return the CLIENT and PRODUCER spans that are started in the function of `node`."""
    body = module.body_of(node)
    if not isinstance(body, cst.FunctionDef):
        return []
    found: list[ClientSpan] = []
    for start in module.starts:
        kind = start.kind(module)
        if kind in OUTGOING and module.body_of(start.call) is body:
            block = _block(module, start.call)
            found.append(ClientSpan(start.call, kind, block, start.is_current, start.certain))
    known = {span.call for span in found}
    for call in walk(body.body, into_scopes=False):
        if isinstance(call, cst.Call) and call not in known:
            found += _by_manager(module, call)
    return found


def _block(module: Module, call: cst.Call) -> cst.With | None:
    item = module.parent(call)
    outer = module.parent(item) if isinstance(item, cst.WithItem) else None
    return outer if isinstance(outer, cst.With) else None


def _by_manager(module: Module, call: cst.Call) -> list[ClientSpan]:
    """Return the span of a project's own context manager: of this file, or called `client_span`."""
    block = _block(module, call)
    if block is None:
        return []
    manager = module.definition(call)
    if manager is not None:
        return [
            ClientSpan(call, kind, block, is_current=True, certain=start.certain)
            for start in module.starts
            if start.is_current and is_inside(module, start.call, manager)
            for kind in OUTGOING & {start.kind(module)}
        ]
    name = (dotted(call.func) or "").rpartition(".")[2]
    if not name.endswith(("client_span", "producer_span")):
        return []
    kind = name.split("_")[-2].upper()
    return [ClientSpan(call, kind, block, is_current=True, certain=False)]


def is_covered(module: Module, injection: Carriage, spans: list[ClientSpan]) -> bool:
    """Tell whether one of `spans`, or one that was made current by hand, is there to be named."""
    if any(span.is_current and _holds(module, span, injection.call) for span in spans):
        return True
    return any(
        leads_to(module, call, injection.call)
        for call in module.calls("attach", "use_span", "set_span_in_context")
    )


def _holds(module: Module, span: ClientSpan, node: cst.CSTNode) -> bool:
    if span.block is None:
        return leads_to(module, span.call, node)
    return is_inside(module, node, span.block) and leads_to(module, span.call, node)


def missed_by(module: Module, injection: Carriage, span: ClientSpan) -> bool:
    """Tell whether the headers of `injection` are sent in `span`, and do not name it."""
    is_before = leads_to(module, injection.call, span.call)
    is_unseen = not span.is_current and leads_to(module, span.call, injection.call)
    if not (is_before or (is_unseen and not _is_entered(module, injection, span))):
        return False
    others = [
        other.call
        for other in injections(module)
        if other.call is not injection.call and other.name == injection.name
    ]
    if any(_holds(module, span, other) for other in others):
        return False
    return _is_used(module, injection, span)


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


def _is_used(module: Module, injection: Carriage, span: ClientSpan) -> bool:
    """Tell whether the headers are used where the span is open."""
    body = module.body_of(injection.call)
    name = injection.name
    if body is None or name is None:
        return False
    return any(
        _holds(module, span, node) and leads_to(module, injection.call, node)
        for node in mentions(module, body, name)
    )
