"""Whose request a SERVER span shows that was started in no request's context."""

import pytest
from evidence_builder import (
    Change,
    all_of,
    exchange,
    exported,
    id_of,
    lose,
    planted,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.host.wire import PROBE_SCOPE
from otelkata.judge.view import View

ALONE = trace_of("another")
"""A trace in which nothing was sent on."""
UNKNOWN = "f" * 16
"""The id of a parent that nobody knows."""

[SUCCESS] = [case for case in sound().cases if case.name == "success"]
[BEGAN_NS] = [
    item.received_ns
    for item in sound().exchanges
    if (item.case, item.hop) == ("success", "client>gateway")
]


def nobodys(label: str, **changes: object) -> Change:
    """Start a SERVER span in no request's context, under no request that is known."""
    changes = {"parent_id": UNKNOWN, "trace_id": ALONE, "attributes": {}, **changes}
    return all_of(started(label, handler="", cause=0), span(label, **changes))


def waiting(*cases: str) -> Change:
    """Have requests of these cases last all the time, without a SERVER span of their own."""

    def lasting(case: str) -> Change:
        late = exchange(case, "client>gateway", received_ns=BEGAN_NS - 1, ended_ns=2**62)
        return all_of(late, lose(f"{case}/gateway"))

    return all_of(*map(lasting, cases))


def owner(view: View, label: str) -> str:
    """Return the case that a span was given to; empty where it is nobody's."""
    [found] = [found for found in view.spans if found.id == id_of(label)]
    return found.call.data.case if found.call else ""


def test_it_is_of_the_only_request_that_waits_for_one() -> None:
    assert owner(View(planted(nobodys("success/gateway"))), "success/gateway") == "success"


def test_where_several_may_be_it_is_nobodys() -> None:
    view = View(planted(nobodys("success/gateway"), waiting("declined")))
    assert owner(view, "success/gateway") == ""


def test_a_request_that_has_one_waits_for_none() -> None:
    late = exchange("declined", "client>gateway", received_ns=BEGAN_NS, ended_ns=2**62)
    view = View(planted(nobodys("success/gateway"), late))
    assert owner(view, "success/gateway") == "success"


@pytest.mark.parametrize(
    ("started_ns", "case"), [(BEGAN_NS - 1, ""), (BEGAN_NS, "success")], ids=["before", "with it"]
)
def test_it_starts_once_its_request_has_come(started_ns: int, case: str) -> None:
    view = View(planted(nobodys("success/gateway", start_ns=started_ns)))
    assert owner(view, "success/gateway") == case


@pytest.mark.parametrize(
    ("key", "mine", "anothers"),
    [
        ("http.response.status_code", 200, 402),
        ("http.status_code", 200, 402),
        ("user.id", SUCCESS.marks.user_id, None),
        ("enduser.id", SUCCESS.marks.user_id, None),
        ("tenant.id", SUCCESS.marks.tenant_id, None),
    ],
)
def test_it_is_of_the_request_that_it_describes(
    key: str, mine: int | str, anothers: int | None
) -> None:
    others = {case.name: case.marks for case in sound().cases}["declined"]
    if anothers is None:
        theirs = others.tenant_id if key == "tenant.id" else others.user_id
    for value, case in ((mine, "success"), (anothers or theirs, "declined"), ("else", "")):
        claim = nobodys("success/gateway", attributes={key: value})
        assert owner(View(planted(claim, waiting("declined"))), "success/gateway") == case


def test_what_it_sent_on_tells_more_than_what_else_may_be() -> None:
    """A root could be of the request that brought no context."""
    mine = nobodys("success/gateway", parent_id=None, trace_id=trace_of("success"))
    view = View(planted(mine, waiting("root")))
    assert owner(view, "success/gateway") == "success"


def test_one_that_sent_on_for_a_request_that_has_one_is_nobodys() -> None:
    mine = nobodys("success/gateway", parent_id=None, trace_id=trace_of("declined"))
    view = View(planted(mine, waiting("root")))
    assert owner(view, "success/gateway") == ""


@pytest.mark.parametrize(("parent_id", "case"), [(None, "root"), (UNKNOWN, "")])
def test_a_root_is_of_the_request_that_brought_no_context(parent_id: str | None, case: str) -> None:
    view = View(planted(nobodys("success/gateway", parent_id=parent_id), waiting("root")))
    assert owner(view, "success/gateway") == case


def test_a_request_is_given_one_only() -> None:
    view = View(planted(nobodys("success/gateway"), nobodys("declined/gateway", start_ns=BEGAN_NS)))
    found = [owner(view, f"{case}/gateway") for case in ("success", "declined")]
    assert sorted(found) == ["", "success"]


def test_one_that_fits_nowhere_keeps_no_later_one_from_its_request() -> None:
    early = nobodys("declined/gateway", start_ns=BEGAN_NS - 1)
    view = View(planted(nobodys("success/gateway"), early))
    assert [owner(view, f"{case}/gateway") for case in ("success", "declined")] == ["success", ""]


def test_what_is_below_goes_with_it() -> None:
    query = "success/inventory/query"
    view = View(planted(nobodys("success/inventory"), started(query, handler="", cause=0)))
    [call] = [call for call in view.cases["success"].calls if call.data.hop == "gateway>inventory"]
    assert [found.id for found in call.spans] == [id_of("success/inventory"), id_of(query)]


def test_what_is_below_and_has_a_request_keeps_it() -> None:
    """Nor is it there twice."""
    view = View(planted(nobodys("success/inventory")))
    [call] = [call for call in view.cases["success"].calls if call.data.hop == "gateway>inventory"]
    ids = [found.id for found in call.spans]
    assert sorted(ids) == sorted([id_of("success/inventory"), id_of("success/inventory/query")])


def test_what_the_host_starts_below_is_no_requests() -> None:
    probe = {"parent_id": id_of("success/gateway"), "trace_id": ALONE}
    probed = all_of(span("probe", **probe), exported("probe", scope=PROBE_SCOPE))
    view = View(planted(nobodys("success/gateway"), probed))
    assert owner(view, "success/gateway") == "success"
    assert owner(view, "probe") == ""
