"""Say which spans a case should have left, and whether each is there and in its place."""

from collections.abc import Iterator

import msgspec

from otelkata.judge.calls import Call, ServiceSpan
from otelkata.judge.cases import CaseView

from .words import NAME_LIMIT, cut_line

UNSAMPLED = {"unsampled_parent", "always_off"}
"""Tags of cases that are to leave no span at all."""


class Wanted(msgspec.Struct, frozen=True):
    """A span that the requests on the wire ask for; `is_there` tells whether one was received.

    `is_connected` tells whether that one hangs where it should: under the wanted span above it.
    """

    depth: int
    service: str
    kind: str
    name: str
    is_there: bool
    is_connected: bool = True


def expected(case: CaseView) -> Iterator[Wanted]:
    """Yield the spans that the requests of a case ask for, each below the one that caused it."""
    if UNSAMPLED.intersection(case.data.tags):
        return
    for call in case.calls:
        if call.incoming is None:
            yield from _of(call, 0)


def target(call: Call) -> str:
    """Return method and path of a request, empty where none arrived."""
    request = call.data.request
    return cut_line(f"{request.method} {request.target}", NAME_LIMIT) if request else ""


def _of(call: Call, depth: int) -> Iterator[Wanted]:
    request = call.data.request
    name = target(call) or "a request"
    if call.caller:
        client = call.client
        connected = client is None or _is_below_a_server(client, call.incoming)
        yield Wanted(depth, call.caller_service, "CLIENT", name, client is not None, connected)
        depth += 1
    if call.callee is not None and request:
        connected = not call.servers or any(continues(span, call) for span in call.servers)
        yield Wanted(depth, call.callee_service, "SERVER", name, bool(call.servers), connected)
        for outgoing in call.outgoing:
            yield from _of(outgoing, depth + 1)


def _is_below_a_server(client: ServiceSpan, incoming: Call | None) -> bool:
    servers = incoming.servers if incoming else []
    return not servers or any(span in servers for span in client.ancestors)


def continues(server: ServiceSpan, call: Call) -> bool:
    """Tell whether a SERVER span hangs where the request it serves came from."""
    # Under the CLIENT span where there is one, else under what the header named.
    above = (server.data.trace_id, server.data.parent_id)
    if call.client is not None and not call.is_stripped:
        return above == (call.client.data.trace_id, call.client.id)
    if call.parent is not None:
        return above == (call.parent.trace_id, call.parent.span_id)
    return bool(call.caller) or server.data.parent_id is None
