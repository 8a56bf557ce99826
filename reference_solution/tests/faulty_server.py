"""An HTTP server that does what no server should."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class FaultyServer:
    """Where the server is, and what it was sent."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    received: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str, request: int = -1) -> str | None:
        """A header of a request that was received."""
        for line in self.requests[request].decode("latin-1").split("\r\n"):
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None


@asynccontextmanager
async def serving(behave: Behaviour) -> AsyncIterator[FaultyServer]:
    """Listen on a free port; read each request, then do as told."""
    connections: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        connections.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            server.requests.append(head)
            server.received.set()
            await behave(writer)
        finally:
            writer.close()
            connections.discard(task)

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    server = FaultyServer(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    try:
        yield server
    finally:
        listener.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def sends(*parts: bytes) -> Behaviour:
    """Send bytes and close."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(parts))
        await writer.drain()

    return behave


def sends_and_hangs(*parts: bytes) -> Behaviour:
    """Send bytes and then nothing more, for as long as the server runs."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        await sends(*parts)(writer)
        await asyncio.Event().wait()

    return behave


async def resets(writer: asyncio.StreamWriter) -> None:
    """Break the connection off with a RST."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(status: int, body: bytes, *headers: bytes) -> Behaviour:
    """Answer as a server should."""
    head = b"HTTP/1.1 %d X\r\nconnection: close\r\ncontent-length: %d\r\n" % (status, len(body))
    return sends(head, *[header + b"\r\n" for header in headers], b"\r\n", body)
