"""Show functions that start spans and are handed to threads, with and without their context."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from http.server import HTTPServer
from typing import Any

import anyio.to_thread
from fastapi import BackgroundTasks, FastAPI
from fastapi.concurrency import run_in_threadpool
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from shop.forms import Form
from shop.jobs import run_traced
from shop.orders import Order, charge, charge_async, find_stock, settle

app = FastAPI()
tracer = trace.get_tracer(__name__)


def charge_traced(order: Order) -> str:
    with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT):
        return charge(order)


def settle_traced(number: str) -> str:
    span = tracer.start_span("settle")
    try:
        return settle(number)
    finally:
        span.end()


@tracer.start_as_current_span("stock")
def stock_traced(sku: str) -> str:
    return find_stock(sku)


def charge_under(parent: Context, order: Order) -> str:
    with tracer.start_as_current_span("charge", context=parent):
        return charge(order)


def charge_attached(parent: Context, order: Order) -> str:
    token = context.attach(parent)
    try:
        with tracer.start_as_current_span("charge"):
            return charge(order)
    finally:
        context.detach(token)


async def charge_in_a_coroutine(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return await charge_async(order)


def carrying(func: Callable[..., str]) -> Callable[..., str]:
    parent = context.get_current()

    @functools.wraps(func)
    def run(*args: Any) -> str:
        token = context.attach(parent)
        try:
            return func(*args)
        finally:
            context.detach(token)

    return run


# ---------------- handed over without the context


def faulty_thread(order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        thread = threading.Thread(target=charge_traced, args=(order,))  # expect: OTK203
        thread.start()
        thread.join()


def faulty_timer(number: str) -> None:
    with tracer.start_as_current_span("checkout"):
        threading.Timer(5.0, settle_traced, [number]).start()  # expect: OTK203


def faulty_submit(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(charge_traced, order).result()  # expect: OTK203


def faulty_map(orders: list[Order]) -> list[str]:
    with tracer.start_as_current_span("batch"):
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(charge_traced, orders))  # expect: OTK203


async def faulty_run_in_executor(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, charge_traced, order)  # expect: OTK203


@app.post("/orders/{number}")
async def faulty_route(number: str) -> dict[str, str]:
    with tracer.start_as_current_span("order", kind=SpanKind.SERVER):
        loop = asyncio.get_running_loop()
        receipt = await loop.run_in_executor(None, settle_traced, number)  # expect: OTK203
    return {"receipt": receipt}


def faulty_decorated_function(executor: ThreadPoolExecutor, sku: str) -> Future[str]:
    with tracer.start_as_current_span("checkout"):
        return executor.submit(stock_traced, sku)  # expect: OTK203


def faulty_lambda(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(lambda: charge_traced(order)).result()  # expect: OTK203


def faulty_partial(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(functools.partial(charge_traced, order)).result()  # expect: OTK203


def faulty_nested_function(order: Order) -> None:
    def work() -> None:
        with tracer.start_as_current_span("charge"):
            charge(order)

    with tracer.start_as_current_span("checkout"):
        threading.Thread(target=work, daemon=True).start()  # expect: OTK203


class FaultyMethod:
    """A client that charges in a pool of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2)

    def _charge(self, order: Order) -> str:
        with tracer.start_as_current_span("charge"):
            return charge(order)

    def checkout(self, order: Order) -> str:
        with tracer.start_as_current_span("checkout"):
            return self._pool.submit(self._charge, order).result()  # expect: OTK203


# ---------------- handed over with the context, or without spans


def clean_copied_context(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(copy_context().run, charge_traced, order).result()


def clean_copied_context_of_a_thread(order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        scope = contextvars.copy_context()
        thread = threading.Thread(target=scope.run, args=(charge_traced, order))
        thread.start()
        thread.join()


async def clean_copied_context_in_executor(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        loop = asyncio.get_running_loop()
        call = functools.partial(copy_context().run, charge_traced, order)
        return await loop.run_in_executor(None, call)


async def clean_to_thread(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        return await asyncio.to_thread(charge_traced, order)


async def clean_thread_of_anyio(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        return await anyio.to_thread.run_sync(charge_traced, order)


async def clean_thread_pool_of_the_framework(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        return await run_in_threadpool(charge_traced, order)


@app.post("/settlements/{number}")
async def clean_background_task(number: str, tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(settle_traced, number)
    return {"settlement": number}


async def clean_task(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        return await asyncio.create_task(charge_in_a_coroutine(order))


async def clean_gather(orders: list[Order]) -> list[str]:
    with tracer.start_as_current_span("batch"):
        return await asyncio.gather(*(charge_in_a_coroutine(order) for order in orders))


def clean_call_soon(loop: asyncio.AbstractEventLoop, number: str) -> None:
    with tracer.start_as_current_span("checkout"):
        loop.call_soon(settle_traced, number)


def clean_context_as_an_argument(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(charge_under, context.get_current(), order).result()


def clean_context_attached(order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        parent = context.get_current()
        threading.Thread(target=charge_attached, args=(parent, order)).start()


def clean_context_attached_by_a_wrapper(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(carrying(charge_traced), order).result()


def clean_context_captured(order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        parent = context.get_current()

        def work() -> None:
            with tracer.start_as_current_span("charge", context=parent):
                with tracer.start_as_current_span("card"):
                    charge(order)

        threading.Thread(target=work).start()


def clean_no_span_in_the_thread(orders: list[Order]) -> list[str]:
    with tracer.start_as_current_span("batch"), ThreadPoolExecutor() as pool:
        return list(pool.map(charge, orders))


def clean_function_of_another_module(executor: Executor, order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        executor.submit(run_traced, order)


def clean_server_in_a_thread(server: HTTPServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def clean_builtin_map(orders: list[Order]) -> list[str]:
    with tracer.start_as_current_span("batch"):
        return list(map(charge_traced, orders))


def clean_form_is_no_executor(form: Form) -> None:
    with tracer.start_as_current_span("page"):
        form.submit(charge_traced)


def clean_called_here(order: Order) -> str:
    with tracer.start_as_current_span("checkout"):
        return charge_traced(order)
