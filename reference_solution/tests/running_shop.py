"""The three services and a card processor, each in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvicorn
from checkout import create_gateway, create_inventory, create_payment, init_tracer
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp
from stock import stock


class AnnouncedServer(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(uvicorn.Config(app, log_level="critical"))
        self.listens = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listens.set()


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = AnnouncedServer(app)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            assert server.listens.wait(60)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def card_processor(received: list[Headers]) -> FastAPI:
    """Answer with the statuses that the card's number spells, one for each try: `503-200`."""
    app = FastAPI()
    tries: dict[str, int] = {}

    @app.post("/authorizations")
    async def authorize(request: Request) -> JSONResponse:
        received.append(request.headers)
        card = (await request.json())["card_number"]
        tries[card] = tries.get(card, 0) + 1
        status = card.split("-")[tries[card] - 1]
        if status == "hang":
            while (await request.receive())["type"] != "http.disconnect":
                pass
            status = "200"
        return JSONResponse({"authorization_id": "a1"}, int(status))

    return app


@dataclass(slots=True)
class Shop:
    """Where the shop is, what it exports, and the headers that the card processor got."""

    url: str
    exporters: dict[str, InMemorySpanExporter]
    left_the_shop: list[Headers]

    def spans(self) -> list[ReadableSpan]:
        """All that was exported; complete only when the shop is closed."""
        return [
            span for exporter in self.exporters.values() for span in exporter.get_finished_spans()
        ]


@contextmanager
def running_shop(chairs: int, timeout: float = 30) -> Iterator[Shop]:
    """Open a shop with so many chairs; `timeout` is that of payment, in seconds."""
    exporters = {name: InMemorySpanExporter() for name in ("gateway", "inventory", "payment")}
    provider = {
        name: init_tracer(name, "1.0.0", exporter=exporter) for name, exporter in exporters.items()
    }
    left_the_shop: list[Headers] = []
    with ExitStack() as stack:
        database = stack.enter_context(stock(chairs))
        processor = stack.enter_context(served(card_processor(left_the_shop)))
        inventory = stack.enter_context(
            served(create_inventory(provider["inventory"], database=database))
        )
        payment = stack.enter_context(
            served(create_payment(provider["payment"], processor_url=processor, timeout=timeout))
        )
        gateway = create_gateway(
            provider["gateway"], inventory_url=inventory, payment_url=payment, timeout=60
        )
        yield Shop(stack.enter_context(served(gateway)), exporters, left_the_shop)
