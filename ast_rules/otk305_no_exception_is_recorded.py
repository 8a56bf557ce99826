"""OTK305: a span that is told to show no exception, and shows none."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.muted import Muted
from otelkata.lint.rule import Example, Rule


class NoExceptionIsRecorded(Rule):
    """A span is told to show no exception, and nothing else shows one on it.

    What it does:
        Reports a `with` that opens a span with `record_exception=False` and
        `set_status_on_exception=False`, where no handler and no `finally` inside records the
        exception or sets the status. A span that is handed on, one in a context manager, and a
        file that asks for the current span are left alone. It is always advice: what is called
        inside may mark the current span, and is not seen here.

    Why it matters:
        With both off, the span of an operation that raised looks exactly like that of one that
        went well. Whoever looks for failed requests does not find it.

    Instead:
        Leave `set_status_on_exception` at True: that alone shows the failure, and where messages
        and stacks must not be exported, `record_exception=False` may stay. Or set the status in a
        handler inside the `with`, and raise again.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/exceptions/
        - https://opentelemetry-python.readthedocs.io/en/latest/api/trace.html#opentelemetry.trace.Tracer.start_as_current_span
    """

    code = "OTK305"
    name = "no-exception-is-recorded"
    criteria = ("C4",)
    severity = Severity.WARNING
    words = (b"set_status_on_exception", b"start_as_current_span", b"use_span")
    calls = ("start_as_current_span", "use_span")
    bad = (
        Example(
            """
import httpx
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def fetch(url):
    with tracer.start_as_current_span(  # expect: OTK305
        "GET", record_exception=False, set_status_on_exception=False
    ):
        return httpx.get(url)
"""
        ),
    )
    good = (
        Example(
            """
import httpx
from opentelemetry import trace
from opentelemetry.trace import StatusCode

tracer = trace.get_tracer(__name__)


def fetch(url):
    with tracer.start_as_current_span("GET", record_exception=False):
        return httpx.get(url)


def fetch_and_mark(url):
    with tracer.start_as_current_span(
        "GET", record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            return httpx.get(url)
        except httpx.HTTPError:
            span.set_status(StatusCode.ERROR)
            raise
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield one finding per span whose failures show nowhere."""
        for call in Muted(module).found():
            yield self.finding(
                module,
                call,
                "An exception that leaves this `with` does not show on its span: leave "
                "set_status_on_exception at True, or set the status ERROR in a handler.",
                certain=False,
            )
