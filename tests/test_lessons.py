"""The code that teaches a criterion is what it is called: the wrong is wrong, the right right."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.lint import rule
from otelkata.lint.command.config import Config
from otelkata.lint.command.one import Plan, lint_bytes
from otelkata.report import lesson

LESSONS = lesson.load()
RULES = rule.load()
every_lesson = pytest.mark.parametrize("told", LESSONS.values(), ids=LESSONS)


def codes(source: str) -> set[str]:
    """Return the codes of what the linter is certain of in `source`, as a grading reads it."""
    report = lint_bytes("a.py", source.encode(), RULES, Config("."), Plan(tuple(RULES)))
    assert report.unread is None
    return {found.code for found in report.findings if found.certain}


@every_lesson
def test_code_can_be_compiled(told: lesson.Lesson) -> None:
    compile(told.wrong, "wrong.py", "exec")
    compile(told.right, "right.py", "exec")


@every_lesson
def test_right_code_has_no_certain_finding(told: lesson.Lesson) -> None:
    assert codes(told.right) == set()


@pytest.mark.parametrize("name", sorted({name for one in RULES for name in one.criteria}))
def test_wrong_code_is_found_by_a_rule_of_its_criterion(name: str) -> None:
    assert codes(LESSONS[name].wrong) & {one.code for one in RULES if name in one.criteria}


def test_there_is_a_lesson_for_each_criterion() -> None:
    assert list(LESSONS) == list(CRITERIA)


BLOCK = "```python\npass\n```\n"
WHOLE = f"Asks.\n\n## Why\n\nSo.\n\n## Wrong\n\n{BLOCK}\n## Right\n\n{BLOCK}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WHOLE.replace("## Why", "## Because"), "has to say what it asks, then Why, Wrong, Right"),
        (WHOLE.replace("Asks.", ""), "has to say what it asks"),
        (WHOLE.partition("## Right")[0], "then Why, Wrong, Right"),
        (WHOLE + BLOCK, "Right has to be one block"),
        (WHOLE.replace("python", "text"), "Wrong has to be one block"),
    ],
)
def test_a_lesson_without_its_form_is_refused(text: str, told: str) -> None:
    assert lesson.parse("T1", WHOLE).wrong == "pass\n"
    with pytest.raises(ValueError, match=told):
        lesson.parse("T1", text)


@pytest.mark.parametrize(("inside", "status"), [(True, "ERROR"), (False, "UNSET")])
def test_a_span_sees_a_timeout_only_where_the_fix_says(*, inside: bool, status: str) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    @asynccontextmanager
    async def span() -> AsyncIterator[None]:
        with provider.get_tracer("test").start_as_current_span("call"):
            yield

    async def call() -> None:
        first, second = (span(), asyncio.timeout(0)) if inside else (asyncio.timeout(0), span())
        async with first, second:
            await asyncio.Event().wait()

    with suppress(TimeoutError):
        asyncio.run(call())
    [found] = exporter.get_finished_spans()
    assert found.status.status_code.name == status
    assert len(found.events) == (1 if inside else 0)


@pytest.mark.parametrize("name", ["failed_calls_show", "failed_calls_record_their_exception"])
def test_the_fix_of_a_failed_call_puts_the_timeout_inside_its_span(name: str) -> None:
    [check] = [check for check in registry.load() if check.id == f"errors.{name}"]
    assert "`async with asyncio.timeout(seconds):` inside that `with`" in check.fix
