"""What a file says of its names: which are tracers, spans, contexts, and which are none."""

import textwrap

import libcst as cst
import pytest

from otelkata.lint.meaning.module import Module
from otelkata.lint.meaning.values import Known

SETUP = """\
import contextlib
import shop
from functools import cached_property
from typing import Annotated, Final, Optional, Union, cast
from ddtrace import tracer as their_tracer
from opentelemetry import context, trace
from opentelemetry.sdk.trace import *
from opentelemetry.trace import Span, Tracer
from shop import Order, traced
tracer = trace.get_tracer("shop")
"""
SPAN = Known("Span")
TRACER = Known("Tracer")
CONTEXT = Known("Context")
MANAGER = Known("SpanManager")


def asked(source: str) -> tuple[Module, cst.BaseExpression]:
    """Return the file `source`, and what it gives to `seen`."""
    module = Module(cst.parse_module(SETUP + textwrap.dedent(source)), "shop.py")
    [call] = [call for call in module.index.calls if module.code(call.func) == "seen"]
    return module, call.args[0].value


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ("tracer", TRACER),
        ("tracer.start_span('a')", SPAN),
        ("trace.get_current_span()", SPAN),
        ("tracer.start_as_current_span('a')", MANAGER),
        ("context.get_current()", CONTEXT),
        ("(span := tracer.start_span('a'))", SPAN),
        ("tracer.start_span('a') if shop.on else None", SPAN),
        ("None if shop.on else tracer.start_span('a')", SPAN),
        ("shop.span or trace.get_current_span()", SPAN),
        ("trace.get_current_span() or shop.span", SPAN),
        ("await tracer.start_span('a')", SPAN),
        ("stack.enter_context(tracer.start_as_current_span('a'))", SPAN),
        ("stack.enter_context(trace.use_span(shop.span))", SPAN),
        ("stack.enter_context(open('a'))", None),
        ("stack.enter_context()", None),
        ("cast(Span, shop.span)", SPAN),
        ("cast('Span', shop.span)", SPAN),
        ("cast(shop.Traced, trace.get_current_span())", SPAN),
        ("cast(Order, shop.order)", None),
        ("shop.tracer", None),
        ("their_tracer.start_span('a')", None),
        ("[tracer][0]", None),
        ("Tracer.start_span", None),
        ("shop.tracer.start_span('a')", Known("Span", certain=False)),
        ("shop.clients[0].tracer.start_span('a')", None),
        ("traced().tracer.start_span('a')", None),
    ],
)
def test_a_value_is_known_by_how_it_is_made(expression: str, known: Known | None) -> None:
    module, value = asked(f"async def f(stack):\n    seen({expression})\n")
    assert module.known(value) == known


@pytest.mark.parametrize(
    ("annotation", "known"),
    [
        ("Span", SPAN),
        ("trace.Span", SPAN),
        ("'Span'", SPAN),
        ("'trace.Span'", SPAN),
        ("'Span | None'", SPAN),
        ("'Optional[Span]'", SPAN),
        ("Optional[Span]", SPAN),
        ("Union[None, Span]", SPAN),
        ("Annotated[Span, 'ours']", SPAN),
        ("Final[Tracer]", TRACER),
        ("Span | None", SPAN),
        ("None | trace.Span", SPAN),
        ("list[Span]", None),
        ("Optional[Order]", None),
        ("Order | None", None),
        ("'Order'", None),
        ("'nobody.knows'", None),
        ("(lambda: Span)", None),
        ("Order", None),
        ("nowhere", None),
        ("nowhere.Span", None),
        ("tracer", None),
        ("trace.nothing", None),
    ],
)
def test_an_annotation_promises_what_a_value_is(annotation: str, known: Known | None) -> None:
    module, value = asked(f"def f(thing: {annotation}):\n    seen(thing)\n")
    assert module.known(value) == known


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("def make():\n return tracer.start_span('a')\nseen(make())", SPAN),
        ("def make() -> Span:\n ...\nseen(make())", SPAN),
        ("def make() -> shop.Traced:\n return tracer.start_span('a')\nseen(make())", SPAN),
        ("def make():\n return\nseen(make())", None),
        ("def make():\n return 1\n return tracer.start_span('a')\nseen(make())", SPAN),
        ("def make():\n return 1\nseen(make())", None),
        ("def make():\n return make()\nseen(make())", None),
        (
            "@contextlib.contextmanager\ndef make(): yield trace.get_current_span()\nseen(make())",
            None,
        ),
        ("class Mine(Span):\n pass\nseen(Mine())", SPAN),
        ("class Mine(Order, Tracer):\n pass\nseen(Mine())", TRACER),
        ("class Mine(Order):\n pass\nseen(Mine())", None),
        ("class Mine(Span):\n pass\ndef f(thing: Mine):\n seen(thing)", SPAN),
        ("class Mine:\n pass\ndef f(thing: Mine):\n seen(thing)", None),
    ],
)
def test_functions_and_classes_of_the_file_are_looked_into(
    source: str, known: Known | None
) -> None:
    module, value = asked(source)
    assert module.known(value) == known


@pytest.mark.parametrize(
    ("members", "expression", "known"),
    [
        ("def __init__(self):\n self.it = tracer.start_span('a')", "self.it", SPAN),
        ("def __init__(self, span: Span):\n self.it = span", "self.it", SPAN),
        ("it: Span", "self.it", SPAN),
        ("it = tracer", "Shop.it", TRACER),
        ("it = tracer", "Order.it", None),
        ("@property\ndef it(self):\n return tracer.start_span('a')", "self.it", SPAN),
        ("@cached_property\ndef it(self) -> Span:\n ...", "self.it", SPAN),
        ("@traced\ndef it(self):\n return tracer.start_span('a')", "self.it", None),
        ("def it(self):\n return tracer.start_span('a')", "self.it()", SPAN),
        ("def it(self):\n return tracer.start_span('a')", "self.it", None),
        ("def it(self):\n return tracer.start_span('a')", "self.order.it()", None),
        ("pass", "self.it", None),
    ],
)
def test_an_attribute_is_what_its_class_makes_it(
    members: str, expression: str, known: Known | None
) -> None:
    body = f"{members}\ndef f(self):\n    seen({expression})\n"
    module, value = asked("class Shop:\n" + textwrap.indent(body, "    "))
    assert module.known(value) == known


@pytest.mark.parametrize(
    ("setup", "is_taken"),
    [
        ("from shop.tracing import shop_tracer", True),
        ("from sentry_sdk import shop_tracer", False),
        ("class shop_tracer:\n pass", False),
        ("class Tracing:\n pass\nshop_tracer = Tracing()", False),
        ("class Tracing:\n pass\ndef use(shop_tracer: Tracing):\n pass", True),
        ("shop_tracer = traced()", False),
        ("shop_tracer = Order.tracer", True),
        ("shop_tracer = their_tracer", False),
        ("shop_tracer = make()", True),
        ("shop_tracer = [1][0]", True),
    ],
)
def test_what_is_called_a_tracer_is_taken_for_one_unless_it_is_anothers(
    setup: str, *, is_taken: bool
) -> None:
    module, value = asked(f"{setup}\nseen(shop_tracer.start_span('a'))")
    assert module.known(value) == (Known("Span", certain=False) if is_taken else None)


@pytest.mark.parametrize(
    ("made", "is_taken"), [("make()", True), ("Tracing()", False), ("their_tracer", False)]
)
def test_an_attribute_that_is_called_a_tracer_is_judged_by_what_is_assigned(
    made: str, *, is_taken: bool
) -> None:
    source = f"""
        class Tracing:
            pass
        class Shop:
            def __init__(self, make):
                self.tracer = {made}
            def f(self):
                seen(self.tracer.start_span("a"))
    """
    module, value = asked(source)
    assert module.known(value) == (Known("Span", certain=False) if is_taken else None)


def test_names_are_followed_only_so_far() -> None:
    chain = "".join(f"name{number} = name{number + 1}\n" for number in range(20))
    module, value = asked(f"{chain}name20 = tracer\nseen(name0)\n")
    assert module.known(value) is None


def test_a_global_of_a_method_is_one_of_the_module() -> None:
    source = """
        class Shop:
            class Desk:
                global span
                span = tracer.start_span("a")
        seen(span)
    """
    module, value = asked(source)
    assert module.known(value) == SPAN


@pytest.mark.parametrize(
    ("expression", "statement"),
    [("a.b", "seen(a.b)"), ("a", "seen(a)"), ("a if b else c", "seen(a if b else c)")],
)
def test_a_node_knows_the_statement_around_it(expression: str, statement: str) -> None:
    module, value = asked(f"if a:\n    seen({expression})\n")
    found = module.statement(value)
    assert found is not None
    assert module.code(found) == statement
