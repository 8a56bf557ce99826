"""Show handlers inside a span that hide the failure from it, and handlers that do not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import requests
import sentry_sdk
from celery import shared_task
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from shop.jobs import Job, run_job
from shop.orders import DEFAULT_RATE, Order, charge, charge_async, find_stock, reserve, settle
from shop.reports import mark_failed, report_failure
from shop.tools import Tool, ToolError

app = FastAPI()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


def fail(span: Span, exc: Exception) -> None:
    span.record_exception(exc)
    span.set_status(Status(StatusCode.ERROR, str(exc)))


# ---------------- hidden


def faulty_returns_nothing(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        except Exception:  # expect: OTK301
            return None


def faulty_passes(url: str) -> None:
    with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT) as span:
        span.set_attribute("server.address", "hooks.shop.test")
        try:
            requests.post(url, timeout=5)
        except (ConnectionError, requests.RequestException):  # expect: OTK301
            pass


def faulty_logs_only(order: Order) -> bool:
    with tracer.start_as_current_span("reserve"):
        try:
            reserve(order)
        except Exception:  # expect: OTK301
            logger.exception("reservation failed")
            return False
        return True


def faulty_logs_the_exception_only(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        try:
            receipt = charge(order)
        except ConnectionError as exc:  # expect: OTK301
            logger.warning("charge failed: %s", exc)
            receipt = ""
    return receipt


@app.post("/checkout")
async def faulty_turned_into_a_response(order: dict[str, Any]) -> JSONResponse:
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER):
        async with httpx.AsyncClient() as client:
            try:
                response = await client.post("http://payment/payments", json=order)
            except httpx.TimeoutException:  # expect: OTK301
                return JSONResponse({"error": "gateway_timeout"}, 504)
        return JSONResponse(response.json(), response.status_code)


async def faulty_two_handlers_one_hides(client: httpx.AsyncClient, url: str) -> JSONResponse:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            response = await client.get(url)
        except httpx.TimeoutException as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR))
            return JSONResponse({"error": "gateway_timeout"}, 504)
        except httpx.HTTPError:  # expect: OTK301
            return JSONResponse({"error": "bad_gateway"}, 502)
        return JSONResponse(response.json())


def faulty_span_with_finally(order: Order) -> str | None:
    span = tracer.start_span("charge")
    try:
        return charge(order)
    except Exception:  # expect: OTK301
        logger.error("charge failed")
        return None
    finally:
        span.end()


def faulty_inside_use_span(span: Span, order: Order) -> str | None:
    with use_span(span, end_on_exit=True):
        try:
            return charge(order)
        except ConnectionError:  # expect: OTK301
            return None


@tracer.start_as_current_span("charge")
def faulty_decorated(order: Order) -> str | None:
    try:
        return charge(order)
    except Exception:  # expect: OTK301
        return None


def faulty_bare_except(order: Order) -> bool:
    with tracer.start_as_current_span("reserve"):
        try:
            reserve(order)
        except:  # expect: OTK301
            return False
        return True


def faulty_only_an_attribute(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError:  # expect: OTK301
            span.set_attribute("shop.charged", False)
            return None


def faulty_database(connection: sqlite3.Connection, sku: str) -> list[tuple[int]]:
    with tracer.start_as_current_span("SELECT stock", kind=SpanKind.CLIENT):
        try:
            return connection.execute("SELECT quantity FROM stock WHERE sku = ?", (sku,)).fetchall()
        except sqlite3.Error:  # expect: OTK301
            return []


class FaultyAgent:
    """An agent that tells the model, and not the span, that its tool failed."""

    def __init__(self, tracer: Tracer, tools: dict[str, Tool]) -> None:
        self._tracer = tracer
        self._tools = tools

    async def call(self, name: str, arguments: dict[str, Any]) -> str:
        with self._tracer.start_as_current_span("execute_tool") as span:
            span.set_attribute("gen_ai.tool.name", name)
            try:
                return await self._tools[name].run(arguments)
            except ToolError:  # expect: OTK301
                return "the tool failed"


@shared_task
def faulty_task(number: str) -> str | None:
    with tracer.start_as_current_span("settle", kind=SpanKind.CONSUMER):
        try:
            return settle(number)
        except requests.RequestException:  # expect: OTK301
            logger.warning("not settled")
    return None


def faulty_suppress(url: str) -> None:
    with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT):
        with suppress(requests.RequestException):  # expect: OTK301
            requests.post(url, timeout=5)


def faulty_suppress_inside_the_same_with(order: Order) -> None:
    with tracer.start_as_current_span("charge"), suppress(ConnectionError):  # expect: OTK301
        charge(order)


async def faulty_suppress_by_its_module(client: httpx.AsyncClient, url: str) -> None:
    with tracer.start_as_current_span("notify"):
        with contextlib.suppress(Exception):  # expect: OTK301
            await client.post(url)


# ---------------- shown


def clean_raised_again(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        except Exception:
            logger.exception("charge failed")
            raise


def clean_raised_as_another(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        except ConnectionError as exc:
            raise RuntimeError("payment is down") from exc


@app.get("/stock/{sku}")
async def clean_raised_as_a_response(sku: str) -> dict[str, str]:
    with tracer.start_as_current_span("stock"):
        try:
            return {"stock": find_stock(sku)}
        except sqlite3.Error as exc:
            raise HTTPException(500) from exc


def clean_recorded(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            span.record_exception(exc)
            span.set_status(Status(StatusCode.ERROR, str(exc)))
            return None


async def clean_recorded_on_the_current_span(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return await charge_async(order)
        except ConnectionError as exc:
            current = trace.get_current_span()
            current.record_exception(exc)
            current.set_status(StatusCode.ERROR)
            return None


def clean_recorded_by_a_function(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            fail(span, exc)
            return None


def clean_recorded_by_another_module(order: Order) -> str | None:
    with tracer.start_as_current_span("charge") as span:
        try:
            return charge(order)
        except ConnectionError as exc:
            mark_failed(span, exc)
            return None


class CleanRecordedByItsOwnMethod:
    """A client that shows failures in one place."""

    def _fail(self, span: Span, exc: Exception) -> None:
        span.record_exception(exc)
        span.set_status(Status(StatusCode.ERROR))

    def send(self, order: Order) -> str | None:
        with tracer.start_as_current_span("send") as span:
            try:
                return charge(order)
            except ConnectionError as exc:
                self._fail(span, exc)
                return None


def clean_recorded_where_it_matters(url: str) -> dict[str, str] | None:
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        try:
            response = requests.get(url, timeout=5)
            response.raise_for_status()
        except requests.HTTPError as exc:
            if exc.response.status_code != 404:
                span.record_exception(exc)
                span.set_status(Status(StatusCode.ERROR))
            return None
        return response.json()


def clean_handler_outside_the_span(order: Order) -> str | None:
    try:
        with tracer.start_as_current_span("charge"):
            return charge(order)
    except ConnectionError:
        return None


def clean_span_of_its_own_inside_another(orders: list[Order]) -> int:
    charged = 0
    with tracer.start_as_current_span("batch"):
        for order in orders:
            try:
                with tracer.start_as_current_span("charge"):
                    charge(order)
            except ConnectionError:
                logger.warning("not charged")
            else:
                charged += 1
    return charged


def clean_no_span(order: Order) -> str | None:
    try:
        return charge(order)
    except ConnectionError:
        return None


def clean_span_is_over(order: Order) -> str | None:
    with tracer.start_as_current_span("reserve"):
        reserve(order)
    try:
        return charge(order)
    except ConnectionError:
        return None


def clean_exception_returned(job: Job) -> Exception | None:
    with tracer.start_as_current_span("job"):
        try:
            run_job(job)
        except Exception as exc:
            return exc
        return None


async def clean_exception_handed_to_a_future(order: Order, future: asyncio.Future[str]) -> None:
    with tracer.start_as_current_span("charge"):
        try:
            future.set_result(await charge_async(order))
        except Exception as exc:
            future.set_exception(exc)


def clean_exception_put_in_a_list(jobs: list[Job]) -> None:
    failures: list[Exception] = []
    with tracer.start_as_current_span("jobs"):
        for job in jobs:
            try:
                run_job(job)
            except Exception as exc:
                failures.append(exc)
        if failures:
            raise ExceptionGroup("jobs", failures)


def clean_exception_raised_after_the_loop(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        failure: Exception = RuntimeError("no attempt")
        for _attempt in range(2):
            try:
                return charge(order)
            except ConnectionError as exc:
                failure = exc
        raise failure


def clean_exception_handed_to_another_module(order: Order) -> str | None:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        except ConnectionError as exc:
            return report_failure(exc)


def clean_last_attempt_raises(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        for attempt in range(3):
            try:
                return charge(order)
            except ConnectionError:
                if attempt == 2:
                    raise
        raise RuntimeError("unreachable")


def clean_retry(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        while True:
            try:
                return charge(order)
            except ConnectionError:
                continue


def clean_default_for_a_key(rates: dict[str, float], currency: str) -> float:
    with tracer.start_as_current_span("rate"):
        try:
            return rates[currency]
        except KeyError:
            return DEFAULT_RATE


def clean_end_of_an_iterator(lines: Iterator[str]) -> str:
    with tracer.start_as_current_span("header"):
        try:
            return next(lines)
        except StopIteration:
            return ""


def clean_empty_queue(jobs: queue.Queue[Job]) -> None:
    with tracer.start_as_current_span("drain"):
        while True:
            try:
                job = jobs.get_nowait()
            except queue.Empty:
                break
            run_job(job)


def clean_optional_module(order: Order) -> str:
    with tracer.start_as_current_span("encode"):
        try:
            import orjson as json
        except ImportError:
            import json
        return str(json.dumps(order.lines))


async def clean_cancelled(task: asyncio.Task[None]) -> None:
    with tracer.start_as_current_span("stop"):
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


async def clean_suppress_cancellation(task: asyncio.Task[None]) -> None:
    with tracer.start_as_current_span("stop"):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def clean_suppress_a_key(prices: dict[str, int], sku: str) -> None:
    with tracer.start_as_current_span("forget"):
        with suppress(KeyError):
            del prices[sku]


def clean_suppress_around_the_span(url: str) -> None:
    with suppress(requests.RequestException):
        with tracer.start_as_current_span("notify", kind=SpanKind.CLIENT):
            requests.post(url, timeout=5)


def clean_suppress_before_the_span(order: Order) -> None:
    with suppress(ConnectionError), tracer.start_as_current_span("charge"):
        charge(order)


def clean_suppress_without_a_span(url: str) -> None:
    with suppress(requests.RequestException):
        requests.post(url, timeout=5)


def clean_finally_only(order: Order) -> str:
    with tracer.start_as_current_span("charge"):
        try:
            return charge(order)
        finally:
            logger.info("left")


def clean_span_of_sentry(order: Order) -> str | None:
    with sentry_sdk.start_span(op="charge"):
        try:
            return charge(order)
        except ConnectionError:
            return None


def clean_handler_of_a_function_defined_inside(order: Order) -> Any:
    with tracer.start_as_current_span("prepare"):

        def later() -> str | None:
            try:
                return charge(order)
            except ConnectionError:
                return None

        return later
