"""Show threads that the threading instrumentation gives their context."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from opentelemetry import trace
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from shop.orders import Order, charge

tracer = trace.get_tracer(__name__)
ThreadingInstrumentor().instrument()


def charge_traced(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        return charge(order)


def clean_instrumented_pool(order: Order) -> str:
    with tracer.start_as_current_span("checkout"), ThreadPoolExecutor() as pool:
        return pool.submit(charge_traced, order).result()


def clean_instrumented_thread(order: Order) -> None:
    with tracer.start_as_current_span("checkout"):
        threading.Thread(target=charge_traced, args=(order,)).start()
