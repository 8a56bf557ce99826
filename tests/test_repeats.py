"""A trace is shown once in a report, and what is marked in it wherever it matters."""

from collections.abc import Iterator

import pytest
from evidence_builder import id_of, sound, trace_of
from results import a_check

from otelkata.judge.finding import Fault
from otelkata.judge.view import View
from otelkata.report.drawing import lay_out
from otelkata.report.graded import Judged
from otelkata.report.repeats import without_repeats
from otelkata.report.tree import MARK, to_text

CHECKOUT = "gateway  SERVER  POST /checkout"
ABOVE = "shown above, under theme.first"


def failed(name: str, case: str, *marked: str, hop: str = "") -> Judged:
    """Return a check that failed in a case, with some of its spans and a request marked."""
    seen = View(sound()).cases[case]
    ids = {id_of(label) for label in marked}
    spans = tuple(span for span in seen.spans if span.id in ids)
    call = next((call for call in seen.calls if call.data.hop == hop), None)
    drawing = lay_out(Fault("it is wrong", seen, spans, call))
    assert drawing is not None
    return a_check(name, status="failed", drawing=drawing, trace=to_text(drawing))


def traces(*results: Judged) -> Iterator[str]:
    """Yield the traces that are shown."""
    yield from (result.trace or "" for result in without_repeats(results))


def test_a_trace_that_was_shown_is_cut_to_what_is_marked_and_leads_there() -> None:
    first = failed("first", "success", "success/gateway")
    again = failed("again", "success", "success/payment", "success/inventory", hop="client>gateway")
    whole, part = traces(first, again)
    assert whole == first.trace
    wire = (again.trace or "").partition("on the wire:\n")[2].splitlines()
    assert part.splitlines() == [
        f"In the trace that is {ABOVE}:",
        f"trace {trace_of('success')}",
        f"└─ {CHECKOUT}  22.0 ms  200  [order placed]  (child of the caller's span)",
        "   ├─ gateway  CLIENT  POST /reservations  8.0 ms  200",
        f"   │  └─ {MARK}  inventory  SERVER  POST /reservations  3.0 ms  200",
        "   └─ gateway  CLIENT  POST /payments  11.0 ms  200",
        f"      └─ {MARK}  payment  SERVER  POST /payments  6.0 ms  200",
        "on the wire:",
        *wire[:2],
    ]


def test_requests_are_left_out_where_none_is_at_fault() -> None:
    first = failed("first", "success", hop="gateway>payment")
    _, part = traces(first, failed("again", "success", "success/gateway"))
    assert part.count(MARK) == 1
    assert "on the wire" not in part


def test_where_nothing_is_marked_the_first_one_is_named() -> None:
    _, part = traces(failed("first", "success"), failed("again", "success"))
    assert part == f"It is the trace that is {ABOVE}."


@pytest.mark.parametrize("case", ["root", "dropped"])
def test_another_trace_is_shown_whole(case: str) -> None:
    results = failed("first", "success"), failed("again", case, hop="client>gateway")
    assert [*without_repeats(results)] == [*results]


def test_what_is_no_trace_stays_as_it_is() -> None:
    details = [a_check(name, status="failed", trace="the same text") for name in ("one", "two")]
    assert [*without_repeats(details)] == details
