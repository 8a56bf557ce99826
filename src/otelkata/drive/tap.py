"""Stand on a hop: record each request that crosses it, and inject the fault of its case."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping

from otelkata.deploy.network import Network, OwnNetwork
from otelkata.evidence.model import Hop

from .database import UNIT_PRICE_CENTS
from .fault import Answer, Break, Fault, Hang, Hold, Meet, Notice, Reserve, StripHeaders, WriteRaw
from .http import Call, CallFailed, Connection, Request, Response, listen, port_of
from .play import Play
from .record import Draft, Record, TooMany

CONTEXT_HEADERS = ("traceparent", "tracestate", "baggage")


class Crossings:
    """What all taps share: the cases under way, by the values that mark their requests."""

    def __init__(
        self, record: Record, ports: Mapping[str, int], network: Network | None = None
    ) -> None:
        self.record = record
        self.network = network or OwnNetwork()
        self._ports = ports
        self.connected: set[tuple[int, int]] = set()
        self.silences: Counter[str] = Counter()
        """How often a service did not answer, by its name."""
        self._plays: dict[str, Play] = {}

    def expect(self, play: Play) -> None:
        """Take requests that carry the marks of `play` for its own."""
        self._plays[play.case.marks.sku] = play
        self._plays[play.case.marks.card_number] = play

    def play_of(self, request: Request) -> Play | None:
        """Return the case that `request` belongs to, by its body."""
        body = _read(request)
        for key in ("sku", "card_number"):
            mark = body.get(key)
            if isinstance(mark, str) and mark in self._plays:
                return self._plays[mark]
        return None

    def port_of(self, start: str) -> int | None:
        """Return where `start` listens, if it does."""
        return self._ports.get(start)


class Tap:
    """A recording proxy on one hop that leads away from one start."""

    def __init__(self, crossings: Crossings, hop: Hop, caller: str, callee: str) -> None:
        self._crossings = crossings
        self._hop: Hop = hop
        self._caller = caller
        self._callee = callee
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Begin to listen; return the port."""
        self._server = await listen(self._cross, self._crossings.network)
        return port_of(self._server)

    def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    async def _cross(self, connection: Connection, request: Request) -> None:
        try:
            draft = self._crossings.record.begin(self._hop, self._caller)
        except TooMany as too_many:
            self._crossings.network.exceed(str(too_many))
            connection.reset()
            return
        draft.request = request
        try:
            await self._handle(connection, draft, request)
        finally:
            self._crossings.record.finish(draft)

    async def _handle(self, connection: Connection, draft: Draft, request: Request) -> None:
        play = self._crossings.play_of(request)
        if play is None:
            await self._forward(connection, draft, self._callee, request)
            return
        draft.case = play.case.name
        await self._inject(connection, draft, play, request)

    async def _inject(
        self, connection: Connection, draft: Draft, play: Play, request: Request
    ) -> None:
        fault = play.next_fault(self._hop)
        if _answer_instead(connection, draft, request, fault):
            return
        match fault:
            case Hang():
                play.gate.notice()
                await asyncio.Event().wait()
            case Hold():
                await play.gate.wait()
            case Notice():
                play.gate.notice()
            case Meet() if play.meeting is not None:
                await play.meeting.wait()
            case StripHeaders():
                request = _stripped(request)
        callee = play.routes.get(self._hop, self._callee)
        await self._forward(connection, draft, callee, request)

    async def _forward(
        self, connection: Connection, draft: Draft, callee: str, request: Request
    ) -> None:
        draft.callee = callee
        port = self._crossings.port_of(callee)
        if port is None:
            # The service never started: to its caller that is a refused connection.
            draft.outcome = "refused"
            connection.reset()
            return
        call = Call(request, self._crossings.connected, self._crossings.network, draft.connected)
        try:
            response = await call.send(port)
        except CallFailed:
            draft.outcome = "dropped_in_headers"
            connection.reset()
            return
        except asyncio.CancelledError:
            self._crossings.silences[callee.partition(".")[0]] += 1
            raise
        draft.answered(response)
        connection.answer(response)


def _answer_instead(connection: Connection, draft: Draft, request: Request, fault: Fault) -> bool:
    """Answer in place of the callee, or break the connection, where `fault` says so."""
    match fault:
        case Answer():
            response = json_answer(fault.status, fault.body, fault.content_type)
            draft.answered(response, "answered" if fault.readable else "unreadable")
            connection.answer(response)
        case Reserve():
            response = _reservation(request)
            draft.answered(response)
            connection.answer(response)
        case WriteRaw():
            draft.outcome = "unreadable"
            connection.write_raw(fault.data)
        case Break(where="in_body"):
            response = json_answer(200, json.dumps({"sku": "half of an answer", "quantity": 1}))
            draft.answered(response, "dropped_in_body")
            connection.answer_partly(response)
        case Break(where="in_headers"):
            draft.outcome = "dropped_in_headers"
            # Within the status line: some clients take the end of input for the end of headers.
            connection.write_raw(b"HTTP/1.1 2")
        case Break():
            draft.outcome = "dropped_in_headers"
            connection.reset()
        case _:
            return False
    return True


async def process_card(connection: Connection, request: Request) -> None:
    """Be the card processor: authorise every card; what declines is a fault on the hop."""
    if (request.method, request.target) == ("POST", "/authorizations"):
        answer = json_answer(200, json.dumps({"authorization_id": f"auth-{time.time_ns():x}"}))
    else:
        answer = json_answer(404, json.dumps({"error": "not_found"}))
    connection.answer(answer)


def _stripped(request: Request) -> Request:
    kept = [(n, v) for n, v in request.headers if n.lower() not in CONTEXT_HEADERS]
    return Request(request.method, request.target, kept, request.body)


def _read(request: Request) -> dict[str, object]:
    # What a submission nests deeply is read, or not, by how deep the stack is here.
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _reservation(request: Request) -> Response:
    asked = _read(request)
    answer = {
        key: None if isinstance(asked.get(key), dict | list) else asked.get(key)
        for key in ("sku", "quantity")
    }
    return json_answer(200, json.dumps(answer | {"unit_price_cents": UNIT_PRICE_CENTS}))


def json_answer(status: int, body: str, content_type: str = "application/json") -> Response:
    """Return an answer with this body, JSON unless told."""
    return Response(status, [("Content-Type", content_type)], body.encode())
