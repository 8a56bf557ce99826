"""`traceparent` and `tracestate` are read as W3C Trace Context has them."""

import pytest

from otelkata.judge import traceparent
from otelkata.judge.traceparent import TraceParent

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("value", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"00-{TRACE}-{SPAN}-0b", True),
        (f"00-{TRACE}-{SPAN}-10", False),
        (f"00-{TRACE}-{SPAN}-ff", True),
        (f"00-{TRACE}-{'0' * 15}1-01", True),
        (f"00-{'0' * 31}1-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
    ],
)
def test_what_is_valid_names_a_trace_a_span_and_whether_it_is_sampled(
    value: str, sampled: bool
) -> None:
    _, trace_id, span_id, *_ = value.split("-")
    assert traceparent.parse(value) == TraceParent(trace_id, span_id, sampled)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
    ],
)
def test_what_is_not_valid_is_ignored(value: str) -> None:
    assert traceparent.parse(value) is None


@pytest.mark.parametrize(
    ("headers", "sampled"),
    [
        ([("TraceParent", f"00-{'a' * 32}-{'b' * 16}-01")], True),
        ([("traceparent", f"00-{'a' * 32}-{'b' * 16}-02")], False),
        ([("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")] * 2, None),
        ([("traceparent", "nonsense")], None),
        ([], None),
    ],
)
def test_headers_name_one_parent_or_none(
    headers: list[tuple[str, str]], sampled: bool | None
) -> None:
    parent = traceparent.of_headers(headers)
    assert (parent.sampled if parent else None) == sampled


def test_members_of_tracestate_are_joined_over_repeated_headers() -> None:
    headers = [("tracestate", "a=1, b=2,"), ("x", "y"), ("TraceState", " c=3")]
    assert traceparent.state_of(headers) == ["a=1", "b=2", "c=3"]
