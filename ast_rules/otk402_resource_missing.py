"""OTK402: a tracer provider without a resource."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.providers import given, keeps_spans_in_memory
from otelkata.lint.rule import Example, Rule


class ResourceMissing(Rule):
    """A tracer provider is made without a resource.

    What it does:
        Reports a `TracerProvider(...)` that is given no `resource`, or None. Where the arguments
        come from elsewhere (`*`, `**`), and in a file that keeps its spans in memory to look at
        them, it is silent.

    Why it matters:
        Without `service.name`, spans arrive under `unknown_service`, and those of all services
        look like those of one. Without `service.version`, nobody sees which release brought the
        fault.

    Instead:
        Make one with `Resource.create({SERVICE_NAME: …, SERVICE_VERSION: …})`, which also merges
        in what `OTEL_RESOURCE_ATTRIBUTES` says.

    References:
        - https://opentelemetry.io/docs/specs/otel/resource/sdk/
        - https://opentelemetry.io/docs/specs/semconv/resource/#service
    """

    code = "OTK402"
    name = "resource-missing"
    criteria = ("C5",)
    words = (b"TracerProvider",)
    calls = ("TracerProvider",)
    bad = (
        Example(
            """
from opentelemetry.sdk.trace import TracerProvider


def init_tracer():
    return TracerProvider()  # expect: OTK402
"""
        ),
        Example(
            """
from opentelemetry.sdk import trace as sdk

OPTIONS = {"shutdown_on_exit": False}


def init_tracer():
    return sdk.TracerProvider(resource=None)  # expect: OTK402


def init_with_options():
    return sdk.TracerProvider(**OPTIONS)  # expect: OTK402
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider


def init_tracer(name, version):
    resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version})
    return TracerProvider(resource=resource)


def init_with_options(options):
    return TracerProvider(**options)


def init_positional(resource):
    return TracerProvider(None, resource)
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at what each provider of the SDK is given."""
        calls = list(module.calls("TracerProvider"))
        if not calls or keeps_spans_in_memory(module):
            return
        for call in calls:
            found = given(module, call, "resource", 1)
            if not found.readable or (
                found.value is not None and not is_literal(found.value, "None")
            ):
                continue
            yield self.finding(
                module,
                call,
                "This tracer provider has no resource, so its spans belong to unknown_service: "
                "give it resource=Resource.create({SERVICE_NAME: …, SERVICE_VERSION: …}).",
            )
