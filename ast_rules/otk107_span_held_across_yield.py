"""OTK107: a generator yields while its span is the current one."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.walk import walk


class SpanHeldAcrossYield(Rule):
    """A generator yields while its span is the current one.

    What it does:
        Reports a `yield` inside `with tracer.start_as_current_span(...)` or `with
        use_span(...)`, unless the generator becomes a context manager or a fixture by its
        decorator.

    Why it matters:
        Between two items the caller runs with the generator's span as the current one, and
        its spans become children of it. A generator that is dropped halfway never leaves
        the `with`: the span ends late, in another context, or not at all.

    Instead:
        Start the span with `start_span`, end it in a `finally`, and make it current with
        `use_span` only around the work between two yields.

    References:
        https://opentelemetry.io/docs/specs/otel/context/#attach-context
        https://peps.python.org/pep-0568/
    """

    code = "OTK107"
    name = "span-held-across-yield"
    words = (b"start_as_current_span", b"use_span")
    calls = ("start_as_current_span", "use_span")
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def rows(cursor):
    with tracer.start_as_current_span("rows"):
        for row in cursor:
            yield row  # expect: OTK107
"""
        ),
    )
    good = (
        Example(
            """
from contextlib import contextmanager

from opentelemetry import trace

tracer = trace.get_tracer(__name__)


@contextmanager
def operation(name):
    with tracer.start_as_current_span(name) as span:
        yield span
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per `with` that a generator yields in, at the first yield."""
        for call in module.calls("Tracer.start_as_current_span", "use_span"):
            item = module.parent(call)
            block = module.parent(item) if isinstance(item, cst.WithItem) else None
            function = module.function(call)
            if not isinstance(block, cst.With) or _is_entered_by_others(function):
                continue
            found = [
                node for node in walk(block.body, into_scopes=False) if isinstance(node, cst.Yield)
            ]
            if found:
                yield self.finding(
                    module,
                    found[0],
                    "the caller runs here with the generator's span as the current one; make it "
                    "current only around the work between two yields",
                    severity=Severity.WARNING,
                    certain=False,
                )


def _is_entered_by_others(function: cst.FunctionDef | cst.Lambda | None) -> bool:
    """Tell whether a decorator makes a context manager, a fixture or a hook of a generator."""
    return isinstance(function, cst.FunctionDef) and bool(function.decorators)
