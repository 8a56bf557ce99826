"""List the scenarios: which request is sent where, what is done to it, what is right to answer."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from otelkata.evidence.model import Headers, Hop, Parent
from otelkata.host.wire import Service

from .fault import (
    Answer,
    Break,
    Fault,
    Forward,
    Hang,
    Hold,
    Meet,
    Notice,
    Reserve,
    StripHeaders,
    WriteRaw,
)
from .malformed import MALFORMED, TELLING
from .values import NO_PARENT, Values

INTERLEAVED = 20
DEFAULT_GROUP = "sigterm" if os.name == "posix" else "default"
"""Group that exports over OTLP: the real services that are ended by SIGTERM, where that works."""

ANY_4XX = tuple(range(400, 500))
BODY_ERROR = tuple(code for code in ANY_4XX if code != 402)

Where = Literal["network", "query", "processor"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One request of the driver and what happens on its way.

    `group` names the deployment that plays it, `start` who gets the request (empty: the group's
    own start of `entry`), `routes` the callees that differ from the group's own. `inner` are the
    right answers on hops behind the first. Without a `quantity`, a distinctive one is chosen.
    """

    name: str
    title: str
    tags: tuple[str, ...]
    group: str = "main"
    entry: Service = "gateway"
    start: str = ""
    answers: tuple[int, ...] = (200,)
    codes: tuple[str, ...] = ()
    inner: dict[Hop, tuple[int, ...]] = field(default_factory=dict)
    parent: Parent = NO_PARENT
    baggage: bool = True
    method: str = "POST"
    target: str = ""
    body: str | None = None
    stocked: bool = True
    quantity: int | None = None
    faults: dict[Hop, tuple[Fault, ...]] = field(default_factory=dict)
    routes: dict[Hop, str] = field(default_factory=dict)
    refused: tuple[Hop, str] | None = None
    delay: Where | None = None
    hangs_up: bool = False


def all_scenarios(values: Values) -> list[Scenario]:
    """Return every scenario, with the trace contexts that are sent."""
    return [
        *_successes(values),
        *_direct(values),
        *_malformed(values),
        *_refusals(values),
        *_inventory_faults(values),
        *_payment_faults(values),
        *_processor_faults(values),
        *_interleaved(values),
        *_slow(values),
        *_unsampled(values),
        *_exits(values),
        _hang_up(values),
    ]


_STATE: Headers = [("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")]


def _successes(values: Values) -> Iterator[Scenario]:
    tags = ("traced", "answered", "success")
    inner: dict[Hop, tuple[int, ...]] = {"gateway>inventory": (200,), "gateway>payment": (200,)}
    for name, title, more, parent in (
        ("sampled_parent", "a checkout with a sampled parent", ("continued",), values.parent()),
        ("without_baggage", "a checkout without baggage", ("continued",), values.parent()),
        ("no_parent", "a checkout without a parent", ("root",), NO_PARENT),
        (
            "tracestate",
            "a checkout with tracestate",
            ("continued", "tracestate"),
            values.parent(extra=_STATE),
        ),
        (
            "random_flag",
            "a checkout whose parent has the flags 03",
            ("continued",),
            values.parent(flags="03"),
        ),
        (
            "all_flags",
            "a checkout whose parent has the flags ff",
            ("continued",),
            values.parent(flags="ff"),
        ),
        (
            "future_version",
            "a checkout with a traceparent of a future version",
            ("continued",),
            values.parent(version="cc", rest="-what-the-future-brings"),
        ),
    ):
        yield Scenario(
            f"success.{name}",
            title,
            (*tags, *more),
            parent=parent,
            inner=inner,
            baggage=name != "without_baggage",
        )
    yield Scenario(
        "stripped",
        "a checkout on whose hops a proxy strips the trace headers",
        ("traced", "answered", "continued", "stripped"),
        parent=values.parent(),
        inner=inner,
        faults={"gateway>inventory": (StripHeaders(),), "gateway>payment": (StripHeaders(),)},
    )


def _direct(values: Values) -> Iterator[Scenario]:
    entries: tuple[Service, ...] = ("inventory", "payment")
    for entry in entries:
        for name, title, tag, parent in (
            ("sampled_parent", "a sampled parent", "continued", values.parent()),
            ("no_parent", "no parent", "root", NO_PARENT),
        ):
            yield Scenario(
                f"direct.{entry}.{name}",
                f"a request to {entry} itself with {title}",
                ("traced", "answered", "direct", tag),
                entry=entry,
                parent=parent,
            )


def _malformed(values: Values) -> Iterator[Scenario]:
    tags = ("traced", "answered", "malformed")
    entries: tuple[tuple[Service, str | None, tuple[int, ...]], ...] = (
        ("gateway", "{}", (422,)),
        ("inventory", None, (404,)),
        ("payment", "{}", BODY_ERROR),
    )
    for name, spell in MALFORMED.items():
        for entry, body, answers in entries if name in TELLING else entries[:1]:
            yield Scenario(
                f"malformed.{name}.{entry}",
                f"a request to {entry} with a malformed traceparent ({name.replace('_', ' ')})",
                tags,
                entry=entry,
                answers=answers,
                parent=_malformed_parent(spell(values.trace_id(), values.span_id())),
                baggage=False,
                body=body,
                stocked=False,
            )
    yield Scenario(
        "malformed.checkout",
        "a checkout with a malformed traceparent",
        tags,
        parent=_malformed_parent(MALFORMED["version_ff"](values.trace_id(), values.span_id())),
        inner={"gateway>inventory": (200,), "gateway>payment": (200,)},
    )


def _malformed_parent(header: str) -> Parent:
    return Parent([("traceparent", header)], "", "", sampled=False)


def _refusals(values: Values) -> Iterator[Scenario]:
    tags = ("traced", "answered", "continued", "refusal")
    yield Scenario(
        "unknown_sku",
        "a checkout of an unknown sku",
        tags,
        answers=(404,),
        codes=("unknown_sku",),
        inner={"gateway>inventory": (404,)},
        parent=values.parent(),
        stocked=False,
    )
    yield Scenario(
        "out_of_stock",
        "a checkout of more than is in stock",
        tags,
        answers=(409,),
        codes=("out_of_stock",),
        inner={"gateway>inventory": (409,)},
        parent=values.parent(),
        baggage=False,
        quantity=5000,
    )
    yield Scenario(
        "declined",
        "a checkout whose card is declined",
        tags,
        answers=(402,),
        codes=("payment_declined",),
        inner={"gateway>inventory": (200,), "gateway>payment": (402,)},
        parent=values.parent(),
        baggage=False,
        faults={"payment>processor": (Answer(402, '{"error": "declined"}'),)},
    )
    for name, body in (
        ("no_json", '{"sku": "broken'),
        ("wrong_types", '{"sku": 7, "quantity": "many", "user_id": [], "email": {}}'),
        ("no_object", "[1, 2, 3]"),
    ):
        yield Scenario(
            f"invalid_body.{name}",
            f"a checkout with an invalid body ({name.replace('_', ' ')})",
            tags,
            answers=(422,),
            parent=values.parent(),
            body=body,
        )
    services: tuple[Service, ...] = ("gateway", "inventory", "payment")
    for entry in services:
        yield Scenario(
            f"unknown_path.{entry}",
            f"a request to {entry} for a path that it does not know",
            tags,
            entry=entry,
            target="/no-such-page",
            answers=(404, 405),
            parent=values.parent(),
        )
        yield Scenario(
            f"wrong_method.{entry}",
            f"a request to {entry} with a method that it does not know",
            tags,
            entry=entry,
            method="GET",
            body="",
            answers=ANY_4XX,
            parent=values.parent(),
        )
    yield Scenario(
        "invalid_body.quantity",
        "a checkout of nothing (quantity 0)",
        tags,
        answers=(422,),
        parent=values.parent(),
        quantity=0,
    )


_BAD_GATEWAY = ("bad_gateway",)
_TIMEOUT = ("gateway_timeout",)
_FAILED = ("traced", "answered", "continued", "failed")


def _inventory_faults(values: Values) -> Iterator[Scenario]:
    for name, title, fault in (
        ("500", "answers 500", Answer(500, '{"error": "broken"}')),
        ("dropped_in_headers", "drops the connection in the headers", Break("in_headers")),
        ("dropped_in_body", "drops the connection in the body", Break("in_body")),
        ("no_json", "answers 200 with HTML", Answer(200, "<p>hi</p>", "text/html", readable=False)),
        ("no_object", "answers 200 with an empty list", Answer(200, "[]", readable=False)),
        ("no_http", "answers what is no HTTP", WriteRaw(b"\x15\x03\x01\x00\x02\x02\x16 hello\r\n")),
    ):
        yield Scenario(
            f"inventory.{name}",
            f"a checkout while inventory {title}",
            _FAILED,
            answers=(502,),
            codes=_BAD_GATEWAY,
            parent=values.parent(),
            faults={"gateway>inventory": (fault,)},
        )
    yield Scenario(
        "inventory.refused",
        "a checkout while inventory refuses connections",
        _FAILED,
        start="gateway.refused",
        answers=(502,),
        codes=_BAD_GATEWAY,
        parent=values.parent(),
        baggage=False,
        refused=("gateway>inventory", "gateway.refused"),
    )
    yield Scenario(
        "inventory.hangs",
        "a checkout while inventory hangs",
        _FAILED,
        group="hasty",
        start="gateway.hasty_inventory",
        answers=(504,),
        codes=_TIMEOUT,
        parent=values.parent(),
        baggage=False,
        faults={"gateway>inventory": (Hang(),)},
    )
    yield Scenario(
        "database.no_table",
        "a checkout while inventory's database has no table",
        (*_FAILED, "database_failed"),
        answers=(502,),
        codes=_BAD_GATEWAY,
        inner={"gateway>inventory": (500,)},
        parent=values.parent(),
        routes={"gateway>inventory": "inventory.broken"},
    )
    yield Scenario(
        "database.no_table_direct",
        "a reservation while the database has no table",
        (*_FAILED, "database_failed"),
        entry="inventory",
        start="inventory.broken",
        answers=(500,),
        parent=values.parent(),
    )


def _payment_faults(values: Values) -> Iterator[Scenario]:
    for name, title, fault in (
        ("500", "answers 500", Answer(500, '{"error": "broken"}')),
        ("dropped_in_headers", "drops the connection in the headers", Break("in_headers")),
        ("no_json", "answers 200 with HTML", Answer(200, "<p>hi</p>", "text/html", readable=False)),
    ):
        yield Scenario(
            f"payment.{name}",
            f"a checkout while payment {title}",
            _FAILED,
            answers=(502,),
            codes=_BAD_GATEWAY,
            inner={"gateway>inventory": (200,)},
            parent=values.parent(),
            faults={"gateway>payment": (fault,)},
        )
    yield Scenario(
        "payment.refused",
        "a checkout while payment refuses connections",
        _FAILED,
        start="gateway.payment_refused",
        answers=(502,),
        codes=_BAD_GATEWAY,
        inner={"gateway>inventory": (200,)},
        parent=values.parent(),
        refused=("gateway>payment", "gateway.payment_refused"),
    )
    yield Scenario(
        "payment.hangs",
        "a checkout while payment hangs",
        _FAILED,
        group="hasty",
        start="gateway.hasty_payment",
        answers=(504,),
        codes=_TIMEOUT,
        parent=values.parent(),
        faults={"gateway>inventory": (Reserve(),), "gateway>payment": (Hang(),)},
    )


def _processor_faults(values: Values) -> Iterator[Scenario]:
    down = Answer(503, '{"error": "unavailable"}')
    yield Scenario(
        "processor.503_once",
        "a checkout whose first authorisation is answered 503",
        ("traced", "answered", "continued", "retried", "tracestate"),
        parent=values.parent(extra=_STATE),
        inner={"gateway>inventory": (200,), "gateway>payment": (200,)},
        faults={"payment>processor": (down, Forward())},
    )
    for name, title, fault in (
        ("503_always", "always answers 503", down),
        ("reset", "resets every connection", Break("before")),
    ):
        yield Scenario(
            f"processor.{name}",
            f"a checkout while the card processor {title}",
            _FAILED,
            answers=(502,),
            codes=_BAD_GATEWAY,
            inner={"gateway>inventory": (200,), "gateway>payment": (502,)},
            parent=values.parent(),
            faults={"payment>processor": (fault,)},
        )
    yield Scenario(
        "processor.refused",
        "a payment while the card processor refuses connections",
        _FAILED,
        entry="payment",
        start="payment.refused",
        answers=(502,),
        parent=values.parent(),
        refused=("payment>processor", "payment.refused"),
    )
    yield Scenario(
        "processor.hangs",
        "a checkout while the card processor hangs",
        _FAILED,
        group="hasty",
        start="gateway.hasty_processor",
        answers=(502, 504),
        codes=("bad_gateway", "gateway_timeout"),
        inner={"gateway>payment": (504,)},
        parent=values.parent(),
        faults={
            "gateway>inventory": (Reserve(),),
            "payment>processor": (Hang(),),
        },
        routes={"gateway>payment": "payment.hasty"},
    )


def _interleaved(values: Values) -> Iterator[Scenario]:
    for number in range(INTERLEAVED):
        yield Scenario(
            f"interleaved.{number:02}",
            f"checkout {number + 1} of {INTERLEAVED} at the same time",
            ("traced", "answered", "concurrent", "continued" if number % 4 else "root"),
            parent=values.parent() if number % 4 else NO_PARENT,
            inner={"gateway>inventory": (200,), "gateway>payment": (200,)},
            faults={"gateway>inventory": (Meet(),)},
        )


def _slow(values: Values) -> Iterator[Scenario]:
    tags = ("traced", "answered", "continued", "slow")
    waits: tuple[tuple[Where, str, dict[Hop, tuple[Fault, ...]]], ...] = (
        ("network", "a checkout on a slow network", {"gateway>inventory": (Hold(),)}),
        ("query", "a checkout whose query waits for a lock", {"gateway>inventory": (Notice(),)}),
        ("processor", "a checkout with a slow card processor", {"payment>processor": (Hold(),)}),
    )
    for where, title, faults in waits:
        inner: dict[Hop, tuple[int, ...]] = {
            "gateway>inventory": (200,),
            "gateway>payment": (200,),
        }
        routes: dict[Hop, str] = {}
        if where == "processor":
            routes["gateway>payment"] = "payment.slow"
        if where == "query":
            routes["gateway>inventory"] = "inventory.slow"
        yield Scenario(
            f"slow.{where}",
            title,
            tags,
            group="slow",
            start=f"gateway.slow_{where}",
            # A submission need not wait for the lock: that its database failed is then judged.
            answers=(200, 502) if where == "query" else (200,),
            inner={} if where == "query" else inner,
            parent=values.parent(),
            faults=faults,
            routes=routes,
            delay=where,
        )


def _unsampled(values: Values) -> Iterator[Scenario]:
    inner: dict[Hop, tuple[int, ...]] = {"gateway>inventory": (200,), "gateway>payment": (200,)}
    yield Scenario(
        "unsampled.parent",
        "a checkout whose parent is not sampled",
        ("unsampled", "unsampled_parent", "tracestate"),
        parent=values.parent(flags="00", extra=_STATE),
        inner=inner,
    )
    services: tuple[Service, ...] = ("inventory", "payment")
    for entry in services:
        yield Scenario(
            f"unsampled.parent.{entry}",
            f"a request to {entry} whose parent is not sampled",
            ("unsampled", "unsampled_parent"),
            entry=entry,
            parent=values.parent(flags="00"),
        )
    for name, title, parent in (
        ("no_parent", "without a parent", NO_PARENT),
        ("sampled_parent", "with a sampled parent", values.parent()),
    ):
        yield Scenario(
            f"unsampled.always_off.{name}",
            f"a checkout {title} under OTEL_TRACES_SAMPLER=always_off",
            ("unsampled", "always_off"),
            group="unsampled",
            parent=parent,
            inner=inner,
        )


def _hang_up(values: Values) -> Scenario:
    return Scenario(
        "hang_up",
        "a client that hangs up in the middle of a checkout",
        ("traced", "continued", "hang_up"),
        group="hasty",
        start="gateway.hang_up",
        parent=values.parent(),
        faults={"gateway>inventory": (Hang(),)},
        hangs_up=True,
    )


def _exits(values: Values) -> Iterator[Scenario]:
    for name, title, group in (
        ("lifespan", "a checkout right before lifespan shutdown", "leaving"),
        ("lifespan_hanging", "a checkout before the exporter hangs", "sulking"),
        ("sigterm", "a checkout right before SIGTERM", "sigterm"),
        ("sigterm_hanging", "a checkout before the collector hangs", "stuck"),
    ):
        yield Scenario(f"exit.{name}", title, ("exit",), group, parent=values.parent())
    yield Scenario(
        "default_exporter",
        "a checkout that is exported over OTLP by default",
        ("default_exporter",),
        DEFAULT_GROUP,
        parent=values.parent(),
    )
