"""The ways through a function: blocks left early, handlers, what `finally` goes on to."""

import textwrap

import libcst as cst
import pytest
from flow_sources import (
    CANCELLED,
    MISSED,
    RAISED,
    RULES,
    SETUP,
    between,
    findings,
    function,
    severities,
    taken,
)

from otelkata.lint.engine import lint_source
from otelkata.lint.flow import ownership
from otelkata.lint.flow.ownership import FURTHEST
from otelkata.lint.meaning.module import Module
from otelkata.lint.options import Options

START = "span = tracer.start_span('a')"


def started(body: str) -> str:
    """Return `body` with each `{start}` replaced by the start of a span."""
    return textwrap.dedent(body).replace("{start}", START)


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("try: return\nfinally: span.end()", []),
        ("try: return\nfinally: print()\nspan.end()", [MISSED]),
        ("try:\n try: return\n finally: print()\nfinally: span.end()", []),
        ("try:\n try: return\n finally: span.end()\nfinally: print()", []),
        ("try:\n try: return\n finally: return\nfinally: span.end()", []),
        ("try:\n try: return\n finally: print()\nfinally: print()\nspan.end()", [MISSED]),
        ("try: return\nfinally:\n try: print()\n finally: print()\n span.end()", []),
        ("try: return\nfinally:\n try: print()\n finally: span.end()", []),
        ("try: return\nfinally:\n try: charge()\n except Exception: span.end()", [MISSED]),
        ("try: return\nfinally:\n while value: print()\n span.end()", []),
        ("try: return\nfinally:\n for row in rows: print()\n span.end()", []),
        ("try: return\nfinally:\n if value: span.end()\n else: span.end()", []),
        ("try: return\nfinally:\n if value: print()\nspan.end()", [MISSED]),
        ("try: return\nfinally:\n with order: print()\n span.end()", []),
        ("try: return\nfinally:\n try: raise KeyError\n except KeyError: span.end()", []),
        ("try: return\nfinally:\n match value:\n  case _: span.end()", []),
        ("try: print()\nfinally:\n match value:\n  case 1 if rows: print()\nspan.end()", []),
        ("try: print()\nfinally:\n while value: print()\nspan.end()", []),
        ("try: print()\nfinally:\n for row in rows: print()\nspan.end()", []),
        ("try: print()\nfinally:\n try: raise KeyError\n except KeyError: pass\nspan.end()", []),
        ("try: print()\nfinally:\n with contextlib.suppress(KeyError): pass\nspan.end()", []),
        (
            (
                "try: charge()\nfinally:\n try: charge()\n finally:\n  try: pass\n"
                "  finally: print()\n span.end()"
            ),
            [RAISED],
        ),
        (
            (
                "try: charge()\nfinally:\n try: print()\n finally:\n  try: pass\n"
                "  finally: print()\n span.end()"
            ),
            [],
        ),
        ("try: print()\nfinally:\n try: print()\n finally: print()\nspan.end()", []),
        (
            "try: charge()\nfinally:\n with contextlib.suppress(Exception): charge()\n span.end()",
            [],
        ),
        ("try: print()\nfinally:\n with order, value: print()\nspan.end()", []),
        ("try: print()\nfinally:\n with use_span(order, True): print()\nspan.end()", []),
        ("try: charge()\nfinally:\n with use_span(order, True): print()\nspan.end()", [RAISED]),
        ("try: charge()\nfinally:\n with use_span(order, True): print()\n span.end()", []),
        ("try: charge()\nfinally:\n try: charge()\n except Exception: pass\n span.end()", []),
        ("try: charge()\nfinally:\n try: charge()\n except Exception: pass\nspan.end()", [RAISED]),
        ("try: pass\nfinally: print()\nspan.end()", []),
        ("while True:\n try: break\n finally: span.end()", []),
        ("while True:\n try: break\n finally: print()\nspan.end()", []),
        ("while True:\n try:\n  try: break\n  finally: print()\n finally: span.end()", []),
        ("for row in rows:\n try: break\n finally: print()\nelse:\n return\nspan.end()", [MISSED]),
        ("for row in rows:\n try: break\n finally: print()\nelse:\n span.end()", [MISSED]),
        ("for row in rows:\n try: continue\n finally: print()\nelse:\n span.end()", []),
        ("for row in rows:\n try: continue\n finally: print()\nspan.end()", []),
        ("try:\n for row in rows: break\nfinally: span.end()", []),
        ("try:\n try: raise KeyError\n finally: span.end()\nexcept KeyError: pass", []),
        ("try:\n try: raise KeyError\n finally: print()\nexcept KeyError: span.end()", []),
        ("try:\n try: charge()\n finally: span.end()\nexcept KeyError: pass", []),
        ("try: charge()\nexcept KeyError: print()\nelse: print()\nfinally: span.end()", []),
        ("try: print()\nexcept KeyError: print()\nelse: charge()\nfinally: span.end()", []),
        ("try: charge()\nexcept KeyError: charge()\nfinally: span.end()", []),
        ("try: charge()\nexcept KeyError: return\nfinally: span.end()", []),
        ("try: charge()\nexcept Exception: return\nfinally: print()\nspan.end()", [RAISED]),
    ],
)
def test_a_finally_is_on_every_way_out_of_its_block(body: str, severity: list[str]) -> None:
    assert severities("OTK101", function(f"{START}\n{body}")) == severity


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("while True:\n try: continue\n finally: span.end()", 1),
        ("while True:\n try:\n  try: continue\n  finally: print()\n finally: span.end()", 1),
        ("for row in rows:\n try: continue\n finally: print()\n span.end()", 0),
        ("while True:\n try: break\n finally: span.end()\nspan.end()", 1),
        ("try: return span.end()\nfinally: span.end()", 1),
        ("try: return span.end()\nfinally: print()\nspan.end()", 0),
        ("try:\n try: raise KeyError\n finally: span.end()\nexcept KeyError: span.end()", 1),
    ],
)
def test_each_way_passes_a_finally_once(body: str, count: int) -> None:
    assert len(findings("OTK105", function(f"{START}\n{body}"))) == count


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("try: charge()\nfinally:\n {start}\nspan.end()", []),
        ("try: charge()\nfinally:\n {start}\n span.end()", []),
        ("try: charge()\nfinally:\n {start}", [MISSED]),
        ("try:\n try: charge()\n finally:\n  {start}\nfinally: span.end()", []),
        ("try:\n try: charge()\n finally:\n  {start}\nfinally: print()\nspan.end()", []),
        ("try:\n try: charge()\n finally:\n  {start}\nfinally: print()", [MISSED]),
        ("try: charge()\nfinally:\n try: print()\n finally:\n  {start}\nspan.end()", []),
        ("try: charge()\nfinally:\n try: print()\n finally:\n  {start}\n span.end()", []),
        ("for row in rows:\n try: charge()\n finally:\n  {start}\n span.end()", []),
        ("with use_span(order, True):\n {start}\nspan.end()", []),
        ("with use_span(order, True):\n try: charge()\n finally:\n  {start}\nspan.end()", []),
    ],
)
def test_a_span_that_starts_in_a_finally_goes_on_where_the_block_does(
    body: str, severity: list[str]
) -> None:
    assert severities("OTK101", function(started(body))) == severity


def test_a_function_may_begin_with_a_finally() -> None:
    helper = "def own(span):\n try: pass\n finally: print()\n span.end()\n"
    assert severities("OTK101", helper + function(f"{START}\nown(span)")) == []


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("try: raise KeyError\nexcept KeyError: span.end()", []),
        ("try: raise KeyError(value)\nexcept KeyError: span.end()", []),
        ("try: raise shop.SoldOut\nexcept SoldOut: span.end()", []),
        ("try: raise shop.errors.SoldOut(value)\nexcept SoldOut: span.end()", []),
        ("try: raise KeyError\nexcept shop.KeyError: span.end()", []),
        ("try: raise OSError\nexcept KeyError: span.end()", [RAISED]),
        ("try: raise kind()\nexcept KeyError: span.end()", [RAISED]),
        ("try: raise kinds[0]\nexcept KeyError: span.end()", [RAISED]),
        ("try: raise\nexcept KeyError: span.end()", [RAISED]),
        ("try: raise OSError\nexcept KeyError: return\nexcept OSError: span.end()", []),
        ("try: raise OSError\nexcept (KeyError, OSError): span.end()", []),
        ("try: raise OSError\nexcept OSError: span.end()\nexcept OSError: return", []),
        ("try: raise OSError\nexcept Exception: span.end()", []),
        ("try: raise OSError\nexcept: span.end()", []),
        ("try: raise OSError\nexcept KeyError: return\nexcept: span.end()", [RAISED]),
        ("try:\n try: raise OSError\n except KeyError: return\nexcept OSError: span.end()", []),
        (
            "try:\n try: raise OSError\n except Exception: print()\nexcept OSError: span.end()",
            [RAISED],
        ),
        ("try:\n try: raise OSError\n except OSError: raise\nexcept OSError: span.end()", [RAISED]),
        (
            (
                "try:\n try: raise OSError\n except OSError: raise KeyError\n"
                "except KeyError: span.end()"
            ),
            [],
        ),
        (
            "try: charge()\nexcept KeyError: raise OSError\nexcept OSError: print()\nspan.end()",
            [RAISED],
        ),
        ("try: print()\nexcept OSError: span.end()\nelse: raise OSError", [RAISED]),
        (
            (
                "try:\n try: raise OSError\n except KeyError: pass\n except Exception: pass\n"
                "except OSError: return\nspan.end()"
            ),
            [],
        ),
        (
            (
                "try: charge()\n"
                "except (CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit): return\n"
                "except Exception: pass\nspan.end()"
            ),
            [],
        ),
        ("try: raise OSError\nexcept* OSError: span.end()", []),
        ("try: charge()\nexcept* Exception: print()\nspan.end()", []),
        ("try: charge()\nexcept* OSError: print()\nspan.end()", [RAISED]),
        ("try: charge()\nexcept (KeyError, Exception): print()\nspan.end()", []),
        ("try: charge()\nexcept kinds[0]: print()\nspan.end()", [RAISED]),
        ("try: charge()\nexcept (OSError, kinds[0]): print()\nspan.end()", [RAISED]),
        ("try: charge()\nexcept builtins.Exception: print()\nspan.end()", []),
        ("try: charge()\nexcept KeyError: return\nspan.end()", [RAISED]),
        ("try: charge()\nexcept BaseException: print()\nexcept KeyError: return\nspan.end()", []),
        ("try: charge()\nexcept Exception: print()\nelse: return\nspan.end()", [MISSED]),
        ("try: print()\nexcept Exception: print()\nelse: charge()\nspan.end()", [RAISED]),
        ("try: print()\nexcept Exception: return\nelse: print()\nspan.end()", []),
        ("with contextlib.suppress(KeyError): raise KeyError\nspan.end()", [RAISED]),
        ("with contextlib.suppress(Exception): raise KeyError\nspan.end()", []),
        ("with contextlib.suppress(BaseException): charge()\nspan.end()", []),
        ("with contextlib.suppress(): charge()\nspan.end()", [RAISED]),
        ("with contextlib.suppress(KeyError, builtins.Exception): charge()\nspan.end()", []),
        ("with suppress(Exception), order: charge()\nspan.end()", []),
        ("with suppress(KeyError), suppress(Exception): charge()\nspan.end()", []),
        ("with suppress(Exception): return\nspan.end()", [MISSED]),
        ("with suppress(Exception):\n charge()\n span.end()", [RAISED]),
        (
            "try:\n with suppress(Exception): raise KeyError\nexcept KeyError: return\nspan.end()",
            [],
        ),
        ("with pytest.raises(KeyError): raise KeyError\nspan.end()", [RAISED]),
        ("try:\n with order.open():\n  charge()\n  span.end()\nexcept Exception: span.end()", []),
        ("try:\n with order.suppress:\n  charge()\n  span.end()\nexcept OSError: pass", [RAISED]),
        ("with suppress(KeyError), traced(Exception): charge()\nspan.end()", [RAISED]),
        ("with suppress(KeyError), order.suppress: charge()\nspan.end()", [RAISED]),
        ("with suppress(KeyError), order: charge()\nspan.end()", [RAISED]),
        ("with charge[0](Exception): charge()\nspan.end()", [RAISED]),
    ],
)
def test_an_exception_goes_to_the_handlers_that_may_catch_it(
    body: str, severity: list[str]
) -> None:
    assert severities("OTK101", function(f"{START}\n{body}")) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("with suppress(BaseException): await charge()\nspan.end()", []),
        ("with suppress(asyncio.CancelledError, Exception): await charge()\nspan.end()", []),
        (
            (
                "with suppress(Exception), suppress(asyncio.CancelledError): await charge()\n"
                "span.end()"
            ),
            [],
        ),
        ("with suppress(asyncio.CancelledError): await charge()\nspan.end()", [RAISED]),
        ("with suppress(GeneratorExit): yield\nspan.end()", []),
        ("try:\n async with order: span.end()\nexcept Exception: span.end()", [CANCELLED]),
        ("try:\n with order: span.end()\nexcept Exception: span.end()", []),
        ("try:\n async with order: span.end()\nexcept BaseException: span.end()", []),
        ("try: await charge()\nfinally: span.end()", []),
        ("try: await charge()\nexcept Exception: print()\nfinally: span.end()", []),
        (
            "try: await charge()\nexcept Exception: print()\nfinally: print()\nspan.end()",
            [CANCELLED],
        ),
        (
            (
                "try:\n async for row in rows: print()\n"
                "except (Exception, GeneratorExit): print()\nspan.end()"
            ),
            [CANCELLED],
        ),
        ("try: yield\nexcept (KeyError, GeneratorExit): print()\nspan.end()", []),
    ],
)
def test_cancellation_and_close_go_the_ways_of_exceptions(body: str, severity: list[str]) -> None:
    source = function(f"{START}\n{body}", "async def handle(order, rows, value):")
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (
            "if value: span.end()\nelif rows: span.end()\nelif order: span.end()\nelse: span.end()",
            [],
        ),
        ("if value: span.end()\nelif rows: span.end()\nelif order: span.end()", [MISSED]),
        (
            "if value: span.end()\nelif rows: return\nelif order: span.end()\nelse: span.end()",
            [MISSED],
        ),
        ("if value: span.end()\nelif charge(): span.end()\nelse: span.end()", [RAISED]),
        ("if value: span.end()\nelse: charge()", [MISSED]),
        ("if charge(): pass\nspan.end()", [RAISED]),
        ("while True:\n if value:\n  span.end()\n  return", []),
        ("while 1:\n if value:\n  span.end()\n  return", []),
        ("while 2:\n if value:\n  span.end()\n  return", [MISSED]),
        ("while False:\n span.end()", [MISSED]),
        ("while True: print()\nspan.end()", []),
        ("while charge(): print()\nspan.end()", [RAISED]),
        ("while value:\n if rows: continue\n span.end()\n return\nspan.end()", []),
        ("while value:\n if rows: break\n span.end()\n return\nspan.end()", []),
        ("while value:\n if rows: break\n return\nelse: return\nspan.end()", [MISSED]),
        ("while value:\n if rows: break\nelse:\n span.end()\n return\nspan.end()", []),
        ("for row in rows:\n if row: continue\n return\nspan.end()", [MISSED]),
        ("for row in rows: break\nelse:\n span.end()\n return\nspan.end()", []),
        ("for row in rows: span.end()\nelse: span.end()", []),
        ("for row in rows: span.end()", [MISSED]),
        ("for row in rows: charge()\nspan.end()", [RAISED]),
        ("for row in charge(): print()\nspan.end()", [RAISED]),
        (
            (
                "for row in rows:\n for other in row:\n  if other: break\n span.end()\n"
                " return\nspan.end()"
            ),
            [],
        ),
        ("match value:\n case 1: span.end()\n case other: span.end()", []),
        ("match value:\n case 1: span.end()\n case [1, *_]: span.end()", [MISSED]),
        ("match value:\n case 1 as other: span.end()", [MISSED]),
        ("match value:\n case 1: return\n case _: span.end()", [MISSED]),
        ("match charge():\n case _: span.end()", [RAISED]),
        ("match value:\n case 1: charge()\n case _: pass\nspan.end()", [RAISED]),
        ("match value:\n case 1: return span.end()\nspan.end()", []),
        ("match value:\n case 1 if rows: span.end()\n case _: return", [MISSED]),
        ("match value:\n case _ if rows: return\n case _: span.end()", [MISSED]),
        (
            (
                "match value:\n case 1 | 2: span.end()\n case _ if rows: span.end()\n"
                " case _: span.end()"
            ),
            [],
        ),
        ("while span is None: return\nspan.end()", []),
        ("while not span:\n print()\nelse:\n span.end()", []),
        ("while value:\n continue\n return\nspan.end()", []),
        ("while value:\n break\n return\nspan.end()", []),
        ("for row in rows:\n continue\n return\nspan.end()", []),
        ("for row in rows:\n break\n return\nspan.end()", []),
        ("for row in rows:\n try:\n  continue\n  return\n finally: print()\nspan.end()", []),
        ("for row in rows:\n try:\n  break\n  return\n finally: print()\nspan.end()", []),
        ("return charge()\nspan.end()", [MISSED]),
        ("return span.end()", []),
        ("assert charge()\nspan.end()", [RAISED]),
        ("print(); span.end(); return", []),
        ("global other; span.end()", []),
    ],
)
def test_a_block_is_left_at_its_end_or_where_it_says(body: str, severity: list[str]) -> None:
    assert severities("OTK101", function(f"{START}\n{body}")) == severity


def test_the_level_of_a_module_is_gone_through_as_a_function_is() -> None:
    assert severities("OTK101", f"{START}\ncharge()\nspan.end()\n") == [RAISED]
    assert severities("OTK101", f"{START}\nspan.end()\n") == []
    assert severities("OTK101", f"{START}\nprint()\n") == [MISSED]


@pytest.mark.parametrize("word", ["break", "continue"])
def test_a_word_that_leaves_no_loop_leads_nowhere_else(word: str) -> None:
    assert severities("OTK101", function(f"{START}\nif value: {word}\nspan.end()")) == []
    inside = f"{START}\ntry:\n if value: {word}\nfinally: print()\nspan.end()"
    assert severities("OTK101", function(inside)) == []


@pytest.mark.parametrize("name", ["pytest.raises", "contextlib.suppress"])
def test_what_may_stop_an_exception_goes_on_after_the_block(name: str) -> None:
    body = f"try:\n with {name}(KeyError):\n  charge()\n  span.end()\nexcept Exception: span.end()"
    assert severities("OTK101", function(f"{START}\n{body}")) == [RAISED]


@pytest.mark.parametrize(
    ("defined", "severity"),
    [
        *(
            (f"@{name}\ndef own(): return 1", [])
            for name in ("classmethod", "final", "override", "property", "staticmethod")
        ),
        ("@typing.override\ndef own(): return 1", []),
        ("@staticmethod\n@traced\ndef own(): return 1", [RAISED]),
        ("@traced()\ndef own(): return 1", [RAISED]),
        ("def own():\n try: charge()\n except BaseException: pass", []),
        ("def own():\n try: charge()\n except builtins.Exception: pass", []),
        ("def own():\n try: charge()\n except kinds(): pass", [RAISED]),
        ("def own():\n try: charge()\n except: pass", []),
        ("def own():\n try: charge()\n except KeyError: pass\n except Exception: pass", []),
        ("def own():\n try: pass\n except Exception: charge()", [RAISED]),
        ("def own():\n try: pass\n except Exception: pass\n else: charge()", [RAISED]),
        ("def own():\n try: pass\n finally: charge()", [RAISED]),
        ("async def own(): charge()", []),
        ("def own():\n for row in order.get('a'): pass", [RAISED]),
        ("def own():\n for row in order.headers: pass", []),
        ("def own():\n def inner(): yield 1\n charge()", [RAISED]),
        ("def own(value=charge()): return 1", []),
        ("def own():\n class Inner:\n  value = charge()", []),
        ("class own:\n def __new__(cls): return charge()", [RAISED]),
        ("class own:\n def __init__(self): pass\n def __init__(self): pass", [RAISED]),
        ("class own:\n __init__ = charge", [RAISED]),
        ("class own:\n def other(self): charge()", []),
        ("class own: pass\nclass own: pass", [RAISED]),
        ("own = charge", [RAISED]),
        ("class own(traced):\n def __init__(self): pass", []),
        ("@traced.dataclass\nclass own(traced): pass", []),
        ("@traced\nclass own(traced): pass", [RAISED]),
        ("@traced[0]\nclass own(traced): pass", [RAISED]),
        ("@traced\n@dataclass\nclass own(traced): pass", []),
    ],
)
def test_what_is_called_here_is_read_for_what_it_may_raise(
    defined: str, severity: list[str]
) -> None:
    assert severities("OTK101", between("own()", f"{defined}\n")) == severity


def test_a_class_is_looked_up_where_it_is_called() -> None:
    body = f"class own: pass\n{START}\nown()\nspan.end()"
    assert severities("OTK101", function(body)) == []
    assert severities("OTK101", between("order.own()", "class own: pass\n")) == [RAISED]


@pytest.mark.parametrize(("count", "severity"), [(4, []), (5, [RAISED])])
def test_each_call_is_followed_as_far_as_the_first(count: int, severity: list[str]) -> None:
    defined = ["def first(): return 1\n"]
    defined += [f"def own{number}(): return own{number + 1}()\n" for number in range(1, count)]
    defined += [f"def own{count}(): return 1\n"]
    assert severities("OTK101", between("own1()\nfirst()", "".join(defined))) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("def stop(): span.end()\n{start}\nkeep(stop)", []),
        ("stop = lambda: span.end()\n{start}\nkeep(stop)", []),
        ("def stop(): print(span)\n{start}", [MISSED]),
    ],
)
def test_a_function_inside_may_take_the_span_wherever_it_is_made(
    body: str, severity: list[str]
) -> None:
    assert severities("OTK101", function(started(body))) == severity


def test_a_span_on_an_object_is_followed_in_a_function_inside_of_a_method() -> None:
    source = """
        class Kept:
            def handle(self):
                def inner():
                    self.span = tracer.start_span("a")
                    charge()
                    self.span.end()
                inner()
    """
    assert severities("OTK101", source) == [RAISED]


def test_what_a_function_asks_twice_is_remembered_from_its_beginning() -> None:
    helper = "def own(span, on):\n if on: span.end()\n if not on: span.end()\n"
    assert severities("OTK101", helper + function(f"{START}\nown(span, value)")) == []


@pytest.mark.parametrize(
    ("body", "when"),
    [
        ("print()", "on every path"),
        ("charge()\nspan.end()", "when an exception is raised"),
        ("yield\nspan.end()", "when the generator is closed early"),
        (
            "try: charge()\nexcept Exception: yield\nspan.end()",
            "when the generator is closed early",
        ),
        (
            "try: yield\nexcept GeneratorExit: await charge()\nspan.end()",
            "when the generator is closed early",
        ),
        (
            (
                "try: yield\nexcept GeneratorExit:\n try: await charge()\n except Exception: pass\n"
                "span.end()"
            ),
            "when the task is cancelled",
        ),
        ("try: await charge()\nexcept Exception: pass\nspan.end()", "when the task is cancelled"),
    ],
)
def test_a_path_is_as_unusual_as_its_most_unusual_step(body: str, when: str) -> None:
    source = function(f"{START}\n{body}", "async def handle(order):")
    [finding] = findings("OTK101", source)
    assert f" {when};" in finding.message


def nested(count: int, last: str) -> str:
    """Return so many functions, each of which gives its span to the next one; `last` gets it."""
    chain = [f"def own{number}(span): own{number + 1}(span)\n" for number in range(1, count)]
    return "".join([*chain, f"def own{count}(span): {last}\n"])


@pytest.mark.parametrize(("count", "severity"), [(FURTHEST, [MISSED]), (FURTHEST + 1, [])])
@pytest.mark.parametrize("before", ["", "seen(span)"])
def test_a_span_is_followed_so_far_and_believed_beyond(
    before: str, count: int, severity: list[str]
) -> None:
    source = "def seen(span): print(span)\n" + nested(count, "print(span)")
    assert severities("OTK101", source + function(f"{START}\n{before}\nown1(span)")) == severity


def test_each_function_is_asked_what_it_does_itself() -> None:
    source = "def seen(span): print(span)\ndef done(span): span.end()\n"
    assert severities("OTK101", source + function(f"{START}\nseen(span)\ndone(span)")) == []
    names = [f"seen{number}" for number in range(FURTHEST + 1)]
    source = "".join(f"def {name}(span): print(span)\n" for name in names)
    calls = "\n".join(f"{name}(span)" for name in names)
    assert severities("OTK101", source + function(f"{START}\n{calls}")) == [MISSED]


@pytest.mark.parametrize(
    ("helper", "deeds"),
    [
        ("def own(span):\n if span.sku: span.end()", ["passed"]),
        ("def own(span):\n with span: pass", []),
        ("def own(span):\n for row in span: span.end()", ["passed"]),
        ("def own(span):\n span.end()\n return span", []),
    ],
)
def test_a_function_that_ends_the_span_on_some_paths_is_believed(
    helper: str, deeds: list[str]
) -> None:
    assert taken(f"{helper}\n" + function(f"{START}\nown(span)")) == deeds


def test_of_what_is_never_reached_nothing_is_said() -> None:
    body = "while True:\n pass\nelse:\n {start}\n span.end()"
    assert severities("OTK102", function(started(body))) == []


def kept(*members: str) -> str:
    """Return a class with these members."""
    text = "\n".join(textwrap.dedent(member).strip() for member in members)
    return "class Kept:\n" + textwrap.indent(text, "    ") + "\n"


@pytest.mark.parametrize(
    ("members", "severity"),
    [
        (
            (
                "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()",
                "def __exit__(self, *error): self.span.end()",
            ),
            [RAISED],
        ),
        (
            (
                "def __enter__(self):\n self.span = tracer.start_span('a')\n print()",
                "def __exit__(self, *error): self.span.end()",
            ),
            [],
        ),
        (
            (
                "async def __aenter__(self):\n self.span = tracer.start_span('a')\n charge()",
                "async def __aexit__(self, *error): self.span.end()",
            ),
            [RAISED],
        ),
        (
            (
                "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()",
                "def close(self): self.span.end()",
            ),
            [],
        ),
        (
            (
                "def open(self):\n self.span = tracer.start_span('a')\n charge()",
                "def __exit__(self, *error): self.span.end()",
            ),
            [],
        ),
        (
            (
                "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()",
                "def __exit__(self, *error): self.span.end()",
                "def close(self): self.span.end()",
            ),
            [],
        ),
        (
            (
                (
                    "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()\n"
                    " keep(self.span)"
                ),
                "def __exit__(self, *error): self.span.end()",
            ),
            [RAISED],
        ),
        (
            (
                (
                    "def open(self):\n self.span = tracer.start_span('a')\n charge()\n"
                    " if self.late: self.span.end()"
                ),
                "def close(self): self.span.end()",
            ),
            [],
        ),
        (
            (
                (
                    "def open(self):\n self.span.end()\n self.span = tracer.start_span('a')\n"
                    " charge()\n"
                    " self.span.end()"
                ),
            ),
            [RAISED],
        ),
        (("def open(self): self.span = tracer.start_span('a')", "span = None"), [MISSED]),
        (
            ("def open(self): self.span = tracer.start_span('a')", "def own(self): del self.span"),
            [MISSED],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): return self.span",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): keep(self.span)",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): span = self.span",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): self.span.__enter__()",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): keep.last = self.span",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): return lambda: self.span.end()",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): keep(self.span.end)",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self):\n with self.span: pass",
            ),
            [],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): self.span.add_event('b')",
            ),
            [MISSED],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): print(self.last.span)",
            ),
            [MISSED],
        ),
        (("def open(self): self.span = tracer.start_span('a')", "def own(self): keep('span')"), []),
        (
            ("def open(self): self.span = tracer.start_span('a')", "def own(self): keep('spans')"),
            [MISSED],
        ),
        (
            (
                "def open(self): self.span = tracer.start_span('a')",
                "def own(self): keep(self.other)",
            ),
            [MISSED],
        ),
        (("def open(self):\n def inner(): self.span = tracer.start_span('a')", "pass"), [MISSED]),
        (("def open(me): me.span = tracer.start_span('a')", "pass"), [MISSED]),
        (("def open(me): self.span = tracer.start_span('a')", "pass"), []),
        (("def open(me): me.last.span = tracer.start_span('a')", "pass"), []),
        (("def open(self): self.span = self.last = tracer.start_span('a')", "pass"), []),
        (("def open(self): self.span = last = tracer.start_span('a')", "pass"), []),
        (("def open(self): self.spans['a'] = tracer.start_span('a')", "pass"), []),
        (("def open(self): self.span: Span = tracer.start_span('a')", "pass"), [MISSED]),
        (("def open(self): self.span, self.on = tracer.start_span('a'), 1", "pass"), [MISSED]),
        (("def open(self): self.span = [tracer.start_span('a')]", "pass"), []),
        (("span = tracer.start_span('a')",), []),
        (
            ("def open(self):\n self.span = tracer.start_span('a')\n getattr(self, 'span').end()",),
            [],
        ),
        (
            (
                "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()",
                "def __exit__(self, *error): self.span.end()",
                "async def __aexit__(self, *error): self.span.end()",
            ),
            [RAISED],
        ),
    ],
)
def test_a_span_of_an_object_is_looked_after_by_its_class(
    members: tuple[str, ...], severity: list[str]
) -> None:
    assert severities("OTK101", kept(*members)) == severity


@pytest.mark.parametrize(
    ("other", "severity"),
    [
        ("class Other:\n def done(self): self.span.end()", [MISSED]),
        ("class Other(Kept):\n def done(self): self.span.end()", []),
        ("class Other:\n def done(self): self.kept.span.end()", []),
        ("class Other:\n def done(self, kept): kept.span.end()", []),
        ("def done(kept): kept.span.end()", []),
        ("def done(self): self.span.end()", []),
    ],
)
def test_another_class_looks_after_its_own(other: str, severity: list[str]) -> None:
    source = kept("def open(self): self.span = tracer.start_span('a')")
    assert severities("OTK101", f"{source}{other}\n") == severity


def test_a_base_class_may_look_after_the_span() -> None:
    base = "class Base:\n def done(self): self.span.end()\n"
    source = base + kept("def open(self): self.span = tracer.start_span('a')")
    assert severities("OTK101", source) == [MISSED]
    assert severities("OTK101", source.replace("class Kept", "class Kept(Base)")) == []


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("first = other = tracer.start_span('a')\nfirst.end()", []),
        ("first = other = tracer.start_span('a')\nother.end()", []),
        ("first: Span = tracer.start_span('a')\nfirst.end()", []),
        ("first: Span = tracer.start_span('a')", [MISSED]),
        ("rows[0]: Span = tracer.start_span('a')", []),
        ("with tracer.start_span('a') as first: first = order", []),
        ("first, other = 1, tracer.start_span('a')\nother.end()", []),
        ("first, other = 1, tracer.start_span('a')\nfirst.end()", [MISSED]),
        ("last = first, other = 1, tracer.start_span('a')\nother.end()", []),
        ("first, *other = 1, tracer.start_span('a'), 2", []),
        ("first, order.span = 1, tracer.start_span('a')", []),
        ("first, (other, value) = 1, (tracer.start_span('a'), 2)", []),
        ("first = 1, (tracer.start_span('a'), 2)", []),
        ("(first, value), other = (1, 2), tracer.start_span('a')\nother.end()", []),
        ("first, other = (1, tracer.start_span('a')) if value else rows\nother.end()", []),
        ("first, other = (1, tracer.start_span('a')) if value else rows", [MISSED]),
        ("first = {1: tracer.start_span('a')}\nfirst.end()", []),
        ("first = {tracer.start_span('a')}\nfirst.end()", []),
        ("first = (other := tracer.start_span('a'))\nfirst.end()", []),
        ("first = value or tracer.start_span('a')\nfirst.end()", []),
        ("first = tracer.start_span('a') if value else None\nfirst.end()", []),
        ("first = [other := tracer.start_span('a')]\nother.end()", []),
        ("if (first := tracer.start_span('a')): first.end()", []),
        ("print(first := tracer.start_span('a'))\nfirst.end()", []),
        ("print(tracer.start_span('a'))", [MISSED]),
        ("value = len(tracer.start_span('a'))\nvalue.end()", [MISSED]),
        ("keep(tracer.start_span('a'))", []),
        ("tracer.start_span('a').add_event('b')", [MISSED]),
        ("value = tracer.start_span('a').end()", []),
        ("value = tracer.start_span('a').end", []),
        ("global first\nfirst = tracer.start_span('a')", []),
        ("return tracer.start_span('a')", []),
        ("first = lambda: tracer.start_span('a').add_event('b')", []),
        ("with tracer.start_span('a'): charge()", []),
        ("with tracer.start_span('a') as first: charge()", []),
        ("with tracer.start_span('a') as order.first: charge()", []),
        ("with use_span(tracer.start_span('a'), True): charge()", []),
        ("with use_span(tracer.start_span('a')): charge()", [MISSED]),
        ("with use_span(tracer.start_span('a')) as first:\n pass\nfirst.end()", [MISSED]),
    ],
)
def test_a_span_is_held_by_what_it_is_first_given_to(body: str, severity: list[str]) -> None:
    assert severities("OTK101", function(body)) == severity


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("def begin(): return tracer.start_span('a')\ndef own():\n s = begin()\n s.end()", []),
        ("def begin(): return tracer.start_span('a')\ndef own():\n begin()", [MISSED]),
        ("def begin(): return tracer.start_span('a')\ndef own():\n order.begin()", []),
        ("def begin(): return tracer.start_span('a')\ndef own(begin):\n begin()", []),
        ("def begin(): yield tracer.start_span('a')\ndef own():\n begin()", []),
        ("def begin(): return [tracer.start_span('a')]\ndef own():\n begin()", [MISSED]),
        ("begin = lambda: tracer.start_span('a')\ndef own():\n begin()", []),
        (
            "def begin():\n s = tracer.start_span('a')\n keep(s)\n return s\ndef own():\n begin()",
            [],
        ),
        (
            "def begin():\n s = tracer.start_span('a')\n s.end()\n return s\ndef own():\n begin()",
            [],
        ),
        (
            (
                "def begin(on):\n s = tracer.start_span('a')\n if on: s.end()\n return s\n"
                "def own():\n begin(1)"
            ),
            [],
        ),
        (
            (
                "def begin(on):\n s = tracer.start_span('a')\n if on:\n  keep(s)\n  return\n"
                " return s\ndef own():\n begin(1)"
            ),
            [MISSED],
        ),
        (
            "def begin():\n with tracer.start_span('a') as s: return s\ndef own():\n begin()",
            [],
        ),
        (
            (
                "def begin():\n with tracer.start_as_current_span('a') as s: return s\n"
                "def own():\n begin()"
            ),
            [],
        ),
        (
            "def begin():\n token = context.attach(1)\n return token\ndef own():\n begin()",
            [],
        ),
        (
            (
                "def one(): return tracer.start_span('a')\ndef two(): return one()\n"
                "def three(): return two()\ndef own():\n three()"
            ),
            [MISSED],
        ),
        (
            (
                "def one(): return tracer.start_span('a')\ndef two(): return one()\n"
                "def own():\n two()\n one()"
            ),
            [MISSED, MISSED],
        ),
        (
            (
                "def begin():\n if order: return begin()\n return tracer.start_span('a')\n"
                "def own():\n begin()"
            ),
            [MISSED],
        ),
        (
            (
                "class Own:\n def begin(self): return tracer.start_span('a')\n"
                " def own(self): self.begin()"
            ),
            [MISSED],
        ),
    ],
)
def test_what_a_function_returns_is_a_start_where_it_is_called(
    source: str, severity: list[str]
) -> None:
    assert severities("OTK101", f"{source}\n") == severity


def test_findings_come_in_the_order_of_the_source() -> None:
    source = "def own():\n begin()\n tracer.start_span('b')\n begin()\n"
    source += "def begin(): return tracer.start_span('a')\ndef last(): tracer.start_span('c')\n"
    lines = [finding.place.line - SETUP.count("\n") for finding in findings("OTK101", source)]
    assert lines == [2, 3, 4, 6]


@pytest.mark.parametrize(
    ("call", "name", "count"),
    [
        ("charge('a')", "charge", 1),
        ("charge('a')", "shop.charge", 1),
        ("order.begin('a')", "order.begin", 1),
        ("order.begin('a')", "begin", 0),
        ("keep('a')", "shop.charge", 0),
        ("order[0]('a')", "order", 0),
    ],
)
def test_a_call_that_is_configured_starts_a_span(call: str, name: str, count: int) -> None:
    source = SETUP + function(f"span = {call}")
    options = Options(start_signatures=frozenset({name}))
    found = lint_source(source.encode(), "shop.py", [RULES["OTK101"]], options)
    assert isinstance(found, list)
    assert [finding.certain for finding in found] == [False] * count


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("with {current}, end_on_exit=False) as span: pass", [MISSED]),
        ("with {current}, end_on_exit=False) as span: span.end()", []),
        ("with {current}, end_on_exit=False) as span:\n charge()\n span.end()", [RAISED]),
        ("with {current}, end_on_exit=False): pass", [MISSED]),
        ("with {current}, end_on_exit=False): pass\ntrace.get_current_span().end()", []),
        (
            "with {current}, end_on_exit=False) as span: pass\ntrace.get_current_span().end()",
            [MISSED],
        ),
        ("with {current}, end_on_exit=False) as order.span: pass", []),
        ("with {current}, end_on_exit=False) as (span, other): pass", []),
        ("with {current}, end_on_exit=False) as span: keep(span)", []),
        ("with {current}, end_on_exit=True) as span: pass", []),
        ("with {current}, end_on_exit=True): pass", []),
        ("with {current}) as span: pass", []),
        ("with {current}): pass", []),
        ("value = {current}, end_on_exit=False)", []),
        ("value = lambda: {current}, end_on_exit=False)", []),
    ],
)
def test_a_with_that_leaves_its_span_open_leaves_it_to_others(
    body: str, severity: list[str]
) -> None:
    source = function(body.replace("{current}", "tracer.start_as_current_span('a'"))
    assert severities("OTK104", source) == severity


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("span = tracer.start_span(charge())\nspan.end()", []),
        ("for row in rows:\n {start}\n span.end()", []),
        ("for row in rows:\n {start}\nspan.end()", [MISSED]),
        ("for row in rows:\n {start}\n if row: continue\n span.end()", [MISSED]),
        ("for row in rows:\n {start}\n if row: break\nspan.end()", [MISSED]),
        ("while True:\n {start}\n if value: break\n span.end()\nspan.end()", []),
        ("for row in rows:\n try:\n  {start}\n  charge()\n finally: span.end()", []),
        ("while True:\n {start}", [MISSED]),
        (
            "on = None\n{start}\ntry: on = charge()\nexcept Exception:\n if on: return\nspan.end()",
            [],
        ),
        (
            (
                "on = None\n{start}\ntry: on: int = charge()\n"
                "except Exception:\n if on: return\nspan.end()"
            ),
            [],
        ),
        (
            (
                "on = None\n{start}\ntry: on = charge()\n"
                "except Exception: pass\nif on: return\nspan.end()"
            ),
            [MISSED],
        ),
        (
            (
                "on = None\n{start}\ntry: charge(on := value)\n"
                "except Exception:\n if on: return\nspan.end()"
            ),
            [RAISED],
        ),
        ("{start}\nsame = span\nspan = order\nsame.end()", []),
        ("{start}\nsame = span\nsame = order\nspan.end()", []),
        ("{start}\nsame = span\nsame = span = order", [MISSED]),
        ("{start}\nfor span in rows: span.end()", [MISSED]),
        ("{start}\n(span, value) = rows\nspan.end()", [MISSED]),
        ("{start}\n[span] = rows\nspan.end()", [MISSED]),
        ("{start}\n*span, value = rows\nspan.end()", [MISSED]),
        ("{start}\n(span, value), order = rows\nspan.end()", [MISSED]),
        ("{start}\nif value: span = order\nspan.end()", [MISSED]),
        ("{start}\nif value: keep(span)", [MISSED]),
        ("{start}\nif value: keep(span)\nelse: span.end()", []),
        ("{start}\ncharge()\nkeep(span)", [RAISED]),
        ("{start}\nif value:\n with span: charge()\nelse: span.end()", []),
        ("{start}\nwith span, charge(): charge()", []),
        ("{start}\nwith charge(), span: charge()", [RAISED]),
        ("{start}\nwith use_span(span, end_on_exit=True): return", []),
        ("{start}\nwith use_span(span, end_on_exit=value): return", []),
        ("{start}\nwith contextlib.closing(span): charge()", []),
        (
            "{start}\ntask = asyncio.current_task()\nif asyncio.current_task() is task: span.end()",
            [MISSED],
        ),
        ("{start}\nvalue = order[0][1] if len(order) else None\nspan.end()", [RAISED]),
        ("{start}\nvalue: dict[str, list[int]] = order\nspan.end()", []),
        (
            (
                "{start}\ntry: charge()\nexcept Exception as error:\n def own(): on_error(error)\n"
                " own()\nspan.end()"
            ),
            [RAISED],
        ),
        ("{start}\nwith keep(span): charge()", []),
        ("{start}\nwith (span if value else order): charge()", []),
        ("with contextlib.ExitStack() as stack:\n {start}\n stack.enter_context(span)", []),
        ("with contextlib.ExitStack() as stack:\n {start}\n stack.callback(span.end)", []),
        ("{start}\nwith span, charge(), charge(): charge()", []),
        ("{start}\nwith span, suppress(KeyError): charge()", []),
        ("{start}\nwith suppress(Exception), charge(): charge()\nspan.end()", []),
        ("{start}\nwith charge(), suppress(Exception): charge()\nspan.end()", [RAISED]),
        ("{start}\nwith order, suppress(Exception): charge()\nspan.end()", []),
        ("{start}\nwith suppress(Exception), suppress(KeyError): charge()\nspan.end()", []),
        ("{start}\nwith suppress(OSError), suppress(KeyError): charge()\nspan.end()", [RAISED]),
    ],
)
def test_a_span_is_followed_by_each_of_its_names(body: str, severity: list[str]) -> None:
    assert severities("OTK101", function(started(body))) == severity


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ("span is None", [MISSED]),
        ("span == None", [MISSED]),
        ("not span == None", []),
        ("span is not None is not value", [MISSED]),
        ("value is not None", [MISSED]),
        ("span is not value", [MISSED]),
        ("span > None", [MISSED]),
        ("order.span", [MISSED]),
        ("not order", [MISSED]),
        ("not not span", []),
        ("span.is_recording", [MISSED]),
        ("not span.is_recording()", [MISSED]),
        ("span.is_sampled()", [MISSED]),
        ("is_recording()", [MISSED]),
        ("not isinstance(span, trace.NonRecordingSpan)", []),
        ("not isinstance(order, NonRecordingSpan)", [MISSED]),
        ("not isinstance(span, (NonRecordingSpan, int))", [MISSED]),
        ("not isinstance(span, Span)", [MISSED]),
        ("not isinstance(span)", [MISSED]),
        ("(same := span)", []),
        ("(span := order)", [MISSED]),
        ("span or value", []),
        ("value or span", []),
        ("not span or value", [MISSED]),
        ("span and not value", [MISSED]),
        ("not (value and not span)", []),
        ("not (not span and value)", []),
        ("not (value or span)", [MISSED]),
        ("not (span is None or value)", [MISSED]),
    ],
)
def test_of_a_held_span_a_test_says_what_it_must(condition: str, severity: list[str]) -> None:
    assert severities("OTK101", function(f"{START}\nif {condition}:\n    span.end()")) == severity


@pytest.mark.parametrize(
    ("code", "body", "lines"),
    [
        ("OTK105", "span.end()\nspan.end()", [3]),
        ("OTK105", "with span:\n span.end()", [3]),
        ("OTK105", "with span: pass\nspan.end()", [3]),
        ("OTK105", "span.end()\nwith span: pass", [2]),
        ("OTK105", "span.end()\nspan.end()\nspan.end()", [3, 4]),
        ("OTK105", "span.end()\nfor row in rows:\n span.end()", [4]),
        ("OTK105", "if value:\n span.end()\nelse:\n span.end()\nspan.end()", [6]),
        ("OTK105", "span.end()\nkeep(span)\nspan.end()", [4]),
        ("OTK105", "span.end()\ndef own(): span.end()", []),
        ("OTK106", "span.end()\nspan.set_status(1)\nspan.set_status(2)", [3, 4]),
        ("OTK106", "span.end()\nfor row in rows:\n span.set_status(1)", [4]),
        ("OTK106", "span.end()\nsame = span\nsame.set_status(1)", [4]),
        ("OTK106", "span.set_status(1)\nspan.end()", []),
        ("OTK106", "same = span\nkeep(same.end(), span.set_status(1))", [3]),
        ("OTK106", "same = span\nkeep(span.end(), same.set_status(1))", [3]),
        ("OTK106", "same = span\nkeep(span.set_status(1), same.end())", []),
        ("OTK106", "same = span\nkeep(same.set_status(1), span.end())", []),
    ],
)
def test_what_comes_after_the_end_is_told_where_it_stands(
    code: str, body: str, lines: list[int]
) -> None:
    before = SETUP.count("\n") + 1
    found = findings(code, function(f"{START}\n{body}"))
    assert [finding.place.line - before for finding in found] == lines


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ("{start}\npass", ["1 starts"]),
        ("{start}\nimport charge", ["1 starts"]),
        ("{start}\nreturn", ["1 starts", "2 leaves"]),
        ("{start}\nif value: return", ["1 starts", "2 leaves"]),
        (
            "{start}\ntry: charge()\nexcept KeyError: return\nspan.end()",
            ["1 starts", "2 exception"],
        ),
        ("{start}\ntry: charge()\nexcept KeyError: span.end()", ["1 starts", "2 leaves"]),
        ("for row in rows:\n {start}", ["2 starts", "2 leaves"]),
        ("{start}\nraise KeyError", ["1 starts", "2 exception"]),
        ("{start}\nspan = order", ["1 starts", "2 leaves"]),
        ("tracer.start_span('a')", ["1 starts"]),
        ("{start}\nwith order:\n charge()\nspan.end()", ["1 starts", "3 exception"]),
        ("{start}\ntry:\n charge()\nfinally:\n charge()\nspan.end()", ["1 starts", "5 exception"]),
        ("{start}\nassert value\nspan.end()", ["1 starts", "2 exception"]),
        (
            "{start}\ntry: charge()\nexcept OSError: print()\nspan.end()",
            ["1 starts", "2 exception"],
        ),
        (
            "{start}\ntry:\n charge()\nexcept OSError: print()\nspan.end()",
            ["1 starts", "3 exception"],
        ),
        ("while True:\n {start}\n try: print()\n finally: break", ["2 starts", "4 leaves"]),
        ("{start}\nprint()\nprint()\nreturn", ["1 starts", "4 leaves"]),
        (
            (
                "{start}\ntry:\n with suppress(KeyError): charge()\nexcept OSError: return\n"
                "span.end()"
            ),
            ["1 starts", "3 exception"],
        ),
        (
            "{start}\nwith contextlib.suppress(KeyError): charge()\nspan.end()",
            ["1 starts", "2 exception"],
        ),
        ("{start}\nif value: charge()\nspan.end()", ["1 starts", "2 exception"]),
    ],
)
def test_the_steps_to_a_missed_end_are_those_that_matter(body: str, steps: list[str]) -> None:
    before = SETUP.count("\n") + 1
    [finding] = findings("OTK101", function(started(body)))
    said = [
        f"{step.place.line - before} {step.message.replace('the span ', '').split()[0]}"
        for step in finding.steps
    ]
    assert said == steps


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        *(
            (
                (
                    f"on = {look}(rows)\n{{start}}\nif on: {{end}}\n"
                    f"on = {look}(rows)\nif not on: {{end}}"
                ),
                [],
            )
            for look in ("bool", "callable", "hasattr", "isinstance", "issubclass")
        ),
        ("{start}\non = len(rows)\nif on: {end}\non = len(rows)\nif not on: {end}", [MISSED]),
        ("{start}\non = rows[:1]\nif on: {end}\non = rows[:1]\nif not on: {end}", [MISSED]),
        ("{start}\non = value.sku\nif on: {end}\non = value.sku\nif not on: {end}", []),
        (
            "{start}\non = value.sku\nif on: {end}\nvalue = 1\non = value.sku\nif not on: {end}",
            [MISSED],
        ),
        ("{start}\non = value\nif on: {end}\non = rows\nif not on: {end}", [MISSED]),
        ("{start}\nif value is None: {end}\nif value is not None: {end}", []),
        ("{start}\nif value == None: {end}\nif value is not None: {end}", []),
        ("{start}\nif value != None: {end}\nif value is None: {end}", []),
        ("{start}\nif value is not None: {end}\nif value is not None: {end}", [MISSED]),
        ("{start}\nif value is None: {end}\nif not value is None: {end}", []),
        ("{start}\nif value == 1: {end}\nif not value == 1: {end}", []),
        ("{start}\nif value == 1: {end}\nif value != 1: {end}", [MISSED]),
        ("{start}\nif value > None: {end}\nif value is not None: {end}", [MISSED]),
        ("{start}\nif value is None is rows: {end}\nif value is not None: {end}", [MISSED]),
        ("{start}\nif value is rows: {end}\nif value is not None: {end}", [MISSED]),
        ("{start}\nif value: {end}\nif not not value: return\n{end}", []),
        ("{start}\nif value.sku: {end}\nvalue = order\nif not value.sku: {end}", [MISSED]),
        ("{start}\nif value.sku: {end}\nrows = order\nif not value.sku: {end}", []),
        ("{start}\nif value.on(): {end}\nif not value.on(): {end}", [MISSED]),
        ("{start}\nif (on := value): {end}\nif not (on := value): {end}", [MISSED]),
        ("{start}\nif value[0]: {end}\nif not value[0]: {end}", [RAISED]),
        ("on = None\n{start}\nif on is None: {end}", []),
        ("on = None\n{start}\nif on is not None: {end}", [MISSED]),
        ("on = None\n{start}\nif not on: {end}", []),
        ("on = True\n{start}\nif on is not None: {end}", []),
        ("on = False\n{start}\nif on is not None: {end}", []),
        ("on = False\n{start}\nif on is None: {end}", [MISSED]),
        ("on = True\n{start}\non = False\nif on: {end}", [MISSED]),
        ("{start}\non = True\nif on: {end}", []),
        ("{start}\non: bool = True\nif on: {end}", []),
        ("{start}\nprint(on := True)\nif on: {end}", []),
        ("{start}\non = other = True\nif other: {end}", []),
        ("on = True\n{start}\nother = on = value\nif on: {end}", [MISSED]),
        ("on = True\n{start}\non, other = rows\nif on: {end}", [MISSED]),
        ("on = True\n{start}\n[other, *on] = rows\nif on: {end}", [MISSED]),
        ("on = True\n{start}\non -= 1\nif on: {end}", [MISSED]),
        ("on = True\n{start}\nprint(on := value)\nif on: {end}", [MISSED]),
        ("on = True\n{start}\nfor other, on in rows: pass\nif on: {end}", [MISSED]),
        ("on = True\n{start}\nwith order as on: pass\nif on: {end}", [MISSED]),
        ("on = True\n{start}\nwith order as (other, on): pass\nif on: {end}", [MISSED]),
        ("on = True\n{start}\nother = value\nif on: {end}", []),
        ("on = True\n{start}\norder.on = value\nif on: {end}", []),
        ("on = True\n{start}\nrows[on] = value\nif on: {end}", []),
        ("on = value\n{start}\norder.on = True\nif on: {end}", [MISSED]),
        ("on = True\n{start}\n(order.on, other), value = rows\nif on: {end}", []),
        ("{start}\nif order.on: {end}\norder.on = value\nif not order.on: {end}", [MISSED]),
        ("{start}\nif order.on: {end}\norder.on += 1\nif not order.on: {end}", [MISSED]),
        ("{start}\nif order.on: {end}\nrows.on = value\nif not order.on: {end}", []),
        ("{start}\nif rows: {end}\nrows[0] = value\nif not rows: {end}", [MISSED]),
    ],
)
def test_an_answer_holds_until_what_it_depends_on_is_bound(body: str, severity: list[str]) -> None:
    source = function(started(body).replace("{end}", "span.end()"))
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize(
    ("code", "body", "certain"),
    [
        ("OTK101", START, True),
        ("OTK101", "span = order.tracer.start_span('a')", False),
        ("OTK104", "with {current}, end_on_exit=False) as span: pass", True),
        ("OTK104", "with {current}, end_on_exit=False): pass", False),
        ("OTK105", "with {current}) as span: span.end()", True),
        ("OTK105", f"{START}\nspan.end()\nspan.end()", True),
        ("OTK204", "token = context.attach(order)", True),
    ],
)
def test_what_is_known_for_sure_is_told_as_certain(code: str, body: str, *, certain: bool) -> None:
    source = function(body.replace("{current}", "tracer.start_as_current_span('a'"))
    assert [finding.certain for finding in findings(code, source)] == [certain]


def test_what_a_comprehension_goes_through_may_take_the_span() -> None:
    body = f"{START}\nvalue = [row for span in [span]]"
    assert taken(function(body)) == ["stored"]


def test_a_span_of_an_outer_comprehension_is_not_that_of_the_function() -> None:
    body = f"{START}\nvalue = [[row for row in [span]] for span in rows]"
    assert severities("OTK101", function(body)) == [MISSED]


@pytest.mark.parametrize(
    ("states", "per_point", "whole", "notes"),
    [
        (1000, 0, 1000, 0),
        (0, 1000, 1000, 0),
        (0, 4, 1000, 0),
        (1, 0, 1000, 1),
        (1000, 1000, 3, 1),
        (1000, 1000, 6, 1),
        (1000, 1000, 1000, 0),
    ],
)
def test_what_is_too_much_is_left_alone_and_noted(
    monkeypatch: pytest.MonkeyPatch, states: int, per_point: int, whole: int, notes: int
) -> None:
    monkeypatch.setattr(ownership, "MOST_STATES", states)
    monkeypatch.setattr(ownership, "STATES_PER_POINT", per_point)
    monkeypatch.setattr(ownership, "MOST_OF_FUNCTION", whole)
    body = "span = tracer.start_span('a')\nprint()\nspan.end()\n" * 2
    module = Module(cst.parse_module(SETUP + function(body)), "shop.py")
    told = [story.fates.complete for story in module.stories]
    assert told.count(False) >= notes
    assert all(told) == (notes == 0)
    assert len(module.notes) == notes
    assert all("the function handle" in note.message for note in module.notes)


def test_all_the_spans_of_a_function_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "span = tracer.start_span('a')\nspan.end()\n" * 3

    def followed() -> list[bool]:
        module = Module(cst.parse_module(SETUP + function(body)), "shop.py")
        return [story.fates.complete for story in module.stories]

    for most in range(1, 100):
        monkeypatch.setattr(ownership, "MOST_OF_FUNCTION", most)
        if followed()[1]:
            break
    assert followed() == [True, True, False]


def test_a_span_that_is_ended_where_it_starts_is_managed() -> None:
    assert severities("OTK102", function("tracer.start_span('a').end()")) == []
    assert severities("OTK102", function(f"{START}\nspan.end()")) != []


def test_a_span_that_the_module_ends_is_not_left_to_the_exit_alone() -> None:
    source = kept(
        "def __enter__(self):\n self.span = tracer.start_span('a')\n charge()",
        "def __exit__(self, *error): self.span.end()",
    )
    assert severities("OTK101", source) == [RAISED]
    assert severities("OTK101", f"{source}last.span.end()\n") == []


def test_a_string_that_names_the_attribute_may_lead_to_the_span() -> None:
    method = "def open(self):\n self.span = tracer.start_span('a')\n charge()\n self.span.end()"
    assert severities("OTK101", kept(method)) == [RAISED]
    assert severities("OTK101", kept(f"{method}\n getattr(self, 'span')")) == []
