"""OTK303: an exception that is recorded, on a span that does not look failed."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.fixes.change import Change
from otelkata.lint.fixes.marking import add_to_handler, status_code
from otelkata.lint.meaning.arguments import argument
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.failures import Kind
from otelkata.lint.patterns.handlers import calls_in, method, raises
from otelkata.lint.patterns.outcomes import InHandler, Outcomes
from otelkata.lint.rule import Example, Rule


class ExceptionWithoutStatus(Rule):
    """A handler records the exception, and leaves the status of the span as it was.

    What it does:
        Reports `record_exception` in an `except` after which the status is not set to ERROR and
        nothing is raised. It is certain where the handler ends the work of a request's span that
        this function opens; elsewhere others may set the status, or the work may have been saved.

    Why it matters:
        `record_exception` adds an event and nothing more. Searches, error rates and sampling in
        the backend go by the status: for them, all is well.

    Instead:
        Call `span.set_status(StatusCode.ERROR)` beside `record_exception`.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/exceptions/
        - https://opentelemetry.io/docs/languages/python/instrumentation/#record-exceptions-in-spans
    """

    code = "OTK303"
    name = "exception-without-status"
    criteria = ("C4",)
    severity = Severity.WARNING
    words = (b"record_exception",)
    calls = ("record_exception",)
    bad = (
        Example(
            """
import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer(__name__)


def fetch(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return httpx.get(url)
        except httpx.HTTPError as error:
            span.record_exception(error)  # expect: OTK303
            return None
"""
        ),
    )
    good = (
        Example(
            """
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


def fetch_patiently(url):
    with tracer.start_as_current_span("fetch", kind=SpanKind.CLIENT) as span:
        for _ in range(3):
            try:
                return httpx.get(url)
            except httpx.HTTPError as error:
                span.record_exception(error)
        raise TimeoutError


def fetch_or_raise(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return httpx.get(url)
        except httpx.HTTPError as error:
            span.record_exception(error)
            raise
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at each exception that is recorded in a handler."""
        outcomes = Outcomes(module)
        for item in outcomes.in_handlers("record_exception"):
            if not self._lacks_status(outcomes, item):
                continue
            certain = self._is_certain(outcomes, item)
            yield self.finding(
                module,
                item.outcome.call,
                f"The exception is recorded and {item.outcome.span} does not look failed: "
                "set the status ERROR, too.",
                severity=None if certain else Severity.NOTE,
                certain=certain,
                change=self._fixed(module, item) if certain else None,
            )

    def _lacks_status(self, outcomes: Outcomes, item: InHandler) -> bool:
        caught, opened = item.caught, item.opened
        assert caught.body is not None
        given = argument(item.outcome.call, "exception", 0)
        is_other = given is not None and dotted(given.value) != caught.name
        if caught.kind <= Kind.SIGNAL or is_other or raises(caught.body):
            return False
        if any(_sets_status(outcomes, call) for call in calls_in(caught.body)):
            return False
        if opened is not None and outcomes.failures.goes_on(caught, opened):
            return False
        if outcomes.is_left_to_others(item):
            return False
        if outcomes.failures.is_only_described(caught, item.outcome.span):
            return False
        return not outcomes.marks.after(caught, lambda call: _sets_status(outcomes, call))

    def _is_certain(self, outcomes: Outcomes, item: InHandler) -> bool:
        opened = item.opened
        return (
            opened is not None
            and opened.certain
            and opened.is_of_a_request
            and opened.name == item.outcome.span
            and item.caught.kind >= Kind.OPERATION
            and not outcomes.marks.of_closures(item.caught)
            and not outcomes.failures.is_given_away(item.caught.work, opened.name)
        )

    def _fixed(self, module: Module, item: InHandler) -> Change | None:
        """Set the status after the exception is recorded."""
        code = status_code(module)
        if code is None:
            return None
        line = f"{item.outcome.span}.set_status({code[0]}.ERROR)"
        return add_to_handler(module, item.caught, item.outcome.call, line, must_import=code[1])


def _sets_status(outcomes: Outcomes, call: cst.Call) -> bool:
    return method(call) != "record_exception" and outcomes.marks.shows(call)
