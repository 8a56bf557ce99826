"""OTK406: a shutdown of the tracer that may take any time."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.bounds import (
    Bound,
    Bounds,
    enclosing,
    is_for_shutdown,
    mentions,
    timeout_of,
    uses_alarm,
)
from otelkata.lint.patterns.providers import keeps_spans_in_memory
from otelkata.lint.patterns.shutdowns import Shutdown, has_own, passes_on, shutdowns
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.glance import Glance

ADVICE = "run it in a daemon thread and wait for that with join(timeout)."
FAULTS = {
    Bound.THREAD_AWAITED: "is waited for without a timeout: give join() one.",
    Bound.THREAD_KEPT_ALIVE: "runs in a thread that keeps the process alive: make it a daemon.",
}


class UnboundedShutdown(Rule):
    """The tracer is shut down without a bound on the time that this takes.

    What it does:
        Reports `shutdown()` of a tracer provider or span processor that does not run in a daemon
        thread with a bounded `join`. It is certain where a function for shutting down has a
        timeout and does not keep to it, or where the thread is no daemon or is joined without a
        timeout; a plain call elsewhere, or one in a pool's thread, is advice.

    Why it matters:
        The SDK's `shutdown()` takes no timeout and waits half a minute for an exporter that hangs.
        By then, whoever runs the process has killed it, and the last spans are lost. Threads of
        pools, and all that are no daemons, are waited for when the process exits, whatever
        `wait_for` or `result(timeout)` says.

    Instead:
        Run `provider.shutdown` in a `Thread(…, daemon=True)`, and `join(timeout)` it.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/sdk/#shutdown
        - https://docs.python.org/3/library/threading.html#thread-objects
    """

    code = "OTK406"
    name = "unbounded-shutdown"
    criteria = ("C7",)
    words = (b".shutdown",)
    bad = (
        Example(
            """
import atexit
import threading

from opentelemetry.sdk.trace import TracerProvider


def shutdown_tracer(provider: TracerProvider, timeout: float) -> bool:
    flushed = provider.force_flush(int(timeout * 1000))
    provider.shutdown()  # expect: OTK406
    return flushed


def shutdown_with_join(provider: TracerProvider, timeout: float) -> None:
    thread = threading.Thread(target=provider.shutdown, daemon=True)  # expect: OTK406
    thread.start()
    thread.join()


def shutdown_and_linger(provider: TracerProvider, timeout: float) -> None:
    def run() -> None:
        provider.shutdown()  # expect: OTK406

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout)


def main(resource) -> None:
    provider = TracerProvider(resource=resource)
    atexit.register(provider.shutdown)  # expect: OTK406
"""
        ),
    )
    good = (
        Example(
            """
import threading

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider


def shutdown_tracer(provider: TracerProvider, timeout: float) -> bool:
    done = threading.Event()

    def run() -> None:
        provider.shutdown()
        done.set()

    threading.Thread(target=run, daemon=True).start()
    return done.wait(timeout)  # in time; an export may have failed


def shutdown_by_attribute(provider: TracerProvider, timeout: float) -> None:
    thread = threading.Thread(target=lambda: provider.shutdown())
    thread.daemon = True
    thread.start()
    thread.join(timeout)


class Passing(SpanProcessor):
    def __init__(self, following: SpanProcessor) -> None:
        self._following = following

    def shutdown(self) -> None:
        self._following.shutdown()


def close(executor, meter_provider) -> None:
    executor.shutdown()
    meter_provider.shutdown()
"""
        ),
    )

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether what is shut down may be a provider or a processor."""
        named = any("provider" in name.lower() for name in glance.stopped)
        kinds = (b"SpanProcessor", b"TracerProvider", b"get_tracer_provider")
        return named or bool(glance.stopped and any(kind in glance.source for kind in kinds))

    def check(self, module: Module) -> Iterator[Finding]:
        """Ask of each shutdown what bounds it."""
        if not module.imports_opentelemetry:
            return
        found = [item for item in shutdowns(module) if not passes_on(module, item)]
        if not found or has_own(module) or keeps_spans_in_memory(module):
            return
        bounds = Bounds(module)
        for shutdown in found:
            yield from self._judge(module, shutdown, bounds.of(shutdown.node))

    def _judge(self, module: Module, shutdown: Shutdown, found: Bound) -> Iterator[Finding]:
        what = module.code(shutdown.receiver)
        node = shutdown.node
        outer = list(enclosing(module, node))
        # What a decorator makes of a function may well be bounded.
        named = [item for item in outer if is_for_shutdown(item) and not item.decorators]
        ignored = [item for item in named if not mentions(item, timeout_of(item) or "")]
        certain = True
        if found in FAULTS:
            message = f"The shutdown of {what} {FAULTS[found]}"
        elif ignored:
            name = timeout_of(ignored[0])
            message = f"The shutdown of {what} ignores {name}: wait for it no longer than that."
        elif found in {Bound.NOTHING, Bound.POOL} and not uses_alarm(module, outer):
            certain = bool(named) and found is Bound.NOTHING
            message = f"{what}.shutdown() takes as long as the exporter hangs: {ADVICE}"
            if found is Bound.POOL:
                message = f"The process waits for the thread that shuts {what} down: {ADVICE}"
        else:
            return
        severity = None if certain else Severity.NOTE
        yield self.finding(module, node, message, severity=severity, certain=certain)
