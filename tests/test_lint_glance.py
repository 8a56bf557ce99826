"""What is seen of a file before it is parsed keeps no rule from a finding."""

import ast
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import load
from otelkata.lint.source.glance import Glance

FILES = sorted((Path(__file__).parent / "evaluation").rglob("*.py"))
RULES = [rule for rule in load() if rule.code != "OTK901"]


def glance(text: str) -> Glance:
    found = Glance.at(text.encode())
    assert found is not None
    return found


def alone(source: str) -> Iterator[str]:
    """Yield `source` with one of its functions or classes each, up to about 40 of them."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    parts = [node for node in ast.parse(source).body if isinstance(node, kinds)]
    for kept in parts[:: max(1, len(parts) // 40)]:
        lines = source.splitlines(keepends=True)
        for other in parts:
            first = min([other.lineno, *(item.lineno for item in other.decorator_list)])
            for number in range(first, (other.end_lineno or 0) + 1) if other is not kept else ():
                lines[number - 1] = "\n"
        yield "".join(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_finding_in_a_function_alone_is_missed(path: Path) -> None:
    for source in alone(path.read_text("utf-8")):
        module = Module(cst.parse_module(source.encode()), "a.py", None, source.encode())
        wanted = [
            finding
            for rule in RULES
            if any(word in source.encode() for word in rule.words)
            for finding in rule.check(module)
        ]
        found = lint_source(source.encode(), "a.py", RULES)
        assert isinstance(found, list)
        assert {(f.code, f.place) for f in found} == {(f.code, f.place) for f in wanted}


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("a.b.attach(c)", {"attach"}),
        ("attach(c)", {"attach"}),
        ("from opentelemetry.context import attach as enter", {"attach"}),
        ("@tracer.start_as_current_span('a')\ndef f(): pass", {"start_as_current_span"}),
        ("class A(sdk.TracerProvider): pass", {"TracerProvider", "sdk"}),
        ("x = f'{inject(a)}'", {"inject"}),
        ("match a:\n  case {**rest} if attach(rest): pass", {"attach"}),
        ("def f(a, *, b=None, c): global d; return {**a}", set()),
        ("# attach()\n'attach()'\ndef attach(): pass", set()),
    ],
)
def test_what_is_called_is_seen(text: str, called: set[str]) -> None:
    assert glance(text).called - {""} == called


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("self.provider.shutdown()", {"provider"}),
        ("atexit.register(provider.shutdown)", {"provider"}),
        ("super().shutdown()", {""}),
        ("def shutdown(): pass", set()),
    ],
)
def test_what_is_shut_down_is_seen(text: str, stopped: set[str]) -> None:
    assert glance(text).stopped == stopped


def test_what_ast_cannot_read_is_not_judged() -> None:
    assert Glance.at(b"def f(:") is None
    assert Glance.at(b"\xff") is None
