"""The rule misnamed-attribute."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.arguments import text_of
from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.scopes import dotted
from otelkata.lint.patterns.attributes import SpanAttribute
from otelkata.lint.patterns.conventions import meant
from otelkata.lint.rule import Example, Rule

STATUS = dict.fromkeys(
    ("response.status_code", "resp.status_code", "r.status_code", "status_code"),
    "http.response.status_code",
)
METHOD = dict.fromkeys(
    ("request.method", "req.method", "DELETE", "GET", "PATCH", "POST", "PUT"), "http.request.method"
)
URL = dict.fromkeys(("request.url", "req.url"), "url.full")
EVERYDAY = {
    "code": STATUS,
    "method": METHOD,
    "status": STATUS,
    "status_code": STATUS,
    "url": URL,
    "verb": METHOD,
}
"""What everyday words stand for, by the values that they are given."""


class MisnamedAttribute(Rule):
    """Tell well-known attributes that are set under a name of one's own.

    ## What it does
    Reports a span attribute whose name is a known slip for one of the semantic conventions: other
    case or separators (`http.statusCode`, `user_id`), or another word (`http.verb`). A word of
    everyday language, such as `status`, is taken for a slip only by the value that it is given.
    Names that the conventions do not define are nobody's but yours, and left alone.

    ## Why it matters
    Backends, dashboards and the people on call search for `http.response.status_code`. What is
    recorded under another name is there and cannot be found.

    ## Instead
    Set the name that the message gives, or use the constants of `opentelemetry.semconv.attributes`:
    a slip in a constant is an ImportError and not a lost value.

    ## References
    - https://opentelemetry.io/docs/specs/semconv/registry/attributes/
    - https://opentelemetry.io/docs/specs/semconv/general/naming/
    """

    code = "OTK502"
    name = "misnamed-attribute"
    criteria = ("F5",)
    severity = Severity.WARNING
    words = (b"set_attribute", b"start_span", b"start_as_current_span")
    calls = ("set_attribute", "set_attributes", "start_span", "start_as_current_span")
    bad = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def call(client, url):
    with tracer.start_as_current_span("GET") as span:
        response = client.get(url)
        span.set_attribute("http.verb", "GET")  # expect: OTK502
        span.set_attribute("http.statuscode", response.status_code)  # expect: OTK502
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def check_out(order):
    attributes = {"userId": order.user_id, "order.lines": len(order.lines)}  # expect: OTK502
    with tracer.start_as_current_span("check out", attributes=attributes):
        return order.place()
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
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("http.response.status_code", response.status_code)
        span.add_event("answered", {"user_id": 1})
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def check_out(order):
    attributes = {"user.id": order.user_id, "shop.order_lines": len(order.lines)}
    with tracer.start_as_current_span("check out", attributes=attributes):
        return order.place({"user_id": order.user_id})
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each slip."""
        for attribute in module.span_attributes:
            name = meant(attribute.name) or meant_by_value(attribute)
            if name is None:
                continue
            yield self.finding(
                module,
                attribute.key,
                f"{attribute.name} is {name} in the semantic conventions, and nobody looks for it "
                f"under another name: set {name}.",
                # The right name may be set elsewhere, and this one for somebody's own use.
                certain=False,
            )


def meant_by_value(attribute: SpanAttribute) -> str | None:
    """Return the attribute that an everyday word stands for, by what it is given."""
    value = attribute.value
    while isinstance(value, cst.Call) and len(value.args) == 1:
        value = value.args[0].value
    return EVERYDAY.get(attribute.name, {}).get(dotted(value) or text_of(value) or "")
