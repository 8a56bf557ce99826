"""What the analysis of paths knows of Python: what raises, what is asked, who has a span."""

import textwrap

import pytest
from flow_sources import (
    CANCELLED,
    MISSED,
    RAISED,
    SETUP,
    between,
    findings,
    function,
    severities,
    taken,
)


@pytest.mark.parametrize(
    "work",
    [
        "value = all(rows)",
        "value = any(rows)",
        "rows.append(order)",
        "value = bool(order)",
        "value = callable(order)",
        "order.task.cancel()",
        "value = typing.cast(int, order)",
        "value = rows.copy()",
        "value = asyncio.current_task()",
        "value = threading.current_thread()",
        "value = dict(order)",
        "value = order.task.done()",
        "value = order.sku.endswith('-1')",
        "value = enumerate(rows)",
        "value = sys.exc_info()",
        "value = frozenset(rows)",
        "value = threading.get_ident()",
        "value = threading.get_native_id()",
        "value = os.getpid()",
        "value = hasattr(order, 'sku')",
        "value = id(order)",
        "value = isinstance(order, int)",
        "value = order.placed.isoformat()",
        "value = issubclass(order, int)",
        "value = order.items()",
        "value = order.keys()",
        "value = len(rows)",
        "value = list(rows)",
        "value = order.sku.lower()",
        "value = order.model_dump()",
        "value = time.monotonic()",
        "value = time.monotonic_ns()",
        "value = datetime.now()",
        "value = partial(charge, order)",
        "value = time.perf_counter()",
        "value = time.perf_counter_ns()",
        "print(order)",
        "value = range(3)",
        "value = repr(order)",
        "value = set(rows)",
        "order.future.set_exception(value)",
        "order.future.set_result(value)",
        "value = order.sku.startswith('A-')",
        "value = str(order)",
        "value = order.sku.strip()",
        "value = super()",
        "value = time.time_ns()",
        "value = order.placed.timestamp()",
        "value = tuple(rows)",
        "value = type(order)",
        "value = order.sku.upper()",
        "value = datetime.utcnow()",
        "value = uuid.uuid4()",
        "value = order.values()",
        "value = zip(rows, rows)",
        "for row in rows: value = row",
        "logger.critical('paid')",
        "logger.debug('paid')",
        "logger.error('paid')",
        "logger.exception('paid')",
        "logger.info('paid')",
        "logger.log(10, 'paid')",
        "logger.warning('paid')",
        "order.LOG.info('paid')",
        "span.set_attribute('a', 1)",
        "error = TimeoutException(value)",
        "error = shop.SoldOutError(value)",
        "value = min(value, 1)",
        "value = float(value * 2)",
        "value = int(value * 2.5)",
        "value = round(2.5)",
        "value = int(2)",
        "value = getattr(order, 'sku', None)",
    ],
)
def test_what_python_does_without_an_error_lets_the_end_be_reached(work: str) -> None:
    assert severities("OTK101", between(work)) == []


@pytest.mark.parametrize(
    "work",
    [
        "rows[0](order)",
        "order.info('paid')",
        "info('paid')",
        "error(order)",
        "charge.error(order)",
        "value = soldOutError(order)",
        "value = min(rows)",
        "value = float(order)",
        "value = round(order)",
        "value = int(value * 2, order)",
        "value = floor(2)",
        "value = get(order)",
        "value = pop(order, None)",
        "value = next(rows)",
        "set_attribute('a', 1)",
        "for row in charge(rows): value = row",
    ],
)
def test_what_may_fail_for_what_it_is_given_does_not(work: str) -> None:
    assert severities("OTK101", between(work)) == [RAISED]


@pytest.mark.parametrize(
    "name",
    [
        *("attributes", "config", "context", "data", "dict", "environ", "headers", "kwargs"),
        *("labels", "map", "mapping", "metadata", "options", "params", "settings", "tags"),
        *("order.HEADERS", "order_labels"),
    ],
)
def test_a_dictionary_is_known_by_how_its_name_ends(name: str) -> None:
    assert severities("OTK101", between(f"value = {name}.get(value)")) == []


@pytest.mark.parametrize("name", ["client", "http", "requests", "session", "order.Client", "http2"])
def test_a_client_that_gets_something_asks_a_server(name: str) -> None:
    assert severities("OTK101", between(f"value = {name}.get('stock')")) == [RAISED]


@pytest.mark.parametrize(
    "call",
    [
        "order.get(value)",
        "order.headers.stock.get(value)",
        "order.headers_of.get(value)",
        "rows[0].get(value)",
        "rows.get()",
        "order.get('/stock')",
        "rows.pop(0, 1, 2)",
        "rows.pop(0)",
        "time.clock.time()",
        "time()",
    ],
)
def test_a_lookup_of_what_may_not_be_there_may_fail(call: str) -> None:
    assert severities("OTK101", between(f"value = {call}")) == [RAISED]


@pytest.mark.parametrize(
    ("work", "severity"),
    [
        ("token = activate(order)", []),
        ("token = attach_order(order)", []),
        ("token = enter(order)", []),
        ("token = push(order)", []),
        ("token = _set(order)", []),
        ("TOKEN = set_order(order)", []),
        ("first_token = second_token = set_order(order)", []),
        ("first_token = value = set_order(order)", [RAISED]),
        ("token = settle(order)", [RAISED]),
        ("token = charge(order)", [RAISED]),
        ("token = order_set(order)", [RAISED]),
        ("set_order(order)", [RAISED]),
        ("deactivate(order_token)", []),
        ("detach_order(token)", []),
        ("pop_order(token)", []),
        ("reset(token)", []),
        ("order_restore(value, token)", []),
        ("preset(token)", [RAISED]),
        ("resettle(token)", [RAISED]),
        ("charge(token)", [RAISED]),
        ("reset()", [RAISED]),
    ],
)
def test_a_context_variable_that_is_set_for_a_token_raises_nothing(
    work: str, severity: list[str]
) -> None:
    assert severities("OTK101", between(work)) == severity


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        *((f"on_{word}", []) for word in ("err", "error", "exc", "exception", "fail", "failed")),
        *((f"on_{word}", []) for word in ("failure", "fault")),
        ("on_end", [RAISED]),
    ],
)
def test_a_function_that_tells_of_a_failure_is_known_by_its_name(
    name: str, severity: list[str]
) -> None:
    work = f"try:\n    charge(order)\nexcept Exception as caught:\n    {name}(1, caught)"
    assert severities("OTK101", between(work)) == severity


@pytest.mark.parametrize(
    ("rows", "severity"),
    [("rows", []), ("reversed(rows)", []), ("sorted(rows)", []), ("charge(rows)", [RAISED])],
)
def test_a_loop_over_what_was_listed_before_does_not_fail_in_a_later_round(
    rows: str, severity: list[str]
) -> None:
    body = f"""
        for row in {rows}:
            if value:
                span = tracer.start_span("a")
                value = None
        span.end()
    """
    assert severities("OTK101", function(body)) == severity


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("current_task", []),
        ("current_thread", []),
        ("get_ident", []),
        ("get_native_id", []),
        ("getpid", []),
        ("get_running_loop", [RAISED]),  # there may be none
        ("total", [MISSED]),
    ],
)
def test_tasks_threads_and_processes_are_places(name: str, severity: list[str]) -> None:
    body = f"""
        here = order.{name}()
        token = context.attach(order)
        if order.{name}() == here:
            context.detach(token)
    """
    assert severities("OTK204", function(body)) == severity


@pytest.mark.parametrize(
    ("test", "severity"),
    [
        ("if here is not task: return", []),
        ("if here != task: return", []),
        ("if here is not task: pass\nelse: return", [MISSED]),
        ("if here is task: return", [MISSED]),
        ("if here in task: return", [MISSED]),
        ("if here > task: return", [MISSED]),
        ("if here is not (order or value): return", [MISSED]),
        ("if once is not task: return", []),
        ("if twice is not task: return", []),
        ("if task is not twice: return", []),
        ("if thrice is not task: return", [MISSED]),
        ("if task is not thrice: return", [MISSED]),
        ("if either is not task: return", [MISSED]),
        ("if row is not task: return", [MISSED]),
        ("if given is not task: return", [MISSED]),
        ("if make()() is not task: return", [MISSED]),
    ],
)
def test_a_name_is_a_place_where_all_its_values_are(test: str, severity: list[str]) -> None:
    body = """
        task = asyncio.current_task()
        here = asyncio.current_task()
        once = here
        twice = once
        thrice = twice
        either = task
        either = order
        given = order
        for row in rows: pass
        token = context.attach(order)
    """
    source = function(f"{textwrap.dedent(body)}\n{test}\ncontext.detach(token)")
    assert severities("OTK204", source) == severity


@pytest.mark.parametrize(
    ("work", "severity"),
    [
        ("del rows[0]", []),
        ("value = rows[1:, 0]", []),
        ("value = rows[0, 1]", [RAISED]),
        ("value[rows[0]] = 1", [RAISED]),
        ("value: order[0] = rows", []),
        ("if rows: value = rows[0]", []),
        ("if rows: pass\nelse: value = rows[0]", [RAISED]),
        ("if rows[0]: value = rows", [RAISED]),
        ("value = None if rows else rows[0]", [RAISED]),
        ("value = rows[0] and rows", [RAISED]),
        ("value = rows and value and rows[0]", []),
        ("value = value and rows[0]", [RAISED]),
        ("value = order.rows[0] if order.rows else None", []),
        ("value = order.rows[0] if order else None", [RAISED]),
        ("value = rows[0] if len(rows) > 1 else None", []),
        ("value = order[0][1] if order else None", [RAISED]),
        ("if rows:\n if value: value = rows[0]", []),
        ("if rows:\n def own(): return rows[0]\n own()", [RAISED]),
        ("if rows:\n own = lambda: rows[0]", []),
        ("order.set_attribute('first', rows[0])", []),
        ("order.describe('first', rows[0])", [RAISED]),
        ("if rows:\n span.set_attribute('first', rows[0])", []),
        ("class Own: pass", []),
        ("def own(first=rows): return charge()", []),
        ("current = trace.get_current_span()", []),
        ("with order: value = 1", []),
        ("value = f'{charge()}'", [RAISED]),
        ("value = order.sku", []),
        ("raise KeyError", [MISSED]),
        ("assert_(order)", [RAISED]),
    ],
)
def test_what_a_piece_of_code_may_raise_is_read_from_its_form(
    work: str, severity: list[str]
) -> None:
    found = severities("OTK101", between(work))
    assert found == (severity if work != "raise KeyError" else [RAISED])


@pytest.mark.parametrize(
    ("work", "severity"),
    [
        ("await charge()", [RAISED]),
        ("try: await charge()\nexcept Exception: pass", [CANCELLED]),
        ("try: await charge()\nexcept BaseException: pass", []),
        ("try: await charge()\nexcept: pass", []),
        ("try: await charge()\nexcept asyncio.CancelledError: pass", [RAISED]),
        ("try: await charge()\nexcept (Exception, asyncio.CancelledError): pass", []),
        ("try: await charge()\nexcept (asyncio.CancelledError, Exception): pass", []),
        ("try: await charge()\nexcept KeyError: pass\nexcept BaseException: pass", []),
        ("try: await charge()\nexcept KeyError: return\nexcept BaseException: pass", [RAISED]),
        ("try: await charge()\nexcept kinds(): return\nexcept BaseException: pass", [RAISED]),
        ("try: await charge()\nexcept GeneratorExit: return\nexcept BaseException: pass", []),
        ("try: await charge()\nexcept KeyboardInterrupt: return\nexcept BaseException: pass", []),
        ("try: await charge()\nexcept SystemExit: return\nexcept BaseException: pass", []),
        (
            "try: await charge()\nexcept asyncio.CancelledError: return\nexcept Exception: pass",
            [CANCELLED],
        ),
        ("with contextlib.suppress(Exception): await charge()", [CANCELLED]),
        ("with contextlib.suppress(KeyError, Exception): await charge()", [CANCELLED]),
        ("with contextlib.suppress(KeyError): await charge()", [RAISED]),
        ("with charge.suppress: await charge()", [RAISED]),
        ("with pytest.raises(Exception): await charge()", [RAISED]),
        ("async with order: pass", [CANCELLED]),
        ("async with order, value: pass", [CANCELLED]),
        ("async for row in rows: value = row", [RAISED]),
        ("try:\n async for row in rows: value = row\nexcept Exception: pass", [CANCELLED]),
        ("yield value", [CANCELLED]),
        ("try: yield value\nexcept Exception: pass", [CANCELLED]),
        ("try: yield value\nexcept GeneratorExit: pass", []),
        ("try: yield value\nexcept BaseException: pass", []),
        ("try: yield value\nexcept asyncio.CancelledError: pass", [CANCELLED]),
    ],
)
def test_a_task_may_be_cancelled_and_a_generator_closed(work: str, severity: list[str]) -> None:
    head = "async def handle(order, rows, value):"
    source = function(f"span = tracer.start_span('a')\n{work}\nspan.end()", head)
    assert severities("OTK101", source) == severity


@pytest.mark.parametrize("name", ["contextmanager", "asynccontextmanager"])
def test_what_runs_in_a_context_manager_fails_at_its_yield(name: str) -> None:
    source = f"@contextlib.{name}\n" + between("try: yield value\nexcept GeneratorExit: pass")
    assert severities("OTK101", source) == [RAISED]


@pytest.mark.parametrize(
    ("body", "deed"),
    [
        ("{start}\nreturn span", "returned"),
        ("{start}\nreturn span, value", "returned"),
        ("{start}\nreturn [span]", "returned"),
        ("{start}\nreturn (value, [span])", "stored"),
        ("{start}\nyield span", "returned"),
        ("{start}\nyield value, span", "returned"),
        ("return tracer.start_span('a')", "returned"),
        ("return value or tracer.start_span('a')", "returned"),
        ("return lambda: tracer.start_span('a')", "stored"),
        ("{start}\norder.span = span", "stored"),
        ("{start}\nrows[0] = span", "stored"),
        ("{start}\nrows[0]: Span = span", "stored"),
        ("{start}\nfirst = order.span = span", "stored"),
        ("{start}\nvalue = [span]", "stored"),
        ("{start}\nvalue = {1: span}", "stored"),
        ("{start}\nvalue = {span}", "stored"),
        ("{start}\nvalue = *rows, span", "stored"),
        ("{start}\nvalue = [*span]", "stored"),
        ("{start}\nvalue = [span for row in rows]", "stored"),
        ("{start}\nvalue = {span for row in rows}", "stored"),
        ("{start}\nvalue = {row: span for row in rows}", "stored"),
        ("{start}\nvalue = (span for row in rows)", "stored"),
        ("value = [tracer.start_span('a') for row in rows]", "stored"),
        ("{start}\nkeep(span)", "passed"),
        ("{start}\nkeep(span=span)", "passed"),
        ("{start}\nkeep(*span)", "passed"),
        ("{start}\nkeep((span, value))", "stored"),
        ("{start}\nkeep(value or span)", "passed"),
        ("{start}\nkeep(span if value else None)", "passed"),
        ("{start}\nclass Kept(span=span): pass", "captured"),
        ("{start}\nerror(span)", "passed"),
        ("{start}\nvalue = use_span(span, end_on_exit=True)", "passed"),
        ("{start}\nvalue = use_span(span, end_on_exit=value)", "passed"),
        ("{start}\nrows.append(span.end)", "captured"),
        ("{start}\nstop = span.end", "captured"),
        ("{start}\ndef stop(): span.end()\nkeep(stop)", "captured"),
        ("{start}\ndef stop(kept=span): kept.end()\nkeep(stop)", "captured"),
        ("{start}\ndef stop():\n class Stop:\n  span = 1\n  def now(self): span.end()", "captured"),
        ("{start}\ndef stop(): keep(span)", "captured"),
        ("{start}\ndef stop(): return span", "captured"),
        ("{start}\nspan.__enter__()", "entered"),
        ("value = tracer.start_span('a').__enter__()", "entered"),
    ],
)
def test_whoever_takes_the_span_is_told_apart(body: str, deed: str) -> None:
    source = function(body.replace("{start}", "span = tracer.start_span('a')"))
    assert taken(source) == [deed]


@pytest.mark.parametrize(
    "use",
    [
        "value = bool(span)",
        "value = span.get_span_context()",
        "value = order.get_span_context(span)",
        "value = getattr(span, 'name', None)",
        "value = hasattr(span, 'name')",
        "value = id(span)",
        "value = isinstance(span, int)",
        "value = len(span)",
        "print(span)",
        "value = repr(span)",
        "value = trace.set_span_in_context(span)",
        "value = str(span)",
        "value = type(span)",
        "value = vars(span)",
        "logger.info('paid', span)",
        "order.span = 1",
        "keep(span=1)",
        "keep(order.span)",
        "value = span + 1",
        "value = span == order",
        "span",
        "value = f'{span}'",
        "value = 1 if span else 2",
        "value = span[0]",
        "value = -span",
        "value = not span",
        "value = span.name",
        "span.name = 'b'",
        "span.set_attribute('a', 1)",
        "span.add_link(span.get_span_context())",
        "span.rename('b')",
        "span.end",
        "value = order.end(span.name)",
        "for row in span: value = row",
        "for span in rows: value = span",
        "value = [row for row in span]",
        "span: int = 1",
        "span += 1",
        "(span := 1)",
        "span = span",
        "same = span",
        "same = typing.cast(Span, span)",
        "with use_span(span): value = 1",
        "with use_span(span) as same: value = 1",
        "with use_span(span, False): value = 1",
        "with use_span(span, end_on_exit=False): value = 1",
        "value = use_span(span)",
        "with order as span: value = 1",
        "try: value = 1\nexcept KeyError as span: value = 2",
        "def own(): print(span)",
        "def own(): span.set_attribute('a', 1)",
        "def own(): same = span",
        "def own(span): span.end()",
        "def own(span=1): span.end()",
        "def own(other=order.span): other.end()",
        "def own():\n span = order\n span.end()",
        "def own():\n nonlocal span\n span = None",
        "own = lambda span: span.end()",
        "value = [row.end() for row in rows]",
    ],
)
def test_whoever_looks_at_the_span_does_not_have_to_end_it(use: str) -> None:
    assert severities("OTK101", function(f"span = tracer.start_span('a')\n{use}")) == [MISSED]


@pytest.mark.parametrize(
    "work",
    [
        "value = [str(span) for span in rows]",
        "value = {str(span) for span in rows if span}",
        "value = {str(span): 1 for span in rows}",
        "value = (str(span) for row in rows for span in row)",
        "value = [str(span) for span, other in rows]",
        "value = [span for span in rows]",
        "value = [[span] for span in rows]",
    ],
)
def test_a_comprehension_has_names_of_its_own(work: str) -> None:
    start = "span = tracer.start_span('a')"
    assert severities("OTK101", function(f"{start}\n{work}\nspan.end()")) == []
    assert severities("OTK101", function(f"{start}\n{work}")) == [MISSED]


@pytest.mark.parametrize(
    "work",
    [
        "value = [row for span in keep(span)]",
        "value = [row for row in rows for span in keep(row)] + keep(span)",
    ],
)
def test_what_a_comprehension_goes_through_is_named_outside(work: str) -> None:
    assert taken(function(f"span = tracer.start_span('a')\n{work}")) == ["passed"]


@pytest.mark.parametrize(
    ("helper", "call", "deed"),
    [
        ("def own(span, /): print(span)", "own(span)", []),
        ("def own(value, span, /): print(span)", "own(1, span)", []),
        ("def own(span, value): print(span)", "own(1, span)", []),
        ("def own(span, value): value.end()", "own(1, span)", None),
        ("def own(span, value): span.end()", "own(1, span)", []),
        ("def own(*, span): print(span)", "own(span=span)", []),
        ("def own(span): print(span)", "own(*rows, span)", ["passed"]),
        ("def own(span): print(span)", "own(span, **rows)", ["passed"]),
        ("def own(value, *spans): print(spans)", "own(1, span)", ["passed"]),
        ("def own(span): keep(span)", "own(span)", ["passed"]),
        ("def own(span): own(span)", "own(span)", ["passed"]),
        ("def own(span): yield print(span)", "own(span)", ["passed"]),
        ("def own(span): return span", "own(span)", ["passed"]),
        ("def own(span):\n if span: span.end()", "own(span)", None),
        ("def own(span):\n with use_span(span, True): pass", "own(span)", None),
        ("def own(span):\n charge()\n span.end()", "own(span)", None),
        ("def own(span):\n while True: pass", "own(span)", []),
    ],
)
def test_a_function_of_the_file_does_with_the_span_what_its_body_does(
    helper: str, call: str, deed: list[str] | None
) -> None:
    source = f"{helper}\n" + function(f"span = tracer.start_span('a')\n{call}")
    expected = [] if deed is None else deed or None
    found = taken(source)
    assert found == expected if expected is not None else severities("OTK101", source) == [MISSED]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("with span: pass\nspan.end()", 1),
        ("with span as same: pass\nspan.end()", 1),
        ("with use_span(span, end_on_exit=True): pass\nspan.end()", 1),
        ("with use_span(span, True): span.end()", 1),
        ("with use_span(span): pass\nspan.end()", 0),
        ("with use_span(span, end_on_exit=False): pass\nspan.end()", 0),
        ("with order: pass\nspan.end()", 0),
        ("with order.span: pass\nspan.end()", 0),
        ("span.end()\nspan.end()", 1),
        ("span.__exit__()\nspan.end()", 1),
        ("span.end()\nif value:\n span.end()\nelse:\n span.end()", 2),
        ("if value:\n span.end()\nspan.end()", 1),
        ("if value:\n span.end()\nelse:\n span.end()", 0),
        ("if value:\n span.end()\nif not value:\n span.end()", 0),
        ("same = span\nsame.end()\nspan.end()", 1),
        ("span.end()\nspan = order\nspan.end()", 0),
        ("span.end()\nspan = span\nspan.end()", 1),
        ("span.end()\nif span.is_recording(): span.end()", 0),
        ("span.end()\nif not span.is_recording(): span.end()", 1),
        ("try:\n span.end()\nexcept KeyError:\n span.end()", 0),
        ("try:\n span.end()\n charge()\nexcept KeyError:\n span.end()", 1),
        ("try:\n charge()\n span.end()\nfinally:\n span.end()", 1),
        ("for row in rows:\n span.end()", 1),
        ("for row in rows:\n span.end()\n break", 0),
        ("for row in rows:\n span.end()\n return", 0),
        ("while True:\n span.end()\n break", 0),
        ("own(span)\nspan.end()", 1),
        ("keep(span)\nspan.end()", 0),
    ],
)
def test_a_span_has_one_end_on_each_path(body: str, count: int) -> None:
    source = "def own(it): it.end()\n" + function(f"span = tracer.start_span('a')\n{body}")
    assert len(findings("OTK105", source)) == count


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("with {current} as span:\n pass\nspan.end()", 1),
        ("with {current} as span:\n span.end()", 1),
        ("with {current} as span:\n pass\nspan = order\nspan.end()", 0),
        ("with {current}:\n pass\nspan.end()", 0),
        ("with {unended} as span:\n pass\nspan.end()", 0),
        ("with {unended} as span:\n span.end()\nspan.end()", 1),
        ("with {start} as span:\n pass\nspan.end()", 1),
        ("with {start} as span:\n span.end()", 1),
        ("with {start}:\n pass\nspan.end()", 0),
        ("with {start} as order.span:\n pass\norder.span.end()", 0),
        ("with {current} as order.span:\n pass\norder.span.end()", 0),
        ("with {current} as (span, other):\n pass\nspan.end()", 0),
    ],
)
def test_a_with_ends_its_span_when_it_is_left(body: str, count: int) -> None:
    current = "tracer.start_as_current_span('a')"
    source = function(
        body.format(
            start="tracer.start_span('a')",
            current=current,
            unended=f"{current[:-1]}, end_on_exit=False)",
        )
    )
    assert len(findings("OTK105", source)) == count


@pytest.mark.parametrize(
    ("use", "count"),
    [
        ("span.add_event('a')", 1),
        ("span.add_link(order)", 1),
        ("span.record_exception(value)", 1),
        ("span.set_attribute('a', 1)", 1),
        ("span.set_attributes({})", 1),
        ("span.set_status(value)", 1),
        ("span.update_name('b')", 1),
        ("print(span)", 0),
        ("span.get_span_context()", 0),
        ("span.is_recording()", 0),
        ("span = order\nspan.set_status(value)", 0),
        ("if span.is_recording(): span.set_status(value)", 0),
        ("order.span.set_status(value)", 0),
        ("def own(): span.set_status(value)", 0),
    ],
)
def test_what_is_done_to_a_span_after_its_end_has_no_effect(use: str, count: int) -> None:
    source = function(f"span = tracer.start_span('a')\nspan.end()\n{use}")
    assert len(findings("OTK106", source)) == count


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ("{start}\ncharge()\nspan.end()", {1: "starts", 2: "exception"}),
        ("{start}\nif value:\n return\nspan.end()", {1: "starts", 3: "leaves"}),
        ("{start}", {1: "starts"}),
        ("{start}\nvalue = 1", {1: "starts", 2: "leaves"}),
        ("print()\n{start}\nvalue = 1\nvalue = 2", {2: "starts", 4: "leaves"}),
        ("{start}\nyield value\nspan.end()", {1: "starts", 2: "close"}),
        ("{start}\nawait charge()\nspan.end()", {1: "starts", 2: "exception"}),
        (
            "{start}\ntry:\n await charge()\nexcept Exception:\n pass\nspan.end()",
            {1: "starts", 3: "cancellation"},
        ),
        (
            "{start}\ntry:\n charge()\nfinally:\n print()\nspan.end()",
            {1: "starts", 3: "exception"},
        ),
        (
            "{start}\ntry:\n print()\n charge()\nexcept KeyError:\n return\nspan.end()",
            {1: "starts", 4: "exception"},
        ),
        (
            "{start}\nwith contextlib.suppress(KeyError):\n charge()\n span.end()",
            {1: "starts", 3: "exception"},
        ),
    ],
)
def test_the_path_of_a_span_that_is_not_ended_is_told_step_by_step(
    body: str, steps: dict[int, str]
) -> None:
    source = function(
        body.replace("{start}", "span = tracer.start_span('a')"), "async def handle():"
    )
    [finding] = findings("OTK101", source)
    first = SETUP.count("\n") + 1
    said = {
        step.place.line - first: step.message.replace("the span ", "") for step in finding.steps
    }
    assert {line: message.partition(" ")[0] for line, message in said.items()} == steps
