"""Put claims beside facts: which spans belong to which request, and which case.

The wire is the truth that everything hangs from. A span belongs to the request in whose context it
was started, as its host reported; one without a request of its own belongs where its parent does.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import msgspec

from otelkata.evidence.model import Case, Evidence, Exchange, Exit, Reading, Request, ServiceStart
from otelkata.host.wire import PROBE_SCOPE, Attributes, Event, Logged, Problem, Span, Started

from . import traceparent
from .traceparent import TraceParent
from .url import port_of

CLOCK_NOISE_NS = 2_000_000
CONTESTED = 0.7
"""Part of a caller's timeout after which an answer may come too late for it."""

_DATABASE_KEYS = ("db.system.name", "db.system")
_PORT_KEYS = ("server.port", "net.peer.port")
_URL_KEYS = ("url.full", "http.url")
_OPERATIONS = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")


class ServiceSpan:
    """One span that a service exported, where it was started, and for which request."""

    def __init__(self, span: Span, start: ServiceStart, started: Started) -> None:
        self.data = span
        self.start = start
        self.path = started.path
        self.line = started.line
        self.call: Call | None = None
        self.parent: ServiceSpan | None = None
        """The parent, where it is a span of the same start."""

    @property
    def id(self) -> str:
        """Return the span's id."""
        return self.data.span_id

    @property
    def service(self) -> str:
        """Return the service that made the span."""
        return self.start.service

    @property
    def kind(self) -> str:
        """Return the kind: SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER."""
        return self.data.kind

    @property
    def name(self) -> str:
        """Return the name."""
        return self.data.name

    @property
    def attributes(self) -> Attributes:
        """Return the attributes."""
        return self.data.attributes

    @property
    def is_probe(self) -> bool:
        """Tell whether the host started it."""
        return self.data.scope == PROBE_SCOPE

    @property
    def is_error(self) -> bool:
        """Tell whether the status is ERROR."""
        return self.data.status == "ERROR"

    @property
    def is_query(self) -> bool:
        """Tell whether it is a CLIENT span of a database."""
        return self.kind == "CLIENT" and any(key in self.attributes for key in _DATABASE_KEYS)

    @property
    def is_http_client(self) -> bool:
        """Tell whether it is a CLIENT span of anything else."""
        return self.kind == "CLIENT" and not self.is_query

    @property
    def exceptions(self) -> list[Event]:
        """Return the `exception` events that name a type."""
        return [
            event
            for event in self.data.events
            if event.name == "exception" and event.attributes.get("exception.type")
        ]

    @property
    def ancestors(self) -> "Iterator[ServiceSpan]":
        """Yield the spans of the same start above this one, nearest first."""
        seen = {self.id}
        span = self.parent
        while span is not None and span.id not in seen:
            seen.add(span.id)
            yield span
            span = span.parent

    def first(self, *keys: str) -> object:
        """Return the value of the first of `keys` that is set."""
        return next((self.attributes[key] for key in keys if key in self.attributes), None)

    def __str__(self) -> str:
        return self._label

    @cached_property
    def _label(self) -> str:
        if self.is_probe:
            return f"a span that the grader started through the tracer of {self.service}"
        return f"{self.service}'s {self.kind} span {self.name!r}"


class Call:
    """One request as the wire showed it, with the spans on both of its sides."""

    def __init__(self, exchange: Exchange, starts: Mapping[str, ServiceStart]) -> None:
        self.data = exchange
        self.callee = starts.get(exchange.callee)
        self.caller = exchange.caller
        self.timeout = starts[self.caller].timeout if self.caller in starts else None
        self.spans: list[ServiceSpan] = []
        """The spans that the callee started while it handled this request."""
        self.client: ServiceSpan | None = None
        """The CLIENT span that the caller opened for this request."""
        self.incoming: Call | None = None
        """The request that the caller was handling."""
        self.outgoing: list[Call] = []
        self.statements: list[str] = []

    @property
    def status(self) -> int | None:
        """Return the status code that was answered, if one was."""
        return self.data.response.status if self.data.response else None

    @property
    def caller_service(self) -> str:
        """Return the service that sent the request; `client` for the driver."""
        return self.data.hop.partition(">")[0]

    @property
    def callee_service(self) -> str:
        """Return the service that the request was meant for."""
        return self.data.hop.partition(">")[2]

    @cached_property
    def parent(self) -> TraceParent | None:
        """Return the valid trace context that arrived at the callee."""
        if self.data.request is None or self.callee is None or self.is_stripped:
            return None
        return traceparent.of_headers(self.data.request.headers)

    is_stripped = False

    @cached_property
    def servers(self) -> list[ServiceSpan]:
        """Return the SERVER spans whose parent is remote or none."""
        return [span for span in self.spans if span.kind == "SERVER" and span.parent is None]

    @property
    def server(self) -> ServiceSpan | None:
        """Return the request's SERVER span, where there is exactly one."""
        servers = self.servers
        return servers[0] if len(servers) == 1 else None

    @cached_property
    def queries(self) -> list[ServiceSpan]:
        """Return the callee's CLIENT spans of its database."""
        return [span for span in self.spans if span.is_query]

    @property
    def is_contested(self) -> bool:
        """Tell whether the answer came so late that the caller may have given up before."""
        took = (self.data.answered_ns or self.data.ended_ns) - self.data.received_ns
        return self.timeout is not None and took > CONTESTED * self.timeout * 1e9

    def lasts_at(self, time_ns: int) -> bool:
        """Tell whether the callee had received the request by then, and not yet answered it."""
        return self.data.received_ns <= time_ns <= self.data.ended_ns

    @property
    def failed_on_the_way(self) -> bool:
        """Tell whether no complete head of an answer reached the caller."""
        return self.data.outcome in {"refused", "timed_out", "dropped_in_headers"}

    def __str__(self) -> str:
        request = self.data.request
        what = f"{request.method} {request.target}" if request else "request"
        return f"{self.caller_service}'s {what} to {self.callee_service}"


class CaseView:
    """One case with its calls, its spans, and whether the HTTP answers were right."""

    def __init__(self, case: Case) -> None:
        self.data = case
        self.calls: list[Call] = []

    @property
    def title(self) -> str:
        """Return what the case is, to be read after 'in'."""
        return self.data.title

    @cached_property
    def spans(self) -> list[ServiceSpan]:
        """Return the spans of all services."""
        return [span for call in self.calls for span in call.spans]

    @cached_property
    def entry(self) -> Call | None:
        """Return the driver's own request."""
        return next((call for call in self.calls if call.caller_service == "client"), None)

    @cached_property
    def served(self) -> list[Call]:
        """Return the calls that a service of the submission answered."""
        return [call for call in self.calls if call.callee is not None and call.status is not None]

    @cached_property
    def sent(self) -> list[Call]:
        """Return the calls that a service of the submission sent."""
        return [call for call in self.calls if call.caller]

    @cached_property
    def obstacle(self) -> str:
        """Return why spans of this case cannot be judged; empty where they can."""
        if self.data.skipped:
            return f"{self.title} could not be played: {self.data.skipped}"
        wrong = next(self.wrong_answers(), None)
        return f"in {self.title}, {wrong}" if wrong else ""

    def wrong_answers(self) -> Iterator[str]:
        """Yield what is wrong with the HTTP answers."""
        if self.entry is None:
            yield "no request was sent"
            return
        if "hang_up" in self.data.tags:
            return
        yield from self._wrong_entry(self.entry)
        for hop, answers in self.data.inner.items():
            calls = [call for call in self.calls if call.data.hop == hop]
            service = hop.partition(">")[2]
            if not calls:
                yield f"no request reached {service}"
            elif calls[-1].status not in answers and not calls[-1].is_contested:
                yield f"{service} {_answered(calls[-1])}, not {_codes(answers)}"

    def _wrong_entry(self, entry: Call) -> Iterator[str]:
        case = self.data
        if entry.status not in case.answers:
            yield f"{case.entry} {_answered(entry)}, not {_codes(case.answers)}"
            return
        body = _json(entry.data.response.body if entry.data.response else "")
        if case.entry == "gateway" and case.codes and entry.status != 200:
            code = body.get("error")
            if code not in case.codes:
                yield f"gateway's error is {code!r}, not {' or '.join(map(repr, case.codes))}"
        if entry.status == 200:
            yield from self._wrong_success(body)

    def _wrong_success(self, body: Mapping[str, object]) -> Iterator[str]:
        case = self.data
        total = case.quantity * case.unit_price_cents
        reserved = {
            "sku": case.marks.sku,
            "quantity": case.quantity,
            "unit_price_cents": case.unit_price_cents,
        }
        right: Mapping[str, Mapping[str, object]] = {
            "gateway": {"total_cents": total},
            "inventory": reserved,
            "payment": {},
        }
        for key, value in right[case.entry].items():
            if body.get(key) != value:
                yield f"{case.entry}'s {key} is {body.get(key)!r}, not {value!r}"
        for key in {"gateway": ("order_id", "payment_id"), "payment": ("payment_id",)}.get(
            case.entry, ()
        ):
            if not body.get(key):
                yield f"{case.entry}'s answer has no {key}"
        for call in self.calls:
            if call.data.hop in {"gateway>payment", "payment>processor"} and call.data.request:
                amount = _json(call.data.request.body).get("amount_cents")
                if amount != total:
                    yield f"{call.caller_service} charged {amount!r} cents, not {total}"


class View:
    """All that was observed, linked."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.starts = {start.name: start for start in evidence.starts}
        self.cases = {case.name: CaseView(case) for case in evidence.cases}
        self._tagged: dict[str, list[CaseView]] = defaultdict(list)
        for case in self.cases.values():
            for tag in case.data.tags:
                self._tagged[tag].append(case)
        self.calls = [self._call(exchange) for exchange in evidence.exchanges]
        self._handled = {(c.data.callee, c.data.port): c for c in self.calls if c.data.port}
        # A host can claim to have started spans for a service that was never there.
        self._reported = [s for s in evidence.started if s.start in self.starts]
        self.started = {(s.start, s.span_id): s for s in self._reported}
        self.ended: set[tuple[str, str]] = {(e.start, e.span_id) for e in evidence.ended}
        self.made_up: list[tuple[str, Span]] = []
        """Spans that no provider ever started, with the start that they were exported by."""
        self.astray: list[tuple[str, str]] = []
        """Starts whose spans reached the exporter of another, and whose it was."""
        self.spans = list(self._exported())
        self._link_spans()
        self._link_calls()

    @property
    def exits(self) -> list[Exit]:
        """Return the ends of providers, services and processes."""
        return self.evidence.exits

    @property
    def problems(self) -> list[Problem]:
        """Return where the submission broke the contract."""
        return self.evidence.problems

    @cached_property
    def has_lost_a_process(self) -> bool:
        """Tell whether a process ended by itself: what it would have done is not known."""
        return any(problem.stage == "exit" for problem in self.problems)

    @cached_property
    def reading(self) -> Reading | None:
        """Return what the linter said of the source, certain of every span that was started."""
        reading = self.evidence.reading
        if reading is None:
            return None
        places = {(started.path, started.line) for started in self.own}
        remarks = [
            replace(remark, criteria=[*remark.criteria, *remark.if_started])
            if (remark.path, remark.line) in places
            else remark
            for remark in reading.remarks
        ]
        return replace(reading, remarks=remarks)

    @property
    def logs(self) -> list[Logged]:
        """Return the warnings of the OpenTelemetry libraries."""
        return self.evidence.logs

    def tagged(self, tag: str) -> list[CaseView]:
        """Return the cases that carry `tag`."""
        return list(self._tagged.get(tag, ()))

    def case_of(self, span: ServiceSpan) -> CaseView | None:
        """Return the case that `span` belongs to."""
        return self.cases.get(span.call.data.case) if span.call else None

    def call_of(self, started: Started) -> Call | None:
        """Return the request in whose context a span was started, or its parent was."""
        kept: Call | None = None
        for current in self._lineage(started):
            call = self._handled.get((current.handler, current.cause))
            if call is not None and not self._is_kept(current.handler, current.cause):
                return call
            kept = kept or call
        return kept

    def _lineage(self, started: Started) -> Iterator[Started]:
        # The span and those above it on the same provider, nearest first.
        seen: set[str] = set()
        current: Started | None = started
        while current is not None and current.span_id not in seen:
            yield current
            seen.add(current.span_id)
            current = self.started.get((current.start, current.parent_id or ""))

    def _is_kept(self, handler: str, cause: int) -> bool:
        return (handler, cause) in self._kept

    @cached_property
    def _kept(self) -> set[tuple[str, int]]:
        """Requests in whose context something runs on for others, such as a worker's task.

        The first request that needed it created it. It starts spans under others when that one has
        been answered, or where they have none of the kind by themselves: what its context says of
        a cause is worth nothing.
        """
        own = {(_place(started), started.handler, started.cause) for started in self.own}
        found: set[tuple[str, int]] = set()
        for started in self.own:
            first = self._handled.get((started.handler, started.cause))
            if first is None or (started.handler, started.cause) in found:
                continue
            for above in self._lineage(started):
                call = self._handled.get((above.handler, above.cause))
                if call in {None, first}:
                    continue
                answered = started.time_ns > first.data.ended_ns
                lacking = (_place(started), above.handler, above.cause) not in own
                if call.lasts_at(started.time_ns) and (answered or lacking):
                    found.add((started.handler, started.cause))
                break
        return found

    def lost_during(self, call: Call) -> list[ServiceSpan]:
        """Return the callee's spans that know no request and were started during `call`."""
        return [
            span
            for span in self._without_call
            if span.start is call.callee and call.lasts_at(span.data.start_ns)
        ]

    @cached_property
    def _without_call(self) -> list[ServiceSpan]:
        return [span for span in self.spans if span.call is None and not span.is_probe]

    @cached_property
    def span_ids(self) -> set[str]:
        """Return the ids of all spans that arrived."""
        return {span.id for span in self.spans}

    @cached_property
    def exporting(self) -> set[str]:
        """Return the starts of which at least one span arrived."""
        return {span.start.name for span in self.spans}

    @cached_property
    def tracing(self) -> set[str]:
        """Return the starts that started at least one span of their own."""
        return {started.start for started in self.own}

    @cached_property
    def own(self) -> list[Started]:
        """Return the starts of the submission's own spans, without those of the host."""
        return [s for s in self._reported if s.scope != PROBE_SCOPE]

    def _call(self, exchange: Exchange) -> Call:
        call = Call(exchange, self.starts)
        case = self.cases.get(exchange.case)
        if case is not None:
            case.calls.append(call)
            call.is_stripped = "stripped" in case.data.tags and bool(exchange.caller)
        return call

    def _exported(self) -> Iterator[ServiceSpan]:
        by_id: dict[str, list[Started]] = defaultdict(list)
        for started in self._reported:
            by_id[started.span_id].append(started)
        seen = set()
        for exported in self.evidence.spans:
            span = exported.span
            known = [
                started
                for started in by_id[span.span_id]
                if started.trace_id == span.trace_id
                and self.starts[started.start].host == exported.host
            ]
            if not known:
                self.made_up.append((exported.start, span))
                continue
            # Two starts that share a provider both report its spans; the handler's is right.
            own = [started for started in known if started.handler in {"", started.start}]
            if not own:
                self.astray.append((known[0].handler, known[0].start))
                continue
            started = own[0]
            given = "" if self.starts[started.start].exporter == "default" else started.start
            if exported.start != given:
                other = exported.start or "the environment's OTLP endpoint"
                self.astray.append((started.handler or started.start, other))
                continue
            if (started.start, span.span_id) not in seen:
                seen.add((started.start, span.span_id))
                yield ServiceSpan(span, self.starts[started.start], started)

    def _link_spans(self) -> None:
        by_id = {(span.start.name, span.id): span for span in self.spans}
        for span in self.spans:
            span.parent = by_id.get((span.start.name, span.data.parent_id or ""))
            call = self.call_of(self.started[span.start.name, span.id])
            if call is not None and call.callee is span.start:
                span.call = call
                call.spans.append(span)
        for query in self.evidence.queries:
            call = self._handled.get((query.start, query.cause))
            if self._is_kept(query.start, query.cause):
                continue
            if call is not None and query.statement.lstrip().upper().startswith(_OPERATIONS):
                call.statements.append(query.statement)

    def _link_calls(self) -> None:
        for case in self.cases.values():
            for call in case.sent:
                call.incoming = _handled_meanwhile(call, case.calls)
                if call.incoming is not None:
                    call.incoming.outgoing.append(call)
            for call in case.calls:
                _match_clients(call)


def _place(started: Started) -> tuple[object, ...]:
    return started.start, started.path, started.line, started.kind, started.name


def _handled_meanwhile(call: Call, calls: Iterable[Call]) -> Call | None:
    # The latest request that the caller was handling when it sent this one.
    handled = [
        other
        for other in calls
        if other.callee is not None
        and other.callee.name == call.caller
        and other.data.received_ns <= call.data.received_ns
    ]
    return max(handled, key=lambda other: other.data.received_ns, default=None)


def _match_clients(incoming: Call) -> None:
    """Give each request that left while `incoming` was handled its CLIENT span.

    The id on the wire decides; where it names no CLIENT span, port and time do.
    """
    free = sorted(
        (span for span in incoming.spans if span.is_http_client),
        key=lambda span: span.data.start_ns,
    )
    unmatched = []
    for call in incoming.outgoing:
        named = _sent_parent(call)
        span = next((span for span in free if named and span.id == named.span_id), None)
        if span is None:
            unmatched.append(call)
        else:
            call.client = span
            free.remove(span)
    for call in unmatched:
        span = next((span for span in free if _may_be(span, call)), None)
        if span is not None:
            call.client = span
            free.remove(span)


def _sent_parent(call: Call) -> TraceParent | None:
    return traceparent.of_headers(call.data.request.headers) if call.data.request else None


def _may_be(span: ServiceSpan, call: Call) -> bool:
    if call.data.request is None:
        return True
    port = _port_of(span)
    sent_to = _sent_to(call.data.request)
    if port and sent_to and port != sent_to:
        return False
    return span.data.start_ns <= call.data.received_ns + CLOCK_NOISE_NS


def _port_of(span: ServiceSpan) -> int | None:
    port = span.first(*_PORT_KEYS)
    if isinstance(port, int):
        return port
    return port_of(span.first(*_URL_KEYS) or "")


def _sent_to(request: Request) -> int | None:
    host = "".join(traceparent.values_of(request.headers, "host"))
    return port_of(f"//{host}")


def _answered(call: Call) -> str:
    if call.status is None:
        return f"gave no complete answer ({call.data.outcome.replace('_', ' ')})"
    body = call.data.response.body if call.data.response else ""
    return f"answered {call.status} {body[:120]}".strip()


def _codes(codes: list[int]) -> str:
    if len(codes) > 4:
        return "4xx"
    return " or ".join(map(str, codes))


def _json(body: str) -> Mapping[str, object]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
