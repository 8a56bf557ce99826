"""The drawing of a trace shows what is where, and marks the fault."""

import pytest
from evidence_builder import (
    Change,
    all_of,
    attribute,
    exported,
    id_of,
    lose,
    mute,
    never,
    planted,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.judge.cases import CaseView
from otelkata.judge.finding import Fault
from otelkata.judge.view import View
from otelkata.report.drawing import SPANS_SHOWN, lay_out
from otelkata.report.expected import Wanted
from otelkata.report.tree import MARK, to_text


def drawn(case: str, *changes: Change, marked: str = "", hop: str = "") -> list[str]:
    """Return the drawing of a case, with the span `marked` or the request on `hop` at fault."""
    view = View(planted(*changes))
    seen = view.cases[case]
    spans = tuple(span for span in seen.spans if span.id == id_of(marked))
    call = next((call for call in seen.calls if call.data.hop == hop), None)
    drawing = lay_out(Fault("it is wrong", seen, spans, call))
    assert drawing is not None
    return to_text(drawing).splitlines()


def test_a_whole_trace_is_one_tree_with_the_fault_marked() -> None:
    checkout = "gateway  SERVER  POST /checkout"
    assert drawn("success", marked="success/payment", hop="gateway>payment") == [
        f"trace {trace_of('success')}",
        f"└─ {checkout}  22.0 ms  200  [order placed]  (child of the caller's span)",
        "   ├─ gateway  CLIENT  POST /reservations  8.0 ms  200",
        "   │  └─ inventory  SERVER  POST /reservations  3.0 ms  200",
        "   │     └─ inventory  CLIENT  SELECT  1.0 ms",
        "   └─ gateway  CLIENT  POST /payments  11.0 ms  200",
        f"      └─ {MARK}  payment  SERVER  POST /payments  6.0 ms  200",
        "         └─ payment  CLIENT  POST /authorizations  4.0 ms  200",
        "on the wire:",
        *wire("success", marked="payment"),
    ]


def wire(case: str, marked: str) -> list[str]:
    rows = [
        ("client", "gateway", "POST /checkout", case, "25.0"),
        ("gateway", "inventory", "POST /reservations", f"{case}/gateway>inventory", "6.0"),
        ("gateway", "payment", "POST /payments", f"{case}/gateway>payment", "9.0"),
        ("payment", "processor", "POST /authorizations", f"{case}/payment>processor", "2.0"),
    ]
    return [
        line
        for caller, callee, what, label, took in rows
        for line in (
            f"{MARK if callee == marked else ' '} {caller} → {callee}  {what}  200  {took} ms",
            f"    traceparent 00-{trace_of(case)}-{id_of(label)}-01",
        )
    ]


@pytest.mark.parametrize(
    ("case", "changes", "hop", "line"),
    [
        ("success", [], "", "(child of the caller's span)"),
        ("root", [], "", "(root)"),
        ("success", [lose("success/gateway")], "", "is not in this trace)"),
        (
            "success",
            [mute("gateway.main"), mute("inventory.main"), mute("payment.main")],
            "",
            f"{MARK} no span arrived",
        ),
        (
            "success",
            [never("success/payment")],
            "gateway>payment",
            f"{MARK} no SERVER span of payment for this request",
        ),
        (
            "success",
            [never("success/payment>processor")],
            "payment>processor",
            f"{MARK} no CLIENT span of payment for payment's POST /authorizations to processor",
        ),
        (
            "refused",
            [],
            "gateway>inventory",
            f"{MARK} gateway → inventory  connection refused  refused  ",
        ),
        ("timed_out", [], "", "timed out"),
        ("success", [], "client>gateway", "on the wire"),
        ("success", [], "gateway>payment", "on the wire"),
        ("always_off", [], "", " ms  no traceparent"),
        ("dropped", [], "", "ERROR  [exception]"),
        (
            "success",
            [attribute("success/payment", "http.response.status_code")],
            "",
            "payment  SERVER",
        ),
    ],
)
def test_what_is_missing_or_odd_is_said(
    case: str, changes: list[Change], hop: str, line: str
) -> None:
    assert line in "\n".join(drawn(case, *changes, hop=hop))


def test_two_traces_are_two_trees() -> None:
    drawing = drawn(
        "success",
        span("success/payment", trace_id=trace_of("another"), parent_id=None),
        span("success/payment>processor", trace_id=trace_of("another")),
    )
    heads = [line for line in drawing if line.startswith("trace ")]
    assert heads == [f"trace {trace_of('success')}", f"trace {trace_of('another')}"]
    assert len([line for line in drawing if "POST /payments" in line]) == 3


def test_a_long_trace_is_cut_and_the_fault_is_still_there() -> None:
    """A fault of the last span is shown, too."""
    view = View(sound())
    everything = CaseView(view.cases["success"].data)
    everything.calls = [call for case in view.cases.values() for call in case.calls]
    last = max(everything.spans, key=lambda span: span.data.start_ns)
    drawing = lay_out(Fault("", everything, (last,)))
    assert drawing is not None
    text = to_text(drawing)
    tree = text.partition("on the wire:")[0].splitlines()
    spans = [line for line in tree if not line.startswith("trace ")]
    assert len(spans) == SPANS_SHOWN + 1
    assert "spans more" in text
    assert MARK in "\n".join(tree)


def test_spans_in_a_circle_are_drawn_once_and_lose_none() -> None:
    drawing = drawn(
        "success",
        all_of(
            span("success/gateway", parent_id=id_of("success/gateway>payment")),
            span("success/gateway>inventory", parent_id=id_of("success/gateway")),
        ),
        marked="success/gateway",
    )
    assert [line for line in drawing if "POST /checkout" in line and MARK in line]


def test_a_fault_that_is_in_no_case_has_no_drawing() -> None:
    assert lay_out(Fault("the process crashed")) is None


def test_spans_that_share_an_id_are_not_drawn_without_end() -> None:
    """An id generator that always gives the same id makes a span its own grandchild."""
    same = id_of("success/gateway")
    drawing = drawn(
        "success",
        span("success/gateway", parent_id=None),
        lose("success/gateway>inventory"),
        all_of(
            started("success/inventory", span_id=same, parent_id=same),
            exported("success/inventory", span_id=same, parent_id=same),
        ),
    )
    assert len([line for line in drawing if "POST /reservations" in line]) >= 1


def test_what_there_should_be_follows_from_the_wire() -> None:
    view = View(planted(never("success/payment")))
    drawing = lay_out(Fault("it is wrong", view.cases["success"]))
    assert drawing is not None
    assert list(drawing.wanted) == [
        Wanted(0, "gateway", "SERVER", "POST /checkout", is_there=True),
        Wanted(1, "gateway", "CLIENT", "POST /reservations", is_there=True),
        Wanted(2, "inventory", "SERVER", "POST /reservations", is_there=True),
        Wanted(1, "gateway", "CLIENT", "POST /payments", is_there=True),
        Wanted(2, "payment", "SERVER", "POST /payments", is_there=False),
        Wanted(3, "payment", "CLIENT", "POST /authorizations", is_there=True),
    ]
