"""Judge handlers by what examples cannot say: what is certain, and what a fix writes."""

import textwrap

import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.fixes.fixing import fix_source
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import asyncio
import logging
import sys
import httpx
from contextlib import contextmanager, suppress
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from shop import Refusal, ShopError, charge, on_error
tracer = trace.get_tracer("shop")
log = logging.getLogger("shop")
def traced(url):
    with tracer.start_as_current_span("inner"):
        charge(url)
@contextmanager
def own():
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        yield span
@contextmanager
def untraced():
    yield charge()
def shown(): trace.get_current_span().set_status(trace.StatusCode.ERROR)
def not_shown(): charge()
def shown_deeply(): shown()
"""
CLIENT = 'with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:'
MUTE = "record_exception=False, set_status_on_exception=False"
DESCRIBED = "span.set_attribute('a', kept); span.set_attribute('b', kept)"
INTERNAL = 'with tracer.start_as_current_span("load") as span:'


def findings(code: str, source: str) -> list[Finding]:
    found = lint_source(source.encode(), "shop.py", [RULES[code]])
    assert isinstance(found, list)
    return found


def handling(
    caught: str,
    answer: str,
    span: str = CLIENT,
    work: str = "httpx.get(url)",
    after: str = 'log.info("loaded")',
) -> str:
    """Return a function that answers what is caught inside a span."""
    return f"""{SETUP}
def load(url, wait, future):
    {span}
        try:
            {work}
        {caught}
{textwrap.indent(answer, " " * 12)}
        {after}
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
        ("span.set_status()", []),
        ("status = trace.StatusCode.ERROR\nspan.set_status(status)", []),
        ("record_failure(1)", []),
        ("return [error]", []),
        ("kept = (url, error)", []),
        ("future.error = url", [False]),
        ("on_error(sys.exc_info())", []),
        ("log.error(sys.exc_info())", [True]),
        ("sys.exc_info()", [True]),
        ("sys.exit(1)", []),
        ("wait.get_current_span()", [True]),
        ("wait.start_span()", [True]),
        ("shown()", []),
        ("not_shown()", [True]),
        ("shown_deeply()", []),
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
        (CLIENT, f"with tracer.start_as_current_span('inner', {MUTE}): httpx.get(url)", [True]),
        (CLIENT, "traced(url)", [False]),
        (CLIENT, "log.info(url)", []),
        (CLIENT, "span.set_attribute('url', charge(url)); httpx.get(url)", [True]),
        (CLIENT, "trace.get_current_span().set_attribute('url', charge(url))", []),
        (CLIENT, "other = tracer.start_span('inner')", []),
        ("with wait.client_span('GET') as span:", "charge(url)", [False]),
        ("with own() as span:", "charge(url)", [True]),
        ("with untraced() as span:", "charge(url)", []),
        ("with url.span as span:", "charge(url)", []),
        ("with tracer.start_span('GET'):", "httpx.get(url)", [True]),
        ("with tracer.start_as_current_span('GET', **wait) as span:", "charge(url)", [False]),
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
    ("work", "certain"),
    [
        ("kept = parse_url(url); span.set_attribute('a', kept)", []),
        ("kept = url.client.fetch(); span.set_attribute('a', kept)", [True]),
        ("kept = httpx.get(url); span.set_attribute('a', kept)", [True]),
        ("kept = yield url; span.set_attribute('a', kept)", [True]),
        ("kept = charge(url); span.set_attribute('a', kept)", [True]),
        (f"kept = charge(url); {DESCRIBED}", []),
        (f"kept: int = charge(url); {DESCRIBED}", []),
        (f"future = charge(url); {DESCRIBED}", [True]),
        (f"kept = url; on_error(kept); {DESCRIBED}", []),
        (f"kept = url; on_error(wait); {DESCRIBED}", [True]),
    ],
)
def test_what_is_made_for_the_span_alone_is_none_of_the_work(
    work: str, certain: list[bool]
) -> None:
    found = findings("OTK301", handling("except Exception:", "pass", work=work, after="future"))
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


@pytest.mark.parametrize(
    ("after", "certain"),
    [
        ("log.info(url)", [True]),
        ("if not url: raise Refusal", []),
        ("if future: raise Refusal", [True]),
        ("if not url: return", [True]),
        ("raise Refusal", []),
        ("for _ in wait: raise Refusal", [True]),
        ("span.set_status(trace.StatusCode.ERROR)", []),
        ("if wait: span.set_status(trace.StatusCode.ERROR)", []),
        ("try: charge(url)\n        except: span.record_exception(url)", [True]),
        ("finally: span.record_exception(url)", []),
        ("finally: log.info(url)", [True]),
    ],
)
def test_what_comes_after_the_handler_may_show_the_failure(after: str, certain: list[bool]) -> None:
    found = findings("OTK301", handling("except Exception:", "pass", after=after))
    assert [item.certain for item in found if item.place.line < 50] == certain


@pytest.mark.parametrize(
    ("answer", "certain"), [("charge(url)", []), ("log.info(url)", [False]), ("pass", [False])]
)
def test_an_error_of_the_project_is_answered_by_doing_something(
    answer: str, certain: list[bool]
) -> None:
    found = findings("OTK301", handling("except ShopError:", answer))
    assert [item.certain for item in found] == certain


def inside(body: str, before: str = f"def load(url, wait):\n    {INTERNAL}\n") -> str:
    """Return a function that does `body` inside a span; `{ok}` and `{error}` set its status."""
    written = body.format(
        ok="span.set_status(trace.StatusCode.OK)", error="span.set_status(trace.StatusCode.ERROR)"
    )
    return SETUP + before + textwrap.indent(written, " " * 8 * bool(before)) + "\n"


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("try:\n    charge()\nfinally:\n    {ok}", [True]),
        ("try:\n    charge()\nfinally:\n    if span.is_recording():\n        {ok}", [True]),
        ("try:\n    charge()\nfinally:\n    if wait:\n        {ok}", []),
        ("try:\n    charge()\nexcept Exception:\n    {ok}", [True]),
        ("try:\n    charge()\nexcept Exception:\n    log.info(url)\n    {ok}", [True]),
        ("try:\n    charge()\nexcept Exception:\n    charge(url)\n    {ok}", [False]),
        ("try:\n    charge()\nexcept ShopError:\n    {ok}", [False]),
        ("try:\n    charge()\nexcept KeyError:\n    {ok}", []),
        ("try:\n    charge()\nexcept Exception:\n    if wait:\n        {ok}", []),
        ("{error}\n{ok}", [True]),
        ("{error}\nreturn\n{ok}", [True]),
        ("if wait:\n    {error}\n    return\n{ok}", []),
        ("if wait:\n    {error}\n{ok}", [True]),
        ("{error}\nif wait:\n    {ok}", []),
        ("if wait:\n    {error}\nelse:\n    {ok}", []),
        ("{ok}\n{error}", [True]),
        ("charge()\n{ok}", []),
        ("{ok}\ncharge()", [False]),
        ("{ok}\nhttpx.get(url)\nyield url", [True]),
        ("{ok}\nyield url", [True]),
        ("{ok}\nspan.set_attribute('a', charge(url))", []),
        ("{ok}\nlog.info(url)", []),
        ("if wait: {ok}", []),
        ("try:\n    httpx.get(url)\nexcept Exception:\n    pass\n{ok}", [True]),
        ("try:\n    charge()\nexcept Exception:\n    pass\n{ok}", [False]),
        ("try:\n    charge()\nexcept Exception:\n    return\n{ok}", []),
        ("try:\n    charge()\nexcept KeyError:\n    pass\n{ok}", []),
        ("try:\n    charge()\nexcept OSError as e:\n    span.record_exception(e)\n{ok}", [True]),
        ("try:\n    charge()\nexcept Exception:\n    pass\nif wait:\n    {ok}", []),
    ],
)
def test_an_ok_is_wrong_where_nobody_knows_that_all_went_well(
    body: str, certain: list[bool]
) -> None:
    assert [item.certain for item in findings("OTK304", inside(body))] == certain


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("span = tracer.start_span('a')\n{ok}", []),
        ("span = tracer.start_span('a')\ntry: charge()\nfinally: {ok}", [True]),
        ("span = tracer.start_span('a')\ntry: charge()\nexcept Exception: {ok}", [True]),
        ("span = tracer.start_span('a')\ntry: charge()\nexcept Exception: pass\n{ok}", []),
    ],
)
def test_an_ok_of_a_script_is_judged_as_well(source: str, certain: list[bool]) -> None:
    assert [item.certain for item in findings("OTK304", inside(source, ""))] == certain


NESTED = "    try: charge()\n    except OSError: {error}"


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("try: charge()\nexcept OSError: {error}", 1),
        ("try: charge()\nexcept OSError:\n    {error}\n    on_error(span)", 0),
        ("try: charge()\nexcept OSError:\n    {error}\n    span.add_event('exception')", 0),
        ("try: charge()\nexcept OSError:\n    {error}\n    span.add_event('no')", 1),
        ("try: charge()\nexcept OSError:\n    {error}\n    log.info(url, exc_info=True)", 0),
        ("try: charge()\nexcept OSError:\n    {error}\n    raise", 0),
        ("try: charge()\nexcept asyncio.CancelledError: {error}", 0),
        ("if wait: {error}", 0),
        (f"try:\n{NESTED}\nexcept Exception as e: span.record_exception(e)", 0),
        (f"try:\n{NESTED}\nexcept Exception: pass", 1),
        (f"try: pass\nexcept Exception as e: span.record_exception(e)\nelse:\n{NESTED}", 1),
    ],
)
def test_an_error_is_given_its_exception_by_somebody(body: str, count: int) -> None:
    assert len(findings("OTK302", inside(body))) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("span = tracer.start_span('a')\n{error}", 0),
        ("span = tracer.start_span('a')\ntry: charge()\nexcept OSError: {error}", 1),
    ],
)
def test_an_error_of_a_script_is_judged_as_well(source: str, count: int) -> None:
    assert len(findings("OTK302", inside(source, ""))) == count


def test_a_failure_of_a_script_is_hidden_as_well() -> None:
    source = inside(f"{CLIENT}\n  try: charge()\n  except Exception: log.info(1)\n", "")
    assert [item.certain for item in findings("OTK301", source)] == [True]


FAILING = "try: httpx.get(url)\nexcept Exception: pass"


@pytest.mark.parametrize(
    ("opened", "body", "certain"),
    [
        ("span: trace.Span = tracer.start_span('a')", f"{FAILING}\nspan.end()", [True]),
        ("span = tracer.start_span('a')", f"{FAILING}\nspan.end()", [True]),
        ("span = tracer.start_span('a')", f"{FAILING}", []),
        ("span = tracer.start_span('a')", f"span.end()\n{FAILING}", []),
        ("span = tracer.start_span('a')", f"with span:\n{textwrap.indent(FAILING, '  ')}", [True]),
        ("wait.enter_context(tracer.start_as_current_span('a'))", FAILING, [True]),
        ("wait.enter_context(wait.lock)", FAILING, []),
        ("tracer.start_span('a')", FAILING, []),
        ("for _ in wait: break", FAILING, []),
    ],
)
def test_a_span_is_open_from_its_start_to_its_last_end(
    opened: str, body: str, certain: list[bool]
) -> None:
    source = inside(f"{opened}\n{body}", "def load(url, wait):\n    if True:\n")
    assert [item.certain for item in findings("OTK301", source)] == certain


@pytest.mark.parametrize(
    ("decorator", "certain"),
    [
        ("@tracer.start_as_current_span('a')", [True]),
        ("@tracer.start_as_current_span('a', record_exception=False)", [True]),
        ("@on_error(1)", []),
        ("@on_error", []),
    ],
)
def test_a_decorator_opens_a_span_for_the_whole_function(
    decorator: str, certain: list[bool]
) -> None:
    source = inside(FAILING, f"{decorator}\ndef load(url):\n    if True:\n")
    assert [item.certain for item in findings("OTK301", source)] == certain


def test_what_is_done_in_a_lambda_is_not_in_the_span_around_it() -> None:
    source = inside("wait.add(lambda: [suppress(OSError), httpx.get(url)])")
    assert findings("OTK301", source) == []


@pytest.mark.parametrize(
    ("managers", "certain"),
    [
        ("suppress(OSError)", [True]),
        ("suppress(OSError), tracer.start_as_current_span('b')", []),
        ("tracer.start_as_current_span('b'), suppress(OSError)", [True]),
        ("suppress()", []),
    ],
)
def test_what_is_suppressed_is_hidden_as_well(managers: str, certain: list[bool]) -> None:
    source = inside(f"with {managers}:\n    httpx.get(url)")
    assert [item.certain for item in findings("OTK301", source)] == certain


def test_what_is_suppressed_by_a_stack_is_left_alone() -> None:
    assert findings("OTK301", inside("wait.enter_context(suppress(OSError))\ncharge()")) == []


def test_each_handler_of_a_function_is_judged_by_itself() -> None:
    guard = f"try: kept = charge(url); {DESCRIBED}\nexcept Exception: pass\n"
    work = "try: kept = charge(url); span.set_attribute('a', kept)\nexcept Exception: pass\n"
    others = [guard.replace("kept", name) for name in ("one", "two")]
    source = inside("".join([*others, work, work.replace("kept", "four")]))
    lines = [
        item.place.line - source[: source.index("try: one")].count("\n")
        for item in findings("OTK301", source)
    ]
    assert lines == [6, 8]


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
    fixed = fix_source(source.encode(), "shop.py", [RULES[code]]).source.decode()
    assert fixed == source.replace(before, after)
    assert findings(code, fixed) == []


def test_fixes_import_the_status_once_where_no_name_leads_to_it() -> None:
    head = """\
import httpx
from opentelemetry.trace import SpanKind, get_tracer

tracer = get_tracer("shop")
"""
    load = """\


def load(url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            return httpx.get(url)
        except Exception as error:
            return None
"""
    source = head + load + load
    fixed = fix_source(source.encode(), "shop.py", [RULES["OTK301"]])
    added = [line for line in fixed.source.decode().splitlines() if line not in source.splitlines()]
    assert fixed.count == 2
    assert [line.strip() for line in added] == [
        "from opentelemetry.trace import StatusCode",
        *["span.record_exception(error)", "span.set_status(StatusCode.ERROR)"] * 2,
    ]


@pytest.mark.parametrize(
    ("caught", "span"),
    [
        ("except:", CLIENT),
        ("except Exception:", CLIENT.replace(" as span", "").replace("tracer", "url.tracer")),
        ("except Exception:", f"error = failure = caught = 1\n    {CLIENT}"),
    ],
)
def test_there_is_no_fix_without_a_name_for_exception_and_span(caught: str, span: str) -> None:
    found = findings("OTK301", handling(caught, "return None", span))
    assert [item.fixable for item in found] == [False] * len(found)
    assert found


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("OTK301", "try:\n    {quiet}\n        httpx.get(url)\nexcept Exception: pass"),
        ("OTK302", "try: charge()\nexcept: {error}"),
        ("OTK302", "try: charge()\nexcept OSError: {error}; charge()"),
        ("OTK302", "try: charge()\nexcept OSError: wait({error})"),
    ],
    ids=["the span has ended", "no type", "not on a line of its own", "no statement"],
)
def test_there_is_no_fix_where_no_line_can_be_added(code: str, source: str) -> None:
    quiet = f"with tracer.start_as_current_span('a', kind=SpanKind.CLIENT, {MUTE}) as inner:"
    found = findings(code, inside(source.replace("{quiet}", quiet)))
    assert [item.fixable for item in found] == [False]


def test_there_is_no_fix_where_the_status_would_need_a_name_that_is_taken() -> None:
    source = f"""\
import httpx
from opentelemetry.trace import SpanKind, get_tracer
StatusCode = 1
tracer = get_tracer("shop")
def load(url):
    {CLIENT}
        try:
            return httpx.get(url)
        except Exception as error:
            return None
"""
    assert [item.fixable for item in findings("OTK301", source)] == [False]


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
