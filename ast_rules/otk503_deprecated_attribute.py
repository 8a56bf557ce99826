"""The rule deprecated-attribute."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.conventions import DEPRECATED
from otelkata.lint.rule import Example, Rule


class DeprecatedAttribute(Rule):
    """Tell attribute names that the semantic conventions have replaced.

    ## What it does
    Notes a span attribute whose name comes from a former version of the conventions, such as
    `http.method` or `db.statement`. It is silent where the function sets the current name as well,
    as instrumentation does while its users move from one to the other.

    ## Why it matters
    Dashboards and alerts are written for one version of the names. New tools know the current ones
    only, and a service that differs from its neighbours is missing from every common view. The
    kata accepts both: this is advice.

    ## Instead
    Set the name that the message gives. The constants of `opentelemetry.semconv.attributes` are
    those in force.

    ## References
    - https://opentelemetry.io/docs/specs/semconv/non-normative/http-migration/
    - https://opentelemetry.io/docs/specs/semconv/non-normative/db-migration/
    - https://opentelemetry.io/docs/specs/semconv/registry/attributes/
    """

    code = "OTK503"
    name = "deprecated-attribute"
    severity = Severity.NOTE
    opt_in = True
    words = (b"set_attribute", b"start_span", b"start_as_current_span")
    calls = ("set_attribute", "set_attributes", "start_span", "start_as_current_span")
    bad = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def call(client, url):
    attributes = {"http.method": "GET"}  # expect: OTK503
    with tracer.start_as_current_span("GET", attributes=attributes) as span:
        response = client.get(url)
        span.set_attribute("http.status_code", response.status_code)  # expect: OTK503
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.semconv.trace import SpanAttributes


def record(query):
    span = trace.get_current_span()
    span.set_attribute(SpanAttributes.DB_STATEMENT, query)  # expect: OTK503
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def call(client, url):
    with tracer.start_as_current_span("GET", attributes={"http.request.method": "GET"}) as span:
        response = client.get(url)
        span.set_attribute("http.response.status_code", response.status_code)
        return response
"""
        ),
        Example(
            """\
from opentelemetry import trace


def record_under_both_names(method):
    span = trace.get_current_span()
    span.set_attribute("http.method", method)
    span.set_attribute("http.request.method", method)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each name of a former version."""
        found = module.span_attributes
        set_by: dict[cst.CSTNode | None, set[str]] = {}
        for attribute in found:
            set_by.setdefault(module.body_of(attribute.key), set()).add(attribute.name)
        for attribute in found:
            current = DEPRECATED.get(attribute.name)
            if current is None or current in set_by[module.body_of(attribute.key)]:
                continue
            yield self.finding(
                module,
                attribute.key,
                f"{attribute.name} has been replaced by {current} in the semantic conventions: "
                "use that, unless your backend needs the former name.",
                certain=False,
            )
