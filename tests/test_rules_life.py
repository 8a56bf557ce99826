"""Judge paths that examples cannot tell apart: which ways out of a function miss a span's end."""

import textwrap

import pytest
from flow_sources import (
    MISSED,
    RAISED,
    RULES,
    SETUP,
    between,
    findings,
    function,
    severities,
)

from otelkata.lint.engine import lint_source
from otelkata.lint.options import Options

SUPPRESSED = "with contextlib.suppress(KeyError):\n  charge()\n  span.end()"
SWALLOWED = "try: charge()\n  finally: break"


@pytest.mark.parametrize(
    ("work", "severity"),
    [
        ("charge(order)", [RAISED]),
        ("assert order", [RAISED]),
        ("value = rows[0]", [RAISED]),
        ("value = rows[1:]", []),
        ("value = rows and rows[0]", []),
        ("value = rows[0] if rows else None", []),
        ("value = rows[0] if value else None", [RAISED]),
        ("rows[0] = value", []),
        ("value: list[int] = order", []),
        ("span.set_attribute('first', rows[0])", []),
        ("value = lambda: rows[0]", []),
        ("value = time.time()", []),
        ("value = clock.time()", [RAISED]),
        ("value = max(value, 1)", []),
        ("value = max(rows)", [RAISED]),
        ("value = round(value / 3)", []),
        ("value = int(rows)", [RAISED]),
        ("value = order.get('sku')", []),
        ("value = order.get('/stock')", [RAISED]),
        ("value = order.pop('sku', None)", []),
        ("value = order.pop('sku')", [RAISED]),
        ("value = getattr(order, 'sku', None)", []),
        ("value = getattr(order, 'sku')", [RAISED]),
        ("error = ValueError(value)", []),
        ("order_token = set_order(order)", []),
        ("order.used = set_order(order)", [RAISED]),
        ("reset_order(order.token)", []),
        ("reset_order(order)", [RAISED]),
        ("for row in enumerate(rows): value = row", []),
        ("for row in charge.each(rows): value = row", [RAISED]),
        ("log_error(order)", [RAISED]),
    ],
)
def test_what_may_raise_before_the_end_misses_it(work: str, severity: list[str]) -> None:
    assert severities("OTK101", between(work)) == severity


@pytest.mark.parametrize(
    ("answer", "severity"),
    [
        ("on_error(error)", []),
        ("on_error(order)", [RAISED]),
        ("value = on_error(error)", [RAISED]),
        ("rows.append(lambda: on_error(error))", []),
    ],
)
def test_a_handler_that_only_tells_of_the_failure_does_not_raise_anew(
    answer: str, severity: list[str]
) -> None:
    work = f"try:\n    charge(order)\nexcept Exception as error:\n    {answer}"
    assert severities("OTK101", between(work)) == severity


@pytest.mark.parametrize(
    ("defined", "severity"),
    [
        ("def own(): return 1", []),
        ("def own(): charge()", [RAISED]),
        ("def own():\n for row in charge.each(): pass", [RAISED]),
        ("def own():\n try:\n  charge()\n except Exception:\n  pass", []),
        ("def own():\n try:\n  charge()\n except KeyError:\n  pass", [RAISED]),
        ("def own():\n def inner(): charge()\n return inner", []),
        ("def own(): return lambda: charge()", []),
        ("def own():\n raise ValueError", [RAISED]),
        ("def own(): yield charge()", []),
        ("def own(): own()", [RAISED]),
        ("@traced\ndef own(): return 1", [RAISED]),
        ("@wraps(charge)\ndef own(): return 1", [RAISED]),
        ("class own: pass", []),
        ("class own(traced): pass", [RAISED]),
        ("class own(metaclass=traced): pass", [RAISED]),
        ("@dataclass\nclass own(traced):\n sku: str", []),
        ("@dataclass(frozen=True)\nclass own(traced):\n sku: str", []),
        ("@dataclass\nclass own:\n def __post_init__(self): charge()", [RAISED]),
        ("class own:\n def __init__(self): self.sku = 1", []),
        ("class own:\n def __init__(self): charge()", [RAISED]),
    ],
)
def test_what_the_file_defines_raises_only_what_its_body_may(
    defined: str, severity: list[str]
) -> None:
    assert severities("OTK101", between("own()", f"{defined}\n")) == severity


@pytest.mark.parametrize(("count", "severity"), [(4, []), (5, [RAISED])])
def test_calls_are_followed_only_so_far(count: int, severity: list[str]) -> None:
    chain = [f"def own{number}(): return own{number + 1}()\n" for number in range(1, count)]
    last = f"def own{count}(): return 1\n"
    assert severities("OTK101", between("own1()", "".join([*chain, last]))) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("while order.more:\n if value: break\nspan.end()", []),
        ("while order.more:\n return\nspan.end()", [MISSED]),
        ("while True:\n if value: break\nspan.end()", []),
        ("while 1:\n if value: break\nspan.end()", []),
        ("while value:\n pass\nelse:\n span.end()", []),
        ("while value:\n break\nelse:\n span.end()", [MISSED]),
        ("with contextlib.suppress(KeyError):\n charge()\nspan.end()", [RAISED]),
        ("with contextlib.suppress(KeyError):\n charge()\n span.end()", [RAISED]),
        (f"try:\n {SUPPRESSED}\nexcept Exception:\n span.end()", [RAISED]),
        (f"for row in rows:\n try:\n  {SWALLOWED}\n finally: print()\nspan.end()", []),
        (f"try:\n for row in rows:\n  {SWALLOWED}\nfinally: span.end()", []),
        ("try:\n charge()\nfinally:\n while value:\n  pass\n span.end()", []),
        ("try:\n charge()\nfinally:\n pass\nspan.end()", [RAISED]),
        ("for row in rows:\n try:\n  charge()\n finally:\n  continue\nspan.end()", []),
        ("try:\n charge()\nfinally:\n try:\n  charge()\n finally:\n  span.end()", []),
        ("match value:\n case 1: span.end()\n case _: span.end()", []),
        ("match value:\n case 1: span.end()\n case 2: span.end()", [MISSED]),
        ("match value:\n case 1 if span: span.end()", [MISSED]),
        ("match value:\n case _ if span: span.end()", []),
        ("match value:\n case _ if rows: span.end()", [MISSED]),
        ("match value:\n case _ if charge(): span.end()\n case _: span.end()", [RAISED]),
        ("if value:\n span.end()\n return\nspan.end()", []),
        ("return order\nspan.end()", [MISSED]),
    ],
)
def test_every_way_through_statements_is_gone(body: str, severity: list[str]) -> None:
    source = function(f"span = tracer.start_span('a')\n{body}")
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ("span", []),
        ("span is not None", []),
        ("span is None", [MISSED]),
        ("span != None", []),
        ("span == value", [MISSED]),
        ("span < None", [MISSED]),
        ("not span", [MISSED]),
        ("span.is_recording()", []),
        ("order.is_recording()", [MISSED]),
        ("isinstance(span, NonRecordingSpan)", [MISSED]),
        ("not isinstance(span, NonRecordingSpan)", []),
        ("(kept := value)", [MISSED]),
        ("span and span.is_recording()", []),
        ("span and value", [MISSED]),
        ("span or value", []),
        ("value or not span", [MISSED]),
        ("not (span is None or span is None)", []),
    ],
)
def test_a_test_of_the_span_itself_has_a_known_answer(condition: str, severity: list[str]) -> None:
    source = function(f"span = tracer.start_span('a')\nif {condition}:\n    span.end()")
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("if value:\n {start}\nif value:\n {end}", []),
        ("if value:\n {start}\nif not value:\n {end}", [MISSED]),
        ("if value:\n {start}\nvalue = order\nif value:\n {end}", [MISSED]),
        ("if not value:\n {start}\nif not value:\n {end}", []),
        ("if value:\n pass\nelse:\n {start}\nif not value:\n {end}", []),
        ("if value and rows:\n {start}\nif value:\n {end}\nif not value:\n return", []),
        ("if value or rows:\n {start}\nif value:\n {end}", [MISSED]),
        ("if not value:\n return\n{start}\nif value:\n {end}", []),
        ("if value:\n raise KeyError\n{start}\nif value:\n return\n{end}", []),
        ("if value: return\n{start}\nif not value:\n {end}", []),
        ("if value:\n print()\n{start}\nif value:\n {end}", [MISSED]),
        ("for row in rows:\n if row: continue\n {start}\n if not row:\n  {end}", []),
        ("on = True\n{start}\nif on:\n {end}", []),
        ("on = False\n{start}\nif on:\n {end}", [MISSED]),
        ("on: bool = True\n{start}\nif on:\n {end}", []),
        ("on = True\n{start}\non += 1\nif on:\n {end}", [MISSED]),
        ("on = True\nfor on in rows:\n pass\n{start}\nif on:\n {end}", [MISSED]),
        ("on = True\nwith order as on:\n pass\n{start}\nif on:\n {end}", [MISSED]),
        ("on = True\n{start}\nfor on in rows:\n pass\nif on:\n {end}", [MISSED]),
        ("on = None\nfor row in rows:\n on = row\n {start}\n if on:\n  {end}", [MISSED]),
        ("on = True\nfor row in rows:\n {start}\n if on:\n  {end}", []),
        ("on = True\nfor row in rows:\n {start}\n if on:\n  {end}\n on = False", [MISSED]),
        ("for row in rows:\n on = True\n {start}\n if on:\n  {end}", []),
        ("on = True\nif rows:\n on = value\n {start}\n if on:\n  {end}", [MISSED]),
        ("on = True\nif rows:\n on = value\n{start}\nif on:\n {end}", [MISSED]),
        ("on = True\n{start}\n{end}\n{start}\nif on:\n {end}", []),
        (
            "if value:\n print()\nif span := tracer.start_span('a'):\n pass\nif value:\n {end}",
            [MISSED],
        ),
        ("on = True\n{start}\nif (on := value) and rows:\n charge()\nif on:\n {end}", [MISSED]),
        (
            "on = True\n{start}\ntry: charge()\nexcept Exception as on: pass\nif on:\n {end}",
            [RAISED],
        ),
        ("{start}\nfor row in rows:\n if not row:\n  return\n{end}", [MISSED]),
        ("{start}\nfor row in rows:\n if row:\n  charge()\nif not row:\n {end}", [MISSED]),
        ("on = True\n{start}\nmatch value:\n case 1 if on:\n  {end}", [MISSED]),
        ("on = True\n{start}\nmatch value:\n case _ if on:\n  {end}", []),
        ("on = False\n{start}\nmatch value:\n case 1 if on:\n  return\n case _:\n  {end}", []),
        ("{start}\nif value.sku:\n {end}\nif not value.sku:\n {end}", []),
        ("{start}\nif value():\n {end}\nif not value():\n {end}", [MISSED]),
        ("{start}\non = bool(rows)\nif on:\n {end}\non = bool(rows)\nif not on:\n {end}", []),
    ],
)
def test_the_same_condition_asked_twice_has_one_answer(body: str, severity: list[str]) -> None:
    source = function(body.format(start="span = tracer.start_span('a')", end="span.end()"))
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("{start}\nsame = span\nsame.end()", []),
        ("{start}\nspan = order\nspan.end()", [MISSED]),
        ("{start}\nspan, other = order\nspan.end()", [MISSED]),
        ("{start}\ndel span", [MISSED]),
        ("{start}\ndel span, value", [MISSED]),
        ("{start}\nrows.append((span, value))", []),
        ("{start}\nreturn value, span", []),
        ("span, other = tracer.start_span('a'), value\nspan.end()", []),
        ("span, other = tracer.start_span('a'), value\nother.end()", [MISSED]),
        ("[span, other] = [tracer.start_span('a'), value]\nspan.end()", []),
        ("pair = tracer.start_span('a'), value\nreturn pair", []),
        ("other = span = tracer.start_span('a')\nother.end()", []),
        ("other = (span := tracer.start_span('a'))\nspan.end()", []),
        ("if span := tracer.start_span('a'):\n charge()\nspan.end()", [RAISED]),
        ("tracer.start_span('a').end()", []),
        ("tracer.start_span('a')", [MISSED]),
        ("tracer.start_span('a').set_attribute('b', 1)", [MISSED]),
        ("rows[0] = tracer.start_span('a')", []),
        ("span, *rest = tracer.start_span('a'), 1, 2", []),
        ("while True:\n pass\nelse:\n span = tracer.start_span('a')", []),
        ("rows = [tracer.start_span('a')]", []),
        ("order.span = tracer.start_span('a')", []),
        ("{start}\nstop = span.end\nstop()", []),
        ("{start}\nspan.end", [MISSED]),
        ("{start}\nspan.__enter__()\nspan.__exit__()", []),
        ("{start}\nwith span:\n charge()", []),
        ("{start}\nwith use_span(span):\n pass", [MISSED]),
        ("{start}\nwith use_span(span, True):\n charge()", []),
        ("{start}\nwith use_span(span) as span:\n pass\nspan.end()", []),
        ("{start}\n@traced(span)\ndef inner():\n pass", []),
        ("{start}\nclass Kept(traced, span=span):\n pass", []),
        ("{start}\nrows.sort(key=lambda span: span.end())", [MISSED]),
        ("{start}\nrows.append(lambda: span.end())", []),
        ("{start}\nrows.append(lambda span=span: span.end())", []),
        ("{start}\nrows.append(lambda it=span: it.end())", []),
        ("{start}\nrows.append(lambda span=rows: span.end())", [MISSED]),
        ("{start}\ndef stop(span=span):\n span.end()\nkeep(stop)", []),
        ("{start}\ndef stop():\n nonlocal span\n span.end()", []),
        ("{start}\ndef stop():\n def inner():\n  span.end()\n return inner\nkeep(stop)", []),
        ("{start}\ndef stop():\n def inner(span):\n  span.end()\n return inner", [MISSED]),
    ],
)
def test_who_has_the_span_decides_who_has_to_end_it(body: str, severity: list[str]) -> None:
    source = function(body.replace("{start}", "span = tracer.start_span('a')"))
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("helper", "call", "severity"),
    [
        ("def done(span): span.end()", "done(span)", []),
        ("def done(span): span.end()", "done(span=span)", []),
        ("def done(span): charge(span)", "done(span)", []),
        ("def done(span): span.set_attribute('a', 1)", "done(span)", [MISSED]),
        ("def done(span): print(span)", "done(*[1], span)", []),
        ("def done(*spans): print(spans)", "done(span)", []),
        ("def done(value, span):\n if value: span.end()", "done(value, span)", []),
        ("def done(span):\n with span: pass", "done(span)", []),
        ("def done(span): yield span", "done(span)", []),
        ("def done(span):\n same = span\n same.end()", "done(span)", []),
        (
            "class Done:\n def done(self, span): span.set_attribute('a', 1)",
            "Done.done(1, span)",
            [],
        ),
        (
            "class Done:\n @staticmethod\n def done(span): span.set_attribute('a', 1)",
            "Done.done(span)",
            [MISSED],
        ),
    ],
)
def test_a_function_of_the_file_is_followed_to_see_whether_it_ends_the_span(
    helper: str, call: str, severity: list[str]
) -> None:
    source = f"{helper}\n" + function(f"span = tracer.start_span('a')\n{call}")
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("test", "severity"),
    [
        ("asyncio.current_task() is task", []),
        ("id(asyncio.current_task()) == id(task)", []),
        ("task is kept", []),
        ("asyncio.current_task() is not task", [MISSED]),
        ("asyncio.current_task() in task", [MISSED]),
        ("asyncio.current_task() is task is not None", [MISSED]),
        ("asyncio.current_task() is order", [MISSED]),
        ("threading.get_ident() == order.thread", [MISSED]),
        ("task", [MISSED]),
        ("id(task, order) == id(task)", [MISSED]),
    ],
)
def test_a_token_may_be_detached_only_where_it_was_attached(test: str, severity: list[str]) -> None:
    body = f"""
        task = None
        task = asyncio.current_task()
        kept = task
        token = context.attach(order)
        if {test}:
            context.detach(token)
    """
    assert severities("OTK204", function(body)) == severity


@pytest.mark.parametrize(
    ("members", "severity"),
    [
        ("def done(self): self.span.end()", []),
        ("def done(self): print(self.span)", [MISSED]),
        ("def done(self): keep(getattr(self, 'span'))", []),
        ("__slots__ = ('span',)", []),
        ("def done(self, other): other.span.end()", []),
        ("pass", [MISSED]),
    ],
)
def test_a_span_on_an_object_is_its_methods_business(members: str, severity: list[str]) -> None:
    start = "def __init__(self):\n    self.span = tracer.start_span('a')\n"
    source = "class Kept:\n" + textwrap.indent(start + members + "\n", "    ")
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("self.span = tracer.start_span('a')\nself.span.end()", []),
        ("self.span = tracer.start_span('a')\ncharge()\nself.span.end()", [RAISED]),
        ("self.span.end()\nself.span = tracer.start_span('a')", []),
        ("order.span = tracer.start_span('a')", []),
        ("self.order.span = tracer.start_span('a')", []),
        ("self.span = self.last = tracer.start_span('a')", []),
    ],
)
def test_a_span_on_an_object_is_followed_where_one_method_alone_has_it(
    body: str, severity: list[str]
) -> None:
    method = function(body, "def handle(self, order):")
    assert severities("OTK101", "class Kept:\n" + textwrap.indent(method, "    ")) == severity


def test_a_class_that_has_nothing_to_do_with_it_ends_no_span_of_another() -> None:
    source = """
        class Kept:
            def start(self):
                self.span = tracer.start_span("a")
        class Another:
            def done(self):
                self.span.end()
        class Heir(Kept):
            pass
    """
    assert severities("OTK101", source) == [MISSED]


@pytest.mark.parametrize(
    ("helper", "severities_at"),
    [
        ("def begin(): return tracer.start_span('a')", [MISSED]),
        ("def begin():\n span = tracer.start_span('a')\n return span", [MISSED]),
        ("def begin():\n with tracer.start_span('a') as span:\n  return span", []),
        ("def begin():\n yield tracer.start_span('a')", []),
        ("def begin(): return charge()", []),
        ("def begin(): return again()\ndef again(): return tracer.start_span('a')", [MISSED]),
    ],
)
def test_a_call_of_what_starts_a_span_is_a_start(helper: str, severities_at: list[str]) -> None:
    source = f"{helper}\n" + function("span = begin()\norder.begin()")
    assert severities("OTK101", source) == severities_at


def test_a_global_that_holds_a_span_is_not_followed() -> None:
    source = "last = None\n" + function("global last\nlast = tracer.start_span('a')")
    assert severities("OTK101", source) == []


def test_a_script_is_followed_as_a_function_is() -> None:
    source = "span = tracer.start_span('a')\nif charge:\n    span.end()\n"
    assert severities("OTK101", source) == [MISSED]


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("span = tracer.start_span('a')\non_error(charge)\nspan.end()\n", [RAISED]),
        ("span = tracer.start_span('a')\nfirst = charge[0]\nspan.end()\n", [RAISED]),
        ("span = tracer.start_span('a')\nprint(charge)\nspan.end()\n", []),
    ],
)
def test_a_script_may_end_early_as_well(source: str, severity: list[str]) -> None:
    assert severities("OTK101", source) == severity


def test_a_start_that_is_configured_as_well_is_told_once() -> None:
    source = SETUP + function("span = tracer.start_span('a')")
    options = Options(start_signatures=frozenset({"tracer.start_span"}))
    found = lint_source(source.encode(), "shop.py", [RULES["OTK101"]], options)
    assert isinstance(found, list)
    assert len(found) == 1


@pytest.mark.parametrize(("lines", "count"), [(10, 1), (400, 0)])
def test_what_is_done_long_after_the_end_is_not_looked_for(lines: int, count: int) -> None:
    body = "span = tracer.start_span('a')\nspan.end()\n" + "print()\n" * lines
    assert len(findings("OTK106", function(body + "span.set_status(value)"))) == count
