"""Show resources that leave OTEL_RESOURCE_ATTRIBUTES out, and those that take it in."""

from __future__ import annotations

from typing import Any

import opentelemetry.sdk.resources as sdk_resources
from flask_restful import Resource as RestResource
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    ProcessResourceDetector,
    Resource,
    get_aggregated_resources,
)
from opentelemetry.sdk.resources import Resource as OtelResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.semconv.resource import ResourceAttributes
from shop.store import Resource as StoredResource

ATTRIBUTES = {"service.name": "payment", "service.version": "2.1.0"}


# ---------------- the environment is left out


def faulty_in_the_call(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=Resource({"service.name": name, "service.version": version})  # expect: OTK404
    )


def faulty_bound_to_a_name(name: str, version: str) -> TracerProvider:
    resource = Resource({"service.name": name, "service.version": version})  # expect: OTK404
    return TracerProvider(resource=resource)


def faulty_by_keyword(name: str, version: str) -> TracerProvider:
    resource = Resource(attributes={SERVICE_NAME: name, SERVICE_VERSION: version})  # expect: OTK404
    return TracerProvider(resource=resource)


def faulty_by_another_name(name: str, version: str) -> TracerProvider:
    resource = OtelResource({SERVICE_NAME: name, SERVICE_VERSION: version})  # expect: OTK404
    return TracerProvider(resource=resource)


def faulty_by_its_module(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=sdk_resources.Resource(  # expect: OTK404
            {SERVICE_NAME: name, SERVICE_VERSION: version}
        )
    )


def faulty_by_position() -> TracerProvider:
    return TracerProvider(None, Resource(ATTRIBUTES))  # expect: OTK404


def faulty_on_several_lines(name: str, version: str, exporter: SpanExporter) -> TracerProvider:
    resource = Resource(  # expect: OTK404
        attributes={
            ResourceAttributes.SERVICE_NAME: name,
            ResourceAttributes.SERVICE_VERSION: version,
            "deployment.environment.name": "production",
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class FaultySetup:
    """A set-up that keeps its provider."""

    def __init__(self, name: str, version: str) -> None:
        resource = Resource({"service.name": name, "service.version": version})  # expect: OTK404
        self.provider = TracerProvider(resource=resource)


def faulty_dictionary_by_a_name(name: str, version: str) -> TracerProvider:
    attributes = {"service.name": name, "service.version": version}
    return TracerProvider(resource=Resource(attributes))  # expect: OTK404


# ---------------- the environment is merged in, or the resource feeds no tracer provider


def clean_create(name: str, version: str) -> TracerProvider:
    resource = Resource.create({"service.name": name, "service.version": version})
    return TracerProvider(resource=resource)


def clean_create_in_the_call(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=OtelResource.create({SERVICE_NAME: name, SERVICE_VERSION: version})
    )


def clean_merged_into_the_default(name: str, version: str) -> TracerProvider:
    resource = Resource.create().merge(Resource({SERVICE_NAME: name, SERVICE_VERSION: version}))
    return TracerProvider(resource=resource)


def clean_merged_by_a_name(name: str, version: str) -> TracerProvider:
    given = Resource({"service.name": name, "service.version": version})
    return TracerProvider(resource=Resource.create().merge(given))


def clean_merged_in_steps(name: str, version: str) -> TracerProvider:
    given = Resource({"service.name": name, "service.version": version})
    default = Resource.create()
    resource = default.merge(given)
    return TracerProvider(resource=resource)


def clean_detected(name: str, version: str) -> TracerProvider:
    given = Resource({"service.name": name, "service.version": version})
    detectors = [OTELResourceDetector(), ProcessResourceDetector()]
    resource = get_aggregated_resources(detectors, initial_resource=given)
    return TracerProvider(resource=resource)


def clean_detected_in_the_call(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=get_aggregated_resources(
            [OTELResourceDetector()],
            initial_resource=Resource({SERVICE_NAME: name, SERVICE_VERSION: version}),
        )
    )


def clean_given_by_the_caller(resource: Resource) -> TracerProvider:
    return TracerProvider(resource=resource)


def clean_for_metrics_only(name: str, version: str) -> MeterProvider:
    resource = Resource({"service.name": name, "service.version": version})
    return MeterProvider(resource=resource)


def clean_compared(provider: TracerProvider, name: str, version: str) -> bool:
    wanted = Resource({"service.name": name, "service.version": version})
    return provider.resource == wanted


def clean_resource_of_a_store(name: str) -> StoredResource:
    return StoredResource({"service.name": name})


class CleanEndpoint(RestResource):
    """A resource of the web framework's."""

    def get(self, number: str) -> dict[str, Any]:
        return {"order": number}


def clean_endpoint() -> RestResource:
    return RestResource()
