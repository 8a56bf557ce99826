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
from shop import client_span
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
        ('x or f"load {order.id}"', [True]),
        ('f"load {body[order.id](1)}"', []),
        ('f"load {x.keep(1)}"', []),
        ('f"load {str()}"', []),
        ('f"load {_}"', []),
        ('f"load {-order.id}"', []),
        ('f"load {x.order_number}"', [True]),
        ('"load %s" % order.id', [True]),
        ('"load " "all"', []),
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
        ('tracer.start_span(f"load {order.id}")', [True]),
        ('tracer.start_as_current_span(name=f"load {order.id}")', [True]),
        ("tracer.start_span()", []),
        ("tracer.start_span(**x)", []),
        ("span.update_name()", []),
        ("span.update_name(*x)", []),
        ('with client_span(tracer, f"load {order.id}"): pass', [False]),
        ('with x.client_span(f"load {order.id}"): pass', []),
        ('with client_span(x.tracer, f"load {order.id}"): pass', [False]),
        ('with client_span(span, f"load {order.id}"): pass', []),
        ('name = f"load {order.id}"\nspan.update_name(name)', [True]),
        ('name = f"GET {request.url}"\nspan.update_name(name)', []),
        ('name = f"GET {request.url}" if x else "GET"\nspan.update_name(name)', []),
        ("def begin(name): tracer.start_span(name)\nbegin(f'load {order.id}')", [True]),
        ("def begin(name): tracer.start_span(name)\nbegin(name=f'load {order.id}')", [True]),
        ("def begin(*, name): tracer.start_span(name)\nbegin(name=f'load {order.id}')", [True]),
        ("def begin(name='a'): tracer.start_span(name)\nbegin()", []),
        ("def begin(x, name): tracer.start_span(name)\nbegin(order.id, 'load')", []),
        ("def called(): return f'load {order.id}'\nspan.update_name(called())", [True]),
    ],
)
def test_a_name_is_judged_wherever_a_span_is_given_one(statement: str, certain: list[bool]) -> None:
    started = f"{statement}\ntracer.start_span('load')"
    assert [finding.certain for finding in findings("OTK501", started)] == certain


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
        ('span.set_attribute("user_id")', []),
        ("span.set_attributes()", []),
        ("span.set_attribute(x.key, x)", []),
        ('key = "userid"\nspan.set_attribute(key, x)', [False]),
        ('span.set_attributes({"userid": x} | {"username": x})', [False, False]),
        ('span.set_attributes(dict({"userid": x}))', [False]),
        ("span.set_attributes(dict(userid=x))", []),
        ('more = {"userid": x}\nspan.set_attributes({**more})', [False]),
        ('more = {}\nmore["userid"] = x\nspan.set_attributes(more)', [False]),
        ('more = {"userid": x}\nspan.set_attributes(more)\nspan.set_attributes(more)', [False]),
        ("def more(): return {'userid': x}\nspan.set_attributes(more())", [False]),
        ("def m(): return {'userid': x}\nfor m in m(), m(): span.set_attributes(m)", []),
        ("def m(): return {'userid': x}\nspan.set_attributes({**m(), **m()})", [False]),
        ("span.set_attributes(" + "{**" * 4 + '{"userid": x}' + "}" * 4 + ")", [False]),
        ("span.set_attributes(" + "{**" * 5 + '{"userid": x}' + "}" * 5 + ")", []),
    ],
)
def test_a_slip_is_never_certain(statement: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK502", statement)] == certain


def test_a_dictionary_that_two_functions_use_is_read_once() -> None:
    module = """\
MORE = {"userid": 1}
def first(span: Span):
    span.set_attributes(MORE)
def second(span: Span):
    span.set_attributes(MORE)
trace.get_current_span().set_attributes(MORE)
"""
    before = SETUP.replace("def handle", f"{module}def handle")
    assert len(findings("OTK502", "pass\n", before)) == 1


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
