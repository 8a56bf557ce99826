"""Pass what was exported on to the collector that the environment names, byte for byte.

Variables: OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import httpx
from opentelemetry.util.re import parse_env_headers

from otelkata.drive.http import Request

QUEUE_LIMIT = 1_000
"""Most exports that wait to be passed on."""

ANSWER_LIMIT = 10.0
"""Longest time, in seconds, that the collector may take over one of them."""

_PASSED_ON = {"content-type", "content-encoding"}


@dataclass(frozen=True, slots=True)
class Destination:
    """A collector: the address that takes traces, and the headers that it wants."""

    address: str
    headers: Mapping[str, str]

    @classmethod
    def by(cls, environment: Mapping[str, str]) -> Self | None:
        """Return what the variables name; None where they name none.

        Raises ValueError for what is no http:// or https:// address, and for what is no header.
        """
        base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
        name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        address = environment.get(name, "").strip()
        if not address:
            name = "OTEL_EXPORTER_OTLP_ENDPOINT"
            address = f"{base.rstrip('/')}/v1/traces" if base else ""
        if not address:
            return None
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise ValueError(f"{name}={environment[name]}: {error}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(
                f"{name}={environment[name]} is no address of a collector: name one like "
                "http://localhost:4318"
            )
        name = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
        if not environment.get(name):
            name = "OTEL_EXPORTER_OTLP_HEADERS"
        headers = parse_env_headers(environment.get(name, ""), liberal=True)
        for header, value in headers.items():
            if not (header + value).isascii() or not value.isprintable():
                # Without the value, which may be a key.
                raise ValueError(
                    f"{name}: {header} has letters that no header of HTTP can have; only printable "
                    "ASCII gets there"
                )
        return cls(address, headers)


class Forwarder:
    """Sends one export after the other, and tells when that begins to fail or to work again."""

    def __init__(self, destination: Destination, tell: Callable[[str], None]) -> None:
        self._destination = destination
        self._tell = tell
        self._queue: asyncio.Queue[Request] = asyncio.Queue(QUEUE_LIMIT)
        self._fails = False
        self.passed_on = 0
        self.lost = 0

    def take(self, request: Request) -> None:
        """Take one export, to be passed on soon."""
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            self.lost += 1

    async def run(self) -> None:
        """Pass on what is taken, until cancelled."""
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT) as client:
            while True:
                request = await self._queue.get()
                try:
                    failure = await self._send(client, request)
                finally:
                    self._queue.task_done()
                self._note(failure)

    async def drain(self, seconds: float) -> None:
        """Return when all that was taken has been passed on, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._queue.join()
        except TimeoutError:
            self.lost += self._queue.qsize() + 1

    async def _send(self, client: httpx.AsyncClient, request: Request) -> str:
        # As bytes, because what a submission says there need not be ASCII.
        wanted = [(n.encode(), v.encode()) for n, v in self._destination.headers.items()]
        kept = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
            if name.lower() in _PASSED_ON
        ]
        try:
            answer = await client.post(
                self._destination.address,
                content=request.body,
                headers=dict(wanted) | dict(kept),
            )
        except httpx.RemoteProtocolError:
            return "what answers there is no HTTP; a gRPC port? OTLP over HTTP has one of its own"
        except httpx.HTTPError as error:
            return str(error) or type(error).__name__
        return "" if answer.is_success else f"it answered {answer.status_code}"

    def _note(self, failure: str) -> None:
        if failure:
            self.lost += 1
        else:
            self.passed_on += 1
        address = self._destination.address
        if failure and not self._fails:
            self._tell(f"traces do not reach {address}: {failure}")
        elif self._fails and not failure:
            self._tell(f"traces reach {address} again")
        self._fails = bool(failure)
