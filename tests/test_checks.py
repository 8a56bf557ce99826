"""Each check fails on the fault that it is about, and nothing fails on a sound submission."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from evidence_builder import (
    PROBES,
    Change,
    add,
    all_of,
    answer,
    attribute,
    case_seen,
    exchange,
    exit_seen,
    export_by,
    exported,
    header,
    id_of,
    leak,
    lose,
    mute,
    never,
    planted,
    resource,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.check import Fault
from otelkata.check import check as declare
from otelkata.evidence.model import (
    Delay,
    Delivery,
    Evidence,
    Exchange,
    ExportedSpan,
    Hop,
    Parent,
    Reading,
    Remark,
)
from otelkata.host.wire import (
    PROBE_SCOPE,
    Ended,
    Event,
    Link,
    Logged,
    Problem,
    Service,
    Span,
    Value,
)
from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.registry import Check
from otelkata.judge.verdict import Result, findings, judge, run
from otelkata.judge.view import View
from otelkata.report.graded import graded

CHECKS = registry.load()
IDS = {check.id for check in CHECKS}

SUCCESS = next(case for case in sound().cases if case.name == "success")
PERSONAL = f"for {SUCCESS.marks.email}"
OTHER_TRACE = trace_of("another")
FORGED = Span(
    trace_id=OTHER_TRACE,
    span_id=id_of("forged"),
    parent_id=None,
    kind="SERVER",
    name="forged",
    start_ns=1,
    end_ns=2,
    status="UNSET",
    status_message="",
    attributes={},
    events=[],
    links=[],
    resource={},
    scope="",
)


def outside(label: str) -> Change:
    """Start a span in no request's context."""
    return all_of(
        started(label, handler="", cause=0), span(label, parent_id=None, trace_id=OTHER_TRACE)
    )


def in_context_of(choose: Callable[[list[int]], int]) -> Change:
    """Have the spans of each start begin in the context of one request: `choose` gets the ports."""

    def change(evidence: Evidence) -> None:
        ports: dict[str, list[int]] = defaultdict(list)
        for item in sorted(evidence.exchanges, key=lambda item: item.received_ns):
            ports[item.callee].append(item.port)
        evidence.started[:] = [
            replace(item, handler=item.start if port else "", cause=port)
            if item.scope != PROBE_SCOPE
            else item
            for item in evidence.started
            for port in [choose(ports[item.start])]
        ]

    return change


def by_a_worker(*cases: str) -> Change:
    """Have queries run by a task that the first of these `cases` created, in its context."""
    [port] = [item.port for item in sound().exchanges if _is_of_inventory(item, cases[0])]
    causes = {item.port: port for item in sound().exchanges if _is_of_inventory(item, *cases)}

    def change(evidence: Evidence) -> None:
        evidence.queries[:] = [
            replace(query, cause=causes.get(query.cause, query.cause)) for query in evidence.queries
        ]
        for case in cases:
            started(f"{case}/inventory/query", cause=port)(evidence)

    return change


def _is_of_inventory(item: Exchange, *cases: str) -> bool:
    return item.case in cases and item.hop.endswith(">inventory")


def under(first: str, *cases: str) -> Change:
    """Start the queries of `cases` in the context of another."""
    kept = {"parent_id": id_of(f"{first}/inventory"), "trace_id": trace_of(first)}
    return all_of(*(span(f"{case}/inventory/query", **kept) for case in cases))


SOURCE = {
    "C1": "spans_take_the_context_of_their_request",
    "C2": "spans_are_managed",
    "C3": "context_is_carried_in_order",
    "C4": "handlers_show_failures",
    "C5": "the_resource_is_complete",
    "C6": "there_is_no_sampler",
    "C7": "the_shutdown_is_bounded",
    "F5": "names_follow_the_conventions",
}


def down(start: str) -> Change:
    """Let a service not come up, without a word."""

    def change(evidence: Evidence) -> None:
        index = [item.name for item in evidence.starts].index(start)
        evidence.starts[index] = replace(evidence.starts[index], serves=False)

    return change


def copied(
    label: str, case: str, hop: Hop, trace_id: str = OTHER_TRACE, new: str = "copied"
) -> Change:
    """Let a span like `label` be made while a request of `case` is handled, in another trace."""
    other = {"trace_id": trace_id, "span_id": id_of(new), "parent_id": None}

    def change(evidence: Evidence) -> None:
        [port] = [e.port for e in evidence.exchanges if (e.case, e.hop) == (case, hop)]
        [begun] = [item for item in evidence.started if item.span_id == id_of(label)]
        [seen] = [item for item in evidence.spans if item.span.span_id == id_of(label)]
        evidence.started.append(replace(begun, cause=port, **other))  # type: ignore[arg-type]
        evidence.ended.append(Ended(begun.start, id_of(new), seen.span.end_ns))
        span = replace(seen.span, **other)  # type: ignore[arg-type]
        evidence.spans.append(replace(seen, span=span))

    return change


SLOW = ("network", "query", "processor")


def remarked(*criteria: str) -> Change:
    """Let the linter say something that fails `criteria`."""
    remark = Remark("OTK000", "fault", "checkout.py", 3, 1, "is wrong", [*criteria], ["a", "b"])

    def change(evidence: Evidence) -> None:
        assert evidence.reading is not None
        evidence.reading.remarks.append(remark)

    return change


def renamed(label: str, **names: str) -> Change:
    """Give attributes of an exported span other names; an underscore stands for a dot."""

    def change(evidence: Evidence) -> None:
        [seen] = [item.span for item in evidence.spans if item.span.span_id == id_of(label)]
        for old, new in names.items():
            seen.attributes[new] = seen.attributes.pop(old.replace("__", "."))

    return change


def late(case: str, hop: Hop, seconds: float) -> Change:
    """Let an answer come `seconds` after its request."""

    def change(evidence: Evidence) -> None:
        [seen] = [item for item in evidence.exchanges if (item.case, item.hop) == (case, hop)]
        at = seen.received_ns + int(seconds * 1e9)
        exchange(case, hop, answered_ns=at, ended_ns=at)(evidence)

    return change


def given_up(seconds: float) -> Change:
    """Let payment be asked, and the answer not be waited for longer; the wire shows it in time."""
    ended = RECEIVED_NS + int(seconds * 1e9)
    return all_of(
        case_seen("success", tags=["traced", "answered", "failed"]),
        exported(
            PAYMENT,
            status="ERROR",
            events=[EXCEPTION],
            start_ns=RECEIVED_NS,
            end_ns=ended,
        ),
        attribute(PAYMENT, "http.response.status_code"),
        exchange("success", "client>gateway", ended_ns=ended + MS),
    )


def beside(label: str, new: str, **changes: object) -> Change:
    """Add a span `new` that is like another, but for `changes`."""

    def change(evidence: Evidence) -> None:
        [seen] = [item for item in evidence.spans if item.span.span_id == id_of(label)]
        [begun] = [item for item in evidence.started if item.span_id == id_of(label)]
        other = replace(seen.span, span_id=id_of(new), **changes)  # type: ignore[arg-type]
        kept = {key: changes[key] for key in ("parent_id", "kind", "trace_id") if key in changes}
        evidence.spans.append(replace(seen, span=other))
        evidence.started.append(replace(begun, span_id=id_of(new), **kept))  # type: ignore[arg-type]
        evidence.ended.append(Ended(begun.start, id_of(new), other.end_ns))

    return change


def only(*starts: str) -> Change:
    """Export nothing but the spans of some starts."""
    return all_of(*(mute(start.name) for start in sound().starts if start.name not in starts))


def steps(count: int, names: int, *, lines: int = 1) -> Change:
    """Add `count` spans below one, with so many names, started at so many lines."""
    top = "success/payment"

    def step(number: int) -> Change:
        name = f"step {number % names}"
        new = f"{top}/step{number}"
        return all_of(
            beside(top, new, parent_id=id_of(top), kind="INTERNAL", name=name),
            started(new, line=number % lines),
        )

    return all_of(*map(step, range(count)))


def span_of(label: str) -> Span:
    """Return a span of a sound submission."""
    [seen] = [item.span for item in sound().spans if item.span.span_id == id_of(label)]
    return seen


def exchange_of(case: str, hop: Hop) -> Exchange:
    """Return a request of a sound submission."""
    return next(item for item in sound().exchanges if (item.case, item.hop) == (case, hop))


def delay_of(case: str) -> Delay:
    """Return the delay of a case of a sound submission."""
    [delay] = [item.delay for item in sound().cases if item.name == case]
    assert delay is not None
    return delay


def odd_tenant() -> Change:
    """Let a tenant's id hold what a baggage header has to encode, and the header be spelt oddly."""
    marks = replace(SUCCESS.marks, tenant_id="a=b, c")
    value = f"  user%2Eid = {marks.user_id} ;p=1;q=2,junk, tenant.id=a=b%2C%20c "
    hops: tuple[Hop, ...] = ("client>gateway", "gateway>inventory", "gateway>payment")
    return all_of(
        case_seen("success", marks=marks),
        *(header("success", hop, "baggage", value) for hop in hops),
        *(
            attribute(f"success/{service}", "tenant.id", marks.tenant_id)
            for service in ("gateway", "inventory", "payment")
        ),
    )


def split_baggage(case: str, hop: Hop) -> Change:
    """Send the members of baggage in two headers."""

    def change(evidence: Evidence) -> None:
        for item in evidence.exchanges:
            if (item.case, item.hop) == (case, hop) and item.request is not None:
                [at] = [n for n, h in enumerate(item.request.headers) if h[0] == "Baggage"]
                name, value = item.request.headers.pop(at)
                item.request.headers.extend((name, member) for member in value.split(","))

    return change


def without_spans(case: str) -> Change:
    """Export no span of a case."""

    def change(evidence: Evidence) -> None:
        ids = {item.span.span_id for item in evidence.spans if item.span.trace_id == trace_of(case)}
        evidence.spans[:] = [item for item in evidence.spans if item.span.span_id not in ids]

    return change


def silent(start: str) -> Change:
    """Let a service start no span of its own."""

    def change(evidence: Evidence) -> None:
        mute(start)(evidence)
        evidence.started[:] = [item for item in evidence.started if item.start != start]
        evidence.ended[:] = [item for item in evidence.ended if item.start != start]

    return change


def tagged(case: str, *tags: str) -> Change:
    """Give a case more tags."""
    [known] = [item.tags for item in sound().cases if item.name == case]
    return case_seen(case, tags=[*known, *tags])


def unplayed(case: str) -> Change:
    """Send no request of a case."""

    def change(evidence: Evidence) -> None:
        evidence.exchanges[:] = [item for item in evidence.exchanges if item.case != case]

    return change


def asked_of_inventory(case: str, other: str) -> Change:
    """Let inventory be asked in `case` by what is the gateway's request of `other` otherwise."""
    return exchange(other, "gateway>inventory", case=case)


def backwards(evidence: Evidence) -> None:
    """Let the spans arrive in the opposite order."""
    evidence.spans.reverse()


def without_statements(case: str) -> Change:
    """Let nothing be known of the queries that inventory ran."""
    port = exchange_of(case, "gateway>inventory").port

    def change(evidence: Evidence) -> None:
        evidence.queries[:] = [item for item in evidence.queries if item.cause != port]

    return change


def problem(start: str, stage: str, message: str, path: str = "", line: int = 0) -> Change:
    """Let the host report a problem of a start, or of the whole submission."""
    return add("problems", Problem(start, start.partition(".")[0], stage, message, path, line))


def answered(case: str, callee: Service, status: int) -> Change:
    """Let a service answer with another status, and both of its spans say so."""
    hop = cast("Hop", f"gateway>{callee}")
    return all_of(
        answer(case, hop, status),
        *(
            attribute(f"{case}/{name}", "http.response.status_code", status)
            for name in (callee, hop)
        ),
    )


def pending_beside(name: str, label: str, kind: str) -> Change:
    """Let a span that is like another, but for its kind, be lost at an exit."""

    def change(evidence: Evidence) -> None:
        beside(label, "more", kind=kind)(evidence)
        lose("more")(evidence)
        [seen] = [seen for seen in evidence.exits if seen.name == name]
        seen.pending.append(id_of("more"))

    return change


def malformed(parent_id: str | None, trace_id: str) -> Change:
    """Let the malformed header name a trace and a span, and give the SERVER span a place."""
    header = f"ff-{OTHER_TRACE}-{id_of('x')}-01"
    return all_of(
        case_seen("malformed", parent=Parent([("traceparent", header)], "", "", sampled=False)),
        span("malformed/gateway", parent_id=parent_id, trace_id=trace_id),
    )


def two_headers(case: str, hop: Hop) -> Change:
    """Send traceparent twice."""

    def change(evidence: Evidence) -> None:
        for item in evidence.exchanges:
            if (item.case, item.hop) == (case, hop) and item.request is not None:
                named = [pair for pair in item.request.headers if pair[0] == "Traceparent"]
                item.request.headers.extend(named)

    return change


QUERY_TWICE = next(
    item
    for item in sound().queries
    if item.cause == exchange_of("success", "gateway>inventory").port
)
FAILED_LATE = all_of(
    case_seen("declined", tags=["traced", "answered", "failed"]),
    answered("declined", "payment", 502),
)
"""Payment answers 502 after inventory has answered 200, and its SERVER span looks clean."""
EXCEPTION = Event("exception", 1, {"exception.type": "ValueError"})
PROCESS_GONE = problem("inventory.main", "exit", "it ended")
UNSAMPLED_TOO = case_seen(
    "always_off",
    tags=["unsampled", "unsampled_parent"],
    parent=Parent([], trace_of("always_off"), id_of("always_off"), sampled=False),
)
ALWAYS_ANEW = all_of(
    *(
        all_of(
            span(f"{case}/payment", trace_id=trace_of("another"), parent_id=None),
            span(f"{case}/payment>processor", trace_id=trace_of("another")),
        )
        for case in ("success", "root", "state")
    )
)
"""Payment begins a trace of its own for each request, sampled or not."""
ROOT_TOO = all_of(tagged("direct.payment", "root"), span("direct.payment/payment", parent_id=None))
MALFORMED_TOO = all_of(
    tagged("success", "malformed"),
    case_seen("success", parent=Parent([("traceparent", "00-zz-zz-01")], "", "", sampled=False)),
    span("success/gateway", parent_id=None),
)
"""Second cases of kinds of which a sound submission built by hand has one."""


def held(case: str, more: int) -> Change:
    """Let a delay be as long as its span may show, at four fifths, and `more` nanoseconds."""
    label = {"network": "network/gateway>inventory", "processor": "processor/payment>processor"}
    seen, delay = span_of(label[case]), delay_of(case)
    until = delay.from_ns + (seen.end_ns - seen.start_ns) * 5 // 4 + more
    return case_seen(case, delay=replace(delay, until_ns=until))


ANYTHING = IDS
ANSWERED_CASES = [
    item.case
    for item in sound().exchanges
    if item.callee == "inventory.main" and item.response and item.response.status == 200
    if id_of(f"{item.case}/inventory/query") in {seen.span_id for seen in sound().started}
]
"""Those in which inventory answered 200, and was sampled, in their order."""
LAST_FIVE = ANSWERED_CASES[-5:]
"""What may fail as well where services are silent; the golden file has it."""
MS = 1_000_000
ANSWERED_NS = exchange_of("success", "gateway>payment").answered_ns
RECEIVED_NS = exchange_of("success", "gateway>payment").received_ns
USER_OF_SUCCESS = View(sound()).cases["success"].data.marks.user_id
QUERY_NS = exchange_of("success", "gateway>inventory").answered_ns - MS
PAYMENT = "success/gateway>payment"

ACCEPTED: dict[str, Change] = {
    "no user of what the gateway refused by itself": attribute("malformed/gateway", "user.id"),
    "a CLIENT span that starts with its cause": span(
        PAYMENT, start_ns=exchange_of("success", "client>gateway").received_ns - 2 * MS
    ),
    "queries by a task that the first request created": by_a_worker(*ANSWERED_CASES),
    "a query by a task that another request created while both were handled": all_of(
        by_a_worker("success", "root"),
        exchange("success", "gateway>inventory", ended_ns=2**62),
    ),
    "queries by two tasks that two requests created": all_of(
        by_a_worker("success", "root", "state"), by_a_worker("stripped", "declined")
    ),
    "one of two queries by a task that an earlier request created": all_of(
        beside("root/inventory/query", "again"),
        started("again", cause=exchange_of("success", "gateway>inventory").port),
    ),
    "work of one request that goes on during another": beside(
        "success/inventory/query", "after", start_ns=span_of("root/inventory/query").start_ns
    ),
    "work of one request that goes on during three others": all_of(
        *(
            beside(
                "success/inventory/query",
                f"after {case}",
                start_ns=span_of(f"{case}/inventory/query").start_ns,
            )
            for case in ("root", "state", "stripped")
        )
    ),
    "older names on a SERVER span": renamed(
        "success/payment",
        http__request__method="http.method",
        http__response__status_code="http.status_code",
        url__path="http.target",
    ),
    "older names on a CLIENT span": renamed(
        PAYMENT,
        http__request__method="http.method",
        http__response__status_code="http.status_code",
        url__full="http.url",
    ),
    "a route and no path": renamed("success/payment", url__path="http.route"),
    "no URL, but server.address": attribute(PAYMENT, "url.full"),
    **{
        f"no URL, but {name}": all_of(
            attribute(PAYMENT, "url.full"), renamed(PAYMENT, server__address=name)
        )
        for name in ("net.peer.name", "http.host", "peer.service")
    },
    "the older name of the user": all_of(
        header("success", "client>gateway", "baggage"),
        renamed("success/gateway", user__id="enduser.id"),
    ),
    "no status code where the body was cut off": attribute(
        "cut_off/gateway>inventory", "http.response.status_code"
    ),
    "another status code where the caller may have given up": all_of(
        late("success", "gateway>payment", 1.5),
        attribute(PAYMENT, "http.response.status_code", 504),
    ),
    "a call that its caller gave up, though the wire shows an answer in time": given_up(1.5),
    "nine names at one place": steps(9, 9),
    "as many names as lines": steps(12, 12, lines=12),
    "ten names of twenty-two spans at one place": steps(22, 10),
    "status ERROR on a SERVER span that answered 4xx": exported("declined/payment", status="ERROR"),
    "status ERROR on a SERVER span that answered 400": all_of(
        answered("declined", "payment", 400), exported("declined/payment", status="ERROR")
    ),
    "a failure of an answer marked on the SERVER span": all_of(
        exported("unreadable/gateway>inventory", status="UNSET", events=[]),
        exported("unreadable/gateway", events=[EXCEPTION]),
    ),
    "a failed query marked on the SERVER span": all_of(
        never("database/inventory/query"),
        exported("database/inventory", events=[EXCEPTION]),
    ),
    "a quantity that is part of a longer number": attribute(
        "success/inventory/query", "db.query.text", "SELECT a1370 FROM stock WHERE n = ?"
    ),
    "the flag in another trace than the one that was not sampled": header(
        "unsampled", "gateway>payment", "traceparent", f"00-{OTHER_TRACE}-{id_of('x')}-01"
    ),
    "a lost span of no kind that the kata asks for": pending_beside(
        "lifespan.payment", "exit.lifespan/payment", "INTERNAL"
    ),
    "nothing pending at a shutdown that hangs, and True": exit_seen(
        "shutdown_tracer_hanging", returned=True, pending=[]
    ),
    "a trace of its own after a malformed header": malformed(None, trace_of("mine")),
    "baggage that is spelt oddly": odd_tenant(),
    "baggage in two headers": split_baggage("success", "gateway>payment"),
    "no baggage where none was sent": all_of(
        case_seen("success", baggage=False),
        *(
            header("success", hop, "baggage")
            for hop in ("client>gateway", "gateway>inventory", "gateway>payment")
        ),
        *(attribute(f"success/{name}", "tenant.id") for name in ("gateway", "inventory")),
    ),
    "a CLIENT span that starts as its request arrives": exported(
        PAYMENT, start_ns=RECEIVED_NS + 2 * MS
    ),
    "a CLIENT span that ends as its answer leaves": exported(PAYMENT, end_ns=ANSWERED_NS - 2 * MS),
    "a CLIENT span of a call that may have been given up": late("success", "gateway>payment", 1.5),
    "a SERVER span under that of a framework": all_of(
        beside("success/payment", "inner", parent_id=id_of("success/payment")),
        span("success/payment>processor", parent_id=id_of("inner")),
    ),
    "an INTERNAL span between": all_of(
        beside("success/payment", "inner", parent_id=id_of("success/payment"), kind="INTERNAL"),
        span("success/payment>processor", parent_id=id_of("inner")),
    ),
    **{
        f"an INTERNAL span around the wait for the callee, where the {case} is slow": beside(
            f"{case}/gateway>{callee}",
            "waiting",
            parent_id=id_of(f"{case}/gateway>{callee}"),
            kind="INTERNAL",
        )
        for case, callee in (("query", "inventory"), ("processor", "payment"))
    },
    "a short span below the one that waited": beside(
        "network/gateway>inventory",
        "short",
        parent_id=id_of("network/gateway>inventory"),
        kind="INTERNAL",
        end_ns=span_of("network/gateway>inventory").start_ns + 1,
    ),
    "a machine that is as slow as the delay": exchange(
        "network",
        "client>gateway",
        ended_ns=exchange_of("network", "client>gateway").received_ns
        + 2 * (delay_of("network").until_ns - delay_of("network").from_ns),
    ),
    "a slow query without a span of its own": never("query/inventory/query"),
    "a CLIENT span that shows four fifths of the delay of its network": held("network", 0),
    "a CLIENT span that shows four fifths of the delay of its callee": held("processor", 0),
    "more queries than statements": beside(
        "success/inventory/query", "second", start_ns=span_of("success/inventory/query").end_ns
    ),
    "older names on a database span": renamed(
        "success/inventory/query", db__system__name="db.system", db__query__text="db.statement"
    ),
    "exits within the noise of a busy machine": all_of(
        exit_seen("lifespan.gateway", took=14.0), exit_seen("process", took=7.0)
    ),
    "a late answer that is not the submission's own": exit_seen(
        "shutdown_tracer_hanging", returned=False, took=9.0
    ),
    "a failing exporter, and True": exit_seen("shutdown_tracer_failing", returned=True),
    "retry in capitals": exported("retried/payment", events=[Event("Payment.RETRY", 1, {})]),
    "a warning of the SDK about something else": add(
        "logs", Logged("opentelemetry.sdk", "Overriding of current TracerProvider", "", 0)
    ),
    "a route handler that raises": add(
        "problems", Problem("gateway.main", "gateway", "request", "KeyError: 'x'", "checkout.py", 3)
    ),
    "True of a shutdown that hangs after what was pending has arrived": exit_seen(
        "shutdown_tracer_hanging", returned=True, pending=[id_of("success/payment")]
    ),
    **{
        f"what only looks like personal data: {text}": attribute("success/payment", "note", text)
        for text in ("payment@node-1", "4000000000000000")
    },
    **{
        f"a server that hands requests to threads: {label}": started(label, handler="", cause=0)
        for label in ("success/gateway", "success/inventory", "root/gateway", "malformed/gateway")
    },
    "servers that hand all requests to threads": in_context_of(lambda _: 0),
    "workers that the first request started": in_context_of(lambda ports: ports[0] if ports else 0),
    "a query that found the database locked, and was tried again": all_of(
        exported("success/inventory/query", status="ERROR", events=[EXCEPTION], end_ns=QUERY_NS),
        beside("success/inventory/query", "again", status="UNSET", start_ns=QUERY_NS),
    ),
    "a connection as a span": all_of(
        beside("success/inventory/query", "connect", attributes={"db.system.name": "sqlite"}),
    ),
    "a database of the gateway's own": all_of(
        beside("success/gateway>inventory", "cached", attributes={"db.system.name": "redis"}),
    ),
    "a call of another kind before one that is refused": all_of(
        beside(
            "refused/gateway>inventory",
            "cached",
            attributes={"rpc.system": "grpc"},
            status="UNSET",
            events=[],
            start_ns=exchange_of("refused", "client>gateway").received_ns,
        ),
    ),
    "a route with a template": attribute("success/inventory", "http.route", "/{name}"),
    "a route that is not the path, where the answer is an error": all_of(
        answered("declined", "payment", 400),
        attribute("declined/payment", "http.route", "/somewhere"),
    ),
    "the route of an application that is mounted": attribute("success/payment", "http.route", "/"),
    "a route with the method in front": attribute(
        "success/payment", "http.route", "POST /payments"
    ),
    "a URL with the port of the request": all_of(
        attribute("success/gateway>inventory", "url.full", "http://inventory:80/reservations"),
        header("success", "gateway>inventory", "host", "inventory:80"),
    ),
    "a URL without a port": all_of(
        attribute("success/gateway>inventory", "url.full", "http://inventory/reservations"),
        header("success", "gateway>inventory", "host", "inventory:80"),
    ),
    "an INTERNAL span beside a query": beside("success/inventory/query", "local", kind="INTERNAL"),
}


FAULTS: list[tuple[str, Change, set[str]]] = [
    # The check that fails, the fault, and what else may rightly fail with it.
    # What comes after something that cannot be judged is judged all the same.
    (
        "baggage.is_on_server_spans",
        all_of(
            header("success", "client>gateway", "baggage"),
            attribute("success/payment", "tenant.id"),
        ),
        set(),
    ),
    (
        "broken_chain.server_is_under_the_client",
        all_of(
            only("gateway.main", "inventory.main"),
            span("success/inventory", parent_id=id_of("success/gateway")),
        ),
        ANYTHING,
    ),
    (
        "broken_chain.server_is_under_the_client",
        all_of(mute("inventory.main"), span("success/payment", parent_id=id_of("success/gateway"))),
        ANYTHING,
    ),
    (
        "broken_chain.one_checkout_is_one_trace",
        all_of(
            *map(lose, ("success/payment", "success/payment>processor")),
            span("root/payment>processor", trace_id=OTHER_TRACE),
        ),
        ANYTHING,
    ),
    (
        "broken_chain.one_checkout_is_one_trace",
        all_of(
            *(
                span(f"interleaved1/{name}", trace_id=trace_of("interleaved0"))
                for name in ("gateway", "gateway>payment", "payment")
            ),
            span("root/payment", trace_id=trace_of("success")),
        ),
        ANYTHING,
    ),
    (
        "broken_chain.one_checkout_is_one_trace",
        span("interleaved1/payment", trace_id=trace_of("success")),
        ANYTHING,
    ),
    (
        "client_spans.one_per_request",
        all_of(mute("gateway.main"), never("success/payment>processor")),
        ANYTHING,
    ),
    (
        "client_spans.one_per_request",
        span(PAYMENT, parent_id=id_of("root/gateway")),
        {"context.spans_belong_to_their_request"},
    ),
    (
        "client_spans.show_where_the_time_went",
        all_of(
            case_seen("network", answers=[503]),
            answer("network", "client>gateway", 503),
            exported("processor/payment>processor", end_ns=1),
        ),
        ANYTHING,
    ),
    (
        "client_spans.show_where_the_time_went",
        all_of(
            exchange("network", "client>gateway", ended_ns=2**62),
            exported("processor/payment>processor", end_ns=1),
        ),
        {"client_spans.lasts_until_the_answer"},
    ),
    (
        "context.no_span_is_lost",
        all_of(
            outside("success/inventory/query"),
            exchange(
                "root",
                "gateway>inventory",
                received_ns=exchange_of("success", "gateway>inventory").received_ns,
            ),
        ),
        ANYTHING,
    ),
    (
        "context.spans_belong_to_their_request",
        beside("root/gateway", "second", parent_id=None),
        ANYTHING,
    ),
    (
        "context.spans_belong_to_their_request",
        all_of(
            span("success/payment", parent_id=id_of("root/payment>processor")),
            lose("root/payment>processor"),
        ),
        ANYTHING,
    ),
    (
        "orphans.continues_the_trace",
        all_of(
            beside("success/payment", "between", kind="INTERNAL"),
            span("success/payment", parent_id=id_of("between")),
            lose("between"),
        ),
        ANYTHING,
    ),
    (
        "database.each_query_has_its_span",
        all_of(
            *map(lose, ("success/inventory", "success/inventory/query")),
            never("root/inventory/query"),
        ),
        ANYTHING,
    ),
    (
        "database.each_query_has_its_span",
        beside("success/inventory/query", "second", parent_id=None),
        ANYTHING,
    ),
    ("errors.server_errors_show", all_of(FAILED_LATE), ANYTHING),
    (
        "errors.server_errors_show",
        all_of(
            FAILED_LATE,
            case_seen("declined", answers=[502]),
            answer("declined", "client>gateway", 502),
            lose("declined/gateway"),
        ),
        ANYTHING,
    ),
    (
        "errors.failed_calls_show",
        all_of(
            FAILED_LATE,
            lose("declined/gateway>payment"),
            answer("declined", "payment>processor", 503),
            exported("declined/payment>processor", status="UNSET"),
        ),
        ANYTHING,
    ),
    (
        "errors.refused_calls_show",
        all_of(
            lose("declined/gateway>payment"),
            exported("declined/payment>processor", status="UNSET"),
        ),
        ANYTHING,
    ),
    (
        "errors.sound_operations_are_no_errors",
        exported("success/inventory/query", status="ERROR"),
        set(),
    ),
    (
        "errors.failed_calls_record_their_exception",
        exported("dropped/gateway>payment", events=[]),
        set(),
    ),
    (
        "errors.unusable_answers_show",
        all_of(
            exchange("dropped", "gateway>payment", outcome="dropped_in_body"),
            exported("dropped/gateway>payment", status="UNSET", events=[]),
        ),
        ANYTHING,
    ),
    (
        "errors.unusable_answers_show",
        all_of(
            case_seen("declined", tags=["traced", "answered", "failed"]),
            exchange("declined", "gateway>inventory", outcome="unreadable"),
            exchange("declined", "payment>processor", outcome="unreadable"),
            *(
                lose(f"declined/{name}")
                for name in ("gateway", "gateway>inventory", "gateway>payment")
            ),
        ),
        ANYTHING,
    ),
    (
        "errors.failed_queries_show",
        case_seen("unknown", tags=["traced", "answered", "database_failed"]),
        set(),
    ),
    # What failed, at the ends of the ranges of status codes.
    *(
        (
            "errors.refused_calls_show",
            all_of(
                answered("declined", "payment", status),
                exported("declined/gateway>payment", status="UNSET"),
            ),
            set[str](),
        )
        for status in (400, 499)
    ),
    (
        "errors.sound_operations_are_no_errors",
        all_of(answered("declined", "payment", 399), exported("declined/payment", status="ERROR")),
        set(),
    ),
    (
        "errors.failed_queries_show",
        all_of(
            exported("database/inventory/query", events=[]),
            exported("database/inventory", events=[EXCEPTION]),
        ),
        set(),
    ),
    ("errors.failed_queries_show", never("database/inventory/query"), set()),
    ("context.no_span_is_lost", outside("database/inventory/query"), set()),
    (
        "attributes.client_spans_describe_the_request",
        all_of(
            attribute(PAYMENT, "url.full"), attribute(PAYMENT, "http.url", "http://h/elsewhere")
        ),
        set(),
    ),
    *(
        ("privacy.nothing_personal_is_exported", change, set[str]())
        for change in (
            attribute("success/payment", "note", SUCCESS.marks.card_number),
            attribute("success/payment", SUCCESS.marks.email, 1),
            attribute("success/payment", "notes", ["one", SUCCESS.marks.email]),
            exported("success/payment", events=[Event(SUCCESS.marks.email, 1, {})]),
            exported("success/payment", events=[Event("e", 1, {"to": SUCCESS.marks.card_number})]),
            exported(
                "success/payment",
                links=[Link(OTHER_TRACE, id_of("x"), {"to": SUCCESS.marks.card_number})],
            ),
            resource("success/payment", "owner", SUCCESS.marks.email),
        )
    ),
    (
        "privacy.nothing_personal_is_exported",
        exported("success/payment", name=f"for {SUCCESS.marks.email}"),
        {"attributes.names_hold_no_ids"},
    ),
    ("database.each_query_has_its_span", add("queries", QUERY_TWICE), set()),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text", f"SELECT '{SUCCESS.marks.sku}'"),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text", ""),
        set(),
    ),
    (
        "propagation.sends_traceparent",
        two_headers("success", "payment>processor"),
        {"propagation.header_names_the_client_span"},
    ),
    ("propagation.ignores_malformed_traceparent", malformed(None, OTHER_TRACE), set()),
    ("resource.names_service_and_version", resource("success/payment", "service.name", "x"), set()),
    (
        "sampling.obeys_an_unsampled_parent",
        copied("success/payment", "unsampled", "gateway>payment", trace_of("unsampled")),
        set(),
    ),
    (
        "sampling.obeys_an_unsampled_parent",
        copied("success/payment", "unsampled", "gateway>payment"),
        set(),
    ),
    (
        "sampling.passes_the_decision_on",
        header(
            "success",
            "payment>processor",
            "traceparent",
            f"00-{trace_of('success')}-{id_of('success/payment>processor')}-00",
        ),
        set(),
    ),
    (
        "sampling.obeys_the_environment",
        copied("success/payment", "always_off", "gateway>payment"),
        set(),
    ),
    ("shutdown.lifespan_ends", exit_seen("lifespan.gateway", took=14.001), set()),
    (
        "shutdown.lifespan_exports_what_is_pending",
        pending_beside("lifespan.payment", "exit.lifespan/payment", "CLIENT"),
        set(),
    ),
    (
        "sampling.passes_the_decision_on",
        all_of(
            header("success", "gateway>inventory", "traceparent", None),
            header(
                "success",
                "payment>processor",
                "traceparent",
                f"00-{trace_of('success')}-{id_of('success/payment>processor')}-00",
            ),
        ),
        ANYTHING,
    ),
    (
        "sampling.obeys_an_unsampled_parent",
        all_of(
            header("unsampled", "gateway>inventory", "traceparent", None),
            copied("success/inventory", "unsampled", "gateway>inventory", new="other"),
            copied("success/payment", "unsampled", "gateway>payment"),
        ),
        ANYTHING,
    ),
    (
        "client_spans.show_where_the_time_went",
        all_of(lose("network/inventory"), exported("processor/payment>processor", end_ns=1)),
        ANYTHING,
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text", [QUERY_TWICE.statement]),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        all_of(
            without_statements("success"), attribute("success/inventory/query", "db.query.text")
        ),
        set(),
    ),
    # What failed is an error unless it was tried again, and only a query is.
    *(
        ("errors.sound_operations_are_no_errors", change, set[str]())
        for change in (
            all_of(
                exported("success/inventory/query", status="ERROR", end_ns=QUERY_NS),
                beside("success/inventory/query", "again", status="UNSET", start_ns=QUERY_NS),
            ),
            beside(
                "success/inventory/query",
                "step",
                kind="INTERNAL",
                status="ERROR",
                events=[EXCEPTION],
                end_ns=span_of("success/inventory/query").start_ns,
            ),
            all_of(
                beside("success/inventory/query", "before", end_ns=QUERY_NS),
                exported("success/inventory/query", status="ERROR", events=[EXCEPTION]),
            ),
            all_of(
                exported(
                    "success/inventory/query", status="ERROR", events=[EXCEPTION], end_ns=QUERY_NS
                ),
                beside("success/inventory/query", "again", start_ns=QUERY_NS),
            ),
        )
    ),
    # A span that claims to have lasted longer than the request that it was for excuses nothing.
    (
        "client_spans.lasts_until_the_answer",
        exported(PAYMENT, start_ns=1, end_ns=ANSWERED_NS - 3 * MS),
        ANYTHING,
    ),
    (
        "errors.sound_operations_are_no_errors",
        exported(PAYMENT, status="ERROR", end_ns=2**62),
        ANYTHING,
    ),
    ("errors.sound_operations_are_no_errors", given_up(1.3), ANYTHING),
    (
        "errors.sound_operations_are_no_errors",
        all_of(given_up(1.5), exported("success/payment", status="ERROR")),
        set(),
    ),
    # The attributes of SERVER and CLIENT spans, one by one.
    *(
        ("attributes.server_spans_describe_the_request", change, set[str]())
        for change in (
            attribute("success/payment", "http.response.status_code", 201),
            attribute("success/payment", "http.response.status_code", 200.0),
            attribute("success/payment", "http.request.method"),
            renamed("success/payment", url__path="http.path"),
            attribute("success/payment", "http.route", "/Xother"),
            all_of(
                attribute("success/payment", "url.path"),
                attribute("success/payment", "http.route", ""),
            ),
            all_of(
                attribute("success/payment", "url.path"),
                attribute("success/payment", "http.route", 7),
            ),
            all_of(
                late("success", "gateway>payment", 1.5),
                attribute("success/payment", "http.response.status_code", 504),
            ),
        )
    ),
    (
        "attributes.client_spans_describe_the_request",
        all_of(
            exchange(
                "retried", "payment>processor", request=None, response=None, outcome="refused"
            ),
            attribute("retried/payment>processor#2", "http.request.method", "GET"),
        ),
        set(),
    ),
    *(
        ("attributes.client_spans_describe_the_request", change, set[str]())
        for change in (
            attribute("cut_off/gateway>inventory", "http.request.method", "GET"),
            attribute("refused/gateway>inventory", "http.response.status_code", 502),
            attribute("timed_out/gateway>inventory", "http.response.status_code", 504),
            attribute(PAYMENT, "url.full", "https://127.0.0.1/payments"),
            all_of(
                attribute(PAYMENT, "url.full", "http://payment:81/payments"),
                header("success", "gateway>payment", "host", "payment:80"),
            ),
        )
    ),
    *(
        ("attributes.names_hold_no_ids", span("success/gateway", name=f"POST {value}"), set[str]())
        for value in (
            SUCCESS.marks.user_id,
            SUCCESS.marks.tenant_id,
        )
    ),
    *(
        (
            "attributes.names_hold_no_ids",
            span("success/gateway", name=f"POST {value}"),
            {"privacy.nothing_personal_is_exported"},
        )
        for value in (SUCCESS.marks.card_number, SUCCESS.marks.email)
    ),
    ("attributes.names_hold_no_ids", steps(10, 10), set()),
    ("attributes.names_hold_no_ids", steps(20, 10), set()),
    (
        "baggage.is_sent_on",
        header("success", "gateway>payment", "baggage", "user.id=me,tenant.id=a"),
        {"baggage.is_on_server_spans"},
    ),
    ("baggage.is_on_server_spans", attribute("success/payment", "user.id"), set()),
    (
        "broken_chain.one_checkout_is_one_trace",
        span("success/payment>processor", trace_id=OTHER_TRACE),
        set(),
    ),
    (
        "broken_chain.server_is_under_the_client",
        never("retried/payment"),
        {"server_spans.one_per_request", "events.a_retry_leaves_an_event"},
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported(PAYMENT, start_ns=RECEIVED_NS + 2 * MS + 1),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported(PAYMENT, end_ns=ANSWERED_NS - 2 * MS - 1),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        all_of(late("success", "gateway>payment", 1.39)),
        set(),
    ),
    ("client_spans.show_where_the_time_went", held("network", +1), set()),
    ("client_spans.show_where_the_time_went", held("processor", +1), set()),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "http.request.method", "GET"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "http.response.status_code", "200"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "url.path", "/elsewhere"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "url.path"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/gateway>payment", "url.full", "http://h/checkout"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/gateway>payment", "url.full", "http://[/payments"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        all_of(
            attribute("success/gateway>payment", "url.full"),
            attribute("success/gateway>payment", "server.address"),
        ),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/payment>processor", "http.response.status_code", True),
        set(),
    ),
    (
        "attributes.gateway_names_the_user",
        attribute("success/gateway", "user.id", "me"),
        {"baggage.is_on_server_spans"},
    ),
    (
        "attributes.names_hold_no_ids",
        span("success/gateway", name=f"POST {SUCCESS.marks.sku}"),
        set(),
    ),
    ("baggage.is_sent_on", header("success", "gateway>payment", "baggage", None), set()),
    ("baggage.is_on_server_spans", attribute("success/payment", "tenant.id"), set()),
    (
        "broken_chain.server_is_under_the_client",
        span("success/inventory", parent_id=id_of("success/gateway")),
        {"orphans.continues_the_trace"},
    ),
    (
        "broken_chain.one_checkout_is_one_trace",
        all_of(
            *(
                span(f"interleaved1{label}", trace_id=trace_of("interleaved0"))
                for label in (
                    "/gateway",
                    "/gateway>inventory",
                    "/gateway>payment",
                    "/inventory",
                    "/inventory/query",
                    "/payment",
                    "/payment>processor",
                )
            )
        ),
        {"orphans.continues_the_trace", "propagation.sends_traceparent"},
    ),
    ("client_spans.one_per_request", never("success/payment>processor"), set()),
    (
        "client_spans.one_per_request",
        span("success/gateway>payment", parent_id=id_of("success/gateway>inventory")),
        set(),
    ),
    (
        "client_spans.one_per_request",
        span("success/gateway>payment", parent_id=id_of("success")),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported("success/gateway>payment", end_ns=1),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported("success/payment>processor", start_ns=2**62, end_ns=2**62 + 1),
        set(),
    ),
    (
        "client_spans.show_where_the_time_went",
        exported("processor/payment>processor", end_ns=1),
        {"client_spans.lasts_until_the_answer"},
    ),
    (
        "client_spans.show_where_the_time_went",
        exported("network/inventory/query", end_ns=2**62),
        set(),
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=None),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=id_of("root/inventory")),
        set(),
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=id_of("nobody")),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.spans_belong_to_their_request",
        span("root/gateway", parent_id=id_of("success/gateway")),
        {"server_spans.one_per_request"},
    ),
    (
        "client_spans.lasts_until_the_answer",
        span(PAYMENT, start_ns=exchange_of("success", "client>gateway").received_ns - 3 * MS),
        {"client_spans.show_where_the_time_went"},
    ),
    ("attributes.gateway_names_the_user", attribute("declined/gateway", "user.id"), set()),
    (
        "context.spans_belong_to_their_request",
        all_of(
            span("state/inventory/query", parent_id=id_of("success/inventory")),
            never("success/inventory/query"),
        ),
        ANYTHING,
    ),
    (
        "context.no_context_outlives_its_request",
        all_of(by_a_worker(*LAST_FIVE), under(*LAST_FIVE[:1], *LAST_FIVE)),
        ANYTHING,
    ),
    (
        "context.no_context_outlives_its_request",
        all_of(by_a_worker(*ANSWERED_CASES), under("success", *ANSWERED_CASES)),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.no_context_outlives_its_request",
        all_of(by_a_worker(*ANSWERED_CASES), under("success", *ANSWERED_CASES), backwards),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.no_span_is_lost",
        outside("success/inventory/query"),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.context_is_detached_where_it_was_attached",
        add("logs", Logged("opentelemetry.context", "Failed to detach context", "", 0)),
        set(),
    ),
    ("database.each_query_has_its_span", never("success/inventory/query"), set()),
    (
        "database.each_query_has_its_span",
        attribute("success/inventory/query", "db.system.name", "mysql"),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text", "UPDATE stock SET quantity = 137"),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text"),
        set(),
    ),
    ("errors.server_errors_show", exported("refused/gateway", status="OK"), set()),
    ("errors.failed_calls_show", exported("timed_out/gateway>inventory", status="UNSET"), set()),
    ("errors.failed_calls_show", exported("retried/payment>processor", status="UNSET"), set()),
    ("errors.refused_calls_show", exported("declined/payment>processor", status="UNSET"), set()),
    ("errors.sound_operations_are_no_errors", exported("success/payment", status="ERROR"), set()),
    (
        "errors.sound_operations_are_no_errors",
        exported("retried/payment>processor#2", status="ERROR"),
        set(),
    ),
    (
        "errors.failed_calls_record_their_exception",
        exported("refused/gateway>inventory", events=[]),
        set(),
    ),
    (
        "errors.failed_calls_record_their_exception",
        exported("refused/gateway>inventory", events=[Event("exception", 1, {})]),
        set(),
    ),
    (
        "errors.unusable_answers_show",
        exported("unreadable/gateway>inventory", status="UNSET"),
        set(),
    ),
    ("errors.unusable_answers_show", exported("cut_off/gateway>inventory", events=[]), set()),
    ("errors.failed_queries_show", exported("database/inventory/query", events=[]), set()),
    ("events.a_retry_leaves_an_event", exported("retried/payment", events=[]), set()),
    ("events.a_success_leaves_an_event", exported("success/gateway", events=[]), set()),
    ("export.reaches_the_given_exporter", mute("payment.main"), set()),
    (
        "export.reaches_the_given_exporter",
        export_by("success/payment>processor", ""),
        {"client_spans.one_per_request"},
    ),
    (
        "export.reaches_the_given_exporter",
        started("success/payment>processor", handler="inventory.main"),
        {"client_spans.one_per_request"},
    ),
    ("export.is_otlp_by_default", mute("payment.default"), set()),
    (
        "export.exports_only_what_was_started",
        add("spans", ExportedSpan("gateway.main", "main", FORGED)),
        set(),
    ),
    ("leaks.every_span_ends", leak("hang_up/gateway>inventory"), set()),
    (
        "leaks.no_span_ends_twice",
        add("logs", Logged("opentelemetry.sdk", "Calling end() on an ended span.", "", 0)),
        set(),
    ),
    ("orphans.continues_the_trace", span("direct.payment/payment", parent_id=None), set()),
    (
        "privacy.nothing_personal_is_exported",
        exported("success/payment", status_message=f"for {PROBES[0]}"),
        set(),
    ),
    ("privacy.nothing_personal_is_exported", attribute("probe", "probe.text", PROBES[1]), set()),
    (
        "propagation.sends_traceparent",
        header("success", "payment>processor", "traceparent", None),
        {"propagation.header_names_the_client_span"},
    ),
    (
        "propagation.sends_traceparent",
        header("success", "payment>processor", "traceparent", "00-nonsense"),
        {"propagation.header_names_the_client_span"},
    ),
    (
        "propagation.sends_traceparent",
        header(
            "success",
            "payment>processor",
            "traceparent",
            f"00-{OTHER_TRACE}-{id_of('success/payment>processor')}-01",
        ),
        set(),
    ),
    (
        "propagation.passes_tracestate_on",
        header("state", "payment>processor", "tracestate", "b=2,a=1"),
        set(),
    ),
    (
        "propagation.passes_tracestate_on",
        header("state", "gateway>payment", "tracestate", None),
        set(),
    ),
    (
        "propagation.ignores_malformed_traceparent",
        answer("malformed", "client>gateway", 500),
        {"submission.answers"},
    ),
    (
        "propagation.ignores_malformed_traceparent",
        span("malformed/gateway", parent_id=id_of("made up")),
        set(),
    ),
    (
        "propagation.has_no_parent_without_header",
        span("root/gateway", parent_id=id_of("before")),
        set(),
    ),
    (
        "propagation.header_names_the_client_span",
        header(
            "success",
            "payment>processor",
            "traceparent",
            f"00-{trace_of('success')}-{id_of('success/payment')}-01",
        ),
        set(),
    ),
    (
        "resource.names_service_and_version",
        resource("success/payment", "service.version", "0"),
        set(),
    ),
    ("resource.merges_the_environment", resource("success/payment", "kata.region", "south"), set()),
    (
        "sampling.obeys_an_unsampled_parent",
        header(
            "unsampled",
            "gateway>payment",
            "traceparent",
            f"00-{trace_of('unsampled')}-{id_of('x')}-01",
        ),
        set(),
    ),
    (
        "sampling.obeys_the_environment",
        header(
            "always_off",
            "gateway>payment",
            "traceparent",
            f"00-{trace_of('always_off')}-{id_of('x')}-01",
        ),
        set(),
    ),
    (
        "server_spans.one_per_request",
        span("success/payment", kind="INTERNAL"),
        {"broken_chain.server_is_under_the_client"},
    ),
    ("shutdown.shutdown_tracer_exports_what_is_pending", lose("pending"), set()),
    (
        "shutdown.shutdown_tracer_exports_what_is_pending",
        exit_seen("shutdown_tracer_pending", returned=False),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_exports_what_is_pending",
        exit_seen("shutdown_tracer_pending", arrived=[]),
        set(),
    ),
    ("shutdown.lifespan_exports_what_is_pending", lose("exit.lifespan/payment"), set()),
    (
        "shutdown.lifespan_exports_what_is_pending",
        exit_seen("lifespan.payment", arrived=[]),
        set(),
    ),
    ("shutdown.sigterm_loses_no_span", lose("exit.sigterm/payment>processor"), set()),
    ("shutdown.shutdown_tracer_is_bounded", exit_seen("shutdown_tracer_hanging", took=None), set()),
    ("shutdown.shutdown_tracer_is_bounded", exit_seen("shutdown_tracer_hanging", took=60), set()),
    (
        "shutdown.shutdown_tracer_is_bounded",
        exit_seen("shutdown_tracer_hanging", returned=True),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_never_raises",
        exit_seen("shutdown_tracer_failing", raised="ValueError"),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_never_raises",
        exit_seen("shutdown_tracer_failing", returned="None"),
        set(),
    ),
    ("shutdown.process_can_end", exit_seen("process", took=None), set()),
    ("shutdown.lifespan_ends", exit_seen("lifespan.gateway", took=None), set()),
    ("shutdown.sigterm_ends_the_service", exit_seen("sigterm.gateway", took=60), set()),
    ("shutdown.lifespan_is_bounded", exit_seen("lifespan_hanging.gateway", took=30), set()),
    ("shutdown.sigterm_is_bounded", exit_seen("sigterm_hanging.gateway", took=None), set()),
    (
        "submission.runs",
        add("problems", Problem("", "", "import", "ImportError: no", "checkout.py", 1)),
        set(),
    ),
    ("submission.runs", down("payment.failing"), set()),
    ("submission.answers", answer("success", "client>gateway", 500), set()),
    ("submission.answers", answer("success", "client>gateway", 200), set()),
    *((f"source.{name}", remarked(criterion), set()) for criterion, name in SOURCE.items()),
]


@pytest.mark.parametrize(
    ("check", "change", "status"),
    [
        (
            "context.no_context_outlives_its_request",
            all_of(by_a_worker(*LAST_FIVE[1:]), under(LAST_FIVE[1], *LAST_FIVE[1:])),
            "passed",
        ),
        (
            "context.no_context_outlives_its_request",
            all_of(
                by_a_worker(*ANSWERED_CASES),
                under("success", *ANSWERED_CASES),
                never("network/inventory/query"),
            ),
            "passed",
        ),
        (
            "leaks.every_span_ends",
            all_of(
                leak("hang_up/gateway>inventory"),
                add("problems", Problem("gateway.main", "gateway", "exit", "it ended", "", 0)),
            ),
            "blocked",
        ),
        (
            "export.reaches_the_given_exporter",
            all_of(
                mute("payment.main"),
                add("problems", Problem("inventory.main", "inventory", "exit", "gone", "", 0)),
            ),
            "blocked",
        ),
        (
            "client_spans.show_where_the_time_went",
            all_of(
                *(case_seen(name, answers=[503]) for name in SLOW),
                *(answer(name, "client>gateway", 503) for name in SLOW),
            ),
            "blocked",
        ),
        (
            "client_spans.show_where_the_time_went",
            exchange("network", "client>gateway", ended_ns=2**62),
            "blocked",
        ),
        (
            "client_spans.show_where_the_time_went",
            all_of(only("inventory.main"), never("query/inventory/query")),
            "blocked",
        ),
        (
            "propagation.ignores_malformed_traceparent",
            all_of(
                answer("malformed", "client>gateway", 500), answer("unknown", "client>gateway", 500)
            ),
            "blocked",
        ),
        (
            "propagation.ignores_malformed_traceparent",
            all_of(
                case_seen("malformed", inner={"gateway>inventory": [200]}),
                answer("malformed", "client>gateway", 500),
            ),
            "blocked",
        ),
        (
            "broken_chain.one_checkout_is_one_trace",
            all_of(*map(lose, ("success/payment", "success/payment>processor"))),
            "blocked",
        ),
        (
            "database.each_query_has_its_span",
            all_of(*map(lose, ("success/inventory", "success/inventory/query"))),
            "blocked",
        ),
        (
            "errors.refused_calls_show",
            all_of(
                answer("declined", "payment>processor", 500),
                exported("declined/payment>processor", status="UNSET"),
            ),
            "passed",
        ),
        (
            "errors.unusable_answers_show",
            all_of(*map(lose, ("unreadable/gateway", "unreadable/gateway>inventory"))),
            "blocked",
        ),
        (
            "errors.failed_queries_show",
            all_of(*map(lose, ("database/inventory", "database/inventory/query"))),
            "blocked",
        ),
        ("sampling.obeys_an_unsampled_parent", without_spans("success"), "passed"),
        ("sampling.obeys_the_environment", without_spans("success"), "passed"),
        (
            "propagation.passes_tracestate_on",
            all_of(
                header("state", "client>gateway", "tracestate", None),
                header("state", "gateway>payment", "tracestate", None),
            ),
            "blocked",
        ),
        (
            "sampling.obeys_an_unsampled_parent",
            all_of(ALWAYS_ANEW, copied("success/payment", "unsampled", "gateway>payment")),
            "blocked",
        ),
        (
            "sampling.obeys_an_unsampled_parent",
            all_of(
                header("unsampled", "gateway>payment", "traceparent", None),
                copied("success/payment", "unsampled", "gateway>payment"),
            ),
            "blocked",
        ),
        (
            "context.no_span_is_lost",
            all_of(
                outside("success/inventory/query"),
                span("success/inventory/query", parent_id=id_of("nobody")),
            ),
            "passed",
        ),
        (
            "propagation.ignores_malformed_traceparent",
            # Whether the gateway answers what it answers alone, nobody knows here.
            all_of(
                case_seen("unknown", inner={"gateway>inventory": [404]}),
                case_seen("declined", inner={"gateway>payment": [402]}),
                answer("malformed", "client>gateway", 500),
            ),
            "blocked",
        ),
        (
            "propagation.passes_tracestate_on",
            exchange("state", "gateway>payment", request=None, response=None, outcome="refused"),
            "passed",
        ),
        (
            "propagation.passes_tracestate_on",
            # What the gateway sent before it was asked.
            exchange("state", "client>gateway", received_ns=2**62),
            "passed",
        ),
        (
            "shutdown.shutdown_tracer_never_raises",
            exit_seen("shutdown_tracer_hanging", took=None, returned=None),
            "passed",
        ),
        ("submission.answers", unplayed("exit.lifespan"), "passed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_show_the_fault_is_not_blamed(
    check: str, change: Change, status: str
) -> None:
    statuses = {r.check.id: r.status for r in judge(View(planted(change)), CHECKS).results}
    assert statuses[check] == status


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (
            "errors.failed_queries_show",
            all_of(
                tagged("unknown", "database_failed"),
                exported("unknown/inventory/query", status="ERROR", events=[EXCEPTION]),
                *map(lose, ("database/inventory", "database/inventory/query")),
            ),
        ),
        (
            "events.a_retry_leaves_an_event",
            all_of(
                tagged("success", "retried"),
                exported("success/payment", events=[Event("payment.retry", 1, {})]),
                *map(lose, ("retried/payment", "retried/payment>processor")),
                lose("retried/payment>processor#2"),
            ),
        ),
        ("events.a_success_leaves_an_event", without_spans("success")),
        (
            "propagation.ignores_malformed_traceparent",
            all_of(MALFORMED_TOO, lose("malformed/gateway")),
        ),
        ("propagation.has_no_parent_without_header", all_of(ROOT_TOO, lose("root/gateway"))),
        (
            "sampling.obeys_an_unsampled_parent",
            all_of(
                UNSAMPLED_TOO,
                ALWAYS_ANEW,
                copied("success/payment", "unsampled", "gateway>payment"),
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_sound_case_does_not_stand_for_one_that_shows_nothing(
    check: str, change: Change
) -> None:
    assert result(check, change).status == "blocked"


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (
            "errors.failed_calls_record_their_exception",
            all_of(
                exchange("dropped", "gateway>inventory", response=None, outcome="refused"),
                lose("dropped/gateway>inventory"),
                exported("dropped/gateway>payment", events=[]),
            ),
        ),
        (
            "errors.failed_queries_show",
            all_of(
                asked_of_inventory("database", "unknown"),
                *map(lose, ("unknown/inventory", "unknown/inventory/query")),
                exported("database/inventory/query", events=[]),
            ),
        ),
        (
            "events.a_retry_leaves_an_event",
            all_of(
                tagged("success", "retried"),
                *map(lose, ("success/payment", "success/payment>processor")),
                exported("retried/payment", events=[]),
            ),
        ),
        (
            "events.a_success_leaves_an_event",
            all_of(without_spans("success"), exported("root/gateway", events=[])),
        ),
        (
            "export.reaches_the_given_exporter",
            all_of(PROCESS_GONE, mute("gateway.main"), export_by("success/payment", "")),
        ),
        (
            "propagation.ignores_malformed_traceparent",
            all_of(MALFORMED_TOO, lose("success/gateway"), malformed(None, OTHER_TRACE)),
        ),
        (
            "propagation.ignores_malformed_traceparent",
            all_of(
                case_seen("malformed", entry="payment"),
                exchange(
                    "malformed", "client>gateway", hop="client>payment", callee="payment.main"
                ),
                answer("malformed", "client>payment", 500),
            ),
        ),
        (
            "propagation.has_no_parent_without_header",
            all_of(
                ROOT_TOO,
                lose("root/gateway"),
                span("direct.payment/payment", parent_id=id_of("before")),
            ),
        ),
        (
            "propagation.passes_tracestate_on",
            all_of(
                exchange(
                    "state", "gateway>inventory", request=None, response=None, outcome="refused"
                ),
                header("state", "payment>processor", "tracestate"),
            ),
        ),
        (
            "propagation.passes_tracestate_on",
            # Payment answers for what payment received, wherever the gateway has it from.
            all_of(
                header("state", "client>gateway", "tracestate"),
                header("state", "payment>processor", "tracestate"),
            ),
        ),
        (
            "sampling.obeys_an_unsampled_parent",
            all_of(
                UNSAMPLED_TOO,
                copied("success/payment", "unsampled", "gateway>payment"),
                header(
                    "always_off",
                    "gateway>payment",
                    "traceparent",
                    f"00-{trace_of('always_off')}-{id_of('x')}-01",
                ),
            ),
        ),
        (
            "server_spans.one_per_request",
            all_of(mute("gateway.main"), span("success/payment", kind="INTERNAL")),
        ),
        ("submission.answers", unplayed("success")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_judged_hides_no_fault_behind_it(check: str, change: Change) -> None:
    assert result(check, change).status == "failed"


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("name", exported("success/payment", name=PERSONAL)),
        ("attribute note", attribute("success/payment", "note", PERSONAL)),
        (
            "event sent",
            exported("success/payment", events=[Event("sent", 1, {"to": PERSONAL})]),
        ),
        (
            "link",
            exported("success/payment", links=[Link(OTHER_TRACE, id_of("x"), {"to": PERSONAL})]),
        ),
        ("instrumentation scope", exported("success/payment", scope=PERSONAL)),
        ("status", exported("success/payment", status_message=PERSONAL)),
        ("resource", resource("success/payment", "owner", PERSONAL)),
        (
            "attribute note, status",
            all_of(
                attribute("success/payment", "note", PERSONAL),
                exported("success/payment", status_message=PERSONAL),
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_places_of_personal_data_are_named(place: str, change: Change) -> None:
    message = result("privacy.nothing_personal_is_exported", change).message
    assert message.endswith(f" holds an e-mail address or a card number in its {place}")


@pytest.mark.parametrize(
    ("inner", "status"),
    [(USER_OF_SUCCESS, "passed"), ("somebody else", "failed"), (None, "failed")],
)
def test_the_users_id_may_be_on_the_inner_one_of_two_server_spans(
    inner: str | None, status: str
) -> None:
    """That is the current one while the request is handled."""
    attributes = {"user.id": inner} if inner else {}
    change = all_of(
        beside(
            "success/gateway",
            "inner",
            parent_id=id_of("success/gateway"),
            attributes=attributes,
        ),
        attribute("success/gateway", "user.id"),
    )
    assert result("attributes.gateway_names_the_user", change).status == status


OLDER = ["http.method", "http.status_code", "http.target", "http.url", "net.peer.name"]
OLDER += ["net.peer.port", "enduser.id", "tenant.id", "db.system", "db.statement"]


def claiming(value: Value) -> Change:
    """Have every attribute of every span, event and resource that is known say `value`."""

    def change(evidence: Evidence) -> None:
        for item in evidence.spans:
            told: list[Span | Event] = [item.span, *item.span.events]
            for part in told:
                part.attributes.update(dict.fromkeys([*part.attributes, *OLDER], value))
            item.span.resource.update(dict.fromkeys(item.span.resource, value))

    return change


@pytest.mark.parametrize("value", [["a"], [], [200], "", True, 1.5, 2**63 - 1], ids=repr)
@pytest.mark.parametrize("change", [all_of(), in_context_of(lambda _: 0)], ids=["own", "threads"])
def test_a_claim_of_any_type_crashes_no_check(value: Value, change: Change) -> None:
    verdict = judge(View(planted(change, claiming(value))), CHECKS)
    assert {result.status for result in verdict.results} <= {"passed", "failed", "blocked"}
    assert verdict.criteria["F5"] == "failed"


@pytest.mark.parametrize(
    ("patience", "took", "status"),
    [
        (1.0, 14.0, "passed"),
        (1.0, 14.001, "failed"),
        (2.0, 14.0, "passed"),
        (2.0, 18.0, "blocked"),
        (2.0, 18.001, "failed"),
        (2.0, None, "failed"),
    ],
)
def test_only_a_busy_machine_takes_the_blame_for_an_exit_that_takes_a_little_too_long(
    patience: float, took: float | None, status: str
) -> None:
    late = planted(exit_seen("lifespan.gateway", took=took))
    [known] = [one for one in CHECKS if one.id == "shutdown.lifespan_ends"]
    found = run(View(replace(late, patience=patience)), known)
    assert (found.status, found.blames_machine) == (status, status == "blocked")


@pytest.mark.parametrize(
    ("patience", "blames_machine", "end"),
    [(1.0, False, "slower than the delay"), (2.5, True, "grade again when they do not")],
)
def test_only_a_busy_machine_takes_the_blame_for_a_delay_that_does_not_stand_out(
    patience: float, blames_machine: bool, end: str
) -> None:
    """A submission may be slow by itself; load is measured before it runs."""
    slow = planted(exchange("network", "client>gateway", ended_ns=2**62))
    [known] = [one for one in CHECKS if one.id == "client_spans.show_where_the_time_went"]
    found = run(View(replace(slow, patience=patience)), known)
    assert (found.status, found.blames_machine) == ("blocked", blames_machine)
    assert found.message.endswith(end)


@pytest.mark.parametrize(
    ("change", "said", "unsaid"),
    [
        (mute("payment.main"), "add_span_processor", "get_tracer"),
        (silent("payment.main"), "provider.get_tracer(name)", "add_span_processor"),
        (export_by("success/payment>processor", ""), "get_tracer", "add_span_processor"),
    ],
    ids=["none arrived", "none was started", "they went elsewhere"],
)
def test_the_fix_is_for_what_keeps_the_spans_away(change: Change, said: str, unsaid: str) -> None:
    fix = result("export.reaches_the_given_exporter", change).fix
    assert said in fix
    assert unsaid not in fix


@pytest.mark.parametrize(
    ("check", "change", "message"),
    [
        (
            "export.reaches_the_given_exporter",
            mute("payment.main"),
            "payment started spans, but none reached its exporter",
        ),
        (
            "export.reaches_the_given_exporter",
            silent("payment.main"),
            "payment started no span on the provider that init_tracer returned",
        ),
        ("export.exports_only_what_was_started", only(), "no span was exported"),
        ("privacy.nothing_personal_is_exported", only(), "no span was exported"),
        (
            "leaks.every_span_ends",
            leak("root/payment"),
            "payment's SERVER span 'POST /payments' was started and never ended in the case root",
        ),
        (
            "leaks.every_span_ends",
            all_of(outside("success/inventory/query"), leak("success/inventory/query")),
            "inventory's CLIENT span 'SELECT' was started and never ended",
        ),
        (
            "submission.runs",
            problem("", "import", "ImportError: no"),
            "checkout cannot be imported: ImportError: no",
        ),
        (
            "attributes.server_spans_describe_the_request",
            attribute("success/payment", "http.request.method"),
            (
                "in the case success, payment's SERVER span 'POST /payments' has no method; "
                "the request had 'POST'"
            ),
        ),
        (
            "attributes.server_spans_describe_the_request",
            attribute("success/payment", "http.request.method", "GET"),
            (
                "in the case success, payment's SERVER span 'POST /payments' has the method 'GET'; "
                "the request had 'POST'"
            ),
        ),
        (
            "attributes.client_spans_describe_the_request",
            attribute("success/gateway>payment", "http.response.status_code"),
            (
                "in the case success, gateway's CLIENT span 'POST /payments' has no status code; "
                "the answer had 200 (an int)"
            ),
        ),
        (
            "resource.names_service_and_version",
            resource("success/payment", "service.version", None),
            (
                "the resource of payment's SERVER span 'POST /payments' has service.name 'payment' "
                "and no service.version; init_tracer was given 'payment' and '1.2.3'"
            ),
        ),
        (
            "database.each_query_has_its_span",
            lose("success/inventory/query"),
            (
                "in the case success, inventory ran 1 query, "
                "but has 0 CLIENT spans of sqlite under its SERVER span"
            ),
        ),
        (
            "database.each_query_has_its_span",
            add("queries", QUERY_TWICE),
            (
                "in the case success, inventory ran 2 queries, "
                "but has 1 CLIENT span of sqlite under its SERVER span"
            ),
        ),
        (
            "submission.runs",
            problem("gateway.main", "create", "ValueError: no"),
            "gateway, create: ValueError: no",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_learner_is_told_which_of_several_things_went_wrong(
    check: str, change: Change, message: str
) -> None:
    assert result(check, change).message == message


def test_a_wrong_answer_is_told_with_what_the_code_raised_and_where() -> None:
    wrong = answer("success", "client>gateway", 500)
    raised = problem("gateway.main", "request", "KeyError: 'sku'", "checkout.py", 4)
    [fault] = faults("submission.answers", wrong, raised)
    assert fault.message.endswith("; its code raised KeyError: 'sku'")
    assert fault.place == ("checkout.py", 4)
    assert fault.call is not None
    assert (fault.call.data.case, fault.call.data.hop) == ("success", "client>gateway")


@pytest.mark.parametrize(
    "other",
    [
        problem("payment.leaving", "request", "KeyError: 'sku'", "checkout.py", 4),
        problem("gateway.main", "shutdown", "KeyError: 'sku'", "checkout.py", 4),
    ],
)
def test_a_wrong_answer_is_not_put_down_to_what_was_raised_elsewhere(other: Change) -> None:
    [fault] = faults("submission.answers", answer("success", "client>gateway", 500), other)
    assert "its code raised" not in fault.message
    assert fault.place == ("", 0)


def test_a_span_id_that_is_sent_again_is_told_where_it_is_sent_again() -> None:
    hop: Hop = "gateway>payment"
    again = f"00-{trace_of('success')}-{id_of('success/gateway>inventory')}-01"
    _, fault = faults(
        "propagation.header_names_the_client_span", header("success", hop, "traceparent", again)
    )
    assert "carried the same span id as a request before it" in fault.message
    assert fault.case is not None
    assert fault.call is not None
    assert fault.case.data.name == "success"
    assert (fault.call.data.case, fault.call.data.hop) == ("success", hop)
    assert [seen.id for seen in fault.spans] == [id_of(PAYMENT)]


def result(check: str, *changes: Change) -> Result:
    """Return what one check comes to on faults."""
    [known] = [known for known in CHECKS if known.id == check]
    return run(View(planted(*changes)), known)


def faults(check: str, *changes: Change) -> list[Fault]:
    """Return every fault that a check finds."""
    [known] = [known for known in CHECKS if known.id == check]
    return [found for found in findings(View(planted(*changes)), known) if isinstance(found, Fault)]


def failed(change: Change) -> set[str]:
    verdict = judge(View(planted(change)), CHECKS)
    assert "error" not in {result.status for result in verdict.results}
    return {result.check.id for result in verdict.results if result.status == "failed"}


def test_a_sound_submission_passes_every_check() -> None:
    verdict = judge(View(sound()), CHECKS)
    assert {r.check.id: r.message for r in verdict.results if r.status != "passed"} == {}
    assert verdict.outcome == "passed"


@pytest.mark.parametrize(("check", "fault", "others"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_fails_its_check_and_no_other(check: str, fault: Change, others: set[str]) -> None:
    found = failed(fault)
    assert check in found
    assert found <= {check, *others}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_contract_leaves_free_fails_nothing(name: str) -> None:
    assert failed(ACCEPTED[name]) == set()


def test_another_protocol_than_http_protobuf_is_named() -> None:
    evidence = planted(mute("payment.default"), add("deliveries", Delivery("default", "grpc", 1)))
    messages = [result.message for result in judge(View(evidence), CHECKS).results]
    assert [message for message in messages if "grpc, not http/protobuf" in message]
    assert not [message for message in messages if "http/protobuf, grpc" in message]


def test_advice_of_the_linter_fails_nothing() -> None:
    assert failed(remarked()) == set()


@pytest.mark.parametrize(
    ("started_at", "fails"), [(("checkout.py", 7), True), (("checkout.py", 8), False)]
)
def test_what_looks_like_a_tracer_is_one_where_a_span_was_seen_to_start(
    started_at: tuple[str, int], fails: bool
) -> None:
    evidence = sound()
    assert evidence.reading is not None
    path, line = started_at
    remark = Remark("OTK102", "fault", path, line, 1, "is wrong", [], [], if_started=["C2"])
    evidence.reading.remarks.append(remark)
    statuses = {r.check.id: r.status for r in judge(View(evidence), CHECKS).results}
    assert statuses["source.spans_are_managed"] == ("failed" if fails else "passed")
    assert [
        r.criteria for r in graded("s", View(evidence), judge(View(evidence), CHECKS)).lint
    ] == ([("C2",)] if fails else [])


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (None, "the source was not read"),
        (
            Reading(remarks=[], unread=["checkout.py: is binary"]),
            "the source could not be read: checkout.py: is binary",
        ),
    ],
)
def test_source_that_was_not_read_is_not_passed(reading: Reading | None, message: str) -> None:
    evidence = replace(sound(), reading=reading)
    told = {r.check.id: (r.status, r.message) for r in judge(View(evidence), CHECKS).results}
    assert {told[f"source.{name}"] for name in SOURCE.values()} == {("blocked", message)}


def test_a_shutdown_is_not_blamed_for_a_provider_that_others_may_have_ended() -> None:
    lies = exit_seen("shutdown_tracer_hanging", returned=True)
    before = planted(lies)
    [pending] = next(seen for seen in before.exits if "provider_hanging" in seen.tags).pending
    own = next(seen for seen in before.started if seen.span_id == pending)
    shared = planted(lies, add("started", replace(own, start="payment.main")))
    name = "shutdown.shutdown_tracer_is_bounded"
    for evidence, status in ((before, "failed"), (shared, "blocked")):
        statuses = {r.check.id: r.status for r in judge(View(evidence), CHECKS).results}
        assert statuses[name] == status


def test_every_check_has_a_fault_that_fails_it() -> None:
    assert {row[0] for row in FAULTS} == IDS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_tells_the_learner_what_why_and_how(check: Check) -> None:
    for text in (check.title, check.why, check.fix):
        assert text[0].isupper() or text.startswith(("tenant.id", "shutdown_tracer"))
        assert text.endswith((".", ")"))
    assert len(check.title) <= 100
    assert {*check.criteria} <= {*CRITERIA}
    assert check.needs


def test_every_criterion_has_a_check() -> None:
    assert {criterion for check in CHECKS for criterion in check.criteria} == {*CRITERIA}


def test_no_two_checks_have_one_id() -> None:
    assert len(IDS) == len(CHECKS)


def test_a_check_of_an_unknown_criterion_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="F9"):
        declare("F9", why="", fix="")


def test_every_tag_that_a_check_needs_is_one_that_a_case_has() -> None:
    view = View(sound())
    tags = {tag for case in view.cases.values() for tag in case.data.tags}
    ends = {f"exits_{tag}" for seen in view.exits for tag in seen.tags}
    assert {need for check in CHECKS for need in check.needs} <= {"view", "reading", *tags, *ends}
