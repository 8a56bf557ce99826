"""Values are random, recognisable, never used twice, and the same for the same seed."""

import re

from hypothesis import given
from hypothesis import strategies as st

from otelkata.drive.values import Values
from otelkata.judge import traceparent

SEEDS = st.integers(0, 2**63)


def _passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in number]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def test_the_test_of_luhn_knows_a_right_number_from_a_wrong_one() -> None:
    assert _passes_luhn("4111111111111111")
    assert not _passes_luhn("4111111111111112")


@given(SEEDS)
def test_a_card_number_has_sixteen_digits_that_pass_the_luhn_test(seed: int) -> None:
    number = Values(seed).card_number()
    assert re.fullmatch(r"4\d{15}", number)
    assert _passes_luhn(number)


@given(SEEDS)
def test_the_same_seed_gives_the_same_values(seed: int) -> None:
    one, other = Values(seed), Values(seed)
    assert one.marks() == other.marks()
    assert one.parent() == other.parent()
    assert one.number(1, 100) == other.number(1, 100)


def test_other_seeds_give_other_values() -> None:
    assert Values(1).marks() != Values(2).marks()


def test_no_value_is_used_twice() -> None:
    values = Values(7)
    words = [values.word(2) for _ in range(26 * 26)]
    cards = [values.card_number() for _ in range(500)]
    assert len({*words}) == len(words)
    assert len({*cards}) == len(cards)


@given(SEEDS)
def test_no_identifier_looks_like_an_email_or_a_card(seed: int) -> None:
    marks = Values(seed).marks()
    for identifier in (marks.sku, marks.user_id, marks.tenant_id):
        assert re.fullmatch(r"[a-z]+-[a-z]+", identifier)
    assert re.fullmatch(r"[a-z]+@[a-z]+\.example", marks.email)


@given(SEEDS, st.sampled_from(["00", "01", "02", "03", "ff"]))
def test_a_parent_is_what_its_header_says(seed: int, flags: str) -> None:
    parent = Values(seed).parent(flags=flags)
    read = traceparent.of_headers(parent.headers)
    assert read == traceparent.TraceParent(parent.trace_id, parent.span_id, parent.sampled)
    assert parent.sampled == (flags in {"01", "03", "ff"})
