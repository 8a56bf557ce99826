"""What runs beside a submission: it observes everything, and carries whatever it is given."""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sqlite3
import sys
import textwrap
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType, NoneType
from typing import TypeVar, cast, get_args

import httpx
import pytest
from event_loop import in_event_loop
from hosting import SUBMISSION, a_host, a_parent, leave, start, write
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import Link
from patience import until
from plain_data import values_of

from otelkata.deploy import link
from otelkata.deploy.link import HostGone
from otelkata.host import wire
from otelkata.host.channel import Channel
from otelkata.host.observe import (
    LogObserver,
    RecordingExporter,
    SpanCounter,
    attributes,
    cause,
    observe_queries,
    serialise,
)
from otelkata.host.place import NOWHERE, Places, describe
from otelkata.host.service import BrokenContract, Service, Turn

HERE = Path(__file__)
HOST = "127.0.0.1"
LIMIT = wire.TEXT_LIMIT
ReportT = TypeVar("ReportT", bound=wire.Report)


class Driver:
    """The other end of a channel, over a real socket."""

    def __init__(self) -> None:
        with socket.create_server((HOST, 0)) as server:
            self.channel = Channel(server.getsockname()[1])
            self._socket, _ = server.accept()
        self._socket.settimeout(30)
        self._lines = self._socket.makefile("rb")

    def next(self, kind: type[ReportT]) -> ReportT:
        """Return the next report of `kind`; those before it are passed over."""
        while not isinstance(report := self._read(), kind):
            pass
        return report

    def rest(self) -> list[wire.Report]:
        """Close the channel, and return what was reported up to here."""
        self.channel.send()
        self.channel._socket.close()
        return [_decoded(line) for line in self._lines]

    def close(self) -> None:
        self.channel._socket.close()
        self._lines.close()
        self._socket.close()

    def _read(self) -> wire.Report:
        return _decoded(self._lines.readline())


def _decoded(line: bytes) -> wire.Report:
    name, _, payload = line.partition(b" ")
    return link._DECODERS[name.decode()].decode(payload)


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


# What is said.


@given(values_of(wire.Command))
def test_a_command_is_read_as_it_was_written(command: wire.Command) -> None:
    assert wire.decode_command(wire.encode(command)[:-1]) == command


@given(values_of(wire.Report))
def test_a_report_is_read_as_it_was_written(report: wire.Report) -> None:
    line = wire.encode(report)
    assert line.count(b"\n") == 1
    assert _decoded(line) == report


ANSWERS: dict[type[wire.Command], dict[str, wire.Scalar | None]] = {
    wire.Start: {"port": 80},
    wire.Stop: {"took": 1.5},
    wire.ShutDown: {"returned": True, "raised": None, "took": 1, "path": "a.py", "line": 1},
    wire.Where: {"path": "a.py", "line": 1, "blocks": False},
    wire.Lingering: {"thread": "worker", "path": "a.py", "line": 1},
}
KINDS: dict[str, set[type]] = {
    "port": {int},
    "took": {int, float},
    "returned": {bool, str, NoneType},
    "raised": {str, NoneType},
    "path": {str},
    "line": {int},
    "blocks": {bool},
    "thread": {str},
}
LONGEST = {"port": 65_535, "took": 86_400}


@given(
    st.sampled_from([(command, name) for command in ANSWERS for name in ANSWERS[command]]),
    values_of(wire.Scalar | None),
)
@example((wire.Start, "port"), True)
@example((wire.ShutDown, "line"), True)
@example((wire.Stop, "took"), 10**4000)
def test_an_answer_fits_where_each_value_is_of_its_kind(
    field: tuple[type[wire.Command], str], value: wire.Scalar | None
) -> None:
    command, name = field
    reply = wire.Reply(1, ok=True, values={**ANSWERS[command], name: value})
    assert wire.fits(command, wire.Reply(1, ok=True, values=ANSWERS[command]))
    is_of_its_kind = type(value) in KINDS[name]
    if is_of_its_kind and name in LONGEST:
        is_of_its_kind = 0 <= cast("float", value) <= LONGEST[name]
    assert wire.fits(command, reply) == is_of_its_kind


def test_every_report_and_command_can_be_read() -> None:
    assert {*wire.REPORTS.values()} == {*get_args(wire.Report)}
    assert {*wire.COMMANDS.values()} == {*get_args(wire.Command)}


def test_a_channel_whose_driver_has_gone_is_silent() -> None:
    driver = Driver()
    driver._lines.close()
    driver._socket.close()
    for _ in range(10):
        driver.channel.send(wire.Ended("payment.main", "0" * 16, 1))
    driver.close()


class Odd:
    """What no attribute should be."""

    def __str__(self) -> str:
        return "an odd object"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("text", "text"),
        ("x" * (LIMIT + 1), "x" * LIMIT),
        ("half \ud800 a pair", "half \\ud800 a pair"),
        (True, True),
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (1.5, 1.5),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, "None"),
        (b"\xff", "b'\\xff'"),
        (Odd(), "an odd object"),
        (("a", 1, math.nan), ["a", 1, "nan"]),
        ([["nested"]], ["['nested']"]),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_an_attribute_is_kept_as_json_can_carry_it(value: object, kept: object) -> None:
    found = attributes({"key\ud800": value})
    assert found == {"key\\ud800": kept}
    exported = wire.Exported("payment.main", _span(found))
    assert _decoded(wire.encode(exported)) == exported


def _span(values: wire.Attributes) -> wire.Span:
    provider = TracerProvider()
    span = provider.get_tracer("t").start_span("span", links=[Link(trace.INVALID_SPAN_CONTEXT)])
    span.end()
    found = serialise(cast("ReadableSpan", span))
    return wire.Span(
        **{name: getattr(found, name) for name in found.__slots__} | {"attributes": values}
    )


# What is observed.


def an_observed_provider(driver: Driver) -> tuple[TracerProvider, RecordingExporter, SpanCounter]:
    provider = TracerProvider()
    exporter = RecordingExporter("payment.main", driver.channel)
    counter = SpanCounter("payment.main", driver.channel, Places(HERE.parent))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(counter)
    return provider, exporter, counter


def test_a_start_knows_its_request_its_parent_and_its_line(driver: Driver) -> None:
    provider, _, _ = an_observed_provider(driver)
    token = cause.set(("payment.main", 4711))
    with provider.get_tracer("scope").start_as_current_span("outer") as outer:
        line = sys._getframe().f_lineno + 1
        with provider.get_tracer("scope").start_as_current_span("inner"):
            pass
    cause.reset(token)
    first, second = driver.next(wire.Started), driver.next(wire.Started)
    assert (first.name, first.parent_id, first.cause) == ("outer", None, 4711)
    assert second.parent_id == trace.format_span_id(outer.get_span_context().span_id)
    assert (second.path, second.line) == (HERE.name, line)
    assert (second.scope, second.kind, second.handler) == ("scope", "INTERNAL", "payment.main")
    ended = {driver.next(wire.Ended).span_id for _ in range(2)}
    assert ended == {first.span_id, second.span_id}


def test_spans_are_open_until_they_have_ended(driver: Driver) -> None:
    provider, _, counter = an_observed_provider(driver)
    span = provider.get_tracer("scope").start_span("open")
    assert not counter.wait_until_none_is_open(0)
    threading.Timer(0.01, span.end).start()
    assert counter.wait_until_none_is_open(30)


@pytest.mark.parametrize(
    ("behaviour", "result", "flushed", "arrived"),
    [
        ("collect", SpanExportResult.SUCCESS, True, 1),
        ("delay", SpanExportResult.SUCCESS, True, 1),
        ("fail", SpanExportResult.FAILURE, False, 0),
    ],
)
def test_an_exporter_behaves_as_it_is_told(
    behaviour: wire.Behaviour,
    result: SpanExportResult,
    arrived: int,
    driver: Driver,
    *,
    flushed: bool,
) -> None:
    exporter = RecordingExporter("payment.main", driver.channel)
    exporter.behaviour = behaviour
    span = TracerProvider().get_tracer("t").start_span("span")
    span.end()
    assert exporter.export([span]) is result  # type: ignore[list-item]
    assert exporter.force_flush() is flushed
    exporter.shutdown()
    assert len(driver.rest()) == arrived


def test_an_exporter_that_raises_and_one_that_hangs_do_so_everywhere(driver: Driver) -> None:
    exporter = RecordingExporter("payment.main", driver.channel)
    calls: list[Callable[[], object]] = [
        lambda: exporter.export([]),
        exporter.force_flush,
        exporter.shutdown,
    ]
    exporter.behaviour = "raise"
    for call in calls:
        with pytest.raises(RuntimeError, match="connection to the collector lost"):
            call()
    exporter.behaviour = "hang"
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.05)
        assert thread.is_alive()


def test_warnings_of_the_sdk_are_passed_on_with_their_trace(driver: Driver) -> None:
    logger = logging.getLogger("opentelemetry.somewhere")
    logger.propagate = False
    observer = LogObserver(driver.channel)
    logger.addHandler(observer)
    provider, _, _ = an_observed_provider(driver)
    logger.info("not that important")
    logger.warning("before %s", "all \ud800")
    with provider.get_tracer("t").start_as_current_span("span") as span:
        logger.error("during")
    logger.removeHandler(observer)
    before, during = driver.next(wire.Logged), driver.next(wire.Logged)
    assert (before.message, before.trace_id) == ("before all \\ud800", "")
    assert during.trace_id == trace.format_trace_id(span.get_span_context().trace_id)


def test_queries_are_observed_with_their_request(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", sqlite3.connect)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", sqlite3.connect)
    observe_queries(driver.channel)
    cause.set(("inventory.main", 4711))

    class Own(sqlite3.Connection):
        """A connection of the submission's own class."""

    for connection in (
        sqlite3.connect(tmp_path / "a.sqlite"),
        sqlite3.dbapi2.connect(database=":memory:", factory=Own),
    ):
        connection.execute("SELECT ?", ("value",))
        assert driver.next(wire.Query) == wire.Query("inventory.main", 4711, "SELECT 'value'")
        connection.close()
    cause.set(("", 0))


# Places in the submission.


def test_a_place_is_in_the_submission_and_in_none_of_its_dependencies(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert places.owns(f"{tmp_path}/checkout/a.py")
    for other in (f"{tmp_path}/venv/site-packages/b.py", f"{tmp_path}2/a.py", "<string>"):
        assert not places.owns(other)
        assert places.relative(other) == other
    assert Places(Path("C:\\mine")).relative("C:\\mine\\a.py") == "a.py"


CODE = """
def fail():
    raise ValueError("deep")
def call(other):
    other()
def wait(event):
    event.wait()
async def waiting(event):
    await event.wait()
"""


@pytest.fixture
def code(tmp_path: Path) -> dict[str, Callable[..., object]]:
    names: dict[str, Callable[..., object]] = {}
    exec(compile(CODE, str(tmp_path / "checkout.py"), "exec"), names)
    return names


def test_an_exception_is_placed_at_the_submissions_innermost_line(
    code: dict[str, Callable[..., object]], tmp_path: Path
) -> None:
    places = Places(tmp_path)
    for function, line in ((code["fail"], 3), (lambda: int("x"), 5)):
        with pytest.raises(ValueError, match=r".") as caught:
            code["call"](function)
        assert places.of_exception(caught.value) == ("checkout.py", line)
        problem = places.problem(caught.value, "request", "payment.main", "payment")
        assert (problem.path, problem.line) == ("checkout.py", line)
        assert str(tmp_path) not in problem.details
    assert places.of_exception(ValueError()) == NOWHERE


def test_a_syntax_error_is_placed_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("\nx = (", str(tmp_path / "checkout.py"), "exec")
    assert Places(tmp_path).of_exception(caught.value) == ("checkout.py", 2)


def test_a_printed_traceback_is_placed_at_the_submissions_last_line(tmp_path: Path) -> None:
    printed = f'File "{tmp_path}/a.py", line 3\nFile "{tmp_path}/b.py", line 4\nFile "x", line 5'
    assert Places(tmp_path).of_text(printed) == ("b.py", 4)
    assert Places(tmp_path).of_text("ValueError") == NOWHERE


def test_threads_and_tasks_are_placed_where_they_wait(
    code: dict[str, Callable[..., object]], tmp_path: Path
) -> None:
    places, event = Places(tmp_path), threading.Event()
    thread = threading.Thread(target=code["wait"], args=(event,), daemon=True)
    assert places.of_thread(thread) == NOWHERE
    thread.start()
    until(lambda: places.of_thread(thread) != NOWHERE)
    assert places.of_thread(thread) == ("checkout.py", 7)
    event.set()
    thread.join()

    async def scene() -> None:
        assert places.of_tasks(asyncio.get_running_loop()) == NOWHERE
        waiting = code["waiting"](asyncio.Event())
        task = asyncio.ensure_future(cast("Coroutine[None, None, None]", waiting))
        await asyncio.sleep(0)
        assert places.of_tasks(asyncio.get_running_loop()) == ("checkout.py", 9)
        task.cancel()

    asyncio.run(scene())


class Mute(Exception):
    """An error that cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("deep"), "ValueError: deep"),
        (ValueError(), "ValueError"),
        (Mute(), "Mute: (its message cannot be read: RuntimeError)"),
        (ModuleNotFoundError("No module named 'a.b'", name="a.b"), "; install it where"),
        (ModuleNotFoundError("No module named 'a.b'", name="a.b"), "-m pip install a"),
        (ModuleNotFoundError("none", name="asynico.tasks"), "is asyncio meant, which belongs to"),
        (ModuleNotFoundError("none", name="winreg"), "it belongs to Python, but not to this one"),
        (ModuleNotFoundError("no checkout", name="checkout"), "ModuleNotFoundError: no checkout"),
        (ValueError("x" * LIMIT), "ValueError: xxx"),
    ],
)
def test_an_error_is_described(error: Exception, text: str) -> None:
    assert text in describe(error)
    assert len(describe(error)) < LIMIT + 100


@pytest.mark.parametrize("name", ["checkout.nothing", "pytest.nothing"])
def test_who_misses_a_part_of_what_is_there_is_not_told_to_install_it(name: str) -> None:
    assert "install" not in describe(ModuleNotFoundError("none", name=name))


# A service.


class Running:
    """A service of the small submission, in a thread of this process."""

    def __init__(self, driver: Driver, source: str, tmp_path: Path, **fields: object) -> None:
        self._driver = driver
        path = tmp_path / "checkout.py"
        path.write_text(SUBMISSION + textwrap.dedent(source), "utf-8")
        self.module = ModuleType("checkout")
        exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(self.module))
        command = {
            "request": 1,
            "start": "payment.main",
            "service": "payment",
            "version": "1",
            "exporter": "memory",
            "serves": True,
            "timeout": None,
            "urls": {"processor_url": "http://127.0.0.1:9"},
        }
        self.service = Service(
            wire.Start(**command | fields),  # type: ignore[arg-type]
            driver.channel,
            Places(tmp_path),
            Turn(),
        )
        self._thread = threading.Thread(target=self.service.run, args=(self.module,), daemon=True)
        self._thread.start()

    def reply(self) -> wire.Reply:
        return self._driver.next(wire.Reply)

    def stop(self) -> None:
        assert self.service.stop(30)
        self._thread.join()


def test_a_service_serves_and_stops(driver: Driver, tmp_path: Path) -> None:
    running = Running(driver, "", tmp_path)
    reply = running.reply()
    assert reply.ok
    with httpx.Client() as client:
        answer = client.get(f"http://{HOST}:{reply.values['port']}/")
        port = client._transport  # the connection stays open until the client is closed
        assert port is not None
    assert answer.status_code == 200
    begun = driver.next(wire.Started)
    assert (begun.handler, begun.path) == ("payment.main", "checkout.py")
    assert begun.cause > 0
    assert driver.next(wire.Exported).span.name == "served"
    running.stop()
    assert [r for r in driver.rest() if isinstance(r, wire.Problem)] == []


@pytest.mark.parametrize(
    ("source", "stage", "message", "line"),
    [
        ("def init_tracer(*a, **k): return 7", "init_tracer", "it returned int", True),
        ("def init_tracer(*a, **k): raise ValueError('no')", "init_tracer", "ValueError: no", True),
        (
            "def init_tracer(*a, **k): raise SystemExit(3)",
            "init_tracer",
            "sys.exit(3) was called",
            True,
        ),
        ("def init_tracer(name): pass", "init_tracer", "TypeError: init_tracer()", True),
        ("def create_payment(*a, **k): return 7", "create_payment", "it returned int", True),
        ("def create_payment(*a, **k): 1 / 0", "create_payment", "ZeroDivisionError", True),
        (
            """
            def create_payment(*a, **k):
                async def serve(scope, receive, send):
                    await receive()
                    await send({"type": "lifespan.startup.failed", "message": "no luck"})
                return serve
            """,
            "startup",
            "no luck",
            False,
        ),
        (
            """
            def create_payment(*a, **k):
                async def serve(scope, receive, send):
                    await receive()
                    await send({"type": "lifespan.startup.failed"})
                return serve
            """,
            "startup",
            "startup failed",
            False,
        ),
        (
            """
            def create_payment(*a, **k):
                async def serve(scope, receive, send):
                    raise KeyboardInterrupt
                return serve
            """,
            "startup",
            "KeyboardInterrupt",
            True,
        ),
        (
            "def create_payment(*a, **k): return lambda environ, start_response: [b'']",
            "startup",
            "an ASGI application is expected; this one looks like a WSGI application",
            True,
        ),
        (
            """
            def create_payment(*a, **k):
                async def serve(request):
                    pass
                return serve
            """,
            "startup",
            "serve() takes 1 positional argument but 3 were given",
            True,
        ),
        (
            """
            class Wsgi:
                def __call__(self, environ, start_response):
                    return [b""]
            def create_payment(*a, **k):
                return Wsgi()
            """,
            "startup",
            "looks like a WSGI application",
            True,
        ),
    ],
)
def test_a_service_that_cannot_start_says_where_and_why(
    source: str, stage: str, message: str, driver: Driver, tmp_path: Path, *, line: bool
) -> None:
    running = Running(driver, source, tmp_path)
    problem = driver.next(wire.Problem)
    assert (problem.stage, problem.service) == (stage, "payment")
    assert message in problem.message
    assert (problem.path == "checkout.py") == line
    assert not running.reply().ok
    running.stop()


REQUESTS = """
    def create_payment(*a, **k):
        async def serve(scope, receive, send):
            if scope["type"] == "lifespan":
                {lifespan}
                return
            {request}
        return serve
"""
STARTS = "await receive(); await send({'type': 'lifespan.startup.complete'}); await receive()"


@pytest.mark.parametrize("error", ["ValueError('oops')", "BaseException('oops')"])
def test_what_a_request_leaves_to_its_server_is_reported(
    error: str, driver: Driver, tmp_path: Path
) -> None:
    source = REQUESTS.format(lifespan="raise NotImplementedError", request=f"raise {error}")
    running = Running(driver, source, tmp_path)
    reply = running.reply()
    assert reply.ok, "an application may have no lifespan"
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"http://{HOST}:{reply.values['port']}/")
    problem = driver.next(wire.Problem)
    assert (problem.stage, problem.path) == ("request", "checkout.py")
    assert "oops" in problem.message
    running.stop()


def test_an_application_that_cannot_be_awaited_is_told_at_its_first_request(
    driver: Driver, tmp_path: Path
) -> None:
    """It may be one that only offers no lifespan."""
    running = Running(driver, "def create_payment(*a, **k): return lambda *a: []", tmp_path)
    httpx.get(f"http://{HOST}:{running.reply().values['port']}/")
    problem = driver.next(wire.Problem)
    assert (problem.stage, problem.path) == ("request", "checkout.py")
    assert problem.message.startswith("an ASGI application is expected; this one returned list, ")
    running.stop()


@pytest.mark.parametrize(
    ("lifespan", "message"),
    [
        (f"{STARTS}; raise ValueError('too late')", "too late"),
        (f"{STARTS}; await send({{'type': 'lifespan.shutdown.failed', 'message': 'no'}})", "no"),
    ],
)
def test_a_shutdown_that_fails_is_reported(
    lifespan: str, message: str, driver: Driver, tmp_path: Path
) -> None:
    running = Running(driver, REQUESTS.format(lifespan=lifespan, request="pass"), tmp_path)
    assert running.reply().ok
    running.stop()
    problem = driver.next(wire.Problem)
    assert problem.stage == "shutdown"
    assert message in problem.message


def test_a_service_that_only_has_a_provider_can_be_probed_and_shut_down(
    driver: Driver, tmp_path: Path
) -> None:
    running = Running(driver, "", tmp_path, serves=False, exporter="memory")
    assert running.reply().ok
    running.service.probe("a probe", ["one", "two"])
    span = driver.next(wire.Exported).span
    assert (span.scope, span.status) == (wire.PROBE_SCOPE, "ERROR")
    assert (span.attributes["probe.text.1"], len(span.events)) == ("two", 2)
    values = running.service.shut_down(1.0)
    assert (values["returned"], values["raised"]) == (True, None)
    running.stop()


@pytest.mark.parametrize(
    ("body", "returned", "raised"),
    [
        ("return False", False, None),
        ("return None", "None", None),
        ("return 1", "1", None),
        ("raise KeyError('x')", None, "KeyError: 'x'"),
        ("raise SystemExit", None, "sys.exit() was called"),
    ],
)
def test_what_shutdown_tracer_does_is_told(
    body: str, returned: object, raised: str | None, driver: Driver, tmp_path: Path
) -> None:
    source = f"def shutdown_tracer(provider, timeout): {body}"
    running = Running(driver, source, tmp_path, serves=False)
    running.reply()
    values = running.service.shut_down(1.0)
    assert (values["returned"], values["raised"]) == (returned, raised)
    assert values.get("path") == ("checkout.py" if raised else None)


def test_without_a_provider_there_is_nothing_to_shut_down(driver: Driver, tmp_path: Path) -> None:
    running = Running(driver, "def init_tracer(*a, **k): pass", tmp_path)
    assert not running.reply().ok
    with pytest.raises(BrokenContract):
        _ = running.service.provider
    fresh = Service(running.service._command, driver.channel, Places(tmp_path), Turn())
    with pytest.raises(BrokenContract):
        fresh.shut_down(1.0)


# A whole host, in a process of its own.


@pytest.mark.parametrize(
    ("source", "stage", "message", "line"),
    [
        ("import no_such_module_at_all", "import", "pip install no_such_module_at_all", True),
        ("raise SystemExit(7)", "import", "sys.exit(7) was called", True),
        ("x = (", "import", "SyntaxError", True),
        ("del create_payment", "import", "offers no create_payment", True),
        ("shutdown_tracer = None", "import", "offers no shutdown_tracer", True),
        ("import os; os._exit(7)", "exit", "os._exit(7) ended the process", True),
    ],
)
@in_event_loop
async def test_a_submission_that_cannot_be_imported_says_where_and_why(
    source: str, stage: str, message: str, tmp_path: Path, *, line: bool
) -> None:
    async with a_host(tmp_path, f"\n{source}") as (host, observations):
        try:
            assert not (await start(host)).ok
            assert await leave(host) == 0
        except HostGone:
            assert stage == "exit"
    (problem,) = observations.problems
    assert problem.stage == stage
    assert message in problem.message
    assert problem.path == "checkout.py"
    assert (problem.line > 0) == line


@in_event_loop
async def test_source_with_a_nul_byte_is_named_with_its_line(tmp_path: Path) -> None:
    (write(tmp_path, "") / "gateway.py").write_bytes(b"first = 1\nsecond = '\0'\n")
    async with a_host(tmp_path, "\nimport gateway") as (host, observations):
        assert not (await start(host)).ok
    (problem,) = observations.problems
    assert (problem.path, problem.line) == ("gateway.py", 2)
    assert "gateway.py holds a NUL byte" in problem.message


LINGERS = """
import threading

def shutdown_tracer(provider, timeout):
    threading.Thread(target=linger, name="the last one", daemon=False).start()
    return True

def linger():
    threading.Event().wait()
"""
POOLED = """
import threading
from concurrent.futures import ThreadPoolExecutor

def shutdown_tracer(provider, timeout):
    ThreadPoolExecutor(thread_name_prefix="the last one").submit(linger)
    return True

def linger():
    threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("source", "runs"),
    [(LINGERS, "it runs linger (checkout.py:"), (POOLED, "it runs _worker")],
    ids=["thread", "pool"],
)
@in_event_loop
async def test_a_thread_that_keeps_the_process_alive_is_named(
    source: str, runs: str, tmp_path: Path
) -> None:
    async with a_host(tmp_path, source) as (host, _):
        await start(host, serves=False)
        assert (await host.ask(wire.Lingering)).values == {"thread": "", "path": "", "line": 0}
        await host.ask(wire.ShutDown, start="payment.main", seconds=1.0)
        await host.ask(wire.Leave)
        values = (await host.ask(wire.Lingering)).values
        assert "the thread 'the last one" in str(values["thread"])
        assert runs in str(values["thread"])
        assert values["path"] == "checkout.py"
        assert (SUBMISSION + source).splitlines()[int(str(values["line"])) - 1].endswith(".wait()")
        assert not host.exited.done()


@in_event_loop
async def test_an_exception_that_utf8_cannot_carry_is_reported(tmp_path: Path) -> None:
    async with a_host(tmp_path, "\nraise ValueError('half \\ud800 a pair')") as (host, seen):
        assert not (await start(host)).ok
    assert [problem.message for problem in seen.problems] == ["ValueError: half \\ud800 a pair"]


@in_event_loop
async def test_a_host_does_all_that_it_is_asked(tmp_path: Path) -> None:
    leaking = "\ndef handle(path, tracer):\n    if path == '/leak': tracer.start_span('leaked')"
    async with a_host(tmp_path, leaking) as (host, seen):
        port = (await start(host)).values["port"]
        starts = ["payment.main", "nobody"]
        async with httpx.AsyncClient() as client:
            await client.get(f"http://{HOST}:{port}/")
            assert (await host.ask(wire.Settle, starts=starts, seconds=30.0)).ok
            await client.get(f"http://{HOST}:{port}/leak")
        assert not (await host.ask(wire.Settle, starts=starts, seconds=0.0)).ok
        probe = await host.ask(wire.Probe, start="payment.main", name="probe", texts=["a"])
        assert probe.ok
        assert (await host.ask(wire.Flush, starts=starts, seconds=30.0)).ok
        assert (await host.ask(wire.Where, start="payment.main")).ok
        reply = await host.ask(wire.ShutDown, start="payment.main", seconds=1.0)
        assert reply.values["returned"] is True
        assert (await host.ask(wire.Stop, start="payment.main", seconds=30.0)).ok
        assert not (await host.ask(wire.Stop, start="nobody", seconds=30.0)).ok
        assert await leave(host) == 0
    assert sorted(s.name for s in seen.started) == ["leaked", "probe", "served", "served"]
    assert len(seen.ended) == len(seen.spans) == 3
    assert seen.problems == []


@in_event_loop
async def test_an_armed_exporter_hangs_and_the_flush_comes_back(tmp_path: Path) -> None:
    batch = "\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor as SimpleSpanProcessor"
    async with a_host(tmp_path, batch) as (host, _):
        await start(host, serves=False)
        await host.ask(wire.Probe, start="payment.main", name="pending", texts=[], behaviour="hang")
        assert not (await host.ask(wire.Flush, starts=["payment.main"], seconds=0.1)).ok


@in_event_loop
async def test_a_service_in_the_main_thread_is_ended_by_sigterm(tmp_path: Path) -> None:
    submission = write(tmp_path, SUBMISSION)
    async with a_parent(tmp_path) as (parent, seen):
        host = parent.make_host("main", submission, {}, serves_in_main=True)
        assert (await start(host)).ok
        parent.send_signal("main", signal.SIGTERM)
        assert await host.exited in {0, -signal.SIGTERM}
    assert seen.problems == []


@pytest.mark.parametrize(
    ("source", "start_name", "line"),
    [
        ("\nimport threading\nthreading.Event().wait()", "payment.main", "Event().wait()"),
        (
            "\nimport time\ndef create_payment(*a, **k):\n    time.sleep(1000)",
            "payment.main",
            "time.sleep",
        ),
        (
            (
                "\nimport asyncio\ndef create_payment(*a, **k):\n    async def serve(*_):\n"
                "        await asyncio.Event().wait()\n    return serve"
            ),
            "payment.main",
            "await asyncio.Event",
        ),
    ],
    ids=["import", "create", "startup"],
)
@in_event_loop
async def test_a_host_that_hangs_says_where(
    source: str, start_name: str, line: str, tmp_path: Path
) -> None:
    async with a_host(tmp_path, source) as (host, _):
        starting = asyncio.ensure_future(start(host, start_name))
        number = (
            (SUBMISSION + source)
            .splitlines()
            .index(next(text for text in (SUBMISSION + source).splitlines() if line in text))
        )
        values: dict[str, wire.Scalar | None] = {}
        while values.get("line") != number + 1:
            values = (await host.ask(wire.Where, start=start_name)).values
        assert values["path"] == "checkout.py"
        assert not starting.done()
        starting.cancel()
