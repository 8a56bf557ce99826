"""Lay a trace out: which spans, under which parents, when, and what should be there instead.

Times are milliseconds since the first thing that was seen of the case, on the wire or as a span.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from otelkata.judge.calls import Call, ServiceSpan
from otelkata.judge.cases import CaseView
from otelkata.judge.finding import Fault
from otelkata.judge.traceparent import values_of

from .expected import Wanted, expected, target
from .words import NAME_LIMIT, cut_line

SPANS_SHOWN = 40
NO_TRACEPARENT = "no traceparent"
EVENTS_SHOWN = 3
"""How many events of a span are shown."""


class Mark(msgspec.Struct, frozen=True):
    """An event on a span."""

    name: str
    at_ms: float


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A span; `depth` counts its ancestors in the drawing, `origin` says where a top one hangs.

    `is_last` tells that no sibling follows.
    """

    depth: int
    is_last: bool
    trace_id: str
    service: str
    kind: str
    name: str
    start_ms: float
    took_ms: float
    code: str = ""
    status: str = ""
    events: tuple[Mark, ...] = ()
    origin: str = ""
    is_at_fault: bool = False


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the wire showed it."""

    caller: str
    callee: str
    what: str
    context: str
    outcome: str
    start_ms: float
    took_ms: float
    is_at_fault: bool = False

    @property
    def lacks_context(self) -> bool:
        """Tell whether the request arrived, and brought no trace context."""
        return self.context == NO_TRACEPARENT


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """One case: spans, requests, what is missing, and which spans there should be.

    `left_out` is how many spans there were no room for.
    """

    title: str
    bars: tuple[Bar, ...]
    left_out: int
    missing: tuple[str, ...]
    crossings: tuple[Crossing, ...]
    wanted: tuple[Wanted, ...]


def lay_out(fault: Fault) -> Drawing | None:
    """Return the case that `fault` is in; None where it is in none."""
    return _Layout(fault, fault.case).drawing() if fault.case is not None else None


def requests(case: CaseView) -> tuple[Crossing, ...]:
    """Return the requests of a case as the wire showed them."""
    began = _began(case)
    return tuple(_crossing(call, began, is_at_fault=False) for call in case.calls)


class _Layout:
    # A forest: spans under the parents that they claim, across services.

    def __init__(self, fault: Fault, case: CaseView) -> None:
        self._fault = fault
        self._case = case
        self._spans = sorted(case.spans, key=lambda span: span.data.start_ns)
        self._drawn: set[str] = set()
        self._known = {(span.data.trace_id, span.id) for span in self._spans}
        self._children: dict[tuple[str, str], list[ServiceSpan]] = defaultdict(list)
        for span in self._spans:
            self._children[span.data.trace_id, span.data.parent_id or ""].append(span)
        self._began = _began(case)

    def drawing(self) -> Drawing:
        bars = list(self._bars())
        kept = _shortened(bars)
        return Drawing(
            title=self._case.title,
            bars=tuple(kept),
            left_out=len(bars) - len(kept),
            missing=tuple(self._missing()),
            crossings=tuple(
                _crossing(call, self._began, is_at_fault=call is self._fault.call)
                for call in self._case.calls
            ),
            wanted=tuple(expected(self._case)),
        )

    def _bars(self) -> Iterator[Bar]:
        roots = [span for span in self._spans if self._key(span) not in self._known]
        for trace_id in dict.fromkeys(span.data.trace_id for span in roots):
            tops = [span for span in roots if span.data.trace_id == trace_id]
            for number, span in enumerate(tops):
                yield from self._branch(span, 0, is_last=number == len(tops) - 1)
        for span in self._spans:
            if span.id not in self._drawn:  # its ancestors form a circle
                yield from self._branch(span, 0, is_last=True)

    def _key(self, span: ServiceSpan) -> tuple[str, str]:
        return span.data.trace_id, span.data.parent_id or ""

    def _branch(self, span: ServiceSpan, depth: int, *, is_last: bool) -> Iterator[Bar]:
        # A stack of its own: a hostile trace may be deeper than the interpreter's.
        left = [(span, depth, is_last)]
        while left:
            current, at, last = left.pop()
            if current.id in self._drawn:
                continue
            self._drawn.add(current.id)
            yield self._bar(current, at, is_last=last)
            children = self._children[current.data.trace_id, current.id]
            for number, child in reversed(list(enumerate(children))):
                left.append((child, at + 1, number == len(children) - 1))

    def _bar(self, span: ServiceSpan, depth: int, *, is_last: bool) -> Bar:
        code = span.first("http.response.status_code", "http.status_code")
        return Bar(
            depth=depth,
            is_last=is_last,
            trace_id=span.data.trace_id,
            service=span.service,
            kind=span.kind,
            name=cut_line(span.name, NAME_LIMIT),
            start_ms=self._since(span.data.start_ns),
            took_ms=round((span.data.end_ns - span.data.start_ns) / 1e6, 3),
            code=cut_line(f"{code}", NAME_LIMIT) if code is not None else "",
            status=span.data.status if span.data.status != "UNSET" else "",
            events=tuple(
                Mark(cut_line(event.name, NAME_LIMIT), self._since(event.time_ns))
                for event in span.data.events[:EVENTS_SHOWN]
            ),
            origin=self._origin(span),
            is_at_fault=span in self._fault.spans,
        )

    def _since(self, moment_ns: int) -> float:
        return round((moment_ns - self._began) / 1e6, 3)

    def _origin(self, span: ServiceSpan) -> str:
        parent_id = span.data.parent_id
        if self._key(span) in self._known:
            return ""
        if parent_id is None:
            return "root"
        if parent_id == self._case.data.parent.span_id:
            return "child of the caller's span"
        return f"its parent {parent_id} is not in this trace"

    def _missing(self) -> Iterator[str]:
        call = self._fault.call
        if not self._spans:
            yield "no span arrived"
        elif call is None or self._fault.spans or call.data.request is None:
            return
        elif call.callee is not None and not call.servers:
            yield f"no SERVER span of {call.callee_service} for this request"
        elif call.caller and call.client is None:
            yield f"no CLIENT span of {call.caller_service} for {call}"


def _crossing(call: Call, began: int, *, is_at_fault: bool) -> Crossing:
    request = call.data.request
    header = "".join(values_of(request.headers if request else [], "traceparent")[:1])
    context = f"traceparent {header}" if header else NO_TRACEPARENT if request else ""
    answered = call.status if call.status is not None else call.data.outcome.replace("_", " ")
    return Crossing(
        caller=call.caller_service,
        callee=call.callee_service,
        what=target(call) or "connection refused",
        context=cut_line(context, NAME_LIMIT),
        outcome=f"{answered}",
        start_ms=round((call.data.received_ns - began) / 1e6, 3),
        took_ms=round((call.data.ended_ns - call.data.received_ns) / 1e6, 3),
        is_at_fault=is_at_fault,
    )


def _began(case: CaseView) -> int:
    moments = [span.data.start_ns for span in case.spans]
    moments += [call.data.received_ns for call in case.calls]
    return min(moments, default=0)


def _shortened(bars: list[Bar]) -> list[Bar]:
    # Spans at fault stay, whatever else has to go.
    if len(bars) <= SPANS_SHOWN:
        return bars
    at_fault = [number for number, bar in enumerate(bars) if bar.is_at_fault][:SPANS_SHOWN]
    kept = {*at_fault, *range(SPANS_SHOWN - len(at_fault))}
    return [bar for number, bar in enumerate(bars) if number in kept]
