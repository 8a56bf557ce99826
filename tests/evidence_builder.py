"""Build the evidence of a sound submission by hand, and plant faults in it.

Every kind of scenario is there once. Spans are known by labels: `case/service` is a SERVER span,
`case/caller>callee` a CLIENT span (`#2` is appended for the second attempt), and
`case/inventory/query` that of the database.
"""

import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import msgspec

from otelkata.drive.values import NO_PARENT, Values
from otelkata.evidence.model import (
    Case,
    Delay,
    Delivery,
    Evidence,
    Exchange,
    Exit,
    ExportedSpan,
    Headers,
    Hop,
    Outcome,
    Parent,
    Reading,
    Request,
    Response,
    ServiceStart,
)
from otelkata.host.wire import (
    PROBE_SCOPE,
    Attributes,
    Ended,
    Event,
    Query,
    Service,
    Span,
    Started,
)

MS = 1_000_000
VERSION = "1.2.3"
RESOURCE = {"kata.region": "north"}
PROBES = ["probe@mail.example", "4111111111111111"]
PRICE = 1250
BY_COLLECTOR = {"default", "sigterm"}
"""Groups that are given no exporter."""

EPOCH_NS = 1_700_000_000_000_000_000
PATHS = {
    "gateway": "/checkout",
    "inventory": "/reservations",
    "payment": "/payments",
    "processor": "/authorizations",
}
QUERY = "SELECT unit_price_cents FROM stock WHERE sku = ?"

SPANS = (
    "gateway",
    "gateway>inventory",
    "inventory",
    "inventory/query",
    "gateway>payment",
    "payment",
    "payment>processor",
)
"""What the spans of one checkout are called behind the case's name; a retry has one more."""

Where = Literal["network", "query", "processor"]
Change = Callable[[Evidence], None]


@dataclass(frozen=True, slots=True)
class Leg:
    """What became of a request on one hop; `answering` is false where the tap stood in."""

    status: int | None = 200
    outcome: Outcome = "answered"
    answering: bool = True

    @property
    def is_fault(self) -> bool:
        return self.outcome != "answered"


OK = Leg()
REFUSED = Leg(None, "refused", answering=False)
DROPPED = Leg(None, "dropped_in_headers", answering=False)
TIMED_OUT = Leg(None, "timed_out", answering=False)
CUT_OFF = Leg(200, "dropped_in_body", answering=False)
UNREADABLE = Leg(200, "unreadable", answering=False)


def id_of(label: str) -> str:
    """Return the id of the span that is known by `label`."""
    return hashlib.sha256(label.encode()).hexdigest()[:16]


def trace_of(case: str) -> str:
    """Return the trace id of a case."""
    return hashlib.sha256(f"trace of {case}".encode()).hexdigest()[:32]


class Builder:
    """Play cases on paper: time goes by only where something happens."""

    def __init__(self) -> None:
        self.evidence = _empty()
        self._values = Values(1)
        self._numbers = itertools.count(1)
        self._ports = itertools.count(40_000)
        self._now = EPOCH_NS
        self._group = "main"
        self._case = _case("", [], self._values)
        self._traced = True
        self._trace = ""
        self._delay: Where | None = None

    def start(self, service: Service, group: str) -> str:
        """Return the start of `service` in `group`, noted at the first call."""
        name = f"{service}.{group}"
        if name not in {known.name for known in self.evidence.starts}:
            start = ServiceStart(
                name=name,
                host=group,
                service=service,
                exporter="default" if group in BY_COLLECTOR else "memory",
                version=VERSION,
                timeout=2.0,
                port=next(self._ports),
                serves=True,
            )
            self.evidence.starts.append(start)
        return name

    def checkout(
        self,
        name: str,
        *tags: str,
        status: int | None = 200,
        inventory: Leg | None = OK,
        payment: Leg | None = OK,
        processor: Sequence[Leg] = (OK,),
        delay: Where | None = None,
        parent: Parent | None = None,
        state: str = "",
        group: str = "main",
        entry: Service = "gateway",
        traced: bool = True,
    ) -> None:
        """Play one case; the legs say what became of each hop, None that nothing was sent."""
        self._group, self._delay, self._traced = group, delay, traced
        headers: Headers = [("tracestate", state)] if state else []
        if parent is None:
            header = ("traceparent", f"00-{trace_of(name)}-{id_of(name)}-01")
            parent = Parent([header], trace_of(name), id_of(name), sampled=True)
        self._trace = parent.trace_id or trace_of(name)
        self._case = replace(
            _case(name, [*tags], self._values),
            entry=entry,
            answers=[status] if status is not None else [],
            parent=replace(parent, headers=[*parent.headers, *headers]),
        )
        index = len(self.evidence.cases)
        self.evidence.cases.append(self._case)
        sent = [*self._case.parent.headers, _baggage(self._case)]
        legs = {"inventory": inventory, "payment": payment}
        self._request("client", entry, Leg(status), sent, legs, processor)
        self.evidence.cases[index] = self._case
        self._tick(1000)

    def probe(self, start: str, label: str, *, exported: bool = True) -> None:
        """Let the host start and end a span of its own on the provider of `start`."""
        self._traced, self._trace, self._group = True, trace_of(label), start.partition(".")[2]
        began = self._tick()
        self._span(label, start, None, "INTERNAL", "probe", began, {}, cause=0, scope=PROBE_SCOPE)
        if not exported:
            lose(label)(self.evidence)

    def ended(self, group: str) -> dict[str, list[str]]:
        """Return the ids of the ended spans of a group, by start."""
        starts = [start.name for start in self.evidence.starts if start.host == group]
        return {
            name: [e.span_id for e in self.evidence.ended if e.start == name] for name in starts
        }

    def _tick(self, ms: float = 1) -> int:
        self._now += int(ms * MS)
        return self._now

    def _wait(self, where: Where) -> None:
        if self._delay == where:
            began = self._now
            self._case = replace(self._case, delay=Delay(where, began, self._tick(400)))

    def _request(
        self,
        caller: str,
        callee: str,
        leg: Leg,
        headers: Headers,
        legs: dict[str, Leg | None],
        processor: Sequence[Leg],
        port: int = 0,
    ) -> None:
        number = next(self._numbers)
        from_port = next(self._ports)
        received = self._tick()
        self._wait("network") if callee == "inventory" else None
        if callee == "processor":
            self._wait("processor")
        elif leg.answering:
            self._serve(cast("Service", callee), leg, headers, legs, processor, from_port)
        body = _answer(callee, leg, self._case)
        response = None if leg.status is None else Response(leg.status, [], body)
        request = Request("POST", PATHS[callee], headers, _question(callee, self._case))
        serves = leg.answering and callee != "processor"
        serving = self.start(cast("Service", callee), self._group) if serves else ""
        self.evidence.exchanges.append(
            Exchange(
                number=number,
                case=self._case.name,
                hop=cast("Hop", f"{caller}>{callee}"),
                caller="" if caller == "client" else f"{caller}.{self._group}",
                callee="processor" if callee == "processor" else serving,
                port=from_port,
                request=None if leg.outcome == "refused" else request,
                response=response,
                outcome=leg.outcome if leg.status or leg.is_fault else "timed_out",
                received_ns=received,
                answered_ns=self._tick() if response is not None else 0,
                ended_ns=self._tick(),
            )
        )

    def _serve(
        self,
        service: Service,
        leg: Leg,
        headers: Headers,
        legs: dict[str, Leg | None],
        processor: Sequence[Leg],
        port: int,
    ) -> None:
        case = self._case
        label = f"{case.name}/{service}"
        start = self.start(service, self._group)
        began = self._tick()
        events = []
        if service == "gateway":
            for callee in ("inventory", "payment"):
                if (sent := legs[callee]) is not None:
                    self._send(service, callee, sent, label, port, headers, legs, processor)
            events = ["order placed"]
        elif service == "inventory":
            self._query(label, start, port, failed=leg.status == 500)
        else:
            for attempt, sent in enumerate(processor):
                suffix = f"#{attempt + 1}" if attempt else ""
                events += ["payment.retry"] if attempt else []
                self._send(
                    service, "processor", sent, label, port, headers, legs, processor, suffix
                )
        attributes: Attributes = {
            "http.request.method": "POST",
            "url.path": PATHS[service],
            "user.id": case.marks.user_id,
            "tenant.id": case.marks.tenant_id,
        }
        if leg.status is not None:
            attributes["http.response.status_code"] = leg.status
        self._span(
            label,
            start,
            _parent_of(headers, strip="stripped" in case.tags and service != case.entry),
            "SERVER",
            f"POST {PATHS[service]}",
            began,
            attributes,
            cause=port,
            error=(leg.status or 0) >= 500,
            events=events,
        )

    def _send(
        self,
        service: Service,
        callee: str,
        leg: Leg,
        parent: str,
        port: int,
        received: Headers,
        legs: dict[str, Leg | None],
        processor: Sequence[Leg],
        suffix: str = "",
    ) -> None:
        case = self._case
        label = f"{case.name}/{service}>{callee}{suffix}"
        began = self._tick()
        flags = "01" if self._traced else "00"
        headers: Headers = [("Traceparent", f"00-{self._trace_in(parent)}-{id_of(label)}-{flags}")]
        headers += [header for header in received if header[0] == "tracestate"]
        if callee != "processor":
            headers.append(_baggage(case))
        self._request(service, callee, leg, headers, legs, processor)
        attributes: Attributes = {
            "http.request.method": "POST",
            "url.full": f"http://127.0.0.1:9/{PATHS[callee][1:]}",
            "server.address": "127.0.0.1",
        }
        if leg.status is not None:
            attributes["http.response.status_code"] = leg.status
        self._span(
            label,
            f"{service}.{self._group}",
            id_of(parent),
            "CLIENT",
            f"POST {PATHS[callee]}",
            began,
            attributes,
            cause=port,
            error=leg.is_fault or (leg.status or 0) >= 400,
            events=["exception"] if leg.is_fault else [],
            trace=self._trace_in(parent),
        )

    def _query(self, parent: str, start: str, port: int, *, failed: bool) -> None:
        began = self._tick()
        self._wait("query")
        self.evidence.queries.append(Query(start, port, QUERY))
        self._span(
            f"{parent}/query",
            start,
            id_of(parent),
            "CLIENT",
            "SELECT",
            began,
            {"db.system.name": "sqlite", "db.query.text": QUERY},
            cause=port,
            error=failed,
            events=["exception"] if failed else [],
            trace=self._trace_in(parent),
        )

    def _trace_in(self, server: str) -> str:
        # A service whose headers were stripped has started a trace of its own.
        stripped = "stripped" in self._case.tags and server != f"{self._case.name}/gateway"
        return trace_of(server) if stripped else self._trace

    def _span(
        self,
        label: str,
        start: str,
        parent_id: str | None,
        kind: str,
        name: str,
        began: int,
        attributes: Attributes,
        *,
        cause: int,
        error: bool = False,
        events: Sequence[str] = (),
        scope: str = "checkout",
        trace: str = "",
    ) -> None:
        if not self._traced:
            return
        trace = trace or (self._trace_in(label) if kind == "SERVER" else self._trace)
        end = self._tick()
        span_id = id_of(label)
        self.evidence.started.append(
            Started(
                start=start,
                trace_id=trace,
                span_id=span_id,
                parent_id=parent_id,
                kind=kind,
                name=name,
                time_ns=began,
                handler=start if cause else "",
                cause=cause,
                scope=scope,
                path="checkout.py",
                line=7,
            )
        )
        self.evidence.ended.append(Ended(start, span_id, end))
        span = Span(
            trace_id=trace,
            span_id=span_id,
            parent_id=parent_id,
            kind=kind,
            name=name,
            start_ns=began,
            end_ns=end,
            status="ERROR" if error else "UNSET",
            status_message="",
            attributes=attributes,
            events=[Event(event, end, _event_attributes(event)) for event in events],
            links=[],
            resource={
                "service.name": start.partition(".")[0],
                "service.version": VERSION,
                **RESOURCE,
            },
            scope=scope,
        )
        exported_by = "" if self._group in BY_COLLECTOR else start
        self.evidence.spans.append(ExportedSpan(exported_by, self._group, span))


def sound() -> Evidence:
    """Return the evidence of a submission that is right in everything, for the caller to change."""
    return msgspec.json.decode(_sound(), type=Evidence)


@functools.cache
def _sound() -> bytes:
    # Reading it is several times as fast as building it.
    return msgspec.json.encode(_built())


def _built() -> Evidence:
    shop = Builder()
    success = ("traced", "answered", "success")
    failed = ("traced", "answered", "failed", "continued")
    shop.checkout("success", *success, "continued")
    shop.checkout("root", *success, "root", parent=NO_PARENT)
    shop.checkout("state", *success, "continued", "tracestate", state="a=1,b=2")
    shop.checkout("stripped", "traced", "answered", "continued", "stripped")
    direct = ("traced", "answered", "direct", "continued")
    shop.checkout("direct.inventory", *direct, entry="inventory")
    shop.checkout("direct.payment", *direct, entry="payment")
    wrong = Parent([("traceparent", "00-zz-zz-01")], "", "", sampled=False)
    shop.checkout(
        "malformed", "answered", "malformed", status=422, parent=wrong, inventory=None, payment=None
    )
    refusal = ("traced", "answered", "refusal", "continued")
    shop.checkout("unknown", *refusal, status=404, inventory=Leg(404), payment=None)
    shop.checkout("declined", *refusal, status=402, payment=Leg(402), processor=[Leg(402)])
    for name, leg, status in (
        ("refused", REFUSED, 502),
        ("cut_off", CUT_OFF, 502),
        ("unreadable", UNREADABLE, 502),
        ("timed_out", TIMED_OUT, 504),
        ("500", Leg(500, answering=False), 502),
    ):
        shop.checkout(name, *failed, status=status, inventory=leg, payment=None)
    shop.checkout("dropped", *failed, status=502, payment=DROPPED)
    shop.checkout("database", *failed, "database_failed", status=500, entry="inventory")
    retried = ("traced", "answered", "retried", "continued")
    shop.checkout("retried", *retried, processor=[Leg(503), OK])
    for number in range(2):
        shop.checkout(f"interleaved{number}", "traced", "answered", "concurrent", "continued")
    delays: tuple[Where, ...] = ("network", "query", "processor")
    for where in delays:
        shop.checkout(where, "traced", "answered", "continued", "slow", delay=where)
    header = ("traceparent", f"00-{trace_of('unsampled')}-{id_of('unsampled')}-00")
    unsampled = Parent([header], trace_of("unsampled"), id_of("unsampled"), sampled=False)
    tags = ("unsampled", "unsampled_parent")
    shop.checkout("unsampled", *tags, parent=unsampled, traced=False)
    shop.checkout("always_off", "unsampled", "always_off", parent=NO_PARENT, traced=False)
    hang_up = ("traced", "continued", "hang_up")
    shop.checkout("hang_up", *hang_up, status=None, inventory=TIMED_OUT, payment=None)
    shop.checkout("default", "default_exporter", group="default")
    shop.checkout("exit.lifespan", "exit", group="leaving")
    shop.checkout("exit.sigterm", "exit", group="sigterm")
    shop.probe("gateway.main", "probe")
    _end(shop)
    shop.evidence.exchanges.sort(key=lambda exchange: exchange.number)
    return shop.evidence


def _end(shop: Builder) -> None:
    exits = shop.evidence.exits
    for behaviour in ("pending", "failing", "hanging"):
        start = shop.start("payment", behaviour)
        shop.probe(start, behaviour, exported=behaviour == "pending")
        done = behaviour == "pending"
        tags = ["provider", f"provider_{behaviour}"]
        name = f"shutdown_tracer_{behaviour}"
        pending = shop.ended(behaviour)[start]
        exits.append(Exit(name, tags, [start], 5, 0.5, returned=done, pending=pending))
    exits.append(Exit("process", ["process"], ["payment.hanging"], 3, 0.1))
    for tag, group in (("lifespan", "leaving"), ("sigterm", "sigterm")):
        for start, pending in shop.ended(group).items():
            service = start.partition(".")[0]
            exits.append(Exit(f"{tag}.{service}", [tag], [start], 10, 0.2, pending=pending))
            exits.append(Exit(f"{tag}_hanging.{service}", [f"{tag}_hanging"], [start], 10, 8))


# Changes, by which a fault is planted.


def all_of(*changes: Change) -> Change:
    """Plant several faults."""

    def change(evidence: Evidence) -> None:
        for each in changes:
            each(evidence)

    return change


def span(label: str, **changes: object) -> Change:
    """Change fields of an exported span, and of its start where it has them, too."""
    return all_of(exported(label, **changes), started(label, **_of_start(changes)))


def exported(label: str, **changes: object) -> Change:
    """Change fields of an exported span."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span.span_id for item in evidence.spans], label)
        item = evidence.spans[index]
        changed = replace(item.span, **changes)  # type: ignore[arg-type]
        evidence.spans[index] = replace(item, span=changed)

    return change


def started(label: str, **changes: object) -> Change:
    """Change fields of a span's start."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span_id for item in evidence.started], label)
        evidence.started[index] = replace(evidence.started[index], **changes)  # type: ignore[arg-type]

    return change


def attribute(label: str, key: str, value: object = None) -> Change:
    """Set an attribute of an exported span; None removes it."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span.span_id for item in evidence.spans], label)
        attributes = evidence.spans[index].span.attributes
        attributes.pop(key, None)
        if value is not None:
            attributes[key] = cast("str", value)

    return change


def resource(label: str, key: str, value: str | None) -> Change:
    """Set an attribute of an exported span's resource, or take it away."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span.span_id for item in evidence.spans], label)
        of_span = evidence.spans[index].span.resource
        if value is None:
            del of_span[key]
        else:
            of_span[key] = value

    return change


def lose(label: str) -> Change:
    """Never export a span."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span.span_id for item in evidence.spans], label)
        del evidence.spans[index]

    return change


def mute(start: str) -> Change:
    """Export no span of a start."""

    def change(evidence: Evidence) -> None:
        ids = {item.span_id for item in evidence.started if item.start == start}
        evidence.spans[:] = [item for item in evidence.spans if item.span.span_id not in ids]

    return change


def export_by(label: str, start: str) -> Change:
    """Let a span reach the exporter of `start`."""

    def change(evidence: Evidence) -> None:
        index = _index([item.span.span_id for item in evidence.spans], label)
        evidence.spans[index] = replace(evidence.spans[index], start=start)

    return change


def leak(label: str) -> Change:
    """Never end a span, nor export it."""

    def change(evidence: Evidence) -> None:
        lose(label)(evidence)
        del evidence.ended[_index([item.span_id for item in evidence.ended], label)]

    return change


def never(label: str) -> Change:
    """Never start a span; its children have its parent then."""

    def change(evidence: Evidence) -> None:
        leak(label)(evidence)
        index = _index([item.span_id for item in evidence.started], label)
        parent_id = evidence.started.pop(index).parent_id
        for number, item in enumerate(evidence.spans):
            if item.span.parent_id == id_of(label):
                moved = replace(item.span, parent_id=parent_id)
                evidence.spans[number] = replace(item, span=moved)

    return change


def exchange(name: str, hop: Hop, /, **changes: object) -> Change:
    """Change fields of what the wire showed."""

    def change(evidence: Evidence) -> None:
        keys = [(item.case, item.hop) for item in evidence.exchanges]
        index = keys.index((name, hop))
        evidence.exchanges[index] = replace(evidence.exchanges[index], **changes)  # type: ignore[arg-type]

    return change


def header(case: str, hop: Hop, name: str, value: str | None = None) -> Change:
    """Change a header on the wire; None removes it."""

    def change(evidence: Evidence) -> None:
        for item in evidence.exchanges:
            if (item.case, item.hop) == (case, hop) and item.request is not None:
                kept = [pair for pair in item.request.headers if pair[0].lower() != name]
                item.request.headers[:] = kept + ([(name, value)] if value is not None else [])

    return change


def answer(case: str, hop: Hop, status: int, body: str = "{}") -> Change:
    """Change an answer on the wire."""
    return exchange(case, hop, response=Response(status, [], body))


def exit_seen(name: str, **changes: object) -> Change:
    """Change what was seen of an exit."""

    def change(evidence: Evidence) -> None:
        index = [item.name for item in evidence.exits].index(name)
        evidence.exits[index] = replace(evidence.exits[index], **changes)  # type: ignore[arg-type]

    return change


def case_seen(name: str, **changes: object) -> Change:
    """Change a case."""

    def change(evidence: Evidence) -> None:
        index = [item.name for item in evidence.cases].index(name)
        evidence.cases[index] = replace(evidence.cases[index], **changes)  # type: ignore[arg-type]

    return change


def add(field: str, item: object) -> Change:
    """Append to one of the lists of the evidence."""

    def change(evidence: Evidence) -> None:
        getattr(evidence, field).append(item)

    return change


def planted(*changes: Change) -> Evidence:
    """Return sound evidence with faults planted in it."""
    evidence = sound()
    all_of(*changes)(evidence)
    return evidence


def _of_start(changes: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in changes.items() if k in {"parent_id", "kind", "name", "trace_id"}}


def _index(ids: list[str], label: str) -> int:
    if id_of(label) not in ids:
        raise LookupError(f"there is no span {label}")
    return ids.index(id_of(label))


def _empty() -> Evidence:
    return Evidence(
        submission="submission",
        seed=1,
        left_out=[],
        platform="Linux",
        python="3.14.0",
        isolation="none: it was built by hand",
        resource=RESOURCE,
        probes=[*PROBES],
        starts=[],
        cases=[],
        exchanges=[],
        exits=[],
        deliveries=[Delivery("default", "http/protobuf", 3)],
        problems=[],
        logs=[],
        queries=[],
        started=[],
        ended=[],
        spans=[],
        duration_s=1.5,
        reading=Reading(remarks=[], unread=[]),
    )


def _case(name: str, tags: list[str], values: Values) -> Case:
    return Case(
        name=name,
        title=f"the case {name}",
        tags=tags,
        entry="gateway",
        answers=[200],
        codes=[],
        inner={},
        marks=values.marks(),
        parent=NO_PARENT,
        quantity=137,
        unit_price_cents=PRICE,
        baggage=True,
    )


def _baggage(case: Case) -> tuple[str, str]:
    return "Baggage", f"tenant.id={case.marks.tenant_id},user.id={case.marks.user_id};p=1"


def _parent_of(headers: Headers, *, strip: bool) -> str | None:
    for name, value in headers:
        if name.lower() == "traceparent" and not strip and len(value.split("-")[1]) == 32:
            return value.split("-")[2]
    return None


def _question(callee: str, case: Case) -> str:
    body: dict[str, object] = {"sku": case.marks.sku, "quantity": case.quantity}
    if callee in {"payment", "processor"}:
        total = case.quantity * case.unit_price_cents
        body = {"card_number": case.marks.card_number, "amount_cents": total}
    return json.dumps(body)


def _answer(callee: str, leg: Leg, case: Case) -> str:
    if leg.outcome == "unreadable":
        return "<p>hello</p>"
    if leg.status != 200:
        return json.dumps({"error": "bad_gateway"})
    total = case.quantity * case.unit_price_cents
    bodies: dict[str, dict[str, object]] = {
        "gateway": {"order_id": "o", "payment_id": "p", "total_cents": total},
        "inventory": {
            "sku": case.marks.sku,
            "quantity": case.quantity,
            "unit_price_cents": case.unit_price_cents,
        },
        "payment": {"payment_id": "p"},
        "processor": {"authorization_id": "a"},
    }
    return json.dumps(bodies[callee])


def _event_attributes(event: str) -> Attributes:
    if event != "exception":
        return {}
    return {"exception.type": "ConnectionError", "exception.message": "it broke"}
