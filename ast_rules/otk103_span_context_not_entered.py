"""OTK103: a context manager that starts a span is made and never entered."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.fixes.entering import entered
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.names import SPAN_METHODS
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.walk import walk


class SpanContextNotEntered(Rule):
    """A context manager that starts a span is made and never entered.

    What it does:
        Finds calls of `start_as_current_span` and `use_span` whose result is dropped, or
        bound to a name that is not used again.

    Why it matters:
        `start_as_current_span` starts nothing until it is entered: there is no span at all,
        and what was meant to be its child hangs elsewhere.

    Instead:
        Write `with` before it, or use it as a decorator; `start_span` gives a span without
        a `with`.

    References:
        https://opentelemetry-python.readthedocs.io/en/latest/api/trace.html#opentelemetry.trace.Tracer.start_as_current_span
    """

    code = "OTK103"
    name = "span-context-not-entered"
    criteria = ("C2",)
    words = (b"start_as_current_span", b"use_span")
    calls = ("start_as_current_span", "use_span")
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock, sku):
    tracer.start_as_current_span("reserve")  # expect: OTK103
    stock[sku] -= 1
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock, sku):
    with tracer.start_as_current_span("reserve"):
        stock[sku] -= 1
"""
        ),
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


@tracer.start_as_current_span("reserve")
def reserve(stock, sku):
    stock[sku] -= 1
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per manager that nobody enters."""
        for call in module.calls("Tracer.start_as_current_span", "use_span"):
            if _is_dropped(module, call):
                known = module.called(call)
                name = known.kind.rpartition(".")[2] if known else "this"
                yield self.finding(
                    module,
                    call,
                    f"{name}(...) makes a context manager that is never entered, and so there is "
                    "no span; write `with` before it",
                    certain=known is not None and known.certain,
                    change=entered(module, call),
                )


def _is_dropped(module: Module, call: cst.Call) -> bool:
    parent = module.parent(call)
    if isinstance(parent, cst.Await):
        parent = module.parent(parent)
    if isinstance(parent, cst.Expr):
        return True
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return False
    target = parent.targets[0].target
    body = module.body_of(call)
    if not isinstance(target, cst.Name) or not isinstance(body, cst.FunctionDef):
        return False
    if target.value in module.scope(call).elsewhere:
        return False
    # An attribute or method of it other than `__enter__` takes it for the span.
    return not any(
        isinstance(node, cst.Name)
        and node.value == target.value
        and node is not target
        and not _is_taken_for_a_span(module, node)
        for node in walk(body)
    )


def _is_taken_for_a_span(module: Module, node: cst.Name) -> bool:
    parent = module.parent(node)
    if isinstance(parent, cst.AssignTarget):
        return True
    return (
        isinstance(parent, cst.Attribute)
        and parent.value is node
        and parent.attr.value in SPAN_METHODS
    )
