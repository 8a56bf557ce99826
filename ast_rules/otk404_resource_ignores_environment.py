"""OTK404: a resource that ignores OTEL_RESOURCE_ATTRIBUTES."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.providers import given, made
from otelkata.lint.patterns.resources import resource
from otelkata.lint.rule import Example, Rule


class ResourceIgnoresEnvironment(Rule):
    """The resource of a tracer provider is made by the constructor, which reads no environment.

    What it does:
        Reports `Resource(...)` where it becomes the resource of a `TracerProvider` and is not
        merged with one that reads the environment.

    Why it matters:
        Whoever operates a service says by `OTEL_RESOURCE_ATTRIBUTES` in which cluster, region and
        environment it runs. The constructor takes its argument alone, and all that is lost.

    Instead:
        Call `Resource.create(...)`: it merges the environment in, and what the code gives wins.

    References:
        - https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
    """

    code = "OTK404"
    name = "resource-ignores-environment"
    criteria = ("C5",)
    words = (b"TracerProvider",)
    calls = ("TracerProvider",)
    bad = (
        Example(
            """
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider


def init_tracer(name, version):
    resource = Resource(  # expect: OTK404
        {"service.name": name, "service.version": version}
    )
    return TracerProvider(resource=resource)
"""
        ),
        Example(
            """
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider


class ServiceProvider(TracerProvider):
    def __init__(self, attributes):
        super().__init__(resource=Resource(attributes))  # expect: OTK404
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider


def init_tracer(name, version):
    own = Resource({"service.name": name, "service.version": version})
    return TracerProvider(resource=Resource.create().merge(own))


def init_detected(attributes):
    own = Resource(attributes)
    return TracerProvider(resource=OTELResourceDetector().detect().merge(own))


def scrub(span):
    return ReadableSpan(span.name, resource=Resource(dict(span.resource.attributes)))
"""
        ),
    )

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at the resource of each provider."""
        reported = set()
        for call in made(module):
            value = given(module, call, "resource", 1).value
            if value is None or is_literal(value, "None"):
                continue
            facts = resource(module, value)
            if not facts.merged and facts.calls and facts.calls[0] not in reported:
                reported.add(facts.calls[0])
                yield self.finding(
                    module,
                    facts.calls[0],
                    "This resource ignores OTEL_RESOURCE_ATTRIBUTES: "
                    "make it with Resource.create(...), which merges them in.",
                )
