"""What comes after what in one function, read from the source alone."""

import textwrap

import libcst as cst
import pytest

from otelkata.lint.flow.sequence import MOST, leads_to, loops, reaching
from otelkata.lint.meaning.module import Module


def module(body: str, head: str = "def handle(value, rows):") -> Module:
    source = f"{head}\n{textwrap.indent(body, '    ')}\n"
    return Module(cst.parse_module(source), "shop.py")


def call(of: Module, name: str) -> cst.Call:
    """Return the only call of `name`."""
    [found] = [call for call in of.index.calls if of.code(call.func) == name]
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("first()\nthen()", True),
        ("then()\nfirst()", False),
        ("then(first())", False),
        ("rows.append((first(), then()))", True),
        ("if value:\n first()\nthen()", True),
        ("if value:\n first()\nelse:\n then()", False),
        ("if first():\n then()", True),
        ("first() if value else then()", False),
        ("match first():\n case 1: then()", True),
        ("match value:\n case 1: first()\n case 2: then()", False),
        ("try:\n first()\nexcept KeyError:\n then()", False),
        ("try:\n first()\nexcept* KeyError:\n then()", False),
        ("try:\n first()\nexcept KeyError:\n pass\nelse:\n then()", True),
        ("try:\n first()\nfinally:\n then()", True),
        ("try:\n pass\nexcept KeyError:\n first()\nelse:\n then()", False),
        ("try:\n pass\nexcept KeyError:\n first()\nfinally:\n then()", True),
        ("try:\n pass\nexcept KeyError:\n first()\nexcept OSError:\n then()", False),
        ("if value:\n return first()\nthen()", False),
        ("if value:\n first()\n return\nthen()", False),
        ("if value:\n first()\n raise KeyError\nthen()", False),
        ("for row in rows:\n first()\n break\nthen()", False),
        ("if value:\n first()\n if rows:\n  return\nthen()", True),
        ("def inner():\n first()\nthen()", False),
        ("while value:\n first()\nelse:\n then()", True),
    ],
)
def test_one_call_leads_to_another_where_going_on_gets_there(body: str, *, expected: bool) -> None:
    seen = module(body)
    assert leads_to(seen, call(seen, "first"), call(seen, "then")) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = 1\nseen(x)", ["1"]),
        ("x = 1\nx = 2\nseen(x)", ["2"]),
        ("seen(x)\nx = 1", []),
        ("x = 1\nseen(x)\nx = 2", ["1"]),
        ("x = 1\nif value:\n x = 2\nseen(x)", ["1", "2"]),
        ("if value:\n x = 1\nelse:\n x = 2\nseen(x)", ["1", "2"]),
        ("x = 1\nif value:\n x = 2\n return\nseen(x)", ["1"]),
        ("if value:\n x = 1\n return\nseen(x)", []),
        ("for row in rows:\n seen(x)\n x = 1", ["1"]),
        ("for row in rows:\n x = 1\nseen(x)", ["1"]),
        ("for x in rows:\n seen(x)\nx = 1", ["1", "?"]),
        ("with value as x:\n seen(x)", ["value"]),
        ("if value:\n value = 1\nseen(value)", ["1", "?"]),
        ("value = 1\nseen(value)", ["1"]),
        ("x = 1\ndef inner():\n seen(x)\nx = 2", ["1", "2"]),
        ("seen(nowhere)", []),
    ],
)
def test_a_name_has_the_values_that_reach_it(body: str, expected: list[str]) -> None:
    of = module(body)
    name = call(of, "seen").args[0].value
    assert isinstance(name, cst.Name)
    values = [item.value for item in reaching(of, name)]
    assert sorted("?" if value is None else of.code(value) for value in values) == expected


@pytest.mark.parametrize(("count", "expected"), [(MOST, 1), (MOST + 1, 0)])
def test_a_name_that_is_bound_all_over_the_place_has_no_values(count: int, expected: int) -> None:
    of = module("x = 1\n" * count + "seen(x)")
    name = call(of, "seen").args[0].value
    assert isinstance(name, cst.Name)
    assert len(reaching(of, name)) == expected


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("seen()\n", 0),
        ("for a in b:\n seen()\n", 1),
        ("while a:\n for b in a:\n  seen()\n", 2),
        ("for a in b:\n def inner():\n  seen()\n", 0),
        ("for a in b:\n c = lambda: seen()\n", 0),
    ],
)
def test_loops_are_those_of_the_function_itself(source: str, count: int) -> None:
    of = Module(cst.parse_module(source), "shop.py")
    assert len(loops(of, call(of, "seen"))) == count
