"""OTK401: a sampler that is chosen in code."""

from collections.abc import Iterator

import libcst as cst

from otelkata.lint.finding import Finding, Severity
from otelkata.lint.meaning.arguments import is_literal
from otelkata.lint.meaning.module import Module
from otelkata.lint.patterns.providers import Given, given, made, partially_made
from otelkata.lint.patterns.samplers import is_chosen_here, is_sampler
from otelkata.lint.rule import Example, Rule
from otelkata.lint.source.glance import Glance
from otelkata.lint.source.walk import walk

FROM_ENVIRONMENT = "_get_from_env_or_default"


class SamplerInCode(Rule):
    """The code chooses a sampler, instead of whoever operates the service.

    What it does:
        Reports the `sampler` of a `TracerProvider`, given by keyword, by position or in a
        dictionary of arguments, or assigned to it afterwards, and classes that derive from a
        sampler.

    Why it matters:
        `OTEL_TRACES_SAMPLER` has an effect only where the code passes no sampler. With one in the
        code, nobody can turn sampling up while looking for a fault, or down when it costs too
        much, without a new release; and `ALWAYS_ON` exports traces of which the caller has decided
        that they are not sampled.

    Instead:
        Pass no sampler. The default honours the caller's decision and takes all other traces;
        another one is chosen by `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.

    References:
        - https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
        - https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling
    """

    code = "OTK401"
    name = "sampler-in-code"
    criteria = ("C6",)
    words = (b"sampl", b"Sampl", b"TracerProvider")
    bad = (
        Example(
            """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace import sampling as choice
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult

OPTIONS = {
    "shutdown_on_exit": False,
    "sampler": choice.TraceIdRatioBased(0.1),  # expect: OTK401
}


class EveryTenth(Sampler):  # expect: OTK401
    def should_sample(self, *arguments, **named):
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self):
        return "every tenth"


def init_tracer(resource):
    return TracerProvider(
        resource=resource,
        sampler=ALWAYS_ON,  # expect: OTK401
    )


def init_with_options(resource):
    return TracerProvider(resource=resource, **OPTIONS)


def init_positional(resource):
    return TracerProvider(choice.ParentBased(ALWAYS_ON), resource)  # expect: OTK401


def replace(resource):
    provider = TracerProvider(resource=resource)
    provider.sampler = EveryTenth()  # expect: OTK401
    return provider
"""
        ),
    )
    good = (
        Example(
            """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler


def init_tracer(resource):
    return TracerProvider(resource=resource)


def init_default(resource):
    return TracerProvider(sampler=None, resource=resource)


def describe(sampler: Sampler):
    return sampler.get_description()


class Audio:
    def __init__(self, sampler):
        self.sampler = sampler
"""
        ),
    )

    def may_begin(self, glance: Glance) -> bool:
        """Tell whether a provider is made, or a class may be a sampler."""
        derived = glance.derives and b"sampling" in glance.source
        return derived or glance.calls("TracerProvider", "partial")

    def check(self, module: Module) -> Iterator[Finding]:
        """Look at providers, at what is assigned to them, and at classes."""
        providers = [(call, 0) for call in made(module)]
        providers += [(call, 1) for call in partially_made(module)]
        for call, position in providers:
            yield from self._given(module, given(module, call, "sampler", position))
        for binding in module.index.classes.values():
            if isinstance(binding.node, cst.ClassDef) and is_sampler(module, binding.node):
                yield self.finding(
                    module,
                    binding.node.name,
                    f"{binding.node.name.value} decides in code what is sampled: "
                    "leave that to OTEL_TRACES_SAMPLER.",
                )
        if providers:
            yield from self._assigned(module)

    def _given(self, module: Module, found: Given) -> Iterator[Finding]:
        value = found.value
        if found.node is None or value is None or is_literal(value, "None"):
            return
        source = value.func if isinstance(value, cst.Call) else value
        if (module.origin(source) or "").endswith(FROM_ENVIRONMENT):
            return
        certain = is_chosen_here(module, value)
        yield self.finding(
            module,
            found.node,
            "A sampler that is chosen in code overrules OTEL_TRACES_SAMPLER: pass none, "
            "and let the environment and the caller decide.",
            severity=None if certain else Severity.NOTE,
            certain=certain,
        )

    def _assigned(self, module: Module) -> Iterator[Finding]:
        for node in walk(module.tree):
            if not isinstance(node, cst.Assign):
                continue
            target = node.targets[0].target
            if isinstance(target, cst.Attribute) and target.attr.value == "sampler":
                known = module.known(target.value)
                if known is not None and known.kind == "TracerProvider":
                    yield from self._given(module, Given(target, node.value, readable=True))
