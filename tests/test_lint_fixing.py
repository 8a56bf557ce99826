"""Fix what is safe, keep all else byte by byte, and never change what a program does."""

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from fixing_cases import FIXED, LEFT_ALONE, SETUP

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.fixes import mending
from otelkata.lint.fixes.change import Change, Part
from otelkata.lint.fixes.fixing import fix_source
from otelkata.lint.meaning.module import Module
from otelkata.lint.options import Options
from otelkata.lint.rule import Rule, load

RULES = load()
LIFE = [rule for rule in RULES if rule.code < "OTK2"]
EVALUATION = sorted((Path(__file__).parent / "evaluation").glob("**/*.py"))


def fixed(source: str) -> str:
    return fix_source(source.encode(), "shop.py", LIFE).source.decode()


def findings(source: bytes) -> list[Finding]:
    found = lint_source(source, "shop.py", RULES)
    assert isinstance(found, list)
    return found


def comments(source: bytes) -> Counter[str]:
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_a_fix_is_written_as_its_author_would(before: str, after: str) -> None:
    assert fixed(SETUP + before) == SETUP + after


@pytest.mark.parametrize("before", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_not_plain_is_left_alone_and_not_promised(before: str) -> None:
    source = (SETUP + before).encode()
    found = lint_source(source, "shop.py", LIFE)
    assert isinstance(found, list)
    assert found
    assert not any(finding.fixable for finding in found)
    assert fix_source(source, "shop.py", LIFE).source == source


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_a_fixable_finding_is_fixed_and_a_fix_needs_none_after_it(before: str, after: str) -> None:
    promised = [finding for finding in findings((SETUP + before).encode()) if finding.fixable]
    left = [finding for finding in findings((SETUP + after).encode()) if finding.fixable]
    assert promised
    assert not left


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        (lambda text: text.replace("\n", "\r\n").encode(), "carriage returns"),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "byte order mark"),
        (
            lambda text: f"# -*- coding: latin-1 -*-\nNAME = 'Zoë'\n{text}".encode("latin-1"),
            "coding line",
        ),
        (lambda text: text.rstrip("\n").encode(), "no newline at the end"),
        (lambda text: (text + "\n\n").encode(), "blank lines at the end"),
        (lambda text: f"#!/usr/bin/env python\n'''A\ntext.'''\n{text}".encode(), "first line"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(
    "case", ["straight line", "work after the try", "a manager that is dropped"]
)
def test_the_bytes_around_a_fix_stay(encoded: Any, name: str, case: str) -> None:
    before, after = FIXED[case]
    assert fix_source(encoded(SETUP + before), name, LIFE).source == encoded(SETUP + after)


class Naming(Rule):
    """Names must not end in `_`; mending one that begins with `_` as well makes it worse."""

    code = "OTK901"
    name = "naming"
    words = (b"_",)

    def check(self, module: Module) -> Iterator[Finding]:
        for node in module.index.parents:
            if isinstance(node, cst.Name) and node.value.endswith("_"):
                yield self.finding(module, node, "ends in _", change=self.renamed(module, node))

    def renamed(self, module: Module, name: cst.Name) -> Change:
        line = module.parent(module.statement(name) or name)
        assert line is not None
        worse = name.value.startswith("_")
        new = line.deep_replace(name, cst.Name("a_" if worse else name.value.rstrip("_")))
        assert isinstance(new, cst.CSTNode)
        return (Part((line,), (new,)),)


@pytest.mark.parametrize(
    ("source", "after", "count"),
    [
        ("good_ = 1\n\nfine_ = 2\n", "good = 1\n\nfine = 2\n", 2),
        ("good_ = 1\n\n_bad_ = 2\n", "good = 1\n\n_bad_ = 2\n", 1),
        ("_bad_ = 1\n\n_worse_ = 2\n", "_bad_ = 1\n\n_worse_ = 2\n", 0),
        ("_bad_ = 1\n\nx_ = 2\n\ny_ = 3\n", "_bad_ = 1\n\nx = 2\n\ny = 3\n", 2),
    ],
)
def test_a_fix_that_does_not_take_its_finding_away_costs_no_other_fix(
    source: str, after: str, count: int
) -> None:
    result = fix_source(source.encode(), "shop.py", [Naming()])
    assert (result.source.decode(), result.count) == (after, count)


class Endless(Naming):
    """A fix that goes too deep."""

    def renamed(self, module: Module, name: cst.Name) -> Change:
        [part] = super().renamed(module, name)
        return (Part(part.old, (Deep("a"),)),)


class Deep(cst.Name):
    """A name that cannot be written."""

    def _codegen_impl(self, state: object) -> None:
        raise RecursionError


def test_fixes_that_fail_cost_a_run_of_the_linter_and_not_one_each() -> None:
    names = [f"{'_' * (at % 3 == 0)}name{at}_ = {at}\n" for at in range(60)]
    counting = Counting()
    result = fix_source("".join(names).encode(), "shop.py", [counting])
    assert result.count == 40
    assert counting.runs < 10


class Counting(Naming):
    """Counts how often it looks."""

    def __init__(self) -> None:
        self.runs = 0

    def check(self, module: Module) -> Iterator[Finding]:
        self.runs += 1
        yield from super().check(module)


def test_a_form_feed_stays_and_what_stands_beside_it_is_left_alone() -> None:
    before, after = FIXED["straight line"]
    source = f"{SETUP}\f\n{before}"
    assert fixed(source) == f"{SETUP}\f\n{after}"
    beside = SETUP + before.replace("    answer =", "\f    answer =")
    assert fixed(beside) == beside


def test_a_fix_that_goes_too_deep_leaves_the_file_as_it_is() -> None:
    assert fix_source(b"good_ = 1\n", "shop.py", [Endless()]).source == b"good_ = 1\n"


def test_fixes_are_counted_once_for_each_span() -> None:
    before, after = FIXED["one span inside another"]
    result = fix_source((SETUP + before).encode(), "shop.py", LIFE)
    assert result.count == 2
    assert fix_source((SETUP + after).encode(), "shop.py", LIFE).count == 0


@pytest.mark.parametrize(
    "source", [b"def f(:\n", b"x = '\xff'\n", b"# coding: nonsense\n", b"\0", b"", b"\xef\xbb\xbf"]
)
def test_what_cannot_be_read_is_returned_as_it_is(source: bytes) -> None:
    assert fix_source(source, "shop.py", RULES).source == source


def test_a_suppressed_finding_is_not_fixed() -> None:
    before, _ = FIXED["blank line after the start"]
    quiet = before.replace('"download")', '"download")  # kata-lint: ignore[OTK101, OTK102]')
    source = (SETUP + quiet).encode()
    assert mending.mend(source, "shop.py", LIFE, Options()) == (source, 0)
    assert mending.mend((SETUP + before).encode(), "shop.py", LIFE, Options())[1] == 1


@pytest.mark.parametrize("path", EVALUATION, ids=lambda path: path.stem)
def test_fixes_of_the_evaluation_files_stand(path: Path) -> None:
    """Nothing new is found, no comment is lost, the result compiles, and a second run rests."""
    source = path.read_bytes()
    result = fix_source(source, str(path), RULES)
    if result.count == 0:
        assert result.source == source
        return
    before, after = (
        Counter(finding.code for finding in findings(text)) for text in (source, result.source)
    )
    assert fix_source(result.source, str(path), RULES).count == 0
    assert after < before
    assert not comments(source) - comments(result.source)
    ast.parse(result.source)
