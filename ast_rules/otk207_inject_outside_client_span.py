"""The rule inject-outside-client-span."""

from __future__ import annotations

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Step
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.clients import ClientSpan, Outgoing
from otelkata.lint.rule import Example, Rule


class InjectOutsideClientSpan(Rule):
    """Tell headers that name another span than the CLIENT span of their request.

    ## What it does
    Reports an `inject` without `context=` that comes before the CLIENT or PRODUCER span in which
    its headers are sent, or after a `start_span` that was never made the current span.

    ## Why it matters
    `inject` writes down the span that is current. The other service becomes a child of whatever
    that was, beside the CLIENT span and not under it: the time on the network cannot be told from
    the time over there.

    ## Instead
    Inject inside `with tracer.start_as_current_span(..., kind=SpanKind.CLIENT)`, or give
    `context=set_span_in_context(span)`.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/api-propagators/#inject
    - https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
    """

    code = "OTK207"
    name = "inject-outside-client-span"
    criteria = ("C3",)
    words = (b"inject",)
    calls = ("inject",)
    bad = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import inject

tracer = trace.get_tracer("shop")


def reserve(client, url):
    headers = {}
    inject(headers)  # expect: OTK207
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT):
        return client.get(url, headers=headers)
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("shop")


def publish(channel, body):
    headers = {}
    span = tracer.start_span("orders send", kind=SpanKind.PRODUCER)
    try:
        inject(headers)  # expect: OTK207
        channel.publish(body, headers=headers)
    finally:
        span.end()
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import inject

tracer = trace.get_tracer("shop")


def reserve(client, url):
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT):
        headers = {}
        inject(headers)
        return client.get(url, headers=headers)
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("shop")


def publish(channel, body):
    headers = {}
    span = tracer.start_span("orders send", kind=SpanKind.PRODUCER)
    try:
        inject(headers, context=trace.set_span_in_context(span))
        channel.publish(body, headers=headers)
    finally:
        span.end()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each injection that names another span."""
        outgoing = Outgoing(module)
        for injection in outgoing.injections:
            missed = outgoing.missed(injection)
            if missed is not None:
                yield self.finding(
                    module,
                    injection.call,
                    self._message(module.code(injection.carrier), missed),
                    certain=injection.certain and missed.certain,
                    steps=(Step(module.place(missed.call), "the span of the request starts"),),
                )

    def _message(self, name: str, span: ClientSpan) -> str:
        where = "inside that span" if span.is_current else "with context=set_span_in_context(span)"
        return (
            f"The {span.kind} span of this request is not current when the trace context is "
            f"injected into {name}, which names its parent instead: inject {where}."
        )
