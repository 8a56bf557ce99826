"""Put together what belongs to one request: exchanges on all hops, and spans.

A trace alone would not do: a broken one is in pieces, and what is missing is in none. So it is the
wire that tells what belongs together, as when a submission is graded; but requests that are alike
may be under way at the same time here, so that what names their spans comes first.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from otelkata.deploy.link import Observations
from otelkata.evidence.model import (
    Case,
    Evidence,
    Exchange,
    ExportedSpan,
    Marks,
    Parent,
    ServiceStart,
)
from otelkata.host.wire import Started
from otelkata.judge.calls import ServiceSpan
from otelkata.judge.cases import CaseView
from otelkata.judge.finding import Fault
from otelkata.judge.traceparent import of_headers
from otelkata.judge.view import View
from otelkata.report.drawing import lay_out
from otelkata.report.expected import continues, target
from otelkata.report.words import NAME_LIMIT, cut_line

from .shown import Shown

NOTES_SHOWN = 8
"""Most notes on one request."""

_NOBODY = Marks("", "", "", "", "")


def view(
    exchanges: Iterable[Exchange],
    starts: Mapping[str, ServiceStart],
    seen: Observations,
    spans: Sequence[ExportedSpan],
    *,
    samples: bool,
) -> View:
    """Return all that was seen, linked; a case is named by the number of the first exchange.

    `samples` tells that a sampler decides whether there are spans at all.
    """
    assigned = list(_assigned(list(exchanges), seen.started))
    traced = {started.trace_id for started in seen.started}
    return View(
        Evidence(
            submission="",
            seed=0,
            left_out=[],
            platform="",
            python="",
            isolation="",
            resource={},
            probes=[],
            starts=list(starts.values()),
            cases=[
                _case(exchange, unsampled=samples and not traced)
                for exchange in assigned
                if not exchange.caller
            ],
            exchanges=assigned,
            exits=[],
            deliveries=[],
            problems=seen.problems,
            logs=seen.logs,
            queries=seen.queries,
            started=seen.started,
            ended=seen.ended,
            spans=list(spans),
            duration_s=0.0,
        )
    )


def show(view: View, number: int, name: int, notes: Sequence[str] = ()) -> Shown | None:
    """Return what is shown of the case that the exchange `number` began, as request `name`."""
    case = view.cases.get(str(number))
    entry = case.entry if case else None
    if case is None or entry is None:
        return None
    drawing = lay_out(Fault("", case, tuple(_astray(case))))
    if drawing is None:
        return None
    said = dict.fromkeys([*notes, *_unfinished(view, case), *_lost(view, case)])
    return Shown(
        number=name,
        what=target(entry),
        status=str(entry.status) if entry.status is not None else "",
        took_ms=round((entry.data.ended_ns - entry.data.received_ns) / 1e6, 3),
        drawing=drawing,
        notes=tuple(cut_line(note, 2 * NAME_LIMIT) for note in list(said)[:NOTES_SHOWN]),
    )


def belonging(view: View, numbers: Collection[int]) -> dict[int, str]:
    """Return which case exchanges belong to, of those that the exchanges `numbers` began."""
    names = map(str, numbers)
    return {c.data.number: name for name in names for c in view.cases[name].calls}


def outside(view: View) -> list[ServiceSpan]:
    """Return the spans that belong to no request, and were started while there was none."""
    lost = {
        span.id
        for case in view.cases.values()
        for call in case.calls
        for span in view.lost_during(call)
    }
    return [span for span in view.spans if span.call is None and span.id not in lost]


def _case(exchange: Exchange, *, unsampled: bool) -> Case:
    headers = exchange.request.headers if exchange.request else []
    parent = of_headers(headers)
    if parent is not None and not parent.sampled:
        unsampled = True
    return Case(
        name=str(exchange.number),
        title="this request",
        tags=["unsampled_parent"] if unsampled else [],
        entry="gateway",
        answers=[],
        codes=[],
        inner={},
        marks=_NOBODY,
        parent=(
            Parent([], parent.trace_id, parent.span_id, parent.sampled)
            if parent
            else Parent([], "", "", sampled=False)
        ),
        quantity=0,
        unit_price_cents=0,
        baggage=False,
    )


def _assigned(exchanges: Sequence[Exchange], started: Iterable[Started]) -> Iterator[Exchange]:
    # What was sent is given the case of the request that its sender was handling.
    by_port = {(e.callee, e.port): e.number for e in exchanges if e.port}
    by_id = {(s.start, s.span_id): s for s in started}
    cases: dict[int, str] = {}
    for exchange in sorted(exchanges, key=lambda exchange: exchange.number):
        if not exchange.caller:
            cases[exchange.number] = str(exchange.number)
        elif exchange.case:
            cases[exchange.number] = exchange.case
        else:
            handled = by_port.get(_cause(exchange, by_id))
            if handled not in cases:
                handled = _alike(exchange, [e for e in exchanges if e.number in cases])
            cases[exchange.number] = cases.get(handled or 0, "")
        yield replace(exchange, case=cases[exchange.number])


def _cause(exchange: Exchange, by_id: Mapping[tuple[str, str], Started]) -> tuple[str, int]:
    parent = of_headers(exchange.request.headers) if exchange.request else None
    seen: set[str] = set()
    span_id = parent.span_id if parent else ""
    while span_id and span_id not in seen:
        seen.add(span_id)
        span = by_id.get((exchange.caller, span_id))
        if span is None:
            break
        if span.cause:
            return span.handler, span.cause
        span_id = span.parent_id or ""
    return "", 0


def _alike(exchange: Exchange, before: Sequence[Exchange]) -> int | None:
    # Without a word of the span that sent it: what its sender had in hand, and with most in common.
    values = _values(exchange)
    ranked = [
        (len(values & _values(other)), other.received_ns, other.number)
        for other in before
        if other.callee == exchange.caller
        and other.received_ns <= exchange.received_ns <= other.ended_ns
    ]
    return max(ranked, default=(0, 0, None))[2]


def _values(exchange: Exchange) -> set[str]:
    try:
        body = json.loads(exchange.request.body if exchange.request else "")
    except (ValueError, RecursionError):
        return set()
    return {v for v in body.values() if isinstance(v, str)} if isinstance(body, dict) else set()


def _astray(case: CaseView) -> Iterator[ServiceSpan]:
    for call in case.calls:
        if call.caller:
            yield from (span for span in call.servers if not continues(span, call))


def _unfinished(view: View, case: CaseView) -> Iterator[str]:
    calls = set(map(id, case.calls))
    arrived = view.span_ids
    for started in view.evidence.started:
        if started.span_id in arrived or id(view.call_of(started)) not in calls:
            continue
        service = started.start.partition(".")[0]
        what = f"{service}'s {started.kind} span {started.name!r}{_place(started)}"
        if (started.start, started.span_id) in view.ended:
            yield f"{what} has ended, but was not exported"
        else:
            yield f"{what} has been started, and has not ended"


def _lost(view: View, case: CaseView) -> Iterator[str]:
    for call in case.calls:
        for span in view.lost_during(call):
            yield (
                f"{span}{_place(span)} does not belong to a request: it was started where the "
                "context was lost"
            )


def _place(at: Started | ServiceSpan) -> str:
    return f" ({at.path}:{at.line})" if at.path else ""
