"""The rule status-code-not-int."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.attributes import only_value
from otelkata.lint.rule import Example, Rule

STATUS_CODES = frozenset({"http.response.status_code", "http.status_code"})


class StatusCodeNotInt(Rule):
    """Tell HTTP status codes that are given to a span as text.

    ## What it does
    Reports a value of `http.response.status_code` (or of its former name, `http.status_code`) that
    is a string or a float: a literal, an f-string, `str(...)` or formatted text.

    ## Why it matters
    The conventions define the attribute as an int. A backend that compares it as a number
    (`>= 500`) never finds the text "503", and one that has seen both types may drop either.

    ## Instead
    Give the number itself: `span.set_attribute("http.response.status_code", response.status_code)`.

    ## References
    - https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/
    - https://opentelemetry.io/docs/specs/otel/common/#attribute
    """

    code = "OTK504"
    name = "status-code-not-int"
    criteria = ("F5",)
    words = (b"status_code", b"STATUS_CODE")
    calls = ("set_attribute", "set_attributes", "start_span", "start_as_current_span")
    bad = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def call(client, url):
    with tracer.start_as_current_span("GET") as span:
        response = client.get(url)
        span.set_attribute("http.response.status_code", str(response.status_code))  # expect: OTK504
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE

tracer = trace.get_tracer("shop")


def refuse(request):
    attributes = {
        "http.route": "/orders",
        HTTP_RESPONSE_STATUS_CODE: "503",  # expect: OTK504
    }
    with tracer.start_as_current_span("POST /orders", attributes=attributes):
        return 503
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def call(client, url):
    with tracer.start_as_current_span("GET") as span:
        response = client.get(url)
        span.set_attribute("http.response.status_code", response.status_code)
        span.set_attribute("error.type", str(response.status_code))
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace


def record(status_line: str) -> None:
    span = trace.get_current_span()
    span.set_attribute("http.response.status_code", int(status_line.split()[0]))
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each status code that is text."""
        for attribute in module.span_attributes:
            if attribute.name not in STATUS_CODES:
                continue
            found = not_a_number(module, attribute.value)
            if found is not None:
                yield self.finding(
                    module,
                    attribute.value,
                    f"{attribute.name} is given {found} here, and is an int by the conventions: "
                    "backends compare it as a number. Give the number itself.",
                    certain=attribute.certain,
                )


def not_a_number(module: Module, value: cst.BaseExpression) -> str | None:
    """Return what `value` is in words, if it is surely no int."""
    if isinstance(value, cst.IfExp):
        return not_a_number(module, value.body) or not_a_number(module, value.orelse)
    if isinstance(value, cst.Name):
        assigned = only_value(module, value)
        return None if assigned is None else _by_form(assigned)
    return _by_form(value)


def _by_form(value: cst.BaseExpression) -> str | None:
    match value:
        case (
            cst.SimpleString()
            | cst.ConcatenatedString()
            | cst.FormattedString()
            | cst.BinaryOperation(left=cst.SimpleString(), operator=cst.Modulo())
            | cst.Call(func=cst.Name(value="str" | "repr" | "format"))
            | cst.Call(func=cst.Attribute(value=cst.SimpleString()))
        ):
            return "a string"
        case cst.Float() | cst.Call(func=cst.Name(value="float")):
            return "a float"
        case _:
            return None
