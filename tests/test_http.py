"""HTTP at the level of sockets: what arrives is kept as it was, and every breakage has its name."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from event_loop import in_event_loop, until

from otelkata.deploy.network import OwnNetwork
from otelkata.drive.http import (
    BODY_LIMIT,
    HOST,
    Call,
    CallFailed,
    Connection,
    Request,
    Response,
    listen,
    port_of,
)

OK = Response(200, [("X-One", "1"), ("x-one", "2")], b"fine")
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class Server:
    """A listener that keeps the requests it handled, and what its handler failed with."""

    def __init__(self, answer: Callable[[Connection], None]) -> None:
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self.port = 0
        self._answer = answer

    async def handle(self, connection: Connection, request: Request) -> None:
        self.requests.append(request)
        self._answer(connection)


@asynccontextmanager
async def serving(answer: Callable[[Connection], None]) -> AsyncIterator[Server]:
    server = Server(answer)
    network = OwnNetwork()
    network.on_failure = server.failures.append
    listener = await listen(server.handle, network)
    server.port = port_of(listener)
    try:
        yield server
    finally:
        listener.close()


def answer_ok(connection: Connection) -> None:
    connection.answer(OK)


async def send(port: int, data: bytes) -> bytes:
    """Send `data`, and return all that comes until the connection is closed."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(data)
    try:
        return await reader.read()
    finally:
        writer.close()


@in_event_loop
async def test_a_connection_is_kept_alive_and_answers_in_order() -> None:
    async with serving(answer_ok) as server:
        answers = await send(server.port, GET + GET + LAST)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert [request.target for request in server.requests] == ["/", "/", "/last"]


@in_event_loop
async def test_headers_keep_order_case_and_repetition() -> None:
    async with serving(answer_ok) as server:
        raw = b"GET / HTTP/1.1\r\nhOst: h\r\nTraceState: a=1\r\ntracestate: b=2\r\n"
        await send(server.port, raw + b"Connection: close\r\n\r\n")
    assert server.requests[0].headers == [
        ("hOst", "h"),
        ("TraceState", "a=1"),
        ("tracestate", "b=2"),
        ("Connection", "close"),
    ]


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, b"HTTP/1.1 200 OK"), (404, b"HTTP/1.1 404 Not Found"), (799, b"HTTP/1.1 799 ")],
)
@in_event_loop
async def test_an_answer_begins_as_people_know_it(status: int, line: bytes) -> None:
    async with serving(lambda connection: connection.answer(Response(status, [], b""))) as server:
        assert (await send(server.port, LAST)).startswith(line + b"\r\n")


@in_event_loop
async def test_a_call_sends_and_returns_headers_as_they_are() -> None:
    sent = [("TraceParent", "x"), ("baggage", "a=1"), ("Baggage", "b=2"), ("Upgrade", "h2c")]
    async with serving(answer_ok) as server:
        response = await Call(Request("POST", "/there?a=b", sent, b"body"), set()).send(server.port)
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/there?a=b", b"body")
    assert request.headers[2:5] == sent[:3]
    assert "upgrade" not in [name.lower() for name, _ in request.headers]
    assert (response.status, response.body) == (200, b"fine")
    assert response.headers[:2] == OK.headers


@in_event_loop
async def test_a_call_knows_the_port_it_came_from() -> None:
    ports = []

    def note(connection: Connection) -> None:
        ports.append(connection._transport.get_extra_info("peername")[1])
        connection.answer(OK)

    async with serving(note) as server:
        call = Call(Request("GET", "/", [], b""), set())
        await call.send(server.port)
    assert ports == [call.port]


@in_event_loop
async def test_a_call_never_comes_from_a_port_that_was_used_before() -> None:
    async with serving(answer_ok) as server:
        used = {(server.port, port) for port in range(65_536) if port % 8}
        call = Call(Request("GET", "/", [], b""), used)
        assert (await call.send(server.port)).status == 200
    assert call.port % 8 == 0
    assert (server.port, call.port) in used
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1)
            + b"x" * (BODY_LIMIT + 1),
            id="a body over the limit",
        ),
        pytest.param(b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="a broken head"),
    ],
)
@in_event_loop
async def test_what_is_no_request_is_closed_and_handled_by_nobody(data: bytes) -> None:
    async with serving(answer_ok) as server:
        with contextlib.suppress(ConnectionResetError):
            assert b" 200 " not in await send(server.port, data)
    assert server.requests == []


@in_event_loop
async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    async with serving(answer_ok) as server:
        await Call(Request("POST", "/", [], b"x" * BODY_LIMIT), set()).send(server.port)
    assert len(server.requests[0].body) == BODY_LIMIT


@in_event_loop
async def test_who_goes_on_while_it_is_answered_is_cut_off() -> None:
    """Nothing else bounds what a reader keeps of what it cannot use yet."""
    cancelled = asyncio.Event()

    async def wait(_connection: Connection, _request: Request) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    listener = await listen(wait)
    reader, writer = await asyncio.open_connection(HOST, port_of(listener))
    writer.write(GET + b"x" * (2 * BODY_LIMIT))
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    await cancelled.wait()
    writer.close()
    listener.close()


@in_event_loop
async def test_the_preface_of_http2_is_a_request_of_its_own() -> None:
    async with serving(Connection.reset) as server:
        with pytest.raises(ConnectionResetError):
            await send(server.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert server.requests == [Request("PRI", "*", [], b"")]


@in_event_loop
async def test_a_reset_reaches_the_caller_as_one() -> None:
    async with serving(Connection.reset) as server:
        with pytest.raises(ConnectionResetError):
            await send(server.port, GET)


@in_event_loop
async def test_half_an_answer_has_the_length_of_the_whole() -> None:
    async with serving(lambda c: c.answer_partly(Response(200, [], b"12345678"))) as server:
        head, _, body = (await send(server.port, GET)).partition(b"\r\n\r\n")
    assert b"Content-Length: 8" in head
    assert body == b"1234"


@in_event_loop
async def test_raw_bytes_are_written_as_they_are() -> None:
    async with serving(lambda c: c.write_raw(b"\x00no http")) as server:
        assert await send(server.port, GET) == b"\x00no http"


def _crash(_: Connection) -> None:
    raise RuntimeError("the handler failed")


def _crash_late(connection: Connection) -> None:
    connection.write_raw(b"")
    _crash(connection)


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        pytest.param(_crash, ["the handler failed"], id="it raises"),
        pytest.param(_crash_late, ["the handler failed"], id="it raises after it has closed"),
        pytest.param(lambda _: None, [], id="it answers nothing"),
    ],
)
@in_event_loop
async def test_a_handler_that_fails_closes_the_connection_and_is_told_of(
    answer: Callable[[Connection], None], failures: list[str]
) -> None:
    async with serving(answer) as server:
        assert await send(server.port, GET) == b""
        assert [str(failure) for failure in server.failures] == failures


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        pytest.param(
            answer_ok, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", id="a head alone"
        ),
        pytest.param(
            lambda c: c.answer_partly(OK), b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", id="half a head"
        ),
        pytest.param(answer_ok, b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", id="a tunnel"),
        pytest.param(answer_ok, b"PRI * HTTP/2.0\r\n\r\n", id="another protocol"),
        pytest.param(answer_ok, GET + b"\x00" * 9, id="a request and no other"),
        pytest.param(Connection.reset, GET, id="it is reset"),
    ],
)
@in_event_loop
async def test_whatever_a_client_asks_for_is_no_failure_of_who_answers(
    answer: Callable[[Connection], None], data: bytes
) -> None:
    async with serving(answer) as server:
        with contextlib.suppress(ConnectionResetError):
            await send(server.port, data)
        assert server.failures == []


@in_event_loop
async def test_the_preface_of_http2_is_none_in_the_midst_of_an_answer() -> None:
    handling, released = asyncio.Event(), asyncio.Event()
    failures: list[BaseException] = []
    network = OwnNetwork()
    network.on_failure = failures.append

    async def wait(connection: Connection, _request: Request) -> None:
        handling.set()
        await released.wait()
        connection.answer(OK)

    listener = await listen(wait, network)
    reader, writer = await asyncio.open_connection(HOST, port_of(listener))
    writer.write(LAST)
    await handling.wait()
    handling.clear()
    received = network._received
    writer.write(b"PRI * HTTP/2.0\r\n\r\n")
    await until(lambda: network._received > received)
    released.set()
    assert (await reader.read()).count(b"HTTP/1.1 200") == 1
    assert (handling.is_set(), failures) == (False, [])
    writer.close()
    listener.close()


@in_event_loop
async def test_a_caller_who_leaves_cancels_the_handler() -> None:
    handling, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_connection: Connection, _request: Request) -> None:
        handling.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    listener = await listen(wait)
    _, writer = await asyncio.open_connection(HOST, port_of(listener))
    writer.write(GET)
    await handling.wait()
    writer.close()
    await cancelled.wait()
    listener.close()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(data: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        writer.close()

    return talk


async def call(talk: Talk) -> Response:
    server = await asyncio.start_server(talk, HOST, 0)
    try:
        return await Call(Request("GET", "/", [], b""), set()).send(port_of(server))
    finally:
        server.close()


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi"),
        (
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            b"hi",
        ),
    ],
)
@in_event_loop
async def test_a_call_reads_every_form_of_answer(data: bytes, body: bytes) -> None:
    assert (await call(saying(data))).body == body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "closed before"),
        (b"HTTP/1.1 2", "closed before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "no HTTP|closed before"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "is no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1)
            + b"x" * (BODY_LIMIT + 1),
            "longer than",
        ),
    ],
    ids=["nothing", "half a head", "half a body", "no HTTP", "too long"],
)
@in_event_loop
async def test_a_call_without_a_complete_answer_fails_with_the_reason(
    data: bytes, reason: str
) -> None:
    with pytest.raises(CallFailed, match=reason):
        await call(saying(data))


@in_event_loop
async def test_a_call_that_is_refused_fails_with_the_reason() -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        with pytest.raises(CallFailed, match="refused"):
            await Call(Request("GET", "/", [], b""), set()).send(nobody.getsockname()[1])
