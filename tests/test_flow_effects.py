"""What a mention of a span does with it, and which answers a path remembers."""

import textwrap

import pytest
from flow_sources import MISSED, RULES, SETUP, findings, function, severities, taken

from otelkata.lint.engine import lint_source
from otelkata.lint.options import Options

PASSED = "note"  # where whoever gets a span is told
START = "span = tracer.start_span('a')\n"


def after_start(body: str) -> str:
    """Return a function that starts a span and goes on with `body`."""
    return function(START + textwrap.dedent(body).strip())


@pytest.mark.parametrize(
    "body",
    [
        "first = second = span\nfirst.end()",
        "first = second = span\nsecond.end()",
        "span = first = span\nspan.end()",
        "same = span\nsame = span\nsame.end()",
        "value = (same := span)\nvalue.end()",
        "value = (same := span)\nsame.end()",
        "if (same := span): same.end()",
        "if (same := span) is not None: same.end()",
        "(same := span).set_attribute('a', 1)\nsame.end()",
        "(same := span).end()",
        "same: Span = value or span\nsame.end()",
        "same = span if value else span\nsame.end()",
    ],
)
def test_a_span_is_ended_by_any_of_its_names(body: str) -> None:
    assert severities("OTK101", after_start(body)) == []


@pytest.mark.parametrize(
    "work",
    [
        *("span + 1", "span == order", "f'{span}'", "span[0]", "-span", "not span"),
        *("1 if span else 2", "1 if (value or span) else 2"),
    ],
)
def test_what_is_made_of_a_span_is_not_the_span(work: str) -> None:
    assert severities("OTK101", after_start(f"same = {work}\nsame.end()")) == [MISSED]


@pytest.mark.parametrize(
    ("body", "deed"),
    [
        ("keep(span := {start})", ["passed"]),
        ("rows.append(span := {start})", ["passed"]),
        ("return (span := {start})", ["returned"]),
        ("rows[0] = (span := {start})", ["stored"]),
        ("value = [span := {start}]", ["stored"]),
        ("with (span := {start}): pass", []),
        ("(span := {start}).end()", []),
        ("value = (span := {start})\nvalue.end()", []),
        ("span = {start}\nkeep(same := span)", ["passed"]),
        ("span = {start}\nreturn (same := span)", ["returned"]),
        ("span = {start}\nwith (same := span): pass", []),
    ],
)
def test_a_span_that_is_named_on_its_way_goes_on(body: str, deed: list[str]) -> None:
    source = function(body.replace("{start}", "tracer.start_span('a')"))
    assert taken(source) == deed


@pytest.mark.parametrize(
    "body",
    [
        "global same\nsame = span",
        "global same\nfirst = same = span",
        "global same\n(same := span)",
        "def own():\n nonlocal value\n value = span\nkeep(own)",
    ],
)
def test_a_name_that_others_see_keeps_the_span_for_them(body: str) -> None:
    assert severities("OTK101", after_start(body)) == []


@pytest.mark.parametrize(
    "target",
    [
        "span, other = order",
        "(span, other), value = rows",
        "[span, *other] = rows",
        "*span, other = rows",
        "del span, other",
        "with order as (span, other): pass",
        "for span in rows: pass",
        "for span, other in rows: pass",
        "for other, (span, value) in rows: pass",
        "span: Span = order",
        "(span := order)",
        "with keep(order) as span: pass",
    ],
)
def test_a_name_that_is_bound_to_something_else_has_lost_the_span(target: str) -> None:
    assert severities("OTK101", after_start(f"{target}\nspan.end()")) == [MISSED]


@pytest.mark.parametrize(
    "work",
    [
        "for row in span: value = row",
        "for row in (span or rows): value = row",
        "value = [row for row in span]",
        "value = list(row for row in span)",
        "order.span = 1",
        "value = span = span",
        "with use_span(span) as span: pass",
        "with use_span(span, end_on_exit=False) as span: pass",
    ],
)
def test_what_goes_through_a_span_leaves_its_name(work: str) -> None:
    assert severities("OTK101", after_start(f"{work}\nspan.end()")) == []


@pytest.mark.parametrize(
    ("result", "severity"),
    [
        ("yield span", [MISSED]),
        ("yield span, value", [MISSED]),
        ("yield [value, span]", [MISSED]),
        ("return span", []),
        ("return span, value", []),
    ],
)
def test_a_context_manager_lends_what_it_yields(result: str, severity: list[str]) -> None:
    source = f"@contextlib.contextmanager\n{after_start(result)}"
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    "work",
    ["{start}", "value = {start} == order", "{start}.set_attribute('a', 1)", "print({start})"],
)
def test_a_span_that_gets_no_name_is_lost(work: str) -> None:
    source = function(work.replace("{start}", "tracer.start_span('a')"))
    assert severities("OTK101", source) == [MISSED]


def test_what_goes_through_a_tuple_of_spans_has_them() -> None:
    source = after_start("for row in (span, value): row.end()")
    assert taken(source) == ["stored"]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("with use_span(order.last, end_on_exit=True): pass\nspan.end()", 0),
        ("with tracer.start_as_current_span('b'): pass\nspan.end()", 0),
        ("with tracer.start_as_current_span('b', order): pass\nspan.end()", 0),
        ("value = [row.end() for row in rows]\nspan.end()", 0),
        ("value = [span.end() for span in rows]\nspan.end()", 0),
        ("span.__exit__(None, None, None)\nspan.end()", 1),
        ("context.detach(span)\nspan.end()", 1),
        ("order.end(span)\nspan.end()", 0),
    ],
)
def test_only_what_is_done_to_this_span_ends_it(body: str, count: int) -> None:
    assert len(findings("OTK105", after_start(body))) == count


@pytest.mark.parametrize(
    ("code", "use"),
    [
        ("OTK105", "span.end()"),
        ("OTK105", "own(1, span)"),
        ("OTK106", "span.set_attribute('a', 1)"),
    ],
)
def test_the_whole_call_is_shown(code: str, use: str) -> None:
    source = "def own(number, it): it.end()\n" + after_start(f"span.end()\n{use}")
    [finding] = findings(code, source)
    line = (SETUP + source).splitlines()[finding.place.line - 1]
    assert line[finding.place.column - 1 : finding.place.end_column - 1] == use


@pytest.mark.parametrize(
    "work",
    [
        "value = [keep(span) for span in rows]",
        "value = [span.end() for span in rows]",
        "value = [keep(value=span) for span in rows]",
        "def own(span):\n def stop(): span.end()\n keep(stop)",
        "own = lambda span: (lambda: span.end())",
        "def own(span):\n keep(lambda: span.end())",
        "def own(other=1, *, span=2): pass",
    ],
)
def test_a_name_that_means_something_else_inside_is_not_the_span(work: str) -> None:
    assert severities("OTK101", after_start(work)) == [MISSED]


@pytest.mark.parametrize(
    "work",
    [
        "def own():\n def stop(): span.end()\n return stop\nkeep(own)",
        "def own():\n keep(lambda: span.end())\nkeep(own)",
        "def own():\n order.span = 1\n span.end()\nkeep(own)",
        "def other(): pass\ndef own(): span.end()\nkeep(own)",
        "same = span\ndef own(): same.end()\nkeep(own)",
        "same = span\ndef other(): pass\ndef own(): same.end()\nkeep(own)",
        "same = span\nkeep(lambda: same.end())",
        "same = span\ndef own(kept=same): kept.end()\nkeep(own)",
        "def own(stop=span.end): stop()",
    ],
)
def test_a_function_made_inside_may_end_the_span(work: str) -> None:
    assert taken(after_start(work)) == ["captured"]


def test_a_function_made_before_the_start_may_end_the_span() -> None:
    source = function(f"def stop(): span.end()\n{START}keep(stop)")
    assert taken(source) == ["captured"]


def test_a_method_is_not_the_name_that_it_is_called_by() -> None:
    source = function("end = tracer.start_span('a')\norder.end()\nkeep(1, end=order)")
    assert severities("OTK101", source) == [MISSED]


@pytest.mark.parametrize(
    ("defined", "severity"),
    [
        ("def own(self, span): print(span)", [MISSED]),
        ("def own(self, span): span.end()", []),
        ("def own(self, other, span=None): other.end()", []),
        ("def own(self, other, span=None): span.end()", [MISSED]),
        ("@override\ndef own(self, span, other=None): span.end()", []),
        ("@override\ndef own(self, span, other=None): other.end()", [MISSED]),
        ("@staticmethod\ndef own(span, other=None): span.end()", []),
        ("@staticmethod\ndef own(span, other=None): other.end()", [MISSED]),
        ("@shop.staticmethod\ndef own(self, span): print(span)", [MISSED]),
    ],
)
def test_a_method_does_with_the_span_what_its_body_does(defined: str, severity: list[str]) -> None:
    handle = function(f"{START}self.own(span)", "def handle(self):")
    source = "class Shop:\n" + textwrap.indent(f"{defined}\n{handle}", "    ")
    assert severities("OTK101", source) == severity


def test_a_span_that_is_told_to_another_is_only_looked_at() -> None:
    body = "current = trace.get_current_span()\ncurrent.set_attribute('a', span)"
    assert severities("OTK101", after_start(body)) == [MISSED]


@pytest.mark.parametrize(
    ("call", "severity"),
    [
        ("finish(span)", []),
        ("shop.finish(span)", [PASSED]),
        ("shop.close(span)", []),
        ("rows[0].finish(span)", []),
        ("rows[0].close(span)", [PASSED]),
        ("print(span)", [MISSED]),
    ],
)
def test_a_function_of_the_project_ends_a_span_where_it_is_named(
    call: str, severity: list[str]
) -> None:
    options = Options(strict_ownership=True, end_signatures=frozenset({"finish", "shop.close"}))
    source = (SETUP + after_start(call)).encode()
    found = lint_source(source, "shop.py", [RULES["OTK101"]], options)
    assert isinstance(found, list)
    assert [str(finding.severity) for finding in found] == severity


@pytest.mark.parametrize(
    ("before", "test", "severity"),
    [
        # A name that is given the same expression twice has the same answer twice.
        ("ready = order.paid", "ready", []),
        ("ready = order.sent", "ready", [MISSED]),
        ("order = value\nready = order.paid", "ready", [MISSED]),
        ("ready = order.paid\nready = order.sent", "ready", [MISSED]),
    ],
)
def test_an_expression_is_worth_the_same_when_it_is_evaluated_again(
    before: str, test: str, severity: list[str]
) -> None:
    body = f"ready = order.paid\nif ready: span.end()\n{before}\nif not {test}: span.end()"
    assert severities("OTK101", after_start(body)) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        # What a call answers may be another thing when it is asked again.
        (
            """
            ready = charge(order)
            if ready: span.end()
            ready = charge(order)
            if not ready: span.end()
            """,
            [MISSED],
        ),
        # Two names that are given two expressions have answers of their own.
        (
            """
            ready = order.paid
            sent = order.sent
            if ready: span.end()
            ready = order.paid
            sent = order.sent
            if not sent: span.end()
            """,
            [MISSED],
        ),
        # Known answers to other questions do not matter.
        (
            """
            if value: print()
            ready = order.paid
            if ready: span.end()
            ready = order.paid
            if not ready: span.end()
            if value: print()
            """,
            [],
        ),
        # A name that is given it only once says nothing of it later.
        (
            """
            ready = order.paid
            order = value
            if ready: span.end()
            if not order.paid: span.end()
            if order.paid: print()
            """,
            [MISSED],
        ),
        # The expression itself is asked, and the name is not.
        (
            """
            ready = order.paid
            if order.paid: span.end()
            ready = order.paid
            value = 1
            if not order.paid: span.end()
            """,
            [],
        ),
    ],
)
def test_the_same_question_is_one_whose_answer_cannot_have_changed(
    body: str, severity: list[str]
) -> None:
    assert severities("OTK101", after_start(body)) == severity


@pytest.mark.parametrize(
    "work",
    [
        "value = time.time()",
        "value = order.pop(value, None)",
        "value = order.get('sku')",
        "value = order.get('sku', None)",
        "value = max(value, 1)",
    ],
)
def test_a_clock_and_a_lookup_raise_nothing(work: str) -> None:
    assert severities("OTK101", after_start(f"{work}\nspan.end()")) == []


ASKED_ONCE = "".join(f"if order.{name}: print()\n" for name in ("one", "two", "three", "four"))


def test_questions_that_are_asked_once_take_no_room() -> None:
    body = f"if value: span.end()\nif not value: span.end()\n{ASKED_ONCE}"
    assert severities("OTK101", after_start(body)) == []


@pytest.mark.parametrize(("asked", "severity"), [(3, []), (4, [MISSED])])
def test_four_questions_are_remembered(asked: int, severity: list[str]) -> None:
    others = "".join(ASKED_ONCE.splitlines(keepends=True)[:asked])
    body = f"if value: span.end()\nif not value: span.end()\n{others}{others}"
    assert severities("OTK101", after_start(body)) == severity


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        ("done = True", []),
        ("first = 1\ndone = True", []),
        ("done = True\nfirst = 1", []),
        ("done = None", [MISSED]),
        ("done = True\nif order: done = value", [MISSED]),
        ("if order: done = True", [MISSED]),
        ("done = True\nif order:\n def own(): done = False", []),
        ("done = True\nown = lambda: (done := False)", []),
        ("done = True\n{start}\ndef own(): done = False", []),
        ("done = True\n{start}\nown = lambda: (done := False)", []),
        ("done = True\n{start}\nown = [done for done in rows]", []),
    ],
)
def test_a_constant_is_known_until_its_name_is_bound_again(
    before: str, severity: list[str]
) -> None:
    text = before if "{start}" in before else f"{before}\n{{start}}"
    body = text.replace("{start}", START.strip())
    assert severities("OTK101", function(f"{body}\nif done: span.end()")) == severity


def test_a_constant_of_the_module_may_be_another_when_the_function_runs() -> None:
    source = "DONE = True\n" + after_start("if DONE: print()\nif DONE: span.end()")
    assert severities("OTK101", source) == [MISSED]


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("{start} if value else None\nif value: print()\nif value: span.end()", []),
        ("None if value else {start}\nif value: print()\nif not value: span.end()", []),
        ("{start}\nif value: return\nif not value: span.end()", [MISSED]),
    ],
)
def test_what_was_asked_for_the_start_is_known_after_it(body: str, severity: list[str]) -> None:
    source = function("span = " + body.replace("{start}", "tracer.start_span('a')"))
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("head", "test", "severity"),
    [
        ("if value and order.paid:", "order.paid", []),
        ("if value and order.paid:", "value", []),
        ("if value or order.paid:", "order.paid", [MISSED]),
        ("if value or order.paid:\n pass\nelse:", "not order.paid", []),
        ("if value or order.paid:\n pass\nelse:", "not value", []),
        ("if value and order.paid:\n pass\nelse:", "not value", [MISSED]),
        ("if value is not None:\n pass\nelse:", "value is None", []),
        ("if value is None:\n pass\nelse:", "value is not None", []),
        ("if not value:\n pass\nelse:", "value", []),
        ("if value is not None: return\nif True:", "value is None", []),
        ("if value is None: return\nif True:", "value is not None", []),
        ("if value is None: raise KeyError\nif True:", "value is not None", []),
        ("if value is None: print()\nif True:", "value is not None", [MISSED]),
    ],
)
def test_a_test_around_the_start_has_had_its_answer(
    head: str, test: str, severity: list[str]
) -> None:
    inside = textwrap.indent(f"{START}if {test}: print()\nif {test}: span.end()", " ")
    assert severities("OTK101", function(f"{head}\n{inside}")) == severity


def test_a_test_around_a_function_is_of_another_time() -> None:
    inside = function(f"{START}if value: print()\nif value: span.end()", "def handle(value):")
    source = f"def make(value):\n if value:\n{textwrap.indent(inside, '  ')}"
    assert severities("OTK101", source) == [MISSED]
