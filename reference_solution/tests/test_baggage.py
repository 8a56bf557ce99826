"""The ids that travel with a request."""

import contextvars

import pytest
from checkout.baggage import baggage_attributes, user_in_baggage
from opentelemetry.baggage import get_all, set_baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.test.test_base import TestBase

# The baggage, and the attributes made from it.
ATTRIBUTES = [
    ({}, {}),
    ({"tenant.id": "acme"}, {"tenant.id": "acme"}),
    ({"tenant.id": "acme", "user.id": "u1"}, {"tenant.id": "acme", "user.id": "u1"}),
    ({"user.id": ""}, {}),
    ({"user.id": 7}, {"user.id": "7"}),
    ({"session": "s1"}, {}),
]


class TestBaggage(TestBase):
    def test_only_the_ids_become_attributes(self):
        def attributes_of(baggage: dict[str, object]) -> dict[str, str]:
            context = get_current()
            for key, value in baggage.items():
                context = set_baggage(key, value, context)
            token = attach(context)
            try:
                return baggage_attributes()
            finally:
                detach(token)

        for baggage, attributes in ATTRIBUTES:
            with self.subTest(baggage):
                assert contextvars.Context().run(attributes_of, baggage) == attributes

    def test_the_user_is_in_the_baggage_inside_the_block_only(self):
        def fail() -> None:
            with user_in_baggage("u1"):
                assert dict(get_all()) == {"user.id": "u1"}
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert dict(get_all()) == {}

    def test_the_user_of_the_body_replaces_the_one_that_came(self):
        with user_in_baggage("someone else"), user_in_baggage("u1"):
            assert dict(get_all()) == {"user.id": "u1"}
