"""Carry the tenant and the user to every service of the shop (B3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context import attach, detach

TENANT_ID = "tenant.id"
USER_ID = "user.id"


def baggage_attributes() -> dict[str, str]:
    """Read the ids from the current context, as attributes: baggage is not on a span by itself."""
    ids = {key: get_baggage(key) for key in (TENANT_ID, USER_ID)}
    return {key: str(value) for key, value in ids.items() if value}


@contextmanager
def user_in_baggage(user_id: str) -> Iterator[None]:
    """Send the user's id along with each call made inside the block.

    `set_baggage` alone changes nothing: it returns a new context, which must be made the current
    one.
    """
    token = attach(set_baggage(USER_ID, user_id))
    try:
        yield
    finally:
        detach(token)
