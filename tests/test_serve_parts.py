"""Parts of `kata-serve` by themselves: what is passed on, what is switched, what is answered."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from event_loop import in_event_loop

from otelkata.deploy.network import OwnNetwork
from otelkata.drive.http import HOST, Call, Connection, Request, Response, listen, port_of
from otelkata.drive.record import Record
from otelkata.drive.tap import Crossings, process_card
from otelkata.serve.faults import Faults, FaultyTap
from otelkata.serve.forward import Destination, Forwarder
from otelkata.serve.run import Audience, _Session
from otelkata.serve.services import Services

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({HEADERS: "x-team=Z%C3%BCrich"}, f"{HEADERS}: x-team has"),
        ({HEADERS: "x-team=a%0D%0Ax-key:b"}, f"{HEADERS}: x-team has"),
        ({HEADERS: "x-team=a,x-%C3%BC=b"}, f"{HEADERS}: x-\u00fc has"),
        ({HEADERS: "x-team=a", OF_TRACES: "x-key=%00"}, f"{OF_TRACES}: x-key has"),
    ],
)
def test_what_is_no_header_is_refused_without_its_value(
    variables: dict[str, str], told: str
) -> None:
    with pytest.raises(ValueError, match=f"^{told} letters that no header of HTTP can have; only"):
        Destination.by({**ENDPOINT, **variables})


def test_headers_that_go_elsewhere_hinder_nobody() -> None:
    variables = {HEADERS: "x-team=%C3%BC", OF_TRACES: "x-key=a%20b%2C"}
    destination = Destination.by({**ENDPOINT, **variables})
    assert destination == Destination("http://localhost:4318/v1/traces", {"x-key": "a b,"})


@in_event_loop
async def test_what_a_submission_says_of_its_export_is_passed_on_whatever_it_is() -> None:
    taken: list[Request] = []

    async def take(connection: Connection, request: Request) -> None:
        taken.append(request)
        connection.answer(Response(200, [], b""))

    collector = await listen(take)
    told: list[str] = []
    destination = Destination(f"http://{HOST}:{port_of(collector)}/v1/traces", {"x-key": "a"})
    forwarder = Forwarder(destination, told.append)
    passing = asyncio.create_task(forwarder.run())
    said = [("Content-Type", "application/x-protobuf; of=\xfc"), ("x-own", "b")]
    forwarder.take(Request("POST", "/gateway/v1/traces", said, b"spans"))
    await forwarder.drain(30)
    passing.cancel()
    await asyncio.wait({passing})
    collector.close()
    assert (told, forwarder.passed_on) == ([], 1)
    got = {name.lower(): value for name, value in taken[0].headers}
    assert (got["content-type"], got["x-key"]) == ("application/x-protobuf; of=\xfc", "a")
    assert "x-own" not in got


@pytest.mark.parametrize(
    ("refuses", "serves"), [([False, False, False], True), ([False, True], False)]
)
@in_event_loop
async def test_switches_that_come_at_once_follow_each_other(
    refuses: list[bool], *, serves: bool
) -> None:
    async def slow() -> None:
        pytest.fail("nothing is slow")

    processor = await listen(process_card)
    crossings = Crossings(Record(), {"processor": port_of(processor)})
    tap = FaultyTap(
        crossings, "payment>processor", "payment", "processor", faults=Faults(), slow=slow
    )
    port = await tap.open()
    await tap.refuse(refuses=True)
    await asyncio.gather(*(tap.refuse(refuses=refuse) for refuse in refuses))
    assert tap._server is not None
    assert tap._server.is_serving() == serves
    if serves:
        request = Request("POST", "/authorizations", [], b"{}")
        assert (await Call(request, set()).send(port)).status == 200
    tap.close()
    processor.close()


@in_event_loop
async def test_that_the_gateway_speaks_no_http_is_told_in_json() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 "no"\r\n\r\n')
        writer.close()

    gateway = await asyncio.start_server(speak, HOST, 0)
    port = gateway.sockets[0].getsockname()[1]
    services: Any = SimpleNamespace(
        crossings=Crossings(Record(), {"gateway.serve": port}, OwnNetwork()), record=Record()
    )
    session = _Session(cast("Services", services), cast("Audience", None), None)
    session.is_open = True
    answer = await session._pass(Request("GET", "/", [], b""))
    gateway.close()
    assert answer.status == 502
    assert '"no"' in json.loads(answer.body)["error"]
