"""What a request's headers say about the trace that it belongs to."""

from asgi_call import Headers, call
from checkout.propagation import HEADER_GETTER
from checkout.server_span import ServerSpans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.test.test_base import TestBase
from span_reading import parent_id, trace_id
from starlette.types import Message, Receive, Scope, Send

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"

# https://www.w3.org/TR/trace-context/ (level 1) and https://www.w3.org/TR/trace-context-2/
VALID = [
    f"00-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-03",  # level 2: a random trace id
    f"00-{TRACE}-{SPAN}-ff",  # flags without a meaning yet
    f"01-{TRACE}-{SPAN}-01",
    f"cc-{TRACE}-{SPAN}-01",
    f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    f"fe-{TRACE}-{SPAN}-01-",
    f" \t00-{TRACE}-{SPAN}-01\t ",  # white space around a value is HTTP's own
]
MALFORMED = [
    "",
    "garbage",
    "00",
    f"00-{TRACE}",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE}-{SPAN}-",
    # version
    f"ff-{TRACE}-{SPAN}-01",
    f"ff-{TRACE}-{SPAN}-01-more",
    f"FE-{TRACE}-{SPAN}-01",
    f"0-{TRACE}-{SPAN}-01",
    f"000-{TRACE}-{SPAN}-01",
    f".0-{TRACE}-{SPAN}-01",
    f"{TRACE}-{SPAN}-01",
    # more than version 00 has room for
    f"00-{TRACE}-{SPAN}-01-",
    f"00-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    f"00-{TRACE}-{SPAN}-01.",
    f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
    # a later version goes on after a dash only
    f"cc-{TRACE}-{SPAN}-01.what",
    f"cc-{TRACE}-{SPAN}-011",
    # trace id
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{TRACE[:-1]}-{SPAN}-01",
    f"00-{TRACE[:-2]}-{SPAN}-01",
    f"00-{TRACE}0-{SPAN}-01",
    f"00-{TRACE[:-1]}.-{SPAN}-01",
    f"00-{TRACE[:-1]}g-{SPAN}-01",
    # parent id
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{SPAN.upper()}-01",
    f"00-{TRACE}-{SPAN[:-1]}-01",
    f"00-{TRACE}-{SPAN}0-01",
    f"00-{TRACE}-{SPAN[:-1]}.-01",
    # flags
    f"00-{TRACE}-{SPAN}-0",
    f"00-{TRACE}-{SPAN}-001",
    f"00-{TRACE}-{SPAN}-0A",
    f"00-{TRACE}-{SPAN}-0.",
    # delimiters and white space
    f"00_{TRACE}_{SPAN}_01",
    f"00 -{TRACE}-{SPAN}-01",
    f"00- {TRACE}-{SPAN}-01",
    f"00{TRACE}{SPAN}01",
    f"00-{TRACE}-{SPAN}-\xa001",
]

LONG = ",".join(f"vendor{number}={'x' * 200}" for number in range(2))
MEMBERS = ",".join(f"k{number}=v" for number in range(32))
# The fields as they were sent, and the tracestate that goes on.
TRACESTATES = [
    ([], ""),
    ([""], ""),
    (["a=1"], "a=1"),
    (["a=1,b=2"], "a=1,b=2"),
    (["a=1", "b=2"], "a=1,b=2"),
    (["b=2", "a=1"], "b=2,a=1"),
    (["a=1", "", "b=2"], "a=1,b=2"),
    (["a=1 \t,\t b=2"], "a=1,b=2"),
    (["tenant@vendor=1"], "tenant@vendor=1"),
    ([LONG], LONG),
    ([MEMBERS], MEMBERS),
    ([MEMBERS, "one=more"], ""),
    (["a=1,a=2"], ""),
    (["A=1"], ""),
    (["a"], ""),
]

# The fields as they were sent, and the ids that reach the span.
BAGGAGE = [
    ([], {}),
    ([""], {}),
    (["tenant.id=acme,user.id=u1"], {"tenant.id": "acme", "user.id": "u1"}),
    (["tenant.id=acme", "user.id=u1"], {"tenant.id": "acme", "user.id": "u1"}),
    ([" tenant.id = acme "], {"tenant.id": "acme"}),
    (["tenant.id=acme;secret;level=2,user.id=u1"], {"tenant.id": "acme", "user.id": "u1"}),
    (["tenant.id=a%2Cb%3Bc%C3%BC"], {"tenant.id": "a,b;cü"}),
    (["=,;,user.id=u1"], {"user.id": "u1"}),
    (["user.id="], {}),
    (["other=1"], {}),
    (["tenant.id=" + "x" * 9000], {}),
]


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer any request with 200."""
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": b""})


def fields(name: str, values: list[str]) -> Headers:
    """Send a header once for each value."""
    return [(name.encode(), value.encode("latin-1")) for value in values]


class TestHeaders(TestBase):
    def server_span(self, headers: Headers) -> ReadableSpan:
        self.memory_exporter.clear()
        call(ServerSpans(answer, self.tracer_provider.get_tracer("test")), headers=headers)
        (span,) = self.memory_exporter.get_finished_spans()
        return span

    def test_a_valid_traceparent_is_continued(self):
        for value in VALID:
            with self.subTest(value):
                span = self.server_span(fields("traceparent", [value]))
                assert (trace_id(span), parent_id(span)) == (TRACE, SPAN)
                assert span.parent.is_remote

    def test_a_malformed_traceparent_begins_a_new_trace(self):
        for value in MALFORMED:
            with self.subTest(value):
                headers = fields("traceparent", [value]) + fields("tracestate", ["a=1"])
                span = self.server_span(headers)
                assert span.parent is None
                assert trace_id(span) != TRACE
                assert not span.context.trace_state

    def test_two_traceparents_are_none(self):
        for first in VALID:
            for second in (first, VALID[0], ""):
                with self.subTest([first, second]):
                    span = self.server_span(fields("traceparent", [first, second]))
                    assert span.parent is None

    def test_a_header_name_comes_in_any_case(self):
        for name in ("traceparent", "Traceparent", "TraceParent", "TRACEPARENT"):
            with self.subTest(name):
                headers = fields(name, [VALID[0]]) + fields("TraceState", ["a=1"])
                span = self.server_span(headers)
                assert parent_id(span) == SPAN
                assert span.context.trace_state.to_header() == "a=1"

    def test_an_unsampled_caller_is_obeyed(self):
        for flags in ("00", "02", "fe"):
            with self.subTest(flags):
                self.memory_exporter.clear()
                app = ServerSpans(answer, self.tracer_provider.get_tracer("test"))
                call(app, headers=fields("traceparent", [f"00-{TRACE}-{SPAN}-{flags}"]))
                assert not self.memory_exporter.get_finished_spans()

    def test_tracestate_goes_on_in_order(self):
        for sent, passed_on in TRACESTATES:
            with self.subTest(sent):
                headers = fields("traceparent", [VALID[0]]) + fields("tracestate", sent)
                span = self.server_span(headers)
                assert span.context.trace_state.to_header() == passed_on
                assert parent_id(span) == SPAN

    def test_baggage_puts_the_ids_on_the_span(self):
        for sent, ids in BAGGAGE:
            with self.subTest(sent):
                span = self.server_span(fields("baggage", sent))
                shown = {
                    key: span.attributes[key]
                    for key in ("tenant.id", "user.id")
                    if key in span.attributes
                }
                assert shown == ids

    def test_the_getter_lists_the_names_that_came(self):
        assert HEADER_GETTER.keys([(b"A", b"1"), (b"b", b"2")]) == ["a", "b"]
