"""Judge handlers by what examples cannot say: what is certain, and what a fix writes."""

import textwrap

import libcst as cst
import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.meaning.module import Module
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import asyncio
import logging
import httpx
from contextlib import suppress
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from shop import Refusal, charge, on_error
tracer = trace.get_tracer("shop")
log = logging.getLogger("shop")
"""
CLIENT = 'with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:'
INTERNAL = 'with tracer.start_as_current_span("load") as span:'


def findings(code: str, source: str) -> list[Finding]:
    found = lint_source(source.encode(), "shop.py", [RULES[code]])
    assert isinstance(found, list)
    return found


def handling(caught: str, answer: str, span: str = CLIENT, work: str = "httpx.get(url)") -> str:
    """Return a function that answers what is caught inside a span."""
    return f"""{SETUP}
def load(url, wait, future):
    {span}
        try:
            {work}
        {caught}
{textwrap.indent(answer, " " * 12)}
        log.info("loaded")
"""


@pytest.mark.parametrize(
    ("caught", "certain"),
    [
        ("except Exception:", [True]),
        ("except:", [True]),
        ("except BaseException:", [True]),
        ("except httpx.HTTPError:", [True]),
        ("except (httpx.HTTPError, KeyError):", [True]),
        ("except TimeoutError:", [True]),
        ("except OSError:", [True]),
        ("except asyncio.TimeoutError:", [True]),
        ("except ValueError:", [False]),
        ("except Refusal:", []),
        ("except KeyError:", []),
        ("except (KeyError, ImportError):", []),
        ("except asyncio.CancelledError:", []),
        ("except StopIteration:", []),
        ("except FileNotFoundError:", []),
    ],
)
def test_what_is_caught_decides_whether_it_is_a_failure(caught: str, certain: list[bool]) -> None:
    found = findings("OTK301", handling(caught, "return None"))
    assert [item.certain for item in found] == certain


@pytest.mark.parametrize(
    ("answer", "certain"),
    [
        ("pass", [True]),
        ("return None", [True]),
        ("log.exception('failed')\nreturn str(error)", [True]),
        ("return {'error': type(error).__name__}", [True]),
        ("span.set_attribute('error', True)", [False]),
        ("on_error()", [False]),
        ("log.warning('falling back to nothing')\nreturn None", [False]),
        ("raise", []),
        ("raise Refusal from error", []),
        ("if wait:\n    raise", []),
        ("return error", []),
        ("return Refusal(error)", []),
        ("future.set_exception(error)", []),
        ("on_error(span)", []),
        ("span.record_exception(error)", []),
        ("span.set_status(trace.StatusCode.ERROR)", []),
        ("span.set_status(trace.StatusCode.OK)", [True]),
        ("record_failure(1)", []),
    ],
)
def test_an_answer_shows_the_failure_or_tells_somebody(answer: str, certain: list[bool]) -> None:
    found = findings("OTK301", handling("except Exception as error:", answer))
    assert [item.certain for item in found] == certain


@pytest.mark.parametrize(
    ("span", "work", "certain"),
    [
        (CLIENT, "charge(url)", [True]),
        (INTERNAL, "charge(url)", [False]),
        (INTERNAL, "httpx.get(url)", [True]),
        (CLIENT, "charge(span)", []),
        (CLIENT, "span.set_attribute('url', str(url))", []),
        (CLIENT, "url.close()", []),
        (CLIENT, "with tracer.start_as_current_span('inner'): charge(url)", []),
        (
            "with tracer.start_as_current_span('GET', kind=url.kind) as span:",
            "charge(url)",
            [False],
        ),
    ],
)
def test_what_is_at_work_decides_how_certain_it_is(
    span: str, work: str, certain: list[bool]
) -> None:
    found = findings("OTK301", handling("except Exception:", "return None", span, work))
    assert [item.certain for item in found] == certain


@pytest.mark.parametrize(
    ("text", "certain"), [("cannot set the attributes", []), ("cannot load", [False])]
)
def test_a_guard_around_the_tracing_alone_is_none_of_the_work(
    text: str, certain: list[bool]
) -> None:
    """The span is given away in the guarded block, so that nothing there is certain."""
    work = "charge(url); on_error(span)"
    found = findings("OTK301", handling("except Exception:", f"log.info('{text}')", work=work))
    assert [item.certain for item in found] == certain


def test_a_loop_that_tries_again_is_advice() -> None:
    source = f"""{SETUP}
def load(url):
    {CLIENT}
        for _ in range(3):
            try:
                return httpx.get(url)
            except Exception:
                log.warning("again")
"""
    [found] = findings("OTK301", source)
    assert (found.severity, found.certain) == ("note", False)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        (
            "OTK301",
            """
            except Exception:  # whatever
                pass
            """,
            """
            except Exception as error:  # whatever
                span.record_exception(error)
                span.set_status(trace.StatusCode.ERROR)
            """,
        ),
        (
            "OTK301",
            """
            except httpx.HTTPError: return None
            """,
            """
            except httpx.HTTPError as error:
                span.record_exception(error)
                span.set_status(trace.StatusCode.ERROR)
                return None
            """,
        ),
        (
            "OTK302",
            """
            except OSError:
                # no connection
                span.set_status(trace.StatusCode.ERROR)
            """,
            """
            except OSError as error:
                span.record_exception(error)
                # no connection
                span.set_status(trace.StatusCode.ERROR)
            """,
        ),
        (
            "OTK303",
            """
            except OSError as no:
                span.record_exception(no)  # kept
            """,
            """
            except OSError as no:
                span.record_exception(no)  # kept
                span.set_status(trace.StatusCode.ERROR)
            """,
        ),
    ],
)
def test_a_fix_adds_what_is_missing_and_nothing_else(code: str, before: str, after: str) -> None:
    before, after = (
        textwrap.indent(textwrap.dedent(text), " " * 8).strip() for text in (before, after)
    )
    source = handling(before, "")
    [found] = findings(code, source)
    assert found.fixable
    fixed = RULES[code].fix(Module(cst.parse_module(source), "shop.py"), found)
    assert fixed is not None
    assert fixed.code == source.replace(before, after)
    assert findings(code, fixed.code) == []


def test_a_fix_imports_the_status_where_no_name_leads_to_it() -> None:
    source = """\
import httpx
from opentelemetry.trace import SpanKind, get_tracer

tracer = get_tracer("shop")


def load(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return httpx.get(url)
        except Exception as error:
            return None
"""
    [found] = findings("OTK301", source)
    fixed = RULES["OTK301"].fix(Module(cst.parse_module(source), "shop.py"), found)
    assert fixed is not None
    added = [line for line in fixed.code.splitlines() if line not in source.splitlines()]
    assert [line.strip() for line in added] == [
        "from opentelemetry.trace import StatusCode",
        "span.record_exception(error)",
        "span.set_status(StatusCode.ERROR)",
    ]


@pytest.mark.parametrize(
    ("caught", "span"),
    [
        ("except:", CLIENT),
        ("except Exception:", CLIENT.replace(" as span", "").replace("tracer", "url.tracer")),
    ],
)
def test_there_is_no_fix_without_a_name_for_exception_and_span(caught: str, span: str) -> None:
    found = findings("OTK301", handling(caught, "return None", span))
    assert [item.fixable for item in found] == [False] * len(found)
    assert found


def test_the_planted_error_blindness_is_found() -> None:
    """The helper that opens the span is in another file: only its name tells, so it is advice."""
    source = """\
import httpx
from opentelemetry.trace import Tracer
from checkout.client_span import client_span


async def post(tracer: Tracer, pool, url):
    with client_span(tracer, "POST", {}) as span:
        try:
            response = await pool.post(url)
        except httpx.HTTPError:
            return None
        return response
"""
    assert [item.certain for item in findings("OTK301", source)] == [False]
