"""One checkout is one trace, through real services."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.test.test_base import TestBase
from running_shop import Shop, running_shop
from span_reading import exceptions, trace_id

# Each span, indented under its parent; "!" marks an ERROR.
RESERVED = """
gateway SERVER POST /checkout
  gateway CLIENT POST /reservations
    inventory SERVER POST /reservations
      inventory CLIENT SELECT
      inventory CLIENT UPDATE
"""
PAID = """\
  gateway CLIENT POST /payments
    payment SERVER POST /payments
      payment CLIENT POST /authorizations
"""

# What the card processor answers, what the gateway answers, and the trace.
CHECKOUTS = [
    ("200", 200, None, RESERVED + PAID),
    (
        "503-200",
        200,
        None,
        RESERVED
        + """\
  gateway CLIENT POST /payments
    payment SERVER POST /payments
      payment CLIENT POST /authorizations !
      payment CLIENT POST /authorizations
""",
    ),
    (
        "402",
        402,
        "payment_declined",
        RESERVED
        + """\
  gateway CLIENT POST /payments !
    payment SERVER POST /payments
      payment CLIENT POST /authorizations !
""",
    ),
    (
        "503-503",
        502,
        "bad_gateway",
        RESERVED.replace("checkout", "checkout !")
        + """\
  gateway CLIENT POST /payments !
    payment SERVER POST /payments !
      payment CLIENT POST /authorizations !
      payment CLIENT POST /authorizations !
""",
    ),
    (
        "hang",
        504,
        "gateway_timeout",
        RESERVED.replace("checkout", "checkout !")
        + """\
  gateway CLIENT POST /payments !
    payment SERVER POST /payments !
      payment CLIENT POST /authorizations !
""",
    ),
]

INVALID = [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"sku": "chair"}']


def order(shop: Shop, card: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {
        "sku": "chair",
        "quantity": 2,
        "user_id": "u1",
        "email": "jane@example.com",
        "card_number": card,
    }
    return httpx.post(f"{shop.url}/checkout", json=body, headers=headers, timeout=60)


def tree(spans: list[ReadableSpan], parent: int | None = None, depth: int = 0) -> str:
    """Draw a trace."""
    lines = ""
    for span in sorted(spans, key=lambda span: span.start_time):
        if (span.parent.span_id if span.parent else None) == parent:
            service = span.resource.attributes["service.name"]
            mark = "" if span.status.is_unset else " !"
            lines += f"{'  ' * depth}{service} {span.kind.name} {span.name}{mark}\n"
            lines += tree(spans, span.context.span_id, depth + 1)
    return lines


class TestCheckout(TestBase):
    def test_a_checkout_is_one_trace_that_shows_where_it_failed(self):
        for card, status, error, trace in CHECKOUTS:
            with self.subTest(card):
                with running_shop(chairs=2, timeout=0.2 if card == "hang" else 30) as shop:
                    answer = order(shop, card)
                assert (answer.status_code, answer.json().get("error")) == (status, error)
                spans = shop.spans()
                assert tree(spans) == trace.lstrip("\n")
                assert len({trace_id(span) for span in spans}) == 1
                failed = [exceptions(span) for span in spans if exceptions(span)]
                assert failed == ([["TimeoutError"]] if card == "hang" else [])

    def test_significant_moments_are_events(self):
        with running_shop(chairs=2) as shop:
            order(shop, "503-200")
        events = [event.name for span in shop.spans() for event in span.events]
        assert events == ["stock reserved", "order placed", "payment retry"]

    def test_ids_reach_every_service_and_personal_data_none(self):
        sent = {"baggage": "tenant.id=acme,user.id=someone-else"}
        with running_shop(chairs=2) as shop:
            order(shop, "200", sent)
        servers = [span for span in shop.spans() if span.kind.name == "SERVER"]
        ids = [(span.attributes["tenant.id"], span.attributes["user.id"]) for span in servers]
        assert ids == [("acme", "u1")] * 3
        assert ["baggage" in headers for headers in shop.left_the_shop] == [False]
        assert "jane" not in "".join(span.to_json() for span in shop.spans())

    def test_concurrent_checkouts_do_not_mix(self):
        with running_shop(chairs=30) as shop, ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda n: order(shop, f"200-{n}"), range(20)))
        assert Counter(answer.status_code for answer in answers) == {200: 15, 409: 5}
        traces: dict[str, list[ReadableSpan]] = {}
        for span in shop.spans():
            traces.setdefault(trace_id(span), []).append(span)
        drawn = Counter(tree(spans) for spans in traces.values())
        sold_out = RESERVED.replace("CLIENT POST /reservations", "CLIENT POST /reservations !")
        assert drawn == {(RESERVED + PAID).lstrip("\n"): 15, sold_out.lstrip("\n"): 5}

    def test_an_invalid_body_is_refused_and_not_repeated(self):
        with running_shop(chairs=2) as shop:
            for body in INVALID:
                with self.subTest(body[:20]):
                    answer = httpx.post(f"{shop.url}/checkout", content=body)
                    assert answer.status_code == 422
                    assert answer.json() == {"error": "invalid_request"}
        assert tree(shop.spans()) == "gateway SERVER POST /checkout\n" * len(INVALID)
