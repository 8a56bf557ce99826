"""OTK403: a resource that does not say which service in which version."""

from collections.abc import Iterator

from otelkata.lint.finding import Finding
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.providers import KEYS, given, made
from otelkata.lint.patterns.resources import resource
from otelkata.lint.rule import Example, Rule


class ResourceIncomplete(Rule):
    """The resource of a tracer provider lacks `service.name` or `service.version`.

    What it does:
        Follows the resource of a `TracerProvider` through names, functions of the same file and
        `merge`, and reports it if its attributes can be read in full and one of the two is not
        among them.

    Why it matters:
        The name tells services apart, the version tells which release brought a fault. The SDK
        puts `unknown_service` in place of a missing name, and nothing in place of a version.

    Instead:
        Give both: `Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version})`.

    References:
        - https://opentelemetry.io/docs/specs/semconv/resource/#service
    """

    code = "OTK403"
    name = "resource-incomplete"
    criteria = ("C5",)
    words = (b"TracerProvider",)
    calls = ("TracerProvider",)
    bad = (
        Example(
            """
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider


def init_tracer(name):
    resource = Resource.create({SERVICE_NAME: name})  # expect: OTK403
    return TracerProvider(resource=resource)


def init_anonymous(version):
    attributes = {"deployment.environment.name": "test"}
    attributes["service.version"] = version
    return TracerProvider(
        resource=Resource.create(attributes),  # expect: OTK403
    )
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry.sdk.resources import SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider


def make_resource(name, more):
    return Resource.create({"service.name": name, **more})


def init_tracer(name, version, more):
    resource = make_resource(name, more).merge(Resource({SERVICE_VERSION: version}))
    return TracerProvider(resource=resource)


def init_other(attributes):
    return TracerProvider(resource=Resource.create(attributes))


def scrub(span):
    return Resource({"service.name": span.resource.attributes["service.name"]})
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
            missing = [key for key in sorted(KEYS.values()) if key not in facts.keys]
            if facts.readable and missing and facts.calls and facts.calls[0] not in reported:
                reported.add(facts.calls[0])
                yield self.finding(
                    module,
                    facts.calls[0],
                    f"This resource has no {' and no '.join(missing)}: "
                    "give both service.name and service.version.",
                )
