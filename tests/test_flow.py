"""What the analysis of paths knows of Python: what raises, what is asked, who has a span."""

import textwrap

import pytest
from flow_sources import CANCELLED, MISSED, RAISED, between, findings, function, severities


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
    body = f"""
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
