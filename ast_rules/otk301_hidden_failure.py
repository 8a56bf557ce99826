"""OTK301: a failure that its span does not show."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity, Step
from otelkata.lint.fixes.marking import mark_failure
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.failures import Caught, Kind, catches
from otelkata.lint.patterns.hidden import Hidden, HiddenFailures
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.glance import Glance


class HiddenFailure(Rule):
    """An exception is caught inside a span, and the span looks as if all went well.

    What it does:
        Reports an `except` or a `with suppress(…)` inside an open span that neither records the
        exception or sets the status ERROR, nor raises, nor hands the exception or the span on.
        Exceptions that are control flow (`KeyError`, `StopIteration`, a cancellation, …) and those
        of the project itself are taken to be expected. It is advice where a span further in may
        show the failure, where a loop may try again, or where the code speaks of a fallback.

    Why it matters:
        Whoever looks for failed requests filters by status. An operation that failed and was
        turned into a response, a default or nothing at all is never found, and its trace is
        believed.

    Instead:
        In the handler, call `span.record_exception(error)` and
        `span.set_status(StatusCode.ERROR)`; or let the exception leave the `with` of the span,
        which does both, and catch it outside.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/exceptions/
        - https://opentelemetry.io/docs/specs/otel/trace/api/#set-status
    """

    code = "OTK301"
    name = "hidden-failure"
    criteria = ("C4",)
    severity = Severity.WARNING
    words = (b"start_as_current_span", b"start_span", b"use_span", b"_span(")
    bad = (
        Example(
            """
import logging
from contextlib import suppress

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer(__name__)


def fetch(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            response = httpx.get(url)
        except httpx.HTTPError as error:  # expect: OTK301
            logging.warning("no answer: %s", error)
            return None
        span.set_attribute("http.response.status_code", response.status_code)
        return response


def notify(url):
    with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT):
        with suppress(Exception):  # expect: OTK301
            httpx.post(url)
"""
        ),
    )
    good = (
        Example(
            """
from contextlib import suppress

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

tracer = trace.get_tracer(__name__)


def fetch(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return httpx.get(url)
        except httpx.HTTPError as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
            return None


def fetch_outside(url):
    try:
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
            return httpx.get(url)
    except httpx.HTTPError:
        return None


def price(prices, sku, connection):
    with tracer.start_as_current_span("price", kind=SpanKind.SERVER) as span:
        try:
            found = prices.load()[sku]
        except KeyError:
            found = None
        with suppress(Exception):
            connection.close()
        return found
"""
        ),
    )

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether anything is caught where a span may be open."""
        caught = glance.catches or glance.calls("suppress")
        return caught and (glance.enters or glance.may_open())

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at each place that catches what a span should show."""
        failures: HiddenFailures | None = None
        for caught in catches(module):
            failures = failures or HiddenFailures(module)
            hidden = failures.judge(caught)
            if hidden is not None:
                yield self._report(module, caught, hidden)

    def _report(self, module: Module, caught: Caught, hidden: Hidden) -> Finding:
        span = hidden.span
        called = f"the span {span.name}" if span.name else "its span"
        what = "This handler hides" if caught.body is not None else "suppress() hides"
        severity = Severity.WARNING
        if hidden.may_be_tried_again or caught.kind < Kind.OPERATION:
            severity = Severity.NOTE
        return self.finding(
            module,
            caught.node,
            f"{what} the failure from {called}: record the exception and set the status ERROR, "
            "or raise it again.",
            severity=severity,
            certain=hidden.certain,
            change=mark_failure(module, hidden) if severity is Severity.WARNING else None,
            steps=(
                Step(module.place(span.node), "the span starts"),
                Step(module.place(caught.node), "the exception stops here"),
            ),
        )
