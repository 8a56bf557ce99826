"""Find the request of a SERVER span that was started in no request's context.

A server may hand requests to threads or to workers that it started long before. Where the span has
no parent, the wire does not name its request, and what is known of both has to do.
"""

from collections.abc import Iterator, Mapping, Sequence

from . import traceparent
from .calls import Call, ServiceSpan
from .cases import CaseView

_STATUS = ("http.response.status_code", "http.status_code")
_IDS = {"user_id": ("user.id", "enduser.id"), "tenant_id": ("tenant.id",)}


def match_servers(
    spans: Sequence[ServiceSpan], calls: Sequence[Call], cases: Mapping[str, CaseView]
) -> None:
    """Give SERVER spans of nobody, and those below them, to requests without a SERVER span."""
    nobodys = [span for span in spans if span.call is None and not span.is_probe]
    servers = [span for span in nobodys if span.kind == "SERVER" and span.parent is None]
    for server in sorted(servers, key=lambda span: span.data.start_ns):
        call = next(_candidates(server, calls, cases), None)
        if call is not None:
            for span in nobodys:
                if span is server or server in span.ancestors:
                    span.call = call
                    call.spans.append(span)


def _candidates(
    server: ServiceSpan, calls: Sequence[Call], cases: Mapping[str, CaseView]
) -> Iterator[Call]:
    fits = [
        call
        for call in calls
        if call.callee is server.start
        and call.lasts_at(server.data.start_ns)
        and call.data.case in cases
        and not any(span.kind == "SERVER" for span in call.spans)
        and _may_be_of(server, call, cases[call.data.case])
    ]
    # What it sent on shows whose it was.
    sent = {call.data.case for call in calls if _was_sent_under(server, call)}
    if sent:
        yield from (call for call in fits if call.data.case in sent)
    elif server.data.parent_id is None and any(call.parent is None for call in fits):
        yield from (call for call in fits if call.parent is None)
    elif len(fits) == 1:
        yield from fits


def _was_sent_under(server: ServiceSpan, call: Call) -> bool:
    if call.caller != server.start.name or call.data.request is None:
        return False
    sent = traceparent.of_headers(call.data.request.headers)
    return sent is not None and sent.trace_id == server.data.trace_id


def _may_be_of(server: ServiceSpan, call: Call, case: CaseView) -> bool:
    if server.first(*_STATUS) not in {None, call.status}:
        return False
    marks = case.data.marks
    return all(server.first(*keys) in {None, getattr(marks, mark)} for mark, keys in _IDS.items())
