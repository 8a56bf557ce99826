"""OTK105: a span is ended that has ended already."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.flow.stories import Kind
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class SpanEndedTwice(Rule):
    """A span is ended that has ended already.

    What it does:
        Reports an `end()` that some path reaches with the span ended before: by another
        `end()`, or by the `with` around it.

    Why it matters:
        The second end is ignored and logged as a warning. It shows that two places believe
        to own the span; the time recorded is the first one's.

    Instead:
        Let one place end the span: the `with`, or one `finally`.

    References:
        https://opentelemetry.io/docs/specs/otel/trace/api/#end
    """

    code = "OTK105"
    name = "span-ended-twice"
    words = (b".end(",)
    calls = ("start_span", "start_as_current_span")
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock, sku):
    with tracer.start_as_current_span("reserve") as span:
        stock[sku] -= 1
        span.end()  # expect: OTK105
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock, sku):
    span = tracer.start_span("reserve")
    try:
        stock[sku] -= 1
    finally:
        span.end()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per end that comes after another."""
        for story in module.stories:
            if story.kind is Kind.ATTACHED:
                continue
            for node in story.fates.twice:
                yield self.finding(
                    module,
                    node,
                    "this ends a span that ends elsewhere as well; let one place end it: the "
                    "`with`, or one `finally`",
                    severity=Severity.WARNING,
                    certain=story.known.certain,
                )
