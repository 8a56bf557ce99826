"""Every rule has the form that its page, its tests and its selection derive from."""

import re
from collections import Counter
from pathlib import Path

import pytest

from otelkata import content
from otelkata.judge.criteria import CRITERIA
from otelkata.lint import reference, rule
from otelkata.lint.command import catalogue
from otelkata.lint.command.config import Config
from otelkata.lint.command.explain import Page
from otelkata.lint.command.one import Plan, lint_bytes
from otelkata.lint.command.suppression import CODE, NAME
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.words import WORDS, has_site, holds

RULES = rule.load()
EXAMPLES = [
    pytest.param(one, example, kind, id=f"{one.code}-{kind}-{number}")
    for one in RULES
    for kind, examples in (("bad", one.bad), ("good", one.good))
    for number, example in enumerate(examples)
]
EVALUATION = Path(__file__).parent / "evaluation"
EXPECTED = re.compile(r"# expect: ([\w:, -]+)$")

every_rule = pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)


def expected(example: Example) -> Counter[tuple[int, str]]:
    """Return the findings that the example's lines name, with the severity where they name it."""
    return Counter(
        (number, said.strip())
        for number, line in enumerate(example.code.splitlines(), 1)
        if (found := EXPECTED.search(line))
        for said in found[1].split(",")
    )


def found(one: Rule, example: Example) -> Counter[tuple[int, str]]:
    """Return what the rule finds, alone; what suppresses nothing shows only beside all rules."""
    rules = RULES if one.code == CODE else [one]
    report = lint_bytes("a.py", example.code.encode(), rules, Config("."), Plan(tuple(RULES)))
    assert report.unread is None
    severities = {said.partition(":")[0] for _, said in expected(example) if ":" in said}
    return Counter(
        (f.place.line, f"{f.code}:{f.severity}" if f.code in severities else f.code)
        for f in report.findings
        if f.code == one.code
    )


@pytest.mark.parametrize(("one", "example", "kind"), EXAMPLES)
def test_examples_have_exactly_their_findings(one: Rule, example: Example, kind: str) -> None:
    wanted = expected(example)
    assert bool(wanted) == (kind == "bad"), "a bad example names its findings, a good one none"
    assert found(one, example) == wanted


@pytest.mark.parametrize(("one", "example", "kind"), EXAMPLES)
def test_examples_hold_the_words(one: Rule, example: Example, kind: str) -> None:
    if kind == "bad":
        source = example.code.encode()
        assert holds(source, WORDS), "no file like this would be parsed"
        assert holds(source, one.words), "no file like this would be shown to the rule"
        assert has_site(source) or one.code == CODE, "no file like this would be analysed"


@pytest.mark.parametrize(
    "path", sorted(EVALUATION.rglob("*.py")), ids=lambda path: str(path.relative_to(EVALUATION))
)
def test_whatever_has_findings_has_a_site(path: Path) -> None:
    source = path.read_bytes()
    if b"# expect: " in source:
        assert has_site(source)
        assert holds(source, WORDS)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from opentelemetry import trace\n", False),
        ("def f(span: Span, sampler): ...\n", False),
        ("from opentelemetry.trace import use_span\n", False),
        ("from opentelemetry.trace import use_span as use\n", True),
        ("from opentelemetry.sdk.trace import TracerProvider  as  SDKProvider\n", True),
        ("tracer.start_span ('a')\n", True),
        ("tracer.start_span\\\n    ('a')\n", True),
        ("restart_span('a')\n", False),
        ("Thread(target=provider.shutdown)\n", True),
        ("{'sampler': ALWAYS_ON}\n", True),
        ("options['sampler'] = ALWAYS_ON\n", True),
        ("class Mine(\n    sdk.TracerProvider,\n): ...\n", True),
        ("class Mine(Sampler): ...\n", True),
        ("class Mine(Processor): ...\n", False),
        ("span = begin('a')\n", True),
    ],
)
def test_a_site_is_where_a_rule_may_begin(source: str, *, expected: bool) -> None:
    assert has_site(source.encode(), ["shop.tracing.begin"]) == expected


@every_rule
def test_the_page_is_whole(one: Rule) -> None:
    page = Page.of(one)
    assert page.fault.endswith(".")
    assert "\n" not in page.fault
    assert page.references
    assert all(link.startswith("https://") for link in page.references)
    assert one.bad
    assert one.good


@every_rule
def test_code_name_and_file_agree(one: Rule) -> None:
    assert re.fullmatch(r"OTK[1-59]\d\d", one.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.name)
    file = f"{one.code.lower()}_{one.name.replace('-', '_')}.py"
    assert (content.folder("ast_rules") / file).is_file()


@every_rule
def test_criteria_are_those_of_the_kata(one: Rule) -> None:
    assert set(one.criteria) <= set(CRITERIA)


def test_codes_and_names_are_unique() -> None:
    assert [count for count in Counter(one.code for one in RULES).values() if count > 1] == []
    assert [count for count in Counter(one.name for one in RULES).values() if count > 1] == []


def test_the_catalogue_knows_what_the_rules_say() -> None:
    assert [(e.code, e.name, e.opt_in) for e in catalogue.read()] == [
        (one.code, one.name, one.opt_in) for one in RULES
    ]


def test_the_rule_on_suppressions_is_the_one_that_is_reported() -> None:
    assert (CODE, NAME) in {(one.code, one.name) for one in RULES}


def test_the_pages_of_rules_are_current() -> None:
    folder = content.folder("docs") / "rules"
    written = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    assert written == reference.pages(RULES), "write them anew: python -m otelkata.lint.reference"


@pytest.mark.parametrize(
    "docstring",
    [
        "A fault.",
        "A fault.\n\nWhat it does:\n    Something.",
        "A fault.\n\nWhat it does:\nWhy it matters:\n    a\nInstead:\n    b\nReferences:\n    c",
    ],
    ids=["no section", "one section", "an empty section"],
)
def test_a_rule_without_all_its_sections_has_no_page(docstring: str) -> None:
    unexplained = type("Unexplained", (Rule,), {"__doc__": docstring, "code": "OTK999"})
    with pytest.raises(ValueError, match="OTK999: its docstring has to have the sections What"):
        Page.of(unexplained())


def test_the_catalogue_reads_classes_with_code_and_name_alone(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(
        "import os\nclass A:\n    code = 'OTK901'\n    name, x = 'a', 1\n"
        "class B:\n    code = 'OTK902'\n    name = 'b'\n    opt_in = True\n",
        "utf-8",
    )
    assert [(e.code, e.name, e.opt_in) for e in catalogue.read(tmp_path)] == [("OTK902", "b", True)]


def test_pages_are_written_and_those_of_rules_that_are_no_more_removed(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "rules"
    reference.write(RULES, folder)
    (folder / "OTK000.md").write_text("gone")
    reference.write(RULES[:1], folder)
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == reference.pages(
        RULES[:1]
    )


def test_two_rules_with_one_code_are_refused(tmp_path: Path) -> None:
    same = (content.folder("ast_rules") / "otk101_span_not_ended.py").read_text("utf-8")
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(same, "utf-8")
    with pytest.raises(ValueError, match="two rules have the code OTK101"):
        rule.load(tmp_path)
