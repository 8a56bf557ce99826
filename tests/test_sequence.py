"""What comes after what in one function, read from the source alone."""

import textwrap

import libcst as cst
import pytest

from otelkata.lint.flow.sequence import (
    MOST,
    bound_at,
    grouped,
    is_inside,
    is_parameter,
    leads_to,
    loops,
    mentions,
    reaching,
)
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
        ("first(then())", False),
        ("first() if then() else value", False),
        ("value if first() else then()", True),
        ("match value:\n case 1: first()\nthen()", True),
        ("match value:\n case 1 if first(): value\n case 2: then()", False),
        ("try:\n pass\nexcept KeyError:\n first()\n then()", True),
        ("try:\n pass\nfinally:\n first()\nthen()", True),
        ("try:\n pass\nexcept* KeyError:\n first()\nelse:\n then()", False),
        ("try:\n pass\nexcept* KeyError:\n first()\nfinally:\n then()", True),
        ("with value:\n first()\n raise KeyError\nthen()", False),
        ("with value:\n first(); return\nthen()", False),
        ("while value:\n first()\n continue\nthen()", False),
        ("if value:\n if rows:\n  first()\n return\nthen()", False),
        ("if value:\n if rows:\n  return\n first()\nthen()", True),
        ("if value:\n first()\n if rows: return\nthen()", True),
        ("if value: first(); return\nthen()", False),
        ("raise first()\nthen()", False),
        ("return first(), then()", True),
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
        ("seen(x)\nfor row in rows:\n x = 1", []),
        ("for row in rows: seen(x)\nx = 1", []),
        ("x = 1\nwith value as x: pass\nseen(x)", ["1", "value"]),
        ("x = 1\nwhile value:\n with rows as x: pass\nelse:\n seen(x)", ["1", "rows"]),
        ("x = 1\nif value: seen(x)", ["1"]),
        ("x = 1\nx = 2\nif value:\n seen(x)", ["2"]),
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


@pytest.mark.parametrize(
    ("body", "name", "count"),
    [
        ("seen(x)", "x", 1),
        ("seen(x, x)", "x", 2),
        ("seen(xs)", "x", 0),
        ("x = 1", "x", 1),
        ("seen(x.y.z)", "x", 1),
        ("seen(x.y.z)", "x.y", 1),
        ("seen(x.y.z)", "x.y.z", 1),
        ("seen(x.y.z)", "x.z", 0),
        ("seen(x, x.y)", "x.y", 1),
        ("seen(x[0].y)", "x.y", 0),
        ("seen(x.z, x.y)", "x.y", 1),
        ("seen(y.x)", "x", 0),
        ("seen(x.x)", "x", 1),
        ("seen(x=1)", "x", 0),
        ("seen(x=x)", "x", 1),
        ("seen(lambda x: 1)", "x", 0),
        ("seen(lambda y=x: 1)", "x", 1),
        ("def inner(): seen(x)", "x", 1),
    ],
)
def test_a_name_is_mentioned_where_it_is_used(body: str, name: str, count: int) -> None:
    of = module(body)
    found = list(mentions(of, of.tree, name))
    assert [of.code(node) for node in found] == [name] * count


def test_what_stands_in_something_is_inside_of_it() -> None:
    of = module("first(then())\nlast()")
    assert is_inside(of, call(of, "then"), call(of, "first"))
    assert not is_inside(of, call(of, "first"), call(of, "then"))
    assert not is_inside(of, call(of, "first"), call(of, "first"))
    assert not is_inside(of, call(of, "last"), call(of, "first"))


def test_calls_are_grouped_by_their_functions() -> None:
    of = module("first()\ndef inner(): then()\nlast()\nkeep = lambda: own()")
    [outer, inner] = of.index.functions
    groups = grouped(of, of.index.calls)
    names = {body: [of.code(call.func) for call in calls] for body, calls in groups.items()}
    assert names == {outer: ["first", "last"], inner: ["then"], None: ["own"]}


def test_the_values_of_a_name_are_those_of_its_own_function() -> None:
    of = module("x = 1\nfor y in rows: seen(x)\nx = 2\ndef inner(): x = 3")
    assert [of.code(value) for value in bound_at(of, call(of, "seen"), "x")] == ["1", "2"]
    assert bound_at(of, call(of, "seen"), "y") == []
    assert bound_at(of, call(of, "seen"), "z") == []


@pytest.mark.parametrize(
    ("node", "expected"),
    [("value", True), ("value.sku", True), ("rows", True), ("row", False), ("value()", False)],
)
def test_a_parameter_is_told_by_its_first_name(node: str, *, expected: bool) -> None:
    of = module(f"row = 1\nseen({node})")
    assert is_parameter(of, call(of, "seen").args[0].value) == expected
