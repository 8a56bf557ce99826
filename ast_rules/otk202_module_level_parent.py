"""The rule module-level-parent."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.arguments import argument
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.shared import Shared, shared_value
from otelkata.lint.rule import Example, Rule


class ModuleLevelParent(Rule):
    """Tell spans whose parent is a context or span that all requests share.

    ## What it does
    Reports a `context=`, a `set_span_in_context(...)` or a `use_span(...)` in a function that is
    given a context or span which was made at the module's level, as an attribute of a class, or as
    a default: once, when the module was imported.

    ## Why it matters
    What is made at import knows nothing of any request. All requests hang below the one span, or
    below none, in a trace that grows as long as the process lives, and none of them continues the
    trace that its caller began.

    ## Instead
    Leave `context` out, so that the current context is the parent, or pass the request's context
    to the function.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/
    - https://opentelemetry.io/docs/languages/python/propagation/
    """

    code = "OTK202"
    name = "module-level-parent"
    criteria = ("C1",)
    words = (b"get_current", b"set_span_in_context", b"use_span", b"start_span", b"start_as_curr")
    calls = ("start_span", "start_as_current_span", "set_span_in_context", "use_span")
    bad = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.context import get_current

tracer = trace.get_tracer("shop")
PARENT = get_current()


def charge(card):
    with tracer.start_as_current_span("charge", context=PARENT):  # expect: OTK202
        return card.charge()
"""
        ),
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")
ROOT = tracer.start_span("shop")
ROOT.end()


def reserve(stock):
    with trace.use_span(ROOT):  # expect: OTK202
        return stock.reserve()


def charge(card):
    parent = trace.set_span_in_context(ROOT)  # expect: OTK202
    with tracer.start_as_current_span("charge", context=parent):
        return card.charge()
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.context import get_current

tracer = trace.get_tracer("shop")


def charge_later(card, executor):
    context = get_current()

    def charge():
        with tracer.start_as_current_span("charge", context=context):
            return card.charge()

    return executor.submit(charge)
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.trace import Link

tracer = trace.get_tracer("shop")
STARTUP = tracer.start_span("startup")
STARTUP.end()


def serve(request):
    links = [Link(STARTUP.get_span_context())]
    with tracer.start_as_current_span("serve", links=links):
        return request.answer()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each parent that was made once for all."""
        for start in module.starts:
            if start.context is not None:
                yield from self._judge(module, start.context, certain=start.certain)
        for call in module.calls("set_span_in_context", "use_span"):
            span = argument(call, "span", 0)
            if span is not None and not span.star:
                yield from self._judge(module, span.value, at=call)

    def _judge(
        self,
        module: Module,
        parent: cst.BaseExpression,
        *,
        at: cst.BaseExpression | None = None,
        certain: bool = True,
    ) -> Iterator[Finding]:
        found = shared_value(module, parent)
        if found is not None:
            yield self.finding(
                module,
                at or parent,
                self._message(module, parent, found),
                certain=certain and found.certain,
            )

    def _message(self, module: Module, parent: cst.BaseExpression, found: Shared) -> str:
        line = module.place(found.value).line
        return (
            f"{module.code(parent)} was made {found.where} (line {line}) and is the same for all "
            "requests: leave it out, or give the context that came with the request."
        )
