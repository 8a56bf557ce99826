"""OTK405: a tracer provider that nobody shuts down."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.handlers import method
from otelkata.lint.patterns.ownerless import Keepers, Kept
from otelkata.lint.patterns.providers import given, is_script, keeps_spans_in_memory
from otelkata.lint.patterns.shutdowns import mentions_shutdown
from otelkata.lint.rule import Example, Rule


class ProviderNeverShutDown(Rule):
    """A tracer provider is made, and this file neither shuts it down nor gives it to anyone.

    What it does:
        Reports a `TracerProvider(...)` that stays in its function and is not shut down there. It
        is advice where others may reach it: as the global provider, or as a name of the module.
        A provider that is returned, stored or handed to another function is that one's business,
        and a file that shuts any provider down is left alone, as is a script, which ends by itself
        and lets the SDK's handler at exit do its work.

    Why it matters:
        The last spans wait in the processor's queue. Without a shutdown they are lost when the
        process ends, and these tell why it ended. The SDK's own handler at exit does not run when
        a server is ended by SIGTERM, and has no bound where the exporter hangs.

    Instead:
        Keep the provider, and shut it down when the application ends (the server's lifespan), with
        a bound of 5 to 10 seconds.

    References:
        - https://opentelemetry.io/docs/specs/otel/trace/sdk/#shutdown
    """

    code = "OTK405"
    name = "provider-never-shut-down"
    criteria = ("C7",)
    words = (b"TracerProvider",)
    calls = ("TracerProvider",)
    bad = (
        Example(
            """
from opentelemetry.sdk.trace import TracerProvider


def create_app(resource, processor):
    provider = TracerProvider(resource=resource)  # expect: OTK405
    provider.add_span_processor(processor)
    return App(provider.get_tracer("shop"))
"""
        ),
        Example(
            """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

provider = TracerProvider(resource=RESOURCE)  # expect: OTK405
trace.set_tracer_provider(provider)
"""
        ),
        Example(
            """
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider


def setup(resource):
    trace.set_tracer_provider(TracerProvider(resource=resource))  # expect: OTK405


def instrument(resource):
    provider = TracerProvider(resource=resource)  # expect: OTK405
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry.sdk.trace import TracerProvider


def init_tracer(resource):
    provider = TracerProvider(resource=resource)
    return provider


def init_for(application, resource):
    application.provider = TracerProvider(resource=resource)


def init_by(register, resource):
    provider = TracerProvider(resource=resource)
    register(provider)
"""
        ),
        Example(
            """
import atexit

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider


def setup(resource):
    provider = TracerProvider(resource=resource)
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
"""
        ),
        Example(
            """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider


def setup(resource):
    trace.set_tracer_provider(TracerProvider(resource=resource))


def stop():
    trace.get_tracer_provider().shutdown()
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Follow each provider to its keeper."""
        made = list(module.calls("TracerProvider"))
        if not made or mentions_shutdown(module) or keeps_spans_in_memory(module):
            return
        keepers = Keepers(module)
        exports = any(method(call) == "add_span_processor" for call in module.index.calls)
        for call in made:
            keeper = keepers.of(call)
            if keeper is Kept.ELSEWHERE:
                continue
            certain = keeper is Kept.HERE and exports
            at_exit = given(module, call, "shutdown_on_exit", 2).value
            lost = at_exit is not None and is_literal(at_exit, "False")
            if not lost and is_script(module):
                continue
            yield self.finding(
                module,
                call,
                "This tracer provider is never shut down"
                + (", and its spans are lost at exit" if lost else "")
                + ": keep it, and shut it down in bounded time when the application ends.",
                severity=None if certain else Severity.NOTE,
                certain=certain,
            )
