"""Show providers without any resource, and those that have one."""

from __future__ import annotations

from typing import Any

import opentelemetry.sdk.trace as sdk_trace
from ddtrace.opentelemetry import TracerProvider as DatadogProvider
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SynchronousMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace import TracerProvider as Provider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from shop.proxies import TracerProvider as ProxyProvider
from shop.telemetry import install

# ---------------- no resource


def faulty_no_argument() -> TracerProvider:
    return TracerProvider()  # expect: OTK402


def faulty_bound_to_a_name(exporter: SpanExporter) -> TracerProvider:
    provider = TracerProvider()  # expect: OTK402
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def faulty_other_arguments() -> TracerProvider:
    return TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits())  # expect: OTK402


def faulty_by_another_name() -> Provider:
    return Provider()  # expect: OTK402


def faulty_by_its_module(ids: IdGenerator) -> sdk_trace.TracerProvider:
    return sdk_trace.TracerProvider(id_generator=ids)  # expect: OTK402


def faulty_on_several_lines() -> TracerProvider:
    return TracerProvider(  # expect: OTK402
        shutdown_on_exit=False,
        active_span_processor=SynchronousMultiSpanProcessor(),
        span_limits=SpanLimits(max_attributes=64),
    )


def faulty_handed_over() -> None:
    install(TracerProvider(shutdown_on_exit=False))  # expect: OTK402


class FaultySetup:
    """A set-up that keeps its provider."""

    def __init__(self) -> None:
        self.provider = TracerProvider()  # expect: OTK402


def faulty_default(provider: TracerProvider | None) -> TracerProvider:
    return provider or TracerProvider()  # expect: OTK402


def faulty_chosen(provider: TracerProvider | None) -> TracerProvider:
    if provider is None:
        provider = TracerProvider()  # expect: OTK402
    return provider


# ---------------- a resource, or no provider of the SDK's


def clean_keyword(resource: Resource) -> TracerProvider:
    return TracerProvider(resource=resource)


def clean_position(resource: Resource) -> TracerProvider:
    return TracerProvider(None, resource)


def clean_made_in_the_call(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": version})
    )


def clean_other_arguments_too(resource: Resource) -> TracerProvider:
    return TracerProvider(shutdown_on_exit=False, resource=resource)


def clean_options_of_the_caller(**options: Any) -> TracerProvider:
    return TracerProvider(**options)


def clean_arguments_of_the_caller(*arguments: Any) -> TracerProvider:
    return TracerProvider(*arguments)


def clean_dictionary_of_arguments(resource: Resource) -> TracerProvider:
    options: dict[str, Any] = {"resource": resource, "shutdown_on_exit": False}
    return TracerProvider(**options)


class ShopProvider(TracerProvider):
    """A provider that brings its resource along."""

    def __init__(self, name: str, version: str) -> None:
        resource = Resource.create({"service.name": name, "service.version": version})
        super().__init__(resource=resource, shutdown_on_exit=False)


def clean_subclass(name: str, version: str) -> ShopProvider:
    return ShopProvider(name, version)


def clean_provider_of_the_api() -> trace.ProxyTracerProvider:
    return trace.ProxyTracerProvider()


def clean_provider_of_nothing() -> trace.NoOpTracerProvider:
    return trace.NoOpTracerProvider()


def clean_provider_of_datadog() -> DatadogProvider:
    return DatadogProvider()


def clean_provider_of_the_project() -> ProxyProvider:
    return ProxyProvider()


def clean_metrics() -> MeterProvider:
    return MeterProvider()


def clean_asks_for_the_type(provider: object) -> bool:
    return isinstance(provider, TracerProvider)


def clean_takes_the_global_one() -> trace.TracerProvider:
    return trace.get_tracer_provider()
