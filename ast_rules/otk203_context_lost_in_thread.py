"""The rule context-lost-in-thread."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity, Step
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.background import is_startup, runs_in_background
from otelkata.lint.patterns.handover import Handover, handovers
from otelkata.lint.patterns.rootless import (
    Function,
    RootlessStarts,
    is_instrumented,
    resolved,
    takes_context,
)
from otelkata.lint.patterns.starts import Start
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.glance import Glance


class ContextLostInThread(Rule):
    """Tell functions that start spans in a thread which does not know the context.

    ## What it does
    Reports the call that hands a function of this file to `Thread`, `Timer`, an executor or
    `run_in_executor`, where that function (or one that it calls) starts a span without `context=`
    and attaches none. Workers that run for ever, and spans with links, are only noted: they may be
    roots on purpose.

    ## Why it matters
    Context lives in `contextvars`, and a new thread begins with an empty set of them. The span has
    no parent: the work that was handed over is missing from the trace of its request.

    ## Instead
    Hand over `contextvars.copy_context().run` with the function as its argument, use
    `asyncio.to_thread`, which does so by itself, pass `get_current()` and start the span with
    `context=`, or set up `ThreadingInstrumentor`.

    ## References
    - https://opentelemetry.io/docs/specs/otel/context/
    - https://opentelemetry-python-contrib.readthedocs.io/en/latest/instrumentation/threading/threading.html
    - https://docs.python.org/3/library/contextvars.html#contextvars.copy_context
    """

    code = "OTK203"
    name = "context-lost-in-thread"
    criteria = ("C1",)
    words = (b"Thread", b"Timer", b"submit", b"run_in_executor", b"xecutor", b"pool")
    bad = (
        Example(
            """\
from threading import Thread

from opentelemetry import trace

tracer = trace.get_tracer("shop")


def send_receipt(order):
    with tracer.start_as_current_span("send receipt"):
        order.mail()


def check_out(order):
    with tracer.start_as_current_span("check out"):
        Thread(target=send_receipt, args=(order,)).start()  # expect: OTK203
"""
        ),
        Example(
            """\
import asyncio

from opentelemetry import trace

tracer = trace.get_tracer("shop")


async def query(database, text):
    def traced():
        with tracer.start_as_current_span("query"):
            return database.execute(text)

    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, traced)  # expect: OTK203
"""
        ),
    )
    good = (
        Example(
            """\
import contextvars
from threading import Thread

from opentelemetry import trace

tracer = trace.get_tracer("shop")


def send_receipt(order):
    with tracer.start_as_current_span("send receipt"):
        order.mail()


def check_out(order):
    with tracer.start_as_current_span("check out"):
        Thread(target=contextvars.copy_context().run, args=(send_receipt, order)).start()
"""
        ),
        Example(
            """\
from opentelemetry import trace
from opentelemetry.context import get_current

tracer = trace.get_tracer("shop")


def fetch(url, context):
    with tracer.start_as_current_span("fetch", context=context):
        return url.read()


def fetch_all(executor, urls):
    context = get_current()
    return [executor.submit(fetch, url, context) for url in urls]
"""
        ),
    )

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether a function is handed over where a span may be opened."""
        given = glance.calls("Thread", "Timer", "map", "run_in_executor", "submit")
        return given and glance.may_open()

    def check(self, module: Module) -> Iterator[Finding]:
        """Yield each hand-over that loses the context."""
        given = list(handovers(module))
        if not given or is_instrumented(module):
            return
        roots = RootlessStarts(module)
        for handover in given:
            function = resolved(module, handover.function)
            if function is None or takes_context(module, handover):
                continue
            start = roots.of(function)
            if start is not None:
                yield self._finding(module, handover, function, start)

    def _finding(
        self, module: Module, handover: Handover, function: Function, start: Start
    ) -> Finding:
        what = function.name.value if isinstance(function, cst.FunctionDef) else "the lambda"
        may_be_meant = start.has_links or runs_in_background(function)
        return self.finding(
            module,
            handover.call,
            f"{what} runs in another thread, where the context is empty, so its span has no "
            "parent: hand over contextvars.copy_context().run, or pass the context along.",
            severity=Severity.NOTE if may_be_meant else None,
            certain=start.certain
            and handover.certain
            and not may_be_meant
            and not is_startup(module, handover.call),
            steps=(Step(module.place(start.call), "this span begins a trace of its own"),),
        )
