"""The record tells whose answer is awaited, and when that service last gave a sign of life."""

import time

import pytest

from otelkata.drive import record as record_module
from otelkata.drive.http import Request, Response
from otelkata.drive.record import EXCHANGES_LIMIT, Draft, Record, TooMany
from otelkata.evidence.model import Hop
from otelkata.host.wire import TEXT_LIMIT

GATEWAY = "gateway.main"
PAYMENT = "payment.main"


def a_request(record: Record, hop: Hop, caller: str, callee: str) -> Draft:
    draft = record.begin(hop, caller)
    draft.callee = callee
    return draft


def test_a_service_that_was_only_asked_gave_no_sign() -> None:
    record = Record()
    a_request(record, "client>gateway", "", GATEWAY)
    a_request(record, "gateway>payment", "gateway.other", PAYMENT).finish()
    assert record.awaited(GATEWAY) == (0, GATEWAY)


def test_an_answer_and_the_end_of_a_call_are_signs_of_life() -> None:
    record = Record()
    answered = a_request(record, "client>gateway", "", GATEWAY)
    answered.answered(Response(200, [], b""))
    assert record.awaited(GATEWAY) == (answered.answered_ns, GATEWAY)
    call = a_request(record, "gateway>payment", GATEWAY, PAYMENT)
    call.finish()
    assert record.awaited(GATEWAY) == (call.ended_ns, GATEWAY)


def test_who_waits_for_another_service_depends_on_that_one() -> None:
    record = Record()
    a_request(record, "client>gateway", "", GATEWAY)
    call = a_request(record, "gateway>payment", GATEWAY, PAYMENT)
    assert record.awaited(GATEWAY) == (call.received_ns, PAYMENT)
    call.answered(Response(200, [], b""))
    call.finish()
    assert record.awaited(GATEWAY) == (call.ended_ns, GATEWAY)


def test_who_waits_for_the_driver_gives_a_sign_now() -> None:
    record = Record()
    before = time.time_ns()
    held = a_request(record, "gateway>payment", GATEWAY, "")
    assert record.awaited(GATEWAY)[0] >= before
    held.callee = PAYMENT
    a_request(record, "payment>processor", PAYMENT, "processor")
    sign, awaited = record.awaited(GATEWAY)
    assert sign >= before
    assert awaited == PAYMENT


def test_there_is_an_end_to_what_is_recorded() -> None:
    record = Record()
    for _ in range(EXCHANGES_LIMIT):
        record.begin("gateway>payment", GATEWAY)
    with pytest.raises(TooMany, match=f"it sent more than {EXCHANGES_LIMIT} requests"):
        record.begin("gateway>payment", GATEWAY)
    assert record.note("client>gateway", "").number == EXCHANGES_LIMIT + 1, "the driver's own"


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_module, "BYTES_LIMIT", 10)
    record = Record()
    draft = record.begin("gateway>payment", GATEWAY)
    draft.request = Request("POST", "/", [("name", "value")], b"12")
    record.begin("gateway>payment", GATEWAY)
    record.finish(draft)
    with pytest.raises(TooMany, match="MiB of requests and answers"):
        record.begin("gateway>payment", GATEWAY)


def test_of_a_long_body_the_beginning_is_kept() -> None:
    draft = Record().begin("gateway>payment", GATEWAY)
    draft.request = Request("POST", "/", [], "ä".encode() * 500_000)
    draft.answered(Response(200, [], b"x" * 1_000_000))
    draft.finish()
    assert max(len(draft.request.body), len(draft.response.body if draft.response else b"")) < 10**5
    kept = draft.finished().request
    assert kept is not None
    assert kept.body == "ä" * TEXT_LIMIT
