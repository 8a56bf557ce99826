"""Claims are put beside facts rightly, whatever their order and whatever the claims are."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from evidence_builder import (
    SPANS,
    Change,
    add,
    all_of,
    answer,
    attribute,
    case_seen,
    exchange,
    exported,
    header,
    id_of,
    lose,
    never,
    planted,
    sound,
    span,
    started,
    trace_of,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from otelkata.evidence.model import Evidence, Request
from otelkata.host.wire import Attributes, Ended
from otelkata.judge import registry
from otelkata.judge.verdict import Verdict, judge
from otelkata.judge.view import View

CHECKS = registry.load()
LABELS = [
    f"{case}/{span}"
    for case in ("success", "interleaved1")
    for span in SPANS
    # Queries are judged where nothing else goes on.
    if (case, span) != ("interleaved1", "inventory/query")
]
RELAXED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    # Shrinking 200 kB of evidence takes minutes; the message names the check and the line.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def verdict_on(evidence: Evidence) -> Verdict:
    return judge(View(evidence), CHECKS)


def outcome_of(evidence: Evidence) -> dict[str, str]:
    return {result.check.id: result.status for result in verdict_on(evidence).results}


def test_each_request_has_the_spans_of_both_sides() -> None:
    view = View(sound())
    seen = {
        call.data.hop: (
            call.client.id if call.client else "",
            call.server.id if call.server else "",
            call.incoming.data.hop if call.incoming else "",
            len(call.queries),
        )
        for call in view.cases["success"].calls
    }
    assert seen == {
        "client>gateway": ("", id_of("success/gateway"), "", 0),
        "gateway>inventory": (
            id_of("success/gateway>inventory"),
            id_of("success/inventory"),
            "client>gateway",
            1,
        ),
        "gateway>payment": (
            id_of("success/gateway>payment"),
            id_of("success/payment"),
            "client>gateway",
            0,
        ),
        "payment>processor": (id_of("success/payment>processor"), "", "gateway>payment", 0),
    }


def test_a_retry_has_a_client_span_of_its_own() -> None:
    calls = [c for c in View(sound()).cases["retried"].calls if c.data.hop == "payment>processor"]
    ids = [call.client.id for call in calls if call.client]
    assert ids == [id_of("retried/payment>processor"), id_of("retried/payment>processor#2")]


@pytest.mark.parametrize(
    "fault",
    [
        header("success", "payment>processor", "traceparent", None),
        header("success", "payment>processor", "traceparent", "00-no-header-01"),
        all_of(
            header("success", "payment>processor", "traceparent", None),
            header("success", "payment>processor", "host", "127.0.0.1:9"),
        ),
    ],
    ids=["no header", "a wrong header", "the port is right"],
)
def test_without_a_header_a_request_has_the_client_span_of_its_time(fault: Change) -> None:
    view = View(planted(fault))
    clients = [c.client for c in view.cases["success"].calls if c.data.hop == "payment>processor"]
    assert [client and client.id for client in clients] == [id_of("success/payment>processor")]


@pytest.mark.parametrize(
    "fault",
    [
        header("success", "payment>processor", "host", "127.0.0.1:8"),
        all_of(
            header("success", "payment>processor", "host", "h:8"),
            attribute("success/payment>processor", "server.port", 7),
        ),
        exported("success/payment>processor", start_ns=2**62),
    ],
    ids=["another port in its URL", "another port in its attributes", "started afterwards"],
)
def test_a_client_span_that_cannot_be_of_the_request_is_not_its_own(fault: Change) -> None:
    no_header = header("success", "payment>processor", "traceparent", None)
    view = View(planted(no_header, fault))
    clients = [c.client for c in view.cases["success"].calls if c.data.hop == "payment>processor"]
    assert clients == [None]


def test_a_url_without_a_readable_port_excludes_nothing() -> None:
    view = View(
        planted(
            header("success", "payment>processor", "traceparent", None),
            header("success", "payment>processor", "host", "127.0.0.1:9"),
            attribute("success/payment>processor", "url.full", "http://h:port/"),
        )
    )
    clients = [c.client for c in view.cases["success"].calls if c.data.hop == "payment>processor"]
    assert clients != [None]


def test_a_span_without_a_request_belongs_where_its_parent_does() -> None:
    view = View(planted(started("success/inventory/query", handler="", cause=0)))
    (query,) = [s for s in view.spans if s.id == id_of("success/inventory/query")]
    assert query.call is not None
    assert query.call.data.case == "success"


def test_spans_that_are_their_own_ancestors_hang_nothing() -> None:
    view = View(
        planted(
            span("success/gateway", parent_id=id_of("success/gateway>payment")),
            started("success/gateway", handler="", cause=0),
            started("success/gateway>payment", handler="", cause=0),
        )
    )
    (span_in_circle,) = [s for s in view.spans if s.id == id_of("success/gateway")]
    assert [above.id for above in span_in_circle.ancestors] == [id_of("success/gateway>payment")]
    assert span_in_circle.call is None


def test_a_span_that_is_exported_twice_counts_once() -> None:
    evidence = sound()
    evidence.spans.extend(evidence.spans[:])
    assert outcome_of(evidence) == outcome_of(sound())


def test_what_was_started_elsewhere_with_the_same_id_is_made_up() -> None:
    view = View(planted(exported("success/gateway", trace_id=trace_of("another"))))
    assert [found.name for _, found in view.made_up] == ["POST /checkout"]


def test_statements_that_are_no_queries_are_not_counted() -> None:
    evidence = sound()
    evidence.queries[:] = [replace(query, statement="BEGIN ") for query in evidence.queries]
    assert all(call.statements == [] for call in View(evidence).calls)


def a_charge(cents: int) -> Request:
    return Request("POST", "/authorizations", [], f'{{"amount_cents": {cents}}}')


@pytest.mark.parametrize(
    ("fault", "obstacle"),
    [
        (case_seen("success", skipped="it did not start"), "could not be played: it did not start"),
        (answer("success", "client>gateway", 500, "oops"), "gateway answered 500 oops, not 200"),
        (answer("success", "client>gateway", 200, "no JSON"), "gateway's total_cents is None"),
        (answer("success", "client>gateway", 200, "[]"), "gateway's total_cents is None"),
        (answer("success", "client>gateway", 200, "[" * 99_999), "gateway's total_cents is None"),
        (
            answer("success", "client>gateway", 200, '{"total_cents": 171250}'),
            "gateway's answer has no order_id",
        ),
        (
            answer("direct.inventory", "client>inventory", 200, '{"sku": "x"}'),
            "inventory's sku is 'x'",
        ),
        (answer("direct.payment", "client>payment", 200), "payment's answer has no payment_id"),
        (
            all_of(
                case_seen("declined", answers=[402], codes=["payment_declined", "no"]),
                answer("declined", "client>gateway", 402, '{"error": "x"}'),
            ),
            "gateway's error is 'x', not 'payment_declined' or 'no'",
        ),
        (
            exchange("success", "client>gateway", response=None, outcome="timed_out"),
            "gateway gave no complete answer (timed out), not 200",
        ),
        (case_seen("success", answers=[*range(400, 405)]), "answered 200 {"),
        (case_seen("success", answers=[*range(400, 405)]), "not 4xx"),
        (case_seen("success", answers=[*range(400, 404)]), "not 400 or 401 or 402 or 403"),
        (case_seen("success", answers=[200, 402], codes=["payment_declined"]), ""),
        (
            case_seen("unknown", inner={"gateway>payment": [200]}),
            "no request reached payment",
        ),
        (
            case_seen("success", inner={"gateway>payment": [402]}),
            "payment answered 200",
        ),
        (case_seen("success", inner={"gateway>payment": [200, 402]}), ""),
        (
            all_of(
                case_seen("success", inner={"gateway>payment": [402]}),
                exchange("success", "gateway>payment", answered_ns=2**62),
            ),
            "",
        ),
        (case_seen("success", quantity=1), "total_cents is 171250, not 1250"),
        (
            all_of(
                case_seen("success", quantity=1),
                answer(
                    "success",
                    "client>gateway",
                    200,
                    '{"total_cents": 1250, "order_id": 1, "payment_id": 2}',
                ),
            ),
            "gateway charged 171250 cents, not 1250",
        ),
        (
            exchange("success", "payment>processor", request=a_charge(5)),
            "payment charged 5 cents, not 171250",
        ),
        (exchange("success", "payment>processor", request=None), ""),
        (exchange("success", "client>gateway", case=""), "no request was sent"),
        (exchange("hang_up", "client>gateway", outcome="answered"), ""),
    ],
)
def test_a_wrong_answer_is_an_obstacle_to_judging_spans(fault: Change, obstacle: str) -> None:
    found = [case.obstacle for case in View(planted(fault)).cases.values() if case.obstacle]
    assert len(found) == bool(obstacle)
    assert obstacle in "".join(found)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("loss", [lose, never])
def test_a_missing_span_is_found_by_some_check(loss: Callable[[str], Change], label: str) -> None:
    assert "failed" in outcome_of(planted(loss(label))).values()


@RELAXED
@given(label=st.sampled_from(LABELS), other=st.sampled_from([*LABELS, "nobody"]))
def test_every_rewired_edge_is_found_by_some_check(label: str, other: str) -> None:
    before = sound()
    parents = {item.span.span_id: item.span.parent_id for item in before.spans}
    if parents[id_of(label)] == id_of(other):
        return
    evidence = planted(span(label, parent_id=id_of(other)))
    assert "failed" in outcome_of(evidence).values()


@RELAXED
@given(label=st.sampled_from(LABELS), trace=st.sampled_from(["interleaved0", "nobody"]))
def test_every_change_of_trace_is_found_by_some_check(label: str, trace: str) -> None:
    evidence = planted(span(label, trace_id=trace_of(trace)))
    assert "failed" in outcome_of(evidence).values()


@RELAXED
@given(st.randoms(use_true_random=False))
def test_the_order_of_what_arrived_changes_no_verdict(random: Random) -> None:
    evidence = planted(lose("success/payment"), add("ended", Ended("payment.main", "0" * 16, 1)))
    expected = outcome_of(evidence)
    for items in (evidence.spans, evidence.started, evidence.ended, evidence.queries):
        random.shuffle(items)
    assert outcome_of(evidence) == expected


TEXTS = st.sampled_from(
    ["", "SERVER", "CLIENT", "ERROR", "exception", "http://[", "x" * 50, "\x00"]
)


@st.composite
def disturbed(draw: st.DrawFn) -> Evidence:
    """Return evidence in which spans lie about anything."""
    evidence = sound()
    ids = [item.span.span_id for item in evidence.spans]
    some_id = st.sampled_from([*ids, "", "f" * 16])
    for index, item in enumerate(evidence.spans):
        if draw(st.integers(0, 3)):
            continue
        attributes: Attributes = {
            key: draw(st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.just([])))
            for key in item.span.attributes
        }
        lie = replace(
            item.span,
            parent_id=draw(st.one_of(st.none(), some_id)),
            kind=draw(TEXTS),
            status=draw(TEXTS),
            start_ns=draw(st.integers(0, 2**63)),
            end_ns=draw(st.integers(0, 2**63)),
            attributes=attributes,
        )
        evidence.spans[index] = replace(
            item, span=lie, start=draw(st.sampled_from([item.start, ""]))
        )
    kept = draw(st.integers(0, len(evidence.spans)))
    del evidence.spans[kept:]
    for index, exchanged in enumerate(evidence.exchanges):
        change = draw(st.sampled_from(["none", "none", "request", "response", "callee", "case"]))
        if change in {"request", "response"}:
            evidence.exchanges[index] = replace(exchanged, **{change: None})  # type: ignore[arg-type]
        elif change != "none":
            evidence.exchanges[index] = replace(exchanged, **{change: "nobody"})  # type: ignore[arg-type]
    return evidence


@RELAXED
@given(disturbed())
def test_no_lie_crashes_a_check(evidence: Evidence) -> None:
    errors = [r.message for r in verdict_on(evidence).results if r.status == "error"]
    assert errors == []
