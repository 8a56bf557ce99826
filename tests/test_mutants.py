"""The mutation operators: each plants one fault in correct submissions, and says what must fail."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.mutants.catalogue import THEMES, operators
from benchmarks.mutants.equivalence import equivalent_by
from benchmarks.mutants.generate import (
    MAP,
    ROOT,
    operator_map,
    originals,
    planted,
)
from benchmarks.mutants.mutation import CATALOGUE, Mutant, Operator
from benchmarks.mutants.submission import Submission, load, parse

CRITERIA = {
    f"{letter}{n}"
    for letter, last in (("F", 7), ("C", 7), ("B", 4), ("T", 4))
    for n in range(1, last + 1)
}
BY_NAME = {operator.name: operator for operator in CATALOGUE}


def test_operators_are_named_and_reasoned() -> None:
    assert len(BY_NAME) == len(CATALOGUE) == len(operators()) >= 40
    for operator in CATALOGUE:
        assert operator.fault.endswith("."), operator.name
        assert set(operator.criteria) <= CRITERIA, operator.name
        assert operator.criteria, operator.name
        unsaid = [each for each in operator.criteria if each not in operator.because]
        assert not unsaid, (operator.name, unsaid)


def test_the_map_is_current() -> None:
    assert MAP.read_text() == operator_map()


def test_every_operator_has_a_fault_to_plant() -> None:
    submissions = [load(path) for path in originals()]
    idle = [operator.name for operator in CATALOGUE if not _plants(operator, submissions)]
    # The SDK's shutdown flushes by itself, so this one is equivalent wherever it applies here.
    assert idle == ["skip-flush"]


def _plants(operator: Operator, submissions: list[Submission]) -> bool:
    return any(
        equivalent_by(submission, operator, edit) is None
        for submission in submissions
        for edit in operator.sites(submission)
    )


@pytest.mark.parametrize("original", originals(), ids=lambda path: path.name)
def test_each_mutant_differs_at_one_site(original: Path) -> None:
    submission = load(original)
    before = {source.path: source.module.code for source in submission}
    sites = {path: list(_sites(code)) for path, code in before.items()}
    for each in planted(submission):
        if each.equivalent is None:
            path = each.mutant.path
            _differs_at_one_site(each.mutant, before[path].splitlines(), sites[path])
    for source in submission:
        assert source.module.code == before[source.path] == (original / source.path).read_text()


def _sites(code: str) -> Iterator[range]:
    """Yield the lines of each function and other statement of a module, and of its classes."""
    for stmt in ast.parse(code).body:
        inner = stmt.body if isinstance(stmt, ast.ClassDef) else [stmt]
        yield from (range(each.lineno, (each.end_lineno or each.lineno) + 1) for each in inner)


def _differs_at_one_site(mutant: Mutant, original: list[str], sites: list[range]) -> None:
    ast.parse(mutant.code)
    old, new = mutant.before.splitlines(), mutant.after.splitlines()
    assert old != new
    start = mutant.line - 1
    assert original[start : start + len(old)] == old
    rest = mutant.code.splitlines()
    for line in mutant.head:
        rest.remove(line)
    assert [*original[:start], *new, *original[start + len(old) :]] == rest
    # What is inserted behind a statement is where the next one would be.
    changed = range(start + 1, start + len(old) + 1) if old else range(start, start + 1)
    assert any(set(changed) <= set(site) for site in sites), (mutant.operator, mutant.number)


def test_the_starter_has_nothing_to_break() -> None:
    starter = load(ROOT / "fixtures" / "starter")
    # It makes a provider, to which a sampler can be given, and which can be shared.
    assert {each.operator.name for each in planted(starter) if each.equivalent is None} == {
        "always-on-sampler",
        "ratio-sampler",
        "parent-based-sampler",
        "provider-shared",
    }


def test_generate_writes_a_submission_beside_its_facts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.mutants.generate", str(tmp_path)]
    subprocess.run([*command, "--only", "drop-end"], check=True, cwd=ROOT)
    place = tmp_path / "span_finally" / "drop-end" / "1"
    facts = json.loads((place / "mutant.json").read_text())
    assert list(facts) == [
        "operator",
        "criteria",
        "submission",
        "path",
        "line",
        "before",
        "after",
    ]
    assert facts["before"].strip() == "span.end()"
    original = (ROOT / "fixtures/passing/span_finally" / facts["path"]).read_text().splitlines()
    mutant = (place / "submission" / facts["path"]).read_text().splitlines()
    assert original[: facts["line"] - 1] == mutant[: facts["line"] - 1]
    removed = original[facts["line"] - 1 :][: len(facts["before"].splitlines())]
    assert "\n".join(removed) == facts["before"]
    assert not (place / "submission" / "mutant.json").exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        "blocking_async",
        "span_finally",
        "equivalent.json",
    }


ROOT_SPAN = "with tracer.start_as_current_span('a'):\n        pass\n"
RULES = {
    "unreached-module": (
        "drop-inject",
        {"checkout.py": "import json\n", "other.py": "def f(h):\n    inject(h)\n"},
    ),
    "unused-function": (
        "drop-inject",
        {"checkout.py": "def helper(h):\n    inject(h)\n"},
    ),
    "no-span-in-thread": (
        "executor-instead-of-to-thread",
        {
            "checkout.py": "import asyncio\ndef work(x):\n    return x\n"
            "async def create_gateway():\n    await asyncio.to_thread(work, 1)\n"
        },
    ),
    "nothing-reads-context": (
        "client-span-not-current",
        {
            "checkout.py": "def create_gateway(tracer):\n"
            "    with tracer.start_as_current_span('a', kind=SpanKind.CLIENT):\n        pass\n"
        },
    ),
    "raised-in-with": (
        "drop-record-exception",
        {
            "checkout.py": "def create_gateway(tracer):\n"
            "    with tracer.start_as_current_span('a') as span:\n"
            "        try:\n            pass\n"
            "        except OSError as error:\n"
            "            span.record_exception(error)\n            raise\n"
        },
    ),
    "shutdown-flushes": (
        "skip-flush",
        {
            "checkout.py": "def shutdown_tracer(provider, timeout):\n"
            "    provider.force_flush()\n    provider.shutdown()\n"
        },
    ),
    "nothing-pending": (
        "shutdown-does-nothing",
        {
            "checkout.py": "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
            "def shutdown_tracer(provider, timeout):\n    provider.shutdown()\n"
        },
    ),
    "second-shutdown-returns": (
        "shutdown-at-exit-too",
        {
            "checkout.py": "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
            "def init_tracer():\n    return TracerProvider(shutdown_on_exit=False)\n"
        },
    ),
    "bonus-not-met": (
        "drop-retry-event",
        {"checkout.py": "def create_payment(span):\n    span.add_event('retry')\n"},
    ),
    "same-code": (
        "shutdown-claims-success",
        {"checkout.py": "def shutdown_tracer(provider, timeout):\n    return True\n"},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_equivalence_is_decided_by_rule(rule: str) -> None:
    operator, modules = RULES[rule]
    submission = parse("made", modules, frozenset())
    found = [each.equivalent for each in planted(submission, [operator])]
    assert found == [rule]


SOUND = {
    "a thread that starts a span": (
        "executor-instead-of-to-thread",
        "import asyncio\ndef work(tracer):\n    "
        + ROOT_SPAN
        + "async def create_gateway(t):\n    await asyncio.to_thread(work, t)\n",
    ),
    "a client span that is injected": (
        "client-span-not-current",
        """
def create_gateway(tracer, headers):
    with tracer.start_as_current_span('a', kind=SpanKind.CLIENT):
        inject(headers)
""",
    ),
    "an exception that is handled": (
        "drop-record-exception",
        """
def create_gateway(tracer):
    with tracer.start_as_current_span('a') as span:
        try:
            pass
        except OSError as error:
            span.record_exception(error)
""",
    ),
    "a flush alone": (
        "skip-flush",
        "def shutdown_tracer(provider, timeout):\n    return provider.force_flush()\n",
    ),
}


@pytest.mark.parametrize("case", SOUND)
def test_what_cannot_be_decided_is_a_fault(case: str) -> None:
    operator, code = SOUND[case]
    found = [
        each.equivalent for each in planted(parse("made", {"checkout.py": code}, None), [operator])
    ]
    assert found == [None]


def test_themes_hold_every_operator() -> None:
    assert {operator.sites.__module__ for operator in CATALOGUE} == {t.__name__ for t in THEMES}
