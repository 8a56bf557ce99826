"""The rule extract-after-start."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Step
from otelkata.lint.flow.sequence import MOST, grouped, leads_to, loops
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.carriers import Carriage, extractions, is_only_read
from otelkata.lint.patterns.starts import Start
from otelkata.lint.rule import Example, Rule


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
    calls = ("extract",)
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
        found = list(extractions(module))
        if not found:
            return
        earlier = grouped(module, module.calls("attach", "use_span"))
        extracted = grouped(module, (item.call for item in found))
        servers = {
            start.call: start
            for start in module.starts
            if start.context is None and start.kind(module) == "SERVER"
        }
        starts = grouped(module, servers)
        for extraction in found:
            body = module.body_of(extraction.call)
            before = [*earlier[body], *extracted[body]]
            for call in starts[body][:MOST]:
                if (
                    is_too_late(module, call, extraction)
                    and not any(leads_to(module, item, call) for item in before)
                    and not is_only_read(module, extraction)
                ):
                    yield self._finding(module, servers[call], extraction)
                    break

    def _finding(self, module: Module, start: Start, extraction: Carriage) -> Finding:
        return self.finding(
            module,
            extraction.call,
            "The SERVER span has already started when its caller's context is extracted from "
            f"{module.code(extraction.carrier)}: extract first, and start the span with context=.",
            certain=start.certain and extraction.certain,
            steps=(Step(module.place(start.call), "the SERVER span starts without parent"),),
        )


def is_too_late(module: Module, start: cst.Call, extraction: Carriage) -> bool:
    """Tell whether `extraction` comes after the start of a span for the same request."""
    return leads_to(module, start, extraction.call) and set(loops(module, extraction.call)) <= set(
        loops(module, start)
    )
