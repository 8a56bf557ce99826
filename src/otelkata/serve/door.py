"""Be the one address of a session: a page at `/`, and the gateway behind everything else."""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from otelkata.deploy.network import OwnNetwork
from otelkata.drive.http import HOST, Connection, Request, Response
from otelkata.drive.tap import json_answer
from otelkata.judge.traceparent import values_of
from otelkata.report.html.environment import fragment, render
from otelkata.report.html.waterfall import waterfall

from .faults import SLOW_SECONDS
from .services import STOCK, Services
from .shown import Shown

OWN = "/kata-serve/"
"""What paths begin with that are the page's own, and not the gateway's."""

KEPT = 50
"""How many requests the page shows, the latest."""

WAIT = 20.0
"""How long, in seconds, the page waits for news before it asks again."""


class Public(OwnNetwork):
    """Where users come from: nothing is counted there, because what they ask for is their own."""

    def enter(self) -> bool:
        """Let a connection in."""
        return True

    def receive(self, count: int) -> bool:  # noqa: ARG002 (the network's interface)
        """Take bytes."""
        return True


class Door:
    """Answers the page itself, and has `place` answer everything else."""

    def __init__(self, services: Services, place: Callable[[Request], Awaitable[Response]]) -> None:
        self._services = services
        self._place = place
        self._run = secrets.token_hex(8)
        self._address = self._name = ""
        self._hosts: set[str] = set()
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._change = 0
        self._changed = asyncio.Event()
        self._has_ended = False

    def opened(self, port: int, name: str) -> str:
        """Note where it is; return the address."""
        self._hosts = {f"{host}:{port}" for host in (HOST, "localhost")}
        self._address = f"http://{HOST}:{port}"
        self._name = name
        return self._address

    def show(self, shown: Shown) -> None:
        """Show one more request to whoever looks at the page."""
        drawn = fragment("serve_request.html.j2", shown=shown, fall=waterfall(shown.drawing))
        self._kept.append((shown.number, drawn))
        self._tell()

    def end(self) -> None:
        """Tell the page that nothing more comes."""
        self._has_ended = True
        self._tell()

    async def enter(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        response = await self._answer(request)
        if request.method == "HEAD":
            response = Response(response.status, response.headers, b"")
        connection.answer(response)

    async def _answer(self, request: Request) -> Response:
        path, _, query = request.target.partition("?")
        if path != "/" and not path.startswith(OWN):
            return await self._place(request)
        if not self._is_ours(request):
            return json_answer(403, json.dumps({"error": "open this page by its own address"}))
        match request.method, path.removeprefix(OWN):
            case (("GET" | "HEAD"), "/"):
                return self._page()
            case "GET", "news":
                return await self._news(query)
            case "POST", "faults":
                return await self._switch(request)
            case _:
                return json_answer(404, json.dumps({"error": "not_found"}))

    def _is_ours(self, request: Request) -> bool:
        # Any page in the same browser can send requests here, and a name can be made to lead here.
        origins = values_of(request.headers, "origin")
        return {*values_of(request.headers, "host")} <= self._hosts and all(
            origin.removeprefix("http://") in self._hosts for origin in origins
        )

    def _page(self) -> Response:
        page = render(
            "serve.html.j2",
            "serve.js",
            ("style.css", "serve.css"),
            name=self._name,
            address=self._address,
            curl=curl(self._address),
            stock=STOCK,
            slow=SLOW_SECONDS,
            run=self._run,
        )
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        return Response(200, headers, page.encode())

    async def _news(self, query: str) -> Response:
        change, _, after = query.partition("-")
        if change == str(self._change):
            # What is told after that time is that nothing has changed.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT):
                    await self._changed.wait()
        seen = int(after) if after.isdecimal() and len(after) < 10 else 0
        requests = [{"number": n, "html": html} for n, html in self._kept if n > seen]
        return json_answer(
            200,
            json.dumps(
                {
                    "run": self._run,
                    "change": self._change,
                    "requests": requests,
                    "faults": asdict(self._services.faults),
                    "ended": self._has_ended,
                }
            ),
        )

    async def _switch(self, request: Request) -> Response:
        try:
            await self._services.switch(request.body)
        except ValueError as error:
            return json_answer(422, json.dumps({"error": str(error)}))
        self._tell()
        return json_answer(200, json.dumps(asdict(self._services.faults)))

    def _tell(self) -> None:
        self._change += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


ORDER = {
    "sku": "tea",
    "quantity": 2,
    "user_id": "ada",
    "email": "ada@example.com",
    "card_number": "4242424242424242",
}


def curl(address: str) -> str:
    """Return a command that places a checkout, in words of a POSIX shell."""
    return (
        f"curl -i {address}/checkout -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(ORDER)}'"
    )
