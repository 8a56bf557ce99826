"""OTK104: a `with` that does not end its span, and nobody else does."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.flow.leaks import SEVERITY, WHEN, steps, worst
from otelkata.lint.flow.stories import Kind
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class EndOnExitDisabled(Rule):
    """A `with` that does not end its span, and nobody else does.

    What it does:
        Finds `start_as_current_span(..., end_on_exit=False)` and follows the span that it
        gives over every path, as span-not-ended does.

    Why it matters:
        The `with` looks as if it ended the span. It only makes it the current one; a span
        that never ends is never exported.

    Instead:
        Leave `end_on_exit` at True; or end the span in a `finally`, or hand it to whoever
        ends it later.

    References:
        https://opentelemetry-python.readthedocs.io/en/latest/api/trace.html#opentelemetry.trace.Tracer.start_as_current_span
    """

    code = "OTK104"
    name = "end-on-exit-disabled"
    criteria = ("C2",)
    words = (b"end_on_exit",)
    calls = ("start_span", "start_as_current_span", "use_span")
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:  # expect: OTK104:error
        span.set_attribute("peer.service", "cards")
        return client.post("/payments", json={"card": card})
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    with tracer.start_as_current_span("charge", end_on_exit=False) as span:
        try:
            return client.post("/payments", json={"card": card})
        finally:
            span.end()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per span that its `with` leaves open, and so does all else."""
        for story in module.stories:
            flow = worst(story.fates)
            if story.kind is not Kind.UNMANAGED or flow is None:
                continue
            # Whoever runs inside can end the span that is current, named or not.
            reached = not story.names and next(module.calls("get_current_span"), None) is not None
            if not reached:
                yield self.finding(
                    module,
                    story.call,
                    f"with end_on_exit=False, the span is not ended {WHEN[flow]}; leave "
                    "end_on_exit at True, or end the span in a `finally`",
                    severity=SEVERITY[flow],
                    certain=story.known.certain and bool(story.names),
                    steps=steps(module, story, flow, "the span"),
                )
