"""The rule empty-parent-context."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.background import is_background
from otelkata.lint.patterns.emptiness import SOMETIMES, emptiness
from otelkata.lint.patterns.starts import Start
from otelkata.lint.rule import Example, Rule


class EmptyParentContext(Rule):
    """Tell spans whose parent is an empty `Context()`.

    ## What it does
    Reports a `context=` of `start_span` or `start_as_current_span` that is `Context()`, or a name
    that is bound to nothing else. It is only noted where `Context()` takes turns with None, where
    the span has links, and in background work: a root may be meant there.

    ## Why it matters
    An empty context has no current span and no baggage. The span becomes the root of a new trace,
    and what happened in the request falls apart into traces that nobody can join again.

    ## Instead
    Leave `context` out: the span then starts from the current context. Where that is lost, in a
    thread or a callback, give the context that came from the request.

    ## References
    - https://opentelemetry.io/docs/specs/otel/trace/api/#span-creation
    - https://opentelemetry.io/docs/specs/otel/context/
    """

    code = "OTK201"
    name = "empty-parent-context"
    criteria = ("C1",)
    words = (b"Context(",)
    calls = ("start_span", "start_as_current_span")
    bad = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.context import Context

tracer = trace.get_tracer("shop")


def charge(card):
    with tracer.start_as_current_span("charge", context=Context()):  # expect: OTK201
        return card.charge()
"""
        ),
        Example(
            """\
from opentelemetry import context, trace

tracer = trace.get_tracer("shop")


def reserve(stock):
    empty = context.Context()
    span = tracer.start_span("reserve", empty)  # expect: OTK201
    try:
        return stock.reserve()
    finally:
        span.end()
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.context import Context

tracer = trace.get_tracer("shop")


def charge(card, context: Context):
    with tracer.start_as_current_span("charge", context=context):
        return card.charge()
"""
        ),
        Example(
            """\
from opentelemetry.context import Context
from opentelemetry.propagate import inject
from opentelemetry.trace import set_span_in_context


def headers_of(span):
    headers = {}
    inject(headers, context=set_span_in_context(span, Context()))
    return headers
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each parent that is empty."""
        for start in module.starts:
            context = start.context
            how = None if context is None else emptiness(module, context)
            if context is None or how is None:
                continue
            meant = how == SOMETIMES or is_meant(module, start)
            yield self.finding(
                module,
                context,
                f"{module.code(context)} has no current span, so this span begins a trace of its "
                "own: leave context out, or give the context that came with the request.",
                severity=Severity.NOTE if meant else None,
                certain=start.certain and not meant and not isinstance(context, cst.Attribute),
            )


def is_meant(module: Module, start: Start) -> bool:
    """Tell whether the span may be a root on purpose."""
    return start.has_links or is_background(module, start.call)
