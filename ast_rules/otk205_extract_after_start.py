"""The rule extract-after-start."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.carriers import Carriage, extractions
from otelkata.lint.finding import Finding, Step
from otelkata.lint.module import Module
from otelkata.lint.rule import Example, Rule
from otelkata.lint.sequence import leads_to, loops
from otelkata.lint.starts import Start

READERS = frozenset({"get_current_span", "get_baggage", "get_all", "get_value", "Link"})
"""Functions that only look into a context."""


class ExtractAfterStart(Rule):
    """Tell incoming headers that are read after the span that they should have parented.

    ## What it does
    Reports an `extract` that comes after the start of a SERVER span in the same function, where
    that span was given no context. Extraction for links, of baggage alone, and message by message
    in a loop is left alone.

    ## Why it matters
    A span's parent is fixed when it starts. What is extracted later cannot move it: the SERVER span
    is the root of another trace, and the caller's trace ends at the caller.

    ## Instead
    Extract first, and start the span with the result:
    `tracer.start_as_current_span(name, context=extract(request.headers), kind=SpanKind.SERVER)`.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/api-propagators/#extract
    - https://opentelemetry.io/docs/languages/python/propagation/
    """

    code = "OTK205"
    name = "extract-after-start"
    criteria = ("C3",)
    words = (b"extract",)
    bad = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("shop")


def handle(request):
    with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER):
        context = extract(request.headers)  # expect: OTK205
        return place_order(request.body, context)
"""
        ),
        Example(
            """\
from opentelemetry import context, propagate, trace

tracer = trace.get_tracer("shop")


def handle(request):
    span = tracer.start_span("POST /orders", kind=trace.SpanKind.SERVER)
    token = context.attach(propagate.extract(request.headers))  # expect: OTK205
    try:
        return place_order(request.body)
    finally:
        context.detach(token)
        span.end()
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("shop")


def handle(request):
    context = extract(request.headers)
    with tracer.start_as_current_span("POST /orders", context=context, kind=SpanKind.SERVER):
        return place_order(request.body)
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, SpanKind

tracer = trace.get_tracer("shop")


def handle(request):
    with tracer.start_as_current_span("POST /batches", kind=SpanKind.SERVER) as span:
        for order in request.orders:
            sender = trace.get_current_span(extract(order.headers))
            span.add_link(sender.get_span_context())
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each extraction that comes too late."""
        for extraction in extractions(module):
            start = next(
                (start for start in module.starts if is_too_late(module, start, extraction)),
                None,
            )
            if start is None or has_parent(module, start) or is_for_link(module, extraction):
                continue
            yield self.finding(
                module,
                extraction.call,
                "The SERVER span has already started when its caller's context is extracted from "
                f"{module.code(extraction.carrier)}: extract first, and start the span with "
                "context=.",
                certain=start.certain and extraction.certain,
                steps=(Step(module.place(start.call), "the SERVER span starts without parent"),),
            )


def is_too_late(module: Module, start: Start, extraction: Carriage) -> bool:
    """Tell whether `extraction` comes after a SERVER span that has no context, for one request."""
    return (
        start.context is None
        and start.kind(module) == "SERVER"
        and leads_to(module, start.call, extraction.call)
        and set(loops(module, extraction.call)) <= set(loops(module, start.call))
    )


def has_parent(module: Module, start: Start) -> bool:
    """Tell whether a context was attached, or extracted, before the span starts."""
    before = [*module.calls("attach", "use_span"), *(item.call for item in extractions(module))]
    return any(leads_to(module, call, start.call) for call in before)


def is_for_link(module: Module, extraction: Carriage) -> bool:
    """Tell whether what is extracted is only read: for a link, or for baggage."""
    call = next(
        (node for node in module.ancestors(extraction.call) if isinstance(node, cst.Call)), None
    )
    reader = module.called(call) if call is not None else None
    return reader is not None and reader.kind in READERS
