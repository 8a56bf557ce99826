"""OTK304: a status OK that covers up failures."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.covering import Covering, Why
from otelkata.lint.rule import Example, Rule

MESSAGES = {
    Why.ALWAYS: "OK is set on {} whether the work failed or not: "
    "set it where the work has succeeded, or not at all.",
    Why.IN_HANDLER: "OK is set on {} although an exception was caught: set ERROR, and record it.",
    Why.AFTER_ERROR: "OK on {} replaces the ERROR that was set before: leave the status alone.",
    Why.AFTER_HANDLER: "OK is set on {} after a handler that hides a failure: "
    "set it where the work has succeeded.",
    Why.TOO_EARLY: "OK on {} is final, and an ERROR after it has no effect: "
    "set it at the end, or not at all.",
}


class OkForced(Rule):
    """The status OK is set where the work may have failed.

    What it does:
        Reports `set_status(OK)` in a `finally`, in a handler of failures, after a handler that
        went on, over an ERROR, and before the work that it speaks of.

    Why it matters:
        OK is final: it replaces an ERROR, and no ERROR replaces it, neither one from the code nor
        the one that a `with` sets when an exception leaves it. The failure is there and cannot be
        found.

    Instead:
        Leave the status unset where all went well; that is what the specification asks of
        instrumentation. Set OK only as the last thing of work that has succeeded.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/api/#set-status
    """

    code = "OTK304"
    name = "ok-forced"
    criteria = ("C4",)
    severity = Severity.ERROR
    words = (b"set_status",)
    calls = ("set_status",)
    bad = (
        Example(
            """
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

tracer = trace.get_tracer(__name__)


def settle(order):
    with tracer.start_as_current_span("settle") as span:
        try:
            return order.settle()
        finally:
            span.set_status(Status(StatusCode.OK))  # expect: OTK304


def notify(order):
    with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT) as span:
        try:
            order.notify()
        except Exception as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
        span.set_status(StatusCode.OK)  # expect: OTK304


def charge(order):
    with tracer.start_as_current_span("charge") as span:
        span.set_status(StatusCode.OK)  # expect: OTK304
        return order.charge()
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

tracer = trace.get_tracer(__name__)


def settle(order):
    with tracer.start_as_current_span("settle") as span:
        try:
            result = order.settle()
        except Exception as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
            raise
        span.set_status(Status(StatusCode.OK))
        return result


def answer(span, response):
    if response.status_code >= 500:
        span.set_status(StatusCode.ERROR)
    else:
        span.set_status(StatusCode.OK)


def read(stream):
    with tracer.start_as_current_span("read") as span:
        try:
            return next(stream)
        except StopIteration:
            span.set_status(StatusCode.OK)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at each OK that is set."""
        for covering in Covering.found_in(module):
            severity = None if covering.sure else Severity.NOTE
            if covering.sure and covering.why is Why.IN_HANDLER:
                severity = Severity.WARNING
            yield self.finding(
                module,
                covering.call,
                MESSAGES[covering.why].format(covering.span),
                severity=severity,
                certain=covering.certain,
            )
