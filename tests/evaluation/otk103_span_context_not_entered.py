"""Show context managers of spans that nobody enters, and those that somebody does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    contextmanager,
    nullcontext,
)
from typing import Any, cast

import httpx
import mlflow
import requests
import sentry_sdk
from fastapi import FastAPI, Request
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer, use_span
from shop.orders import Order, charge, charge_async, reserve, settle
from shop.scopes import enter_all
from shop.stream import open_connection

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- never entered


def faulty_statement_of_its_own(order: Order) -> str:
    tracer.start_as_current_span("charge")  # expect: OTK103
    return charge(order)


def faulty_statement_with_arguments(url: str) -> int:
    tracer.start_as_current_span("GET", kind=SpanKind.CLIENT)  # expect: OTK103
    return requests.get(url, timeout=5).status_code


async def faulty_statement_in_a_coroutine(client: httpx.AsyncClient, url: str) -> int:
    trace.get_tracer("shop").start_as_current_span("GET")  # expect: OTK103
    response = await client.get(url)
    return response.status_code


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    tracer.start_as_current_span("settle")  # expect: OTK103
    return {"receipt": settle(number)}


def faulty_bound_and_never_used(order: Order) -> str:
    scope = tracer.start_as_current_span("charge")  # expect: OTK103
    return charge(order)


def faulty_bound_to_underscore(order: Order) -> str:
    _ = tracer.start_as_current_span("charge")  # expect: OTK103
    return charge(order)


def faulty_taken_for_a_span(order: Order) -> str:
    span = tracer.start_as_current_span("charge")  # expect: OTK103
    span.set_attribute("shop.order", order.number)
    return charge(order)


class FaultyMethod:
    """A client that forgets the `with`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def send(self, order: Order) -> str:
        self._tracer.start_as_current_span("send")  # expect: OTK103
        return charge(order)


def faulty_use_span_as_a_statement(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        trace.use_span(span)  # expect: OTK103
        return charge(order)
    finally:
        span.end()


def faulty_use_span_bound_and_never_used(order: Order) -> str:
    span = tracer.start_span("charge")
    try:
        scope = use_span(span)  # expect: OTK103
        return charge(order)
    finally:
        span.end()


async def faulty_use_span_of_the_current_span(order: Order) -> str:
    use_span(trace.get_current_span())  # expect: OTK103
    return await charge_async(order)


def faulty_inside_another(orders: list[Order]) -> None:
    with tracer.start_as_current_span("batch"):
        for order in orders:
            tracer.start_as_current_span("order")  # expect: OTK103
            reserve(order)


# ---------------- entered


def clean_with(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_with_several_items(order: Order) -> str:
    with open_connection(), tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


async def clean_with_inside_async_with(url: str) -> int:
    async with httpx.AsyncClient() as client:
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
            response = await client.get(url)
    return response.status_code


def clean_entered_later(order: Order) -> str:
    scope = tracer.start_as_current_span("charge")
    reserve(order)
    with scope as span:
        span.set_attribute("shop.order", order.number)
        return charge(order)


def clean_span_or_nothing(order: Order, *, enabled: bool) -> str:
    scope = tracer.start_as_current_span("charge") if enabled else nullcontext()
    with scope:
        return charge(order)


def clean_span_or_nothing_in_the_with(order: Order, *, enabled: bool) -> str:
    with tracer.start_as_current_span("charge") if enabled else nullcontext():
        return charge(order)


def clean_chosen_by_branches(order: Order, *, client: bool) -> str:
    if client:
        scope = tracer.start_as_current_span("charge", kind=SpanKind.CLIENT)
    else:
        scope = tracer.start_as_current_span("charge")
    with scope:
        return charge(order)


@tracer.start_as_current_span("charge")
def clean_decorated(order: Order) -> str:
    return charge(order)


@tracer.start_as_current_span("charge", kind=SpanKind.CLIENT)
async def clean_decorated_coroutine(order: Order) -> str:
    return await charge_async(order)


class CleanDecoratedMethod:
    """A client whose method is a span."""

    @tracer.start_as_current_span("send")
    def send(self, order: Order) -> str:
        return charge(order)


def clean_decorates_by_hand(func: Callable[..., Any]) -> Callable[..., Any]:
    return tracer.start_as_current_span(func.__qualname__)(func)


def clean_decorates_by_a_name(func: Callable[..., Any]) -> Callable[..., Any]:
    traced = tracer.start_as_current_span("call")
    return traced(func)


def clean_wraps(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span(func.__qualname__):
            return func(*args, **kwargs)

    return wrapper


def clean_exit_stack(order: Order) -> str:
    with ExitStack() as stack:
        stack.enter_context(tracer.start_as_current_span("charge"))
        return charge(order)


def clean_exit_stack_by_a_name(order: Order) -> str:
    scope = tracer.start_as_current_span("charge")
    with ExitStack() as stack:
        span = cast(Span, stack.enter_context(scope))
        span.set_attribute("shop.order", order.number)
        return charge(order)


async def clean_async_exit_stack(order: Order) -> str:
    async with AsyncExitStack() as stack:
        stack.enter_context(tracer.start_as_current_span("charge"))
        return await charge_async(order)


def clean_exit_stack_in_a_comprehension(names: list[str], order: Order) -> str:
    with ExitStack() as stack:
        spans = [stack.enter_context(tracer.start_as_current_span(name)) for name in names]
        spans[-1].set_attribute("shop.order", order.number)
        return charge(order)


def clean_returned(name: str) -> AbstractContextManager[Span]:
    return tracer.start_as_current_span(name)


def clean_returned_by_a_lambda() -> Callable[[str], AbstractContextManager[Span]]:
    return lambda name: tracer.start_as_current_span(name)


def clean_passed_on(order: Order) -> str:
    enter_all(tracer.start_as_current_span("charge"), open_connection())
    return charge(order)


def clean_put_in_a_list(scopes: list[AbstractContextManager[Span]]) -> None:
    scopes.append(tracer.start_as_current_span("charge"))


class CleanEnteredByHand:
    """Middleware that enters in one hook and leaves in another."""

    def before(self, request: Request) -> None:
        self._scope = tracer.start_as_current_span("request", kind=SpanKind.SERVER)
        span = self._scope.__enter__()
        span.set_attribute("url.path", request.url.path)

    def after(self) -> None:
        self._scope.__exit__(None, None, None)


def clean_stored_in_the_request(request: Request) -> None:
    scope = tracer.start_as_current_span("request", kind=SpanKind.SERVER)
    scope.__enter__()
    request.state.scope = scope


class CleanEnterAndExit:
    """A scope of the project's own around a span's."""

    def __init__(self, name: str) -> None:
        self._scope = tracer.start_as_current_span(name)

    def __enter__(self) -> Span:
        return self._scope.__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        self._scope.__exit__(*exc_info)


@contextmanager
def clean_context_manager(name: str) -> Iterator[Span]:
    with tracer.start_as_current_span(name) as span:
        yield span


def clean_use_span(order: Order) -> str:
    with use_span(tracer.start_span("charge"), end_on_exit=True):
        return charge(order)


def clean_use_span_by_keyword(span: Span, order: Order) -> str:
    with trace.use_span(span=span):
        return charge(order)


def clean_use_span_entered_later(span: Span, order: Order) -> str:
    scope = trace.use_span(span)
    with scope:
        return charge(order)


def clean_use_span_returned(span: Span) -> AbstractContextManager[Span]:
    return trace.use_span(span, end_on_exit=False)


def clean_sentry(order: Order) -> str:
    sentry_sdk.start_span(op="charge")
    return charge(order)


def clean_mlflow(order: Order) -> str:
    mlflow.start_span("charge")
    return charge(order)


class Recorder:
    """The project's own recorder, whose method is named like a tracer's."""

    def start_as_current_span(self, name: str) -> None:
        self.name = name


def clean_own_recorder(order: Order) -> str:
    recorder = Recorder()
    recorder.start_as_current_span("charge")
    return charge(order)
