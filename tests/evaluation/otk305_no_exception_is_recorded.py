"""Show spans that are told to show no exception, and those on which one shows all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import sentry_sdk
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, use_span
from shop.orders import Order, charge, price, reserve
from shop.tracing import mark_failure

log = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


# ---------------- the exception leaves the span


def faulty_plain(url: str) -> httpx.Response:
    with tracer.start_as_current_span(  # expect: OTK305
        "GET", record_exception=False, set_status_on_exception=False
    ):
        return httpx.get(url)


async def faulty_coroutine(client: httpx.AsyncClient, url: str) -> int:
    with tracer.start_as_current_span(  # expect: OTK305:warning
        "GET",
        kind=SpanKind.CLIENT,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        response = await client.get(url)
        span.set_attribute("http.response.status_code", response.status_code)
        return response.status_code


def faulty_with_a_status_for_answers_alone(url: str) -> httpx.Response:
    with tracer.start_as_current_span(  # expect: OTK305
        "GET", record_exception=False, set_status_on_exception=False
    ) as span:
        response = httpx.get(url)
        if response.status_code >= 400:
            span.set_status(StatusCode.ERROR)
        return response


def faulty_handler_that_logs(order: Order) -> None:
    with tracer.start_as_current_span(  # expect: OTK305
        "charge", record_exception=False, set_status_on_exception=False
    ):
        try:
            charge(order)
        except ConnectionError:
            log.warning("no connection")
            raise


def faulty_handler_outside(order: Order) -> None:
    try:
        with tracer.start_as_current_span(  # expect: OTK305
            "charge", record_exception=False, set_status_on_exception=False
        ) as span:
            charge(order)
    except ConnectionError as error:
        # The span has ended by now.
        span.record_exception(error)  # expect: OTK106
        raise


def faulty_use_span(order: Order) -> None:
    span = tracer.start_span("charge")
    with use_span(  # expect: OTK305
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        charge(order)


def faulty_options_by_position(order: Order) -> None:
    span = tracer.start_span("charge")
    with trace.use_span(span, True, False, False):  # expect: OTK305
        charge(order)


def faulty_second_of_two(order: Order, lock: Any) -> None:
    with (
        lock,
        tracer.start_as_current_span(  # expect: OTK305
            "charge", record_exception=False, set_status_on_exception=False
        ),
    ):
        reserve(order)
        charge(order)


def faulty_finally_that_describes(order: Order) -> None:
    with tracer.start_as_current_span(  # expect: OTK305
        "charge", record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            charge(order)
        finally:
            span.set_attribute("order.total", order.total)


def faulty_inner_span_that_is_muted_too(order: Order) -> None:
    with tracer.start_as_current_span(  # expect: OTK305
        "check out", record_exception=False, set_status_on_exception=False
    ):
        with tracer.start_as_current_span(  # expect: OTK305
            "charge", record_exception=False, set_status_on_exception=False
        ):
            charge(order)


def faulty_decorator_of_functions(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any) -> Any:
        with tracer.start_as_current_span(  # expect: OTK305
            "call", record_exception=False, set_status_on_exception=False
        ):
            return function(*args)

    return inner


def faulty_span_that_goes_on(order: Order) -> None:
    span = tracer.start_span("charge")
    try:
        with use_span(  # expect: OTK305
            span, record_exception=False, set_status_on_exception=False
        ):
            charge(order)
    finally:
        span.end()


# ---------------- the exception shows, or none can come


def clean_one_of_both(url: str) -> httpx.Response:
    with tracer.start_as_current_span("GET", record_exception=False):
        return httpx.get(url)


def clean_other_of_both(url: str) -> httpx.Response:
    with tracer.start_as_current_span("GET", set_status_on_exception=False):
        return httpx.get(url)


def clean_handler(order: Order) -> None:
    with tracer.start_as_current_span(
        "charge", record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            charge(order)
        except BaseException as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
            raise


def clean_handler_with_a_helper(order: Order) -> None:
    with tracer.start_as_current_span(
        "charge", record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            charge(order)
        except ConnectionError as error:
            mark_failure(span, error)
            raise


def clean_finally(order: Order) -> None:
    failed = True
    with tracer.start_as_current_span(
        "charge", record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            charge(order)
            failed = False
        finally:
            if failed:
                span.set_status(StatusCode.ERROR)


def clean_handler_outside_of_a_span_that_goes_on(order: Order) -> None:
    span = tracer.start_span("charge")
    try:
        with use_span(span, record_exception=False, set_status_on_exception=False):
            charge(order)
    except ConnectionError as error:
        span.record_exception(error)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


def clean_span_of_the_caller(order: Order, span: Span) -> None:
    with use_span(span, record_exception=False, set_status_on_exception=False):
        charge(order)


class CleanSpanThatIsEndedElsewhere:
    def begin(self) -> None:
        self.span = tracer.start_span("charge")

    def work(self, order: Order) -> None:
        with use_span(self.span, record_exception=False, set_status_on_exception=False):
            charge(order)

    def failed(self, error: Exception) -> None:
        self.span.record_exception(error)
        self.span.set_status(StatusCode.ERROR)
        self.span.end()


@contextmanager
def clean_context_manager() -> Iterator[Span]:
    with tracer.start_as_current_span(
        "work", record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def clean_span_handed_on(order: Order, gate: Any) -> None:
    with tracer.start_as_current_span(
        "charge", record_exception=False, set_status_on_exception=False
    ) as span:
        gate.charge(order, span)


def clean_inner_span(order: Order) -> None:
    with tracer.start_as_current_span(
        "check out", record_exception=False, set_status_on_exception=False
    ):
        with tracer.start_as_current_span("charge"):
            charge(order)


def clean_description_alone(order: Order) -> None:
    with tracer.start_as_current_span(
        "summary", record_exception=False, set_status_on_exception=False
    ) as span:
        for line in order.lines:
            span.add_event("line", {"sku": str(line.sku)})
        span.set_status(StatusCode.OK)


def clean_option_that_is_not_known(order: Order, quiet: bool) -> None:
    with tracer.start_as_current_span(
        "charge", record_exception=not quiet, set_status_on_exception=not quiet
    ):
        charge(order)


def clean_span_of_somebody_else(order: Order) -> None:
    with sentry_sdk.start_as_current_span(
        "charge", record_exception=False, set_status_on_exception=False
    ):
        charge(order)
