"""Which CLIENT span left as which request, and which spans count at all."""

from dataclasses import replace

import pytest
from evidence_builder import (
    MS,
    Change,
    add,
    attribute,
    exchange,
    export_by,
    exported,
    header,
    id_of,
    lose,
    planted,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.evidence.model import Evidence, Hop
from otelkata.host.wire import Query
from otelkata.judge import registry
from otelkata.judge.verdict import judge
from otelkata.judge.view import View

UNNAMED = (
    header("success", "gateway>inventory", "traceparent", None),
    header("success", "gateway>payment", "traceparent", None),
)


def client_of(view: View, hop: Hop, case: str = "success") -> str:
    """Return the id of the CLIENT span of a request; empty where it has none."""
    (call,) = [call for call in view.cases[case].calls if call.data.hop == hop]
    return call.client.id if call.client else ""


def sent_with(hop: Hop, label: str) -> Change:
    return header("success", hop, "traceparent", f"00-{trace_of('success')}-{id_of(label)}-01")


def test_the_header_decides_against_the_order() -> None:
    view = View(
        planted(
            sent_with("gateway>inventory", "success/gateway>payment"),
            sent_with("gateway>payment", "success/gateway>inventory"),
        )
    )
    assert client_of(view, "gateway>inventory") == id_of("success/gateway>payment")
    assert client_of(view, "gateway>payment") == id_of("success/gateway>inventory")


@pytest.mark.parametrize("fault", [UNNAMED, UNNAMED[1:]], ids=["by its time", "by its header"])
def test_a_client_span_that_one_request_has_is_no_other_ones(fault: tuple[Change, ...]) -> None:
    view = View(planted(*fault, lose("success/gateway>payment")))
    assert client_of(view, "gateway>inventory") == id_of("success/gateway>inventory")
    assert client_of(view, "gateway>payment") == ""


def test_a_request_that_was_refused_has_a_client_span() -> None:
    found = client_of(View(sound()), "gateway>inventory", "refused")
    assert found == id_of("refused/gateway>inventory")


@pytest.mark.parametrize(("more_ns", "is_its"), [(0, True), (1, False)])
def test_a_client_span_starts_before_its_request_as_far_as_clocks_tell(
    more_ns: int, is_its: bool
) -> None:
    evidence = planted(header("success", "payment>processor", "traceparent", None))
    (sent,) = [
        item
        for item in evidence.exchanges
        if (item.case, item.hop) == ("success", "payment>processor")
    ]
    start_ns = sent.received_ns + 2 * MS + more_ns
    exported("success/payment>processor", start_ns=start_ns)(evidence)
    assert bool(client_of(View(evidence), "payment>processor")) == is_its


@pytest.mark.parametrize(
    ("key", "other", "same"),
    [
        ("server.port", 7, 8),
        ("net.peer.port", 7, 8),
        ("url.full", "http://127.0.0.1:7/", "http://127.0.0.1:8/"),
        ("http.url", "http://127.0.0.1:7/", "http://127.0.0.1:8/"),
    ],
)
def test_a_client_span_of_another_port_is_not_that_of_a_request(
    key: str, other: object, same: object
) -> None:
    for port, found in ((other, ""), (same, id_of("success/payment>processor"))):
        view = View(
            planted(
                header("success", "payment>processor", "traceparent", None),
                header("success", "payment>processor", "host", "127.0.0.1:8"),
                attribute("success/payment>processor", "url.full", None),
                attribute("success/payment>processor", key, port),
            )
        )
        assert client_of(view, "payment>processor") == found


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "localhost:",
        "localhost:x",
        "localhost:99999",
        "localhost:²",
        f"localhost:{'9' * 5000}",
        "[::1",
        "[::1]",
        "[::1]:9",
    ],
)
def test_a_host_without_a_readable_port_excludes_nothing(host: str) -> None:
    view = View(
        planted(
            header("success", "payment>processor", "traceparent", None),
            header("success", "payment>processor", "host", host),
        )
    )
    assert client_of(view, "payment>processor") == id_of("success/payment>processor")


def test_a_host_with_colons_of_its_own_has_a_port() -> None:
    view = View(
        planted(
            header("success", "payment>processor", "traceparent", None),
            header("success", "payment>processor", "host", "[::1]:8"),
        )
    )
    assert client_of(view, "payment>processor") == ""


def again(evidence: Evidence) -> None:
    """Let the gateway ask payment a second time, before payment asks the processor."""
    at = [(item.case, item.hop) for item in evidence.exchanges].index(
        ("success", "gateway>payment")
    )
    first = evidence.exchanges[at]
    received_ns = first.received_ns + 1
    evidence.exchanges.insert(at + 1, replace(first, received_ns=received_ns, port=1))


def test_a_request_left_while_the_latest_one_was_handled() -> None:
    calls = View(planted(again)).cases["success"].calls
    (to_processor,) = [call for call in calls if call.data.hop == "payment>processor"]
    first, second = [call for call in calls if call.data.hop == "gateway>payment"]
    assert to_processor.incoming is second
    assert (first.outgoing, second.outgoing) == ([], [to_processor])


@pytest.mark.parametrize(("later_ns", "handled"), [(0, True), (1, False)])
def test_a_request_leaves_not_before_the_one_that_it_is_for(later_ns: int, handled: bool) -> None:
    (entry, *_) = View(sound()).cases["success"].calls
    received_ns = entry.data.received_ns - later_ns
    view = View(planted(exchange("success", "gateway>inventory", received_ns=received_ns)))
    entry, inner, *_ = view.cases["success"].calls
    assert (inner.incoming is entry) == handled


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("SELECT 1", True),
        (" \n insert INTO stock VALUES (1)", True),
        ("update stock SET quantity = 1", True),
        ("Delete FROM stock", True),
        ("replace INTO stock VALUES (1)", True),
        ("WITH one AS (SELECT 1) SELECT * FROM one", True),
        ("BEGIN", False),
        ("PRAGMA user_version", False),
    ],
)
def test_the_statements_of_a_request_are_those_that_ask_or_change(
    statement: str, counts: bool
) -> None:
    evidence = sound()
    evidence.queries[:] = [replace(query, statement=statement) for query in evidence.queries]
    calls = View(evidence).cases["success"].calls
    found = {call.data.hop: call.statements for call in calls if call.statements}
    assert found == ({"gateway>inventory": [statement]} if counts else {})


def test_a_statement_of_no_request_is_nobodys() -> None:
    expected = [call.statements for call in View(sound()).calls]
    stray = View(planted(add("queries", Query("inventory.main", 1, "SELECT 1"))))
    assert [call.statements for call in stray.calls] == expected


PROBES = ("probe", "pending", "failing", "hanging")
LABELS = ("success/gateway", "root/gateway", "state/gateway")


@pytest.mark.parametrize(
    ("changes", "astray"),
    [
        ([], []),
        (
            [started(label, handler="payment.main") for label in LABELS],
            [("payment.main", "gateway.main")] * 3,
        ),
        (
            [export_by(label, "payment.main") for label in LABELS],
            [("gateway.main", "payment.main")] * 3,
        ),
        (
            [
                *(export_by(label, "payment.main") for label in LABELS),
                *(started(label, handler="", cause=0) for label in LABELS),
            ],
            [("gateway.main", "payment.main")] * 3,
        ),
        (
            [export_by(label, "") for label in LABELS],
            [("gateway.main", "the environment's OTLP endpoint")] * 3,
        ),
        (
            [export_by("default/gateway", "gateway.main")],
            [("gateway.default", "gateway.main")],
        ),
    ],
    ids=["none", "of another's request", "by another", "outside of requests", "default", "given"],
)
def test_spans_that_another_ones_exporter_got_are_astray(
    changes: list[Change], astray: list[tuple[str, str]]
) -> None:
    view = View(planted(*changes))
    assert view.astray == astray
    assert len(view.spans) == len(sound().spans) - len(astray)
    assert view.made_up == []


def test_spans_that_were_never_started_are_made_up() -> None:
    view = View(planted(*(exported(label, trace_id=trace_of("another")) for label in LABELS)))
    assert [start for start, _ in view.made_up] == ["gateway.main"] * 3
    assert len(view.spans) == len(sound().spans) - 3
    assert view.astray == []


def test_what_is_reported_of_a_service_that_was_never_there_starts_nothing() -> None:
    view = View(planted(*(started(label, start="nobody.main") for label in LABELS)))
    assert [start for start, _ in view.made_up] == ["gateway.main"] * 3
    assert len(view.started) == len(view.own) + len(PROBES) == len(sound().started) - 3
    unexported = planted(started(LABELS[0], start="nobody.main"), lose(LABELS[0]))
    assert judge(View(unexported), registry.load()).outcome == "failed"


def test_two_starts_that_report_a_span_are_told_apart_by_its_handler() -> None:
    (mine,) = [item for item in sound().started if item.span_id == id_of("success/gateway")]
    other = replace(mine, start="payment.main")
    for at in (0, len(sound().started)):
        evidence = sound()
        evidence.started.insert(at, other)
        view = View(evidence)
        (found,) = [each for each in view.spans if each.id == mine.span_id]
        assert found.service == "gateway"
        assert view.astray == []


def test_a_root_span_has_no_parent() -> None:
    view = View(planted(span("success/payment", parent_id=None)))
    (found,) = [each for each in view.spans if each.id == id_of("success/payment")]
    assert found.parent is None
