"""OTK302: the status ERROR without the exception that led to it."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.fixes.change import Change
from otelkata.lint.fixes.marking import add_to_handler
from otelkata.lint.meaning.arguments import argument, is_literal, text_of
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.failures import Caught, Kind
from otelkata.lint.patterns.handlers import calls_in, method, raises, status_of
from otelkata.lint.patterns.outcomes import InHandler, Outcomes
from otelkata.lint.rule import Example, Rule


class ErrorWithoutException(Rule):
    """A handler sets the status ERROR, and does not record the exception.

    What it does:
        Reports `set_status(ERROR)` in an `except` where the exception is neither recorded nor
        logged with its stack, and does not leave a `with` of the span, which would record it. It
        is always advice: a backend may get the exception another way.

    Why it matters:
        The span says that it failed and keeps for itself why: type, message and stack are what
        whoever reads the trace came for.

    Instead:
        Call `span.record_exception(error)` beside `set_status`.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/exceptions/
        - https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
    """

    code = "OTK302"
    name = "error-without-exception"
    criteria = ("C4",)
    severity = Severity.NOTE
    words = (b"set_status",)
    calls = ("set_status",)
    bad = (
        Example(
            """
import sqlite3

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

tracer = trace.get_tracer(__name__)


def stock(connection, sku):
    with tracer.start_as_current_span("SELECT stock") as span:
        try:
            return connection.execute("SELECT * FROM stock WHERE sku = ?", (sku,)).fetchone()
        except sqlite3.Error as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))  # expect: OTK302
            return None
"""
        ),
    )
    good = (
        Example(
            """
import sqlite3

from opentelemetry import trace
from opentelemetry.trace import StatusCode

tracer = trace.get_tracer(__name__)


def stock(connection, sku):
    with tracer.start_as_current_span("SELECT stock") as span:
        try:
            return connection.execute("SELECT * FROM stock WHERE sku = ?", (sku,)).fetchone()
        except sqlite3.OperationalError as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
            return None
        except sqlite3.Error:
            span.set_status(StatusCode.ERROR, "database")
            raise


def answered(span, response):
    if response.status_code >= 500:
        span.set_status(StatusCode.ERROR)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at each ERROR that is set in a handler."""
        outcomes = Outcomes(module)
        for item in outcomes.in_handlers("set_status"):
            if self._lacks_exception(outcomes, item):
                yield self.finding(
                    module,
                    item.outcome.call,
                    f"The status says that {item.outcome.span} failed and not why: "
                    "record the exception, too.",
                    certain=False,
                    change=self._fixed(module, item),
                )

    def _lacks_exception(self, outcomes: Outcomes, item: InHandler) -> bool:
        caught, opened = item.caught, item.opened
        if status_of(outcomes.module, item.outcome.call) != {"ERROR"}:
            return False
        if raises(caught.body) and (opened is None or opened.records):
            return False
        if _is_cancelled(outcomes, caught) or (caught.kind is Kind.INPUT and opened is None):
            return False
        if outcomes.failures.is_only_described(caught, item.outcome.span):
            return False
        if _tells_why(outcomes, caught) or outcomes.is_left_to_others(item):
            return False
        return not outcomes.marks.after(caught, _records)

    def _fixed(self, module: Module, item: InHandler) -> Change | None:
        """Record the exception before the status is set."""
        if not item.outcome.certain:
            return None
        line = f"{item.outcome.span}.record_exception({{error}})"
        return add_to_handler(module, item.caught, item.outcome.call, line, before=True)


def _tells_why(outcomes: Outcomes, caught: Caught) -> bool:
    assert caught.body is not None
    for call in calls_in(caught.body):
        if method(call) != "set_status" and outcomes.marks.shows(call):
            return True
        event = argument(call, "name", 0) if method(call) == "add_event" else None
        if event is not None and "exception" in (text_of(event.value) or ""):
            return True
        stack = argument(call, "exc_info")
        if method(call) == "exception" or (stack and not is_literal(stack.value, "False")):
            return True
    return False


def _is_cancelled(outcomes: Outcomes, caught: Caught) -> bool:
    """Tell whether what is caught is no `Exception`: the conventions ask for none then."""
    assert isinstance(caught.node, cst.ExceptHandler)
    types = outcomes.module.code(caught.node.type) if caught.node.type is not None else ""
    ends = ("CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit")
    return any(name in types for name in ends)


def _records(call: cst.Call) -> bool:
    return method(call) != "set_status"
