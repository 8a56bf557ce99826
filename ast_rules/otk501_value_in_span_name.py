"""The rule value-in-span-name."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.spannames import Value, named, values_in
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.glance import Glance


class ValueInSpanName(Rule):
    """Tell span names that hold a value of one request.

    ## What it does
    Reports the name of a span that is put together (f-string, `%`, `format`, `+`) with what
    identifies one thing: an id, a user, an e-mail address, a URL, the time. Methods, route
    templates, operations, tables, queues and names of code are what a name is made of, and fine.

    ## Why it matters
    Backends group, count and sample spans by their name. With a value in it, each request makes an
    operation of its own: no percentiles, no error rate, an index that grows for ever; and the value
    may be personal.

    ## Instead
    Name the operation, such as `GET /orders/{id}`, and set the value as an attribute.

    ## References
    - https://opentelemetry.io/docs/specs/otel/trace/api/#span
    - https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name
    """

    code = "OTK501"
    name = "value-in-span-name"
    criteria = ("F5",)
    severity = Severity.WARNING
    words = (b"start_span", b"start_as_current_span", b"update_name")
    bad = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def load(order_id):
    with tracer.start_as_current_span(f"load order {order_id}"):  # expect: OTK501
        return find(order_id)


def greet(user):
    with tracer.start_as_current_span("greet " + user.email):  # expect: OTK501
        return f"hello {user.name}"
"""
        ),
        Example(
            """\
import uuid

from opentelemetry import trace

tracer = trace.get_tracer("shop")


def name_of(method):
    return "%s %s" % (method, uuid.uuid4())


def handle(request):
    name = name_of(request.method)
    with tracer.start_as_current_span(name):  # expect: OTK501
        return answer(request)
"""
        ),
    )
    good = (
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def handle(request, route):
    with tracer.start_as_current_span(f"{request.method} {route.path}") as span:
        span.set_attribute("user.id", request.user_id)
        return answer(request)


def query(operation, table):
    with tracer.start_as_current_span(f"{operation} {table}"):
        return run(operation, table)
"""
        ),
        Example(
            """\
from opentelemetry import trace

tracer = trace.get_tracer("shop")


def traced(function):
    def call(*args):
        with tracer.start_as_current_span(f"{function.__module__}.{function.__qualname__}"):
            return function(*args)

    return call
"""
        ),
    )

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether a span may be named."""
        return glance.may_open() or glance.calls("update_name")

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each name with a value in it."""
        seen: set[cst.BaseExpression] = set()
        for name, certain in named(module):
            if name not in seen:
                seen.add(name)
                yield from self._judge(module, name, certain=certain)

    def _judge(
        self, module: Module, name: cst.BaseExpression, *, certain: bool
    ) -> Iterator[Finding]:
        found = max(values_in(module, name), key=lambda value: value.certain, default=None)
        if found is None:
            return
        yield self.finding(
            module,
            name,
            self._message(module, found),
            severity=None if found.certain else Severity.NOTE,
            certain=certain and found.certain,
        )

    def _message(self, module: Module, value: Value) -> str:
        code = " ".join(module.code(value.node).split())
        if value.certain:
            return (
                f"The span's name holds {code}, so that each value makes an operation of its own: "
                "name the operation only, and set the value as an attribute."
            )
        return (
            f"The span's name holds {code}: if that is another value each time, name the operation "
            "only, and set the value as an attribute."
        )
