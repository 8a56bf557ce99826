"""Nothing that can be read from a file makes the linter raise, or ends its process."""

import gc
from collections.abc import Iterator

import libcst as cst
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from libcst.metadata import MetadataWrapper, PositionProvider

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding, Unread
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import Rule, load
from otelkata.lint.source.depth import BRACKETS, LEVELS, PATTERN_BRACKETS, obstacle

RULES = load()
HEAD = """\
from opentelemetry import trace
tracer = trace.get_tracer(__name__)
span = tracer.start_span("a")
"""
FEW = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def lint(text: str | bytes) -> list[Finding] | Unread:
    source = text.encode() if isinstance(text, str) else text
    return lint_source(source, "some.py", RULES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = " + "(" * 5000 + "1" + ")" * 5000, "5,000 open brackets; at most 200"),
        ("x = " + "[" * 100_000, "100,000 open brackets"),
        ("x = " + "f'{" * 5000 + "1" + "}'" * 5000, "5,000 open brackets"),
        ("x = " + "-" * 100_000 + "1", "at most 1,000 levels"),
        ("x = " + "not " * 20_000 + "1", "at most 1,000 levels"),
        ("x = " + "lambda: " * 20_000 + "1", "at most 1,000 levels"),
        ("x = " + "lambda a=" * 900 + "1" + ": 1" * 900, "at most 1,000 levels"),
        ("x = " + "a + " * 50_000 + "a", "at most 1,000 levels"),
        ("x = " + "a or " * 50_000 + "a", "at most 1,000"),
        ("x = a" + ".b()" * 50_000, "at most 1,000 levels"),
        ("x = \\\n" + "a + \\\n" * 5_000 + "a", "at most 1,000 levels"),
        ("if a:\n  pass\n" + "elif a:\n  pass\n" * 20_000, "at most 1,000 levels"),
        (
            "match a:\n  case " + "[" * 60 + "x" + "]" * 60 + ": pass",
            "60 open brackets in a pattern",
        ),
        ("x = '\0'", "holds a null byte at line 4"),
    ],
    ids=lambda value: value[:20],
)
def test_what_the_parser_cannot_bear_is_unread(text: str, reason: str) -> None:
    found = lint(HEAD + text + "\n")
    assert isinstance(found, Unread)
    assert reason in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * (BRACKETS - 1) + "1" + ")" * (BRACKETS - 1),
        "x = " + "a + " * (LEVELS - 10) + "a",
        "x = " + "a or " * 4_000 + "a",
        "x = a" + ".b" * (LEVELS - 10),
        "x = a" + " < a" * 10_000,
        "x = " + "a = " * 10_000 + "1",
        "x = [" + "1, " * 50_000 + "]",
        "if a:\n  pass\n" + "elif a:\n  pass\n" * 900,
        "@a\n" * 5_000 + "def f(): pass",
        "match a:\n  case " + "[" * PATTERN_BRACKETS + "x" + "]" * PATTERN_BRACKETS + ": pass",
        "# " + "(" * 5_000,
        "x = '" + "[{(" * 5_000 + "'",
    ],
    ids=lambda value: value[:20],
)
def test_what_is_deep_but_bearable_is_linted(text: str) -> None:
    found = lint(HEAD + text + "\n")
    assert isinstance(found, list)
    assert "OTK101" in {finding.code for finding in found}


@pytest.mark.parametrize(("helpers", "found"), [(100, ["OTK101"]), (3000, [])])
def test_a_span_is_followed_through_helpers_as_far_as_can_be(
    helpers: int, found: list[str]
) -> None:
    """Who gets it after too many is believed, and the file is read all the same."""
    chain = "".join(f"def h{n}(span):\n    h{n + 1}(span)\n" for n in range(helpers))
    last = f"def h{helpers}(span):\n    span.set_attribute('a', 1)\n"
    head = HEAD.partition("span =")[0]
    linted = lint(f"{head}{chain}{last}def work():\n    s = tracer.start_span('b')\n    h0(s)\n")
    assert not isinstance(linted, Unread)
    assert [finding.code for finding in linted if finding.code == "OTK101"] == found


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\xff", b"\x00", b"\xef\xbb\xbf"])
@FEW
@given(data=st.binary(max_size=200))
def test_no_bytes_make_it_raise(end: bytes, data: bytes) -> None:
    lint(data + end)
    lint(HEAD.encode() + data + end)


@FEW
@given(where=st.integers(0, 4000), rule=st.sampled_from(RULES))
def test_no_cut_example_makes_it_raise(where: int, rule: Rule) -> None:
    for example in (*rule.bad, *rule.good):
        lint(example.code.strip()[: where % len(example.code)])


def test_no_valid_program_makes_it_raise() -> None:
    hypothesmith = pytest.importorskip("hypothesmith")

    @FEW
    @given(program=hypothesmith.from_grammar())
    def check(program: str) -> None:
        found = lint(HEAD + program)
        assert isinstance(found, list) or "kata-lint" not in found.reason

    check()


class Failing(Rule):
    """A rule with a fault of its own."""

    code = "OTK999"
    name = "failing"
    words = (b"start_span",)

    def check(self, module: Module) -> Iterator[Finding]:
        raise KeyError(module.path)


def test_a_rule_that_fails_is_named_as_the_reason() -> None:
    found = lint_source(HEAD.encode(), "some.py", [*RULES, Failing()])
    assert isinstance(found, Unread)
    assert found.reason.startswith("OTK999 failed (KeyError: 'some.py' in check, line ")


class Unfinished(Rule):
    """A rule without a check."""

    code = "OTK998"
    name = "unfinished"
    words = (b"start_span",)


class Deep(Failing):
    """A rule that goes deeper and deeper."""

    def check(self, module: Module) -> Iterator[Finding]:
        yield from self.check(module)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Unfinished(), "OTK998 failed (NotImplementedError:"),
        (Deep(), "is nested too deeply for OTK999"),
    ],
)
def test_a_rule_that_cannot_judge_is_named_as_the_reason(rule: Rule, reason: str) -> None:
    found = lint_source(HEAD.encode(), "some.py", [rule])
    assert isinstance(found, Unread)
    assert found.reason.startswith(reason)


def test_a_rule_is_not_asked_about_a_file_without_its_words() -> None:
    assert lint_source(b"x = 1\n", "some.py", [Failing()]) == []


def test_a_file_that_no_rule_asks_for_still_tells_its_syntax_error() -> None:
    found = lint("def f(:\n")
    assert isinstance(found, Unread)
    assert "syntax error at 1:7" in found.reason


def test_what_python_reads_and_the_parser_does_not_is_told_in_the_parsers_words() -> None:
    found = lint(HEAD + "(x): int = 1\n")
    assert isinstance(found, Unread)
    assert found.reason.startswith("syntax error at 4:1: ")


def test_nothing_of_a_file_stays_in_memory() -> None:
    lint(HEAD)
    gc.collect()
    # Other tests in this process may keep modules of theirs.
    before = {id(thing) for thing in gc.get_objects() if type(thing) is Module}
    gc.disable()
    try:
        lint(HEAD + "span.end()\n")
        modules = [thing for thing in gc.get_objects() if type(thing) is Module]
        left = [module for module in modules if id(module) not in before]
    finally:
        gc.enable()
    assert left == []


SPELLINGS = [
    "x = 1",
    "\ufeffx = 'é'; y = 2\n",
    "# a\n\n\nif a:\n\tb(c,\n  d)\n\n# e\nelse: f\n",
    "@a\n# b\n@c(\n)\nasync def d(e: f = 1, /, *g) -> h:\n    '''i\n    j'''\n    return k\n",
    "x = (\n  # a\n  b\n)\r\ny = 1 ; z = f'{é!r:>{w}}'\r\n",
    "try:\n  a\nexcept (b, c) as d:\n  e\nelse:\n  f\nfinally:\n  g\n\n\n\n# end",
    "\n\n\x0cclass A(B, metaclass=C):\n  a = lambda: \\\n    1\n",
    "type A[T = int] = list[T]\ndef f[T](): pass\n",
    "match a:\n  case {'b': c, **d} if e: f\n  case _: g",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_nodes_stand_where_libcst_says(text: str) -> None:
    source = text.encode()
    tree = cst.parse_module(source)
    expected = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    module = Module(tree, "some.py", None, source)
    for node in module.index.parents:
        place, other = module.place(node), expected[node]
        assert (place.line, place.column - 1) == (other.start.line, other.start.column)
        assert (place.end_line, place.end_column - 1) == (other.end.line, other.end.column)
    assert obstacle(source) is None
