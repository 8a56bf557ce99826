"""Judge names that examples cannot tell apart: which finding is certain, and which is advice."""

import textwrap

import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import time
import uuid
from opentelemetry import trace
from opentelemetry.semconv.attributes import http_attributes
from opentelemetry.semconv.trace import SpanAttributes
from opentelemetry.trace import Span
tracer = trace.get_tracer("shop")
def handle(span: Span, request, response, body, order, x):
"""


def findings(code: str, line: str, setup: str = SETUP) -> list[Finding]:
    found = lint_source((setup + textwrap.indent(line, "    ")).encode(), "shop.py", [RULES[code]])
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("expression", "certain"),
    [
        ('f"load {order.id}"', [True]),
        ('f"load {order.order_id!s:>8}"', [True]),
        ('f"load {x.userId}"', [True]),
        ("f\"load {body['user_id']}\"", [True]),
        ("f\"load {body.get('user_id', 0)}\"", [True]),
        ('f"load {str(x.sku).lower()}"', [True]),
        ('f"load {order.number}"', [True]),
        ('f"load {x.email}"', [True]),
        ('f"load {uuid.uuid4().hex}"', [True]),
        ('f"load {uuid.uuid4()}"', [True]),
        ('"load " + str(time.time())', [True]),
        ('"load %s of %s" % (x, order.id)', [True]),
        ('"load {}".format(order.id)', [True]),
        ('" ".join(["load", x.sku])', [True]),
        ('f"GET {request.url}"', [False]),
        ('f"GET {x}" if x else f"GET {order.id}"', [True]),
        ('f"GET {request.url.path}"', [False]),
        ('f"load {x.warehouse_id}"', [False]),
        ('f"chat {x.model_id}"', []),
        ('f"GET {request.route.path}"', []),
        ('f"{request.method} {x.base_url}"', []),
        ('f"{type(x).__name__}.{x.operation}"', []),
        ('f"retry {len(order.ids)}"', []),
        ("order.id", []),
    ],
)
def test_a_value_in_a_name_is_certain_where_it_identifies_one_thing(
    expression: str, certain: list[bool]
) -> None:
    found = findings("OTK501", f"span.update_name({expression})")
    assert [finding.certain for finding in found] == certain


@pytest.mark.parametrize(
    ("statement", "certain"),
    [
        ('span.set_attribute("http.statuscode", x)', [False]),
        ('span.set_attribute("userid", x)', [False]),
        ('span.set_attribute("service_name", x)', [False]),
        ('span.set_attributes({"http.verb": x, "http.route": x})', [False]),
        ('tracer.start_span("load", attributes={"http.response.status": 200})', [False]),
        ('span.set_attribute("user_id", x); span.set_attribute("user.id", x)', [False]),
        ('span.set_attribute("status", response.status_code)', [False]),
        ('span.set_attribute("method", "GET")', [False]),
        ('span.set_attribute("status", order.status)', []),
        ('span.set_attribute("method", order.payment_method)', []),
        ('span.set_attribute("order_id", x)', []),
        ('span.set_attribute("http.method", x)', []),
        ('span.add_event("stored", {"user_id": x})', []),
        ('body.set_attribute("user_id", x)', []),
        ('x.span.set_attribute("user_id", x)', [False]),
    ],
)
def test_a_slip_is_never_certain(statement: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK502", statement)] == certain


@pytest.mark.parametrize(
    ("key", "count"),
    [
        ('"http.method"', 1),
        ("SpanAttributes.HTTP_METHOD", 1),
        ('"db.statement"', 1),
        ("http_attributes.HTTP_REQUEST_METHOD", 0),
        ('"http.request.method"', 0),
        ('"shop.method"', 0),
        ("x", 0),
    ],
)
def test_a_former_name_is_advice(key: str, count: int) -> None:
    found = findings("OTK503", f"span.set_attribute({key}, x)")
    assert [(finding.severity, finding.certain) for finding in found] == [("note", False)] * count


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ('"200"', 1),
        ('f"{x}"', 1),
        ("str(response.status_code)", 1),
        ('"%d" % x', 1),
        ('"{}".format(x)', 1),
        ("float(x)", 1),
        ('x if x else "0"', 1),
        ("response.status_code", 0),
        ("int(x)", 0),
        ("200", 0),
        ("x", 0),
    ],
)
def test_a_status_code_is_a_number(value: str, count: int) -> None:
    statement = f'span.set_attribute("http.response.status_code", {value})'
    assert len(findings("OTK504", statement)) == count


def test_nothing_is_said_of_another_librarys_spans() -> None:
    setup = SETUP.replace("from opentelemetry import trace", "from ddtrace import trace").replace(
        "from opentelemetry", "from ddtrace"
    )
    statement = """\
span.set_attribute("userid", str(x))
tracer.start_span(f"load {order.id}")
"""
    assert [*findings("OTK501", statement, setup), *findings("OTK502", statement, setup)] == []
