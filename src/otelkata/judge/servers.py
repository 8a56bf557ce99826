"""Find the request of a SERVER span that was started in no request's context.

A server may hand requests to threads or to workers that it started long before. Where the span has
no parent, the wire does not name its request, and what is known of both has to do.
"""

from collections import defaultdict
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
    servers = [
        span
        for span in spans
        if span.call is None and span.kind == "SERVER" and span.parent is None and not span.is_probe
    ]
    if not servers:
        return
    below: dict[ServiceSpan, list[ServiceSpan]] = defaultdict(list)
    for span in spans:
        if span.parent is not None:
            below[span.parent].append(span)
    sent = _sent_under(calls)
    waiting = _waiting(calls, cases)
    for server in sorted(servers, key=lambda span: span.data.start_ns):
        current = waiting[server.start.name].at(server.data.start_ns)
        fits = [call for call in current if _may_be_of(server, call, cases[call.data.case])]
        call = _choose(server, fits, sent[server.start.name, server.data.trace_id])
        if call is None:
            continue
        current.remove(call)
        for span in _tree(server, below):
            if span.call is None and not span.is_probe:
                span.call = call
                call.spans.append(span)


class _Waiting:
    """Requests that wait for a SERVER span, by the time at which one starts: it only rises."""

    def __init__(self, calls: list[Call]) -> None:
        self._later = sorted(calls, key=lambda call: call.data.received_ns, reverse=True)
        self._current: list[Call] = []

    def at(self, time_ns: int) -> list[Call]:
        """Return those that last at `time_ns`, in the order of their arrival."""
        while self._later and self._later[-1].data.received_ns <= time_ns:
            self._current.append(self._later.pop())
        self._current[:] = [call for call in self._current if call.lasts_at(time_ns)]
        return self._current


def _waiting(calls: Sequence[Call], cases: Mapping[str, CaseView]) -> Mapping[str, _Waiting]:
    free: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        shown = any(span.kind == "SERVER" for span in call.spans)
        if call.callee is not None and call.data.case in cases and not shown:
            free[call.callee.name].append(call)
    return defaultdict(lambda: _Waiting([]), {name: _Waiting(free[name]) for name in free})


def _sent_under(calls: Sequence[Call]) -> Mapping[tuple[str, str], set[str]]:
    """Return the cases of what each service sent on under each trace id."""
    sent: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call in calls:
        if call.data.request is not None:
            context = traceparent.of_headers(call.data.request.headers)
            if context is not None:
                sent[call.caller, context.trace_id].add(call.data.case)
    return sent


def _choose(server: ServiceSpan, fits: list[Call], sent: set[str]) -> Call | None:
    if sent:
        # What it sent on shows whose it was.
        return next((call for call in fits if call.data.case in sent), None)
    if server.data.parent_id is None and (new := [c for c in fits if c.parent is None]):
        return new[0]
    return fits[0] if len(fits) == 1 else None


def _tree(
    top: ServiceSpan, below: Mapping[ServiceSpan, list[ServiceSpan]]
) -> Iterator[ServiceSpan]:
    left = [top]
    while left:
        span = left.pop()
        yield span
        left += below.get(span, [])


def _may_be_of(server: ServiceSpan, call: Call, case: CaseView) -> bool:
    # What is claimed may be a list.
    status = server.first(*_STATUS)
    if status is not None and status != call.status:
        return False
    claims = ((server.first(*keys), getattr(case.data.marks, mark)) for mark, keys in _IDS.items())
    return all(claimed is None or claimed == known for claimed, known in claims)
