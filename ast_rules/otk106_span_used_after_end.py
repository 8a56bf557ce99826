"""OTK106: a span is written to after it has ended."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Example, Rule


class SpanUsedAfterEnd(Rule):
    """A span is written to after it has ended.

    What it does:
        Reports attributes, events, a status, a name or an exception that some path sets on
        a span after `end()`, or after the `with` that ended it.

    Why it matters:
        What is set after the end is dropped with a warning in the log: the attribute or the
        error is not in the trace.

    Instead:
        Set it before the end; what is known only later belongs inside the `with`, or before
        `end()` in the `finally`.

    References:
        https://opentelemetry.io/docs/specs/otel/trace/api/#end
        https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
    """

    code = "OTK106"
    name = "span-used-after-end"
    criteria = ("F5",)
    words = (b"start_span", b"start_as_current_span")
    calls = ("start_span", "start_as_current_span")
    bad = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    with tracer.start_as_current_span("charge") as span:
        answer = client.post("/payments", json={"card": card})
    span.set_attribute("http.response.status_code", answer.status_code)  # expect: OTK106
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(client, card):
    with tracer.start_as_current_span("charge") as span:
        answer = client.post("/payments", json={"card": card})
        span.set_attribute("http.response.status_code", answer.status_code)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per use that has no effect."""
        for story in module.stories:
            for node in story.fates.late:
                yield self.finding(
                    module,
                    node,
                    "this is set on a span that has ended, and is lost; set it before the end",
                    certain=story.known.certain,
                )
