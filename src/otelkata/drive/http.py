"""Speak HTTP/1.1 at the level of sockets, where connections can be watched and broken.

h11 does the reading and writing; what is here ties it to asyncio.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import h11

from otelkata.deploy.network import Network, OwnNetwork
from otelkata.evidence.model import Headers

BODY_LIMIT = 1_000_000
HOST = "127.0.0.1"
# struct linger is a pair of shorts in Winsock, of ints elsewhere.
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_REASONS = {int(status): status.phrase.encode() for status in HTTPStatus}
_HTTP2_PREFACE = b"PRI * HTTP/2.0"
_PER_CONNECTION = {
    b"connection",
    b"transfer-encoding",
    b"content-length",
    b"keep-alive",
    b"upgrade",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its headers in order and as they were spelt."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: Headers
    body: bytes


class CallFailed(Exception):
    """No complete answer came: `reason` says what came instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Connection(asyncio.Protocol):
    """Read requests that a client sends on one connection, and let a handler answer each.

    The handler's task is cancelled when the client closes the connection. That a handler fails is
    the driver's own fault, whatever the client does, and `network` is told.
    """

    def __init__(
        self, handle: "Callable[[Connection, Request], Awaitable[None]]", network: Network
    ) -> None:
        self._handle = handle
        self._network = network
        self._http = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._ahead = 0
        self._task: asyncio.Task[None] | None = None
        self._answered = False
        self._broken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; both sides know each other."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._network.enter():
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        # Who is being answered has no more to say; nothing bounds what h11 would keep of it.
        if not self._network.receive(len(data)) or (self._task and self._said_more(len(data))):
            self._transport.abort()
            return
        if data.startswith(_HTTP2_PREFACE) and self._task is None:
            self._begin(Request("PRI", "*", [], b""))
            return
        self._http.receive_data(data)
        self._advance()

    def _said_more(self, count: int) -> bool:
        self._ahead += count
        return self._ahead > BODY_LIMIT

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's interface)
        """Cancel the handler: nobody waits for its answer."""
        self._network.leave()
        if self._task is not None:
            self._task.cancel()

    def answer(self, response: Response) -> None:
        """Write a complete answer and read the connection's next request."""
        data = self._head(response, len(response.body))
        data += self._data(response.body)
        data += self._http.send(h11.EndOfMessage()) or b""
        self._transport.write(data)
        self._answered = True

    def answer_partly(self, response: Response) -> None:
        """Write the head and half of the body, then close."""
        head = self._head(response, len(response.body))
        half = response.body[: len(response.body) // 2]
        self.write_raw(head + self._data(half))

    def write_raw(self, data: bytes) -> None:
        """Write bytes that may be no HTTP at all, then close."""
        self._transport.write(data)
        self._transport.close()
        self._broken = True

    def reset(self) -> None:
        """Close with RST instead of FIN, as a crashed peer does."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()
        self._broken = True

    def _head(self, response: Response, length: int) -> bytes:
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in response.headers
            if name.lower().encode("latin-1") not in _PER_CONNECTION
        ]
        headers.append((b"Content-Length", str(length).encode()))
        head = h11.Response(
            status_code=response.status, headers=headers, reason=_REASONS.get(response.status, b"")
        )
        return self._http.send(head) or b""

    def _data(self, body: bytes) -> bytes:
        # Who asks for a head alone is not sent more, and h11 refuses to.
        if self._request is not None and self._request.method == b"HEAD":
            return b""
        return self._http.send(h11.Data(body)) or b""

    def _advance(self) -> None:
        while self._task is None:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._transport.close()
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                if event.method == b"CONNECT":
                    # There is nothing to tunnel to, and no ordinary answer to it.
                    self._transport.abort()
                    return
                self._request, self._body = event, bytearray()
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_LIMIT:
                    self._transport.abort()
                    return
            elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                self._begin(_request(self._request, bytes(self._body)))
            else:
                return

    def _begin(self, request: Request) -> None:
        self._ahead = 0
        self._answered = False
        self._task = asyncio.ensure_future(self._handle(self, request))
        self._task.add_done_callback(self._next_cycle)

    def _next_cycle(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._network.on_failure(error)
            self._transport.abort()
        elif self._broken:
            return
        elif task.cancelled() or not self._answered:
            self._transport.abort()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._advance()
        else:
            self._transport.close()


class Call(asyncio.Protocol):
    """Send one request on a connection of its own and read its answer.

    `used` are the pairs of ports that were connected before, shared by all calls of a run: each
    call has a pair of its own, which names it on both sides. `connected` is told the own port
    before anything is sent.
    """

    def __init__(
        self,
        request: Request,
        used: set[tuple[int, int]],
        network: Network | None = None,
        connected: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._network = network or OwnNetwork()
        self._request = request
        self._used = used
        self._tell = connected
        self._connected = False
        self._http = h11.Connection(h11.CLIENT)
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._done: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.port = 0

    async def send(self, port: int) -> Response:
        """Return the answer of `port`; raise CallFailed where none is complete."""
        try:
            transport = await self._connect(port)
        except OSError as error:
            raise CallFailed(f"the connection was refused ({error.strerror})") from error
        try:
            transport.write(self._message())
            return await self._done
        finally:
            self._done.cancel()
            transport.abort()

    async def _connect(self, port: int) -> asyncio.Transport:
        # A port that was used before would make two requests look like one to who is called.
        loop = asyncio.get_running_loop()
        while True:
            connecting = await self._network.stream()
            try:
                await loop.sock_connect(connecting, (HOST, port))
            except BaseException:
                connecting.close()
                raise
            transport, _ = await loop.create_connection(lambda: self, sock=connecting)
            self.port = transport.get_extra_info("sockname")[1]
            if (port, self.port) not in self._used:
                self._used.add((port, self.port))
                self._connected = True
                self._tell(self.port)
                return transport
            transport.abort()

    def _message(self) -> bytes:
        request = self._request
        headers: list[tuple[bytes, bytes]] = [(b"Host", HOST.encode()), (b"Connection", b"close")]
        headers += [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
            if name.lower() != "host" and name.lower().encode("latin-1") not in _PER_CONNECTION
        ]
        headers.append((b"Content-Length", str(len(request.body)).encode()))
        head = h11.Request(method=request.method, target=request.target, headers=headers)
        data = self._http.send(head) or b""
        data += self._http.send(h11.Data(request.body)) or b""
        return data + (self._http.send(h11.EndOfMessage()) or b"")

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if not self._network.receive(len(data)):
            self._fail("the submission sends too much")
            return
        self._http.receive_data(data)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail, unless the answer was complete."""
        if self._connected and not self._done.done():
            if exc is None and self._head is not None:
                self._http.receive_data(b"")
                self._advance()
            self._fail("the connection was closed before the answer was complete")

    def _advance(self) -> None:
        while not self._done.done():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._fail(f"the answer is no HTTP: {error}")
                return
            if isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_LIMIT:
                    self._fail(f"the answer is longer than {BODY_LIMIT} bytes")
            elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                self._done.set_result(_response(self._head, bytes(self._body)))
            elif not isinstance(event, h11.InformationalResponse):
                return

    def _fail(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_exception(CallFailed(reason))


async def listen(
    handle: Callable[[Connection, Request], Awaitable[None]],
    network: Network | None = None,
    port: int = 0,
) -> asyncio.Server:
    """Serve on a loopback port, 0 for any that is free; raise OSError where it is not."""
    loop = asyncio.get_running_loop()
    place = network or OwnNetwork()
    listener = await place.stream()
    if port and os.name == "posix":
        # Connections that have been closed do not keep a port; elsewhere this means another thing.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return await loop.create_server(lambda: Connection(handle, place), sock=listener, backlog=256)


def port_of(server: asyncio.Server) -> int:
    """Return the port that `server` listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


def _request(head: h11.Request, body: bytes) -> Request:
    return Request(
        method=head.method.decode("latin-1"),
        target=head.target.decode("latin-1"),
        headers=_headers(head.headers),
        body=body,
    )


def _response(head: h11.Response, body: bytes) -> Response:
    return Response(head.status_code, _headers(head.headers), body)


def _headers(headers: h11._headers.Headers) -> Headers:
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw_items()
    ]
