"""Call an ASGI application in process, with raw headers."""

import asyncio
import contextvars
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class Call:
    """One request, and what the application sent."""

    method: str = "POST"
    path: str = "/"
    headers: Headers = ()
    body: bytes = b""
    sent: list[Message] = field(default_factory=list)

    async def run(self, app: ASGIApp) -> None:
        """Call the application in the current context."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"email=jane@example.com",
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 1),
            "server": ("shop.example", 8080),
        }

        body_sent = False

        async def receive() -> Message:
            nonlocal body_sent
            if body_sent:  # and the client stays on the line
                await asyncio.Event().wait()
            body_sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Message) -> None:
            self.sent.append(message)

        await app(scope, receive, send)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.sent[0]["status"]

    @property
    def answer(self) -> bytes:
        """The body of the answer."""
        return b"".join(message.get("body", b"") for message in self.sent)


def call(app: ASGIApp, **request: object) -> Call:
    """Make one request, in an event loop and a context of its own."""
    made = Call(**request)
    contextvars.Context().run(lambda: asyncio.run(made.run(app)))
    return made
