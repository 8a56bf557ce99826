"""Show samplers that the code decides on, and other things named sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import opentelemetry.sdk.trace as sdk_trace
import sentry_sdk
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace import TracerProvider as Provider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.sdk.trace.sampling import Sampler as OtelSampler
from shop.bayes import Model, Walk
from torch.utils.data import DataLoader, Dataset, RandomSampler
from torch.utils.data import Sampler as TorchSampler

# ---------------- decided in code


def faulty_keyword(resource: Resource) -> TracerProvider:
    return TracerProvider(resource=resource, sampler=ALWAYS_ON)  # expect: OTK401


def faulty_positional(resource: Resource) -> TracerProvider:
    return TracerProvider(ALWAYS_ON, resource)  # expect: OTK401


def faulty_ratio(resource: Resource, ratio: float) -> TracerProvider:
    return TracerProvider(
        resource=resource,
        sampler=ParentBased(TraceIdRatioBased(ratio)),  # expect: OTK401
    )


def faulty_by_another_name(resource: Resource) -> Provider:
    return Provider(sampler=sampling.ALWAYS_ON, resource=resource)  # expect: OTK401


def faulty_by_its_module(resource: Resource) -> sdk_trace.TracerProvider:
    return sdk_trace.TracerProvider(
        sampler=sampling.DEFAULT_ON,  # expect: OTK401
        resource=resource,
    )


def faulty_bound_to_a_name(resource: Resource) -> TracerProvider:
    chosen = TraceIdRatioBased(0.1)
    return TracerProvider(sampler=chosen, resource=resource)  # expect: OTK401


def faulty_dictionary_of_arguments(resource: Resource) -> TracerProvider:
    options: dict[str, Any] = {
        "resource": resource,
        "sampler": ALWAYS_ON,  # expect: OTK401
    }
    return TracerProvider(**options)


def faulty_dictionary_in_the_call(resource: Resource) -> TracerProvider:
    return TracerProvider(**{"resource": resource, "sampler": ALWAYS_ON})  # expect: OTK401


class FaultySampler(Sampler):  # expect: OTK401
    """A sampler of the project's own."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        *arguments: Any,
        **options: Any,
    ) -> SamplingResult:
        return sampling.ALWAYS_OFF.should_sample(parent_context, trace_id, name)

    def get_description(self) -> str:
        return "FaultySampler"


class FaultySamplerByAnotherName(OtelSampler):  # expect: OTK401
    """A sampler that records everything."""

    def should_sample(self, *arguments: Any, **options: Any) -> SamplingResult:
        return ALWAYS_ON.should_sample(*arguments, **options)

    def get_description(self) -> str:
        return "FaultySamplerByAnotherName"


class FaultySamplerByItsModule(sampling.Sampler):  # expect: OTK401
    """A sampler that records nothing."""

    def should_sample(self, *arguments: Any, **options: Any) -> SamplingResult:
        return sampling.ALWAYS_OFF.should_sample(*arguments, **options)

    def get_description(self) -> str:
        return "FaultySamplerByItsModule"


class FaultySetup:
    """A set-up that keeps its provider."""

    def __init__(self, resource: Resource) -> None:
        self.provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)  # expect: OTK401


# ---------------- decided elsewhere, or no sampler of spans


def clean_no_sampler(resource: Resource) -> TracerProvider:
    return TracerProvider(resource=resource)


def clean_none(resource: Resource) -> TracerProvider:
    return TracerProvider(sampler=None, resource=resource)


def clean_none_by_position(resource: Resource) -> TracerProvider:
    return TracerProvider(None, resource)


def clean_dictionary_of_arguments(resource: Resource) -> TracerProvider:
    options: dict[str, Any] = {"resource": resource, "shutdown_on_exit": False}
    return TracerProvider(**options)


def clean_options_of_the_caller(**options: Any) -> TracerProvider:
    return TracerProvider(**options)


def clean_metrics(resource: Resource) -> MeterProvider:
    return MeterProvider(resource=resource)


def clean_loader(dataset: Dataset[int]) -> DataLoader[int]:
    return DataLoader(dataset, batch_size=8, sampler=RandomSampler(dataset))


class CleanSamplerOfRows(TorchSampler[int]):
    """The order in which rows are learnt."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(8))


def clean_dictionary_of_a_loader(dataset: Dataset[int]) -> DataLoader[int]:
    options: dict[str, Any] = {"sampler": RandomSampler(dataset), "batch_size": 8}
    return DataLoader(dataset, **options)


def clean_sentry(dsn: str) -> None:
    sentry_sdk.init(dsn=dsn, traces_sample_rate=0.1)


def clean_model(model: Model) -> Walk:
    return model.fit(sampler="nuts", chains=4)


def clean_reads_the_sampler(provider: TracerProvider) -> str:
    sampler = provider.sampler
    return sampler.get_description()


class CleanSamplingExporter(SpanExporter):
    """An exporter that is told of samples; it decides on nothing."""

    def __init__(self, sampler: str) -> None:
        self._sampler = sampler

    def export(self, spans: Sequence[sdk_trace.ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS
