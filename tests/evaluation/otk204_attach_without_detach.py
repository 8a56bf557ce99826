"""Show contexts that stay attached, and those that are detached by somebody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from contextvars import Token
from typing import Any

import frida
from celery.signals import task_postrun, task_prerun
from fastapi import FastAPI, Request
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.context import attach as attach_context
from opentelemetry.trace import Span, set_span_in_context
from shop.access import request_access, reset_shop, set_shop
from shop.disks import Disk
from shop.failures import handle_exception
from shop.orders import Order, build_headers, charge, charge_async, settle

app = FastAPI()
tracer = trace.get_tracer(__name__)


# ---------------- stays attached


def faulty_token_dropped(tenant: str, order: Order) -> str:
    context.attach(baggage.set_baggage("tenant.id", tenant))  # expect: OTK204
    return charge(order)


def faulty_token_never_used(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204
    return charge(order)


def faulty_token_bound_to_underscore(parent: Context, order: Order) -> str:
    _ = attach_context(parent)  # expect: OTK204
    return charge(order)


def faulty_detach_without_finally(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204
    receipt = charge(order)
    detach(token)
    return receipt


async def faulty_detach_without_finally_in_a_coroutine(parent: Context, order: Order) -> str:
    token = context.attach(parent)  # expect: OTK204
    with tracer.start_as_current_span("charge"):
        receipt = await charge_async(order)
    context.detach(token)
    return receipt


def faulty_detach_in_the_handler_only(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204
    try:
        return charge(order)
    except ConnectionError:
        detach(token)
        raise


def faulty_detach_in_the_else_only(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204
    try:
        receipt = charge(order)
    except ConnectionError:
        raise
    else:
        detach(token)
    return receipt


def faulty_try_begins_too_late(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204
    headers = build_headers(order)
    try:
        return charge(order, headers)
    finally:
        detach(token)


def faulty_return_before_the_detach(parent: Context, order: Order | None) -> str | None:
    token = attach(parent)  # expect: OTK204
    if order is None:
        return None
    detach(token)
    return charge(order)


@app.middleware("http")
async def faulty_middleware(request: Request, call_next: Any) -> Any:
    context.attach(propagate.extract(request.headers))  # expect: OTK204
    return await call_next(request)


class FaultyMethod:
    """A client that makes its span current by hand, and leaves it so."""

    def send(self, span: Span, order: Order) -> str:
        context.attach(set_span_in_context(span))  # expect: OTK204
        return charge(order)


@contextmanager
def faulty_context_manager(parent: Context) -> Iterator[None]:
    token = attach(parent)  # expect: OTK204
    yield
    detach(token)


# ---------------- detached


def clean_finally(parent: Context, order: Order) -> str:
    token = attach(parent)
    try:
        return charge(order)
    finally:
        detach(token)


async def clean_finally_in_a_coroutine(tenant: str, order: Order) -> str:
    token = context.attach(baggage.set_baggage("tenant.id", tenant))
    try:
        with tracer.start_as_current_span("charge"):
            return await charge_async(order)
    finally:
        context.detach(token)


@app.middleware("http")
async def clean_middleware(request: Request, call_next: Any) -> Any:
    token = context.attach(propagate.extract(request.headers))
    try:
        return await call_next(request)
    finally:
        context.detach(token)


def clean_attached_in_the_try(parent: Context, order: Order) -> str:
    token = None
    try:
        token = attach(parent)
        return charge(order)
    finally:
        if token is not None:
            detach(token)


def clean_attached_on_a_condition(parent: Context | None, order: Order) -> str:
    token = attach(parent) if parent is not None else None
    try:
        return charge(order)
    finally:
        if token is not None:
            detach(token)


def clean_one_inside_another(parent: Context, tenant: str, order: Order) -> str:
    token = attach(parent)
    try:
        inner = attach(baggage.set_baggage("tenant.id", tenant))
        try:
            return charge(order)
        finally:
            detach(inner)
    finally:
        detach(token)


@contextmanager
def clean_context_manager(parent: Context) -> Iterator[None]:
    token = attach(parent)
    try:
        yield
    finally:
        detach(token)


@asynccontextmanager
async def clean_async_context_manager(parent: Context) -> AsyncIterator[None]:
    token = context.attach(parent)
    try:
        yield
    finally:
        context.detach(token)


def clean_exit_stack(parent: Context, order: Order) -> str:
    with ExitStack() as stack:
        stack.callback(detach, attach(parent))
        return charge(order)


async def clean_async_exit_stack(parent: Context, order: Order) -> str:
    async with AsyncExitStack() as stack:
        token = context.attach(parent)
        stack.callback(context.detach, token)
        return await charge_async(order)


class CleanEnterAndExit:
    """A scope whose token is kept until it is left."""

    def __init__(self, parent: Context) -> None:
        self._parent = parent

    def __enter__(self) -> None:
        self._token = attach(self._parent)

    def __exit__(self, *exc_info: object) -> None:
        detach(self._token)


class CleanTokensByRun:
    """An agent's callbacks: a token for each run."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token[Context]] = {}

    def on_start(self, run_id: str, parent: Context) -> None:
        token = attach(parent)
        self._tokens[run_id] = token

    def on_end(self, run_id: str) -> None:
        detach(self._tokens.pop(run_id))


@task_prerun.connect
def clean_before_the_task(task: Any, **_kwargs: Any) -> None:
    task.request.shop_token = attach(propagate.extract(task.request.headers))


@task_postrun.connect
def clean_after_the_task(task: Any, **_kwargs: Any) -> None:
    detach(task.request.shop_token)


def clean_returned(headers: Mapping[str, str]) -> Token[Context]:
    return attach(propagate.extract(headers))


def clean_returned_by_a_name(headers: Mapping[str, str]) -> tuple[Token[Context], str]:
    token = attach(propagate.extract(headers))
    return token, "attached"


def clean_put_in_the_request(request: Request, parent: Context) -> None:
    request.state.token = attach(parent)


def clean_no_attach(number: str) -> str:
    with tracer.start_as_current_span("settle"):
        return settle(number)


def clean_attach_of_a_debugger(process: int) -> None:
    frida.attach(process)


def clean_attach_of_a_disk(disk: Disk) -> None:
    disk.attach("/srv/shop")


def clean_failure_is_reported_first(parent: Context, number: str) -> str:
    token = attach(parent)
    try:
        result = settle(number)
    except Exception as error:
        handle_exception(trace.get_current_span(), error)
        detach(token)
        raise
    detach(token)
    return result


async def faulty_only_when_cancelled(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204:note
    try:
        result = await charge_async(order)
    except Exception as error:
        handle_exception(trace.get_current_span(), error)
        detach(token)
        raise
    detach(token)
    return result


def faulty_failure_is_mended_first(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204:warning
    try:
        result = charge(order)
    except Exception as error:
        result = settle(str(error))
    detach(token)
    return result


async def clean_detached_only_where_it_was_attached(request: Request) -> AsyncIterator[None]:
    token = attach(propagate.extract(request.headers))
    attached_in = asyncio.current_task()
    try:
        yield
    finally:
        if asyncio.current_task() is attached_in:
            detach(token)


def faulty_detached_for_some_orders(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204:error
    try:
        return charge(order)
    finally:
        if order.number == "1":
            detach(token)


class Deliveries:
    """Nobody tells when the work on a delivery ends: the next one ends it."""

    def __init__(self) -> None:
        self.token: Any = None

    def clean_detached_by_the_next(self, headers: Mapping[str, str]) -> None:
        if self.token is not None:
            detach(self.token)
        self.token = attach(propagate.extract(headers))


def clean_other_variables_are_set_as_well(parent: Context, order: Order) -> str:
    token = attach(parent)
    shop_token = set_shop(order.number)
    try:
        return charge(order)
    finally:
        reset_shop(shop_token)
        detach(token)


def faulty_other_work_comes_first(parent: Context, order: Order) -> str:
    token = attach(parent)  # expect: OTK204:warning
    access_token = request_access(order.number)
    try:
        return charge(order) + access_token
    finally:
        detach(token)
