"""OTK101: a span that nobody ends."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.fixes.repairs import repair
from otelkata.lint.flow.leaks import SEVERITY, WHEN, steps, worst
from otelkata.lint.flow.stories import Kind, Story
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class SpanNotEnded(Rule):
    """A span is started, and some path leaves without ending it.

    What it does:
        Follows each span from `start_span` over every path of its function: returns, exceptions,
        cancellation at an `await`, a generator that is closed early. A span that is returned,
        stored, passed on or captured has another owner and is left alone; where the owner is a
        method of the same class or a function of the same file, the span is followed there.

    Why it matters:
        A span that never ends is never exported. The request that failed is then the one that is
        missing from the traces, and its children point to a parent that nobody has.

    Instead:
        Open the span with `with tracer.start_as_current_span(...)`; where that does not fit, call
        `end()` in the `finally` of a `try` that begins right after the start.

    References:
        https://opentelemetry.io/docs/specs/otel/trace/api/#end
    """

    code = "OTK101"
    name = "span-not-ended"
    criteria = ("C2",)
    words = (b"start_span",)
    calls = ("start_span",)
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def reserve(stock, sku):
    span = tracer.start_span("reserve")  # expect: OTK101:error
    if sku not in stock:
        return None
    stock[sku] -= 1
    span.end()
    return sku
"""
        ),
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    span = tracer.start_span("charge")  # expect: OTK101:warning
    answer = client.post("/payments", json={"card": card})
    span.end()
    return answer
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    span = tracer.start_span("charge")
    try:
        return client.post("/payments", json={"card": card})
    finally:
        span.end()
"""
        ),
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def begin(name):
    span = tracer.start_span(name)
    return span
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per span, for the most ordinary path on which it leaks."""
        for story in module.stories:
            if story.kind is not Kind.SPAN:
                continue
            flow = worst(story.fates)
            if flow is None:
                if module.options.strict_ownership and story.fates.moved:
                    yield self._handed_over(module, story)
                continue
            own = not any("." in name for name in story.names)
            names = ", ".join(f"`{name}`" for name in sorted(story.names))
            holder = f"the span {names}" if names else "the span"
            yield self.finding(
                module,
                story.call,
                f"{holder} is not ended {WHEN[flow]}; open it in a `with`, or end it in the "
                "`finally` of a `try` that begins right after",
                severity=SEVERITY[flow],
                certain=story.known.certain and own,
                if_started=own,
                change=repair(module, story),
                steps=steps(module, story, flow, "the span"),
            )

    def _handed_over(self, module: Module, story: Story) -> Finding:
        deed = story.fates.moved[0]
        return self.finding(
            module,
            story.call,
            f"the span is {deed.value}: whoever has it now must end it, and is not seen here",
            severity=Severity.NOTE,
            certain=False,
        )
