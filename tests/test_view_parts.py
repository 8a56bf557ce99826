"""What the view says of one span, one request, one case and the whole run."""

from dataclasses import replace
from itertools import islice

import pytest
from evidence_builder import (
    MS,
    PATHS,
    Change,
    add,
    case_seen,
    exchange,
    exported,
    header,
    id_of,
    planted,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.evidence.model import Hop, Outcome
from otelkata.host.wire import Event, Problem
from otelkata.judge.calls import Call, ServiceSpan
from otelkata.judge.traceparent import TraceParent
from otelkata.judge.view import View


def span_of(view: View, label: str) -> ServiceSpan:
    """Return the span that is known by `label`."""
    (found,) = [span for span in view.spans if span.id == id_of(label)]
    return found


def call_of(view: View, hop: Hop, case: str = "success") -> Call:
    """Return the one request of a case on a hop."""
    (found,) = [call for call in view.cases[case].calls if call.data.hop == hop]
    return found


def test_a_span_knows_its_line_and_its_request() -> None:
    view = View(sound())
    query = span_of(view, "success/inventory/query")
    assert (query.path, query.line) == ("checkout.py", 7)
    assert query.call is call_of(view, "gateway>inventory")
    assert view.case_of(query) is view.cases["success"]
    probe = span_of(view, "probe")
    assert (probe.call, view.case_of(probe)) == (None, None)


def test_the_hosts_own_spans_are_not_the_submissions() -> None:
    view = View(sound())
    probes = {id_of(label) for label in ("probe", "pending")}
    assert {span.id for span in view.spans if span.is_probe} == probes
    all_probes = probes | {id_of(label) for label in ("failing", "hanging")}
    ids = {item.span_id for item in view.evidence.started}
    assert {item.span_id for item in view.own} == ids - all_probes
    assert {name for name in view.exporting if name not in view.tracing} == {"payment.pending"}


def test_only_the_status_error_is_an_error() -> None:
    view = View(planted(exported("success/gateway", status="OK")))
    assert span_of(view, "refused/gateway").is_error
    assert not span_of(view, "success/gateway").is_error
    assert not span_of(view, "success/payment").is_error


@pytest.mark.parametrize(
    ("kind", "key", "is_query"),
    [
        ("CLIENT", "db.system.name", True),
        ("CLIENT", "db.system", True),
        ("CLIENT", "db.namespace", False),
        ("INTERNAL", "db.system.name", False),
    ],
)
def test_a_query_is_a_client_span_that_names_a_database(
    kind: str, key: str, is_query: bool
) -> None:
    changed = exported("success/inventory/query", kind=kind, attributes={key: "sqlite"})
    view = View(planted(changed))
    query = span_of(view, "success/inventory/query")
    assert (query in call_of(view, "gateway>inventory").queries) == is_query
    assert query.is_http_client == (kind == "CLIENT" and not is_query)


def test_an_exception_is_an_event_of_this_name_with_a_type() -> None:
    events = [
        Event("exception", 1, {"exception.message": "without a type"}),
        Event("retry", 2, {"exception.type": "Error"}),
        Event("exception", 3, {"exception.type": "Error"}),
        Event("exception", 4, {"exception.type": ""}),
    ]
    view = View(planted(exported("success/gateway", events=events)))
    assert span_of(view, "success/gateway").exceptions == [events[2]]


@pytest.mark.parametrize(
    ("top", "above"),
    [
        (id_of("success"), ["gateway>payment", "gateway>inventory"]),
        (id_of("success/gateway>payment"), ["gateway>payment", "gateway>inventory"]),
        (id_of("success/gateway"), ["gateway>payment", "gateway>inventory"]),
    ],
    ids=["to the top", "in a circle above it", "in a circle with it"],
)
def test_ancestors_are_all_spans_above_nearest_first(top: str, above: list[str]) -> None:
    view = View(
        planted(
            span("success/gateway", parent_id=id_of("success/gateway>payment")),
            span("success/gateway>payment", parent_id=id_of("success/gateway>inventory")),
            span("success/gateway>inventory", parent_id=top),
        )
    )
    found = islice(span_of(view, "success/gateway").ancestors, 9)
    assert [each.id for each in found] == [id_of(f"success/{label}") for label in above]


def test_a_request_knows_both_of_its_ends() -> None:
    view = View(sound())
    entry, sent = call_of(view, "client>gateway"), call_of(view, "gateway>payment")
    assert (entry.caller_service, entry.callee_service) == ("client", "gateway")
    assert (sent.caller_service, sent.callee_service) == ("gateway", "payment")
    assert (entry.timeout, sent.timeout) == (None, 2.0)
    assert entry.incoming is None
    assert sent.incoming is entry


def sent_from(label: str) -> TraceParent:
    return TraceParent(trace_of("success"), id_of(label), sampled=True)


@pytest.mark.parametrize(
    ("hop", "fault", "parent"),
    [
        ("client>gateway", case_seen("success"), sent_from("success")),
        ("gateway>payment", case_seen("success"), sent_from("success/gateway>payment")),
        ("payment>processor", case_seen("success"), None),
        ("gateway>payment", exchange("success", "gateway>payment", request=None), None),
        ("gateway>payment", case_seen("success", tags=["stripped"]), None),
        ("client>gateway", case_seen("success", tags=["stripped"]), sent_from("success")),
        ("gateway>payment", header("success", "gateway>payment", "traceparent", "no"), None),
    ],
    ids=["entry", "inner", "no service", "no request", "stripped", "never stripped", "invalid"],
)
def test_the_parent_of_a_request_is_what_arrived_at_a_service(
    hop: Hop, fault: Change, parent: TraceParent | None
) -> None:
    assert call_of(View(planted(fault)), hop).parent == parent


def test_a_request_of_no_case_has_a_parent_too() -> None:
    calls = View(planted(exchange("success", "client>gateway", case=""))).calls
    (call,) = [call for call in calls if not call.data.case]
    assert call.parent == sent_from("success")


def test_spans_under_a_server_span_open_no_request() -> None:
    view = View(
        planted(
            span("success/gateway>payment", kind="SERVER"),
            span("success/gateway>inventory", kind="INTERNAL", parent_id=None),
        )
    )
    entry = call_of(view, "client>gateway")
    assert len(entry.spans) == 3
    assert [found.id for found in entry.servers] == [id_of("success/gateway")]


@pytest.mark.parametrize(
    ("answered_ms", "ended_ms", "more_ns", "contested"),
    [(1400, 9000, 0, False), (1400, 9000, 1, True), (0, 1400, 0, False), (0, 1400, 1, True)],
)
def test_an_answer_after_most_of_the_timeout_is_contested(
    answered_ms: int, ended_ms: int, more_ns: int, contested: bool
) -> None:
    times = {
        "received_ns": 1,
        "answered_ns": answered_ms and answered_ms * MS + 1 + more_ns,
        "ended_ns": ended_ms * MS + 1 + more_ns,
    }
    view = View(planted(exchange("success", "gateway>payment", **times)))
    assert call_of(view, "gateway>payment").is_contested == contested


def test_what_the_driver_asks_is_never_contested() -> None:
    late = exchange("success", "client>gateway", received_ns=1, ended_ns=10**12)
    assert not call_of(View(planted(late)), "client>gateway").is_contested


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        ("answered", False),
        ("refused", True),
        ("timed_out", True),
        ("dropped_in_headers", True),
        ("dropped_in_body", False),
        ("unreadable", False),
    ],
)
def test_a_request_failed_on_the_way_where_no_head_of_an_answer_came(
    outcome: Outcome, failed: bool
) -> None:
    view = View(planted(exchange("success", "gateway>payment", outcome=outcome)))
    assert call_of(view, "gateway>payment").failed_on_the_way == failed


def test_a_case_has_what_was_served_and_what_was_sent() -> None:
    view = View(planted(exchange("success", "gateway>payment", response=None)))
    case = view.cases["success"]
    assert [call.data.hop for call in case.served] == ["client>gateway", "gateway>inventory"]
    assert [call.data.hop for call in case.sent] == [
        "gateway>inventory",
        "gateway>payment",
        "payment>processor",
    ]


def test_cases_are_found_by_their_tags() -> None:
    view = View(sound())
    assert view.tagged("retried") == [view.cases["retried"]]
    assert len(view.tagged("concurrent")) == 2
    assert view.tagged("unheard of") == []


@pytest.mark.parametrize(
    ("stages", "lost"),
    [([], False), (["import"], False), (["exit"], True), (["import", "exit"], True)],
)
def test_a_process_is_lost_when_it_ends_by_itself(stages: list[str], lost: bool) -> None:
    problems = [Problem("", "payment", stage, "it failed", "", 0) for stage in stages]
    view = View(replace(sound(), problems=problems))
    assert view.has_lost_a_process == lost
    assert view.problems == problems


def test_what_ended_is_known_by_start_and_id() -> None:
    assert ("payment.main", id_of("success/payment")) in View(sound()).ended


@pytest.mark.parametrize(
    ("label", "at", "lost"),
    [
        ("success/payment>processor", "received_ns", True),
        ("success/payment>processor", "ended_ns", True),
        ("success/inventory/query", "received_ns", False),
        ("probe", "received_ns", False),
    ],
    ids=["as it came", "as it ended", "of another service", "the host's own"],
)
def test_spans_that_know_no_request_are_lost_during_those_of_their_time(
    label: str, at: str, lost: bool
) -> None:
    evidence = sound()
    (data,) = [
        item
        for item in evidence.exchanges
        if (item.case, item.hop) == ("success", "gateway>payment")
    ]
    for change in (
        started(label, handler="", cause=0, parent_id=None),
        exported(label, start_ns=getattr(data, at)),
    ):
        change(evidence)
    view = View(evidence)
    found = view.lost_during(call_of(view, "gateway>payment"))
    assert [each.id for each in found] == ([id_of(label)] if lost else [])


@pytest.mark.parametrize("late", [("received_ns", -1), ("ended_ns", 1)])
def test_what_started_before_or_after_a_request_was_not_lost_during_it(
    late: tuple[str, int],
) -> None:
    evidence = planted(started("success/payment", handler="", cause=0, parent_id=None))
    call = call_of(View(evidence), "gateway>payment")
    exported("success/payment", start_ns=getattr(call.data, late[0]) + late[1])(evidence)
    assert View(evidence).lost_during(call_of(View(evidence), "gateway>payment")) == []


def test_what_belongs_to_a_request_was_not_lost() -> None:
    view = View(sound())
    assert all(view.lost_during(call) == [] for call in view.calls)


def test_requests_of_no_case_belong_to_none() -> None:
    stray = replace(sound().exchanges[0], case="nobody", port=1)
    view = View(planted(add("exchanges", stray)))
    assert len(view.calls) == len(sound().exchanges) + 1
    assert PATHS["gateway"] in str(view.calls[-1])
    assert all(view.calls[-1] not in case.calls for case in view.cases.values())
