"""Show resources without a service's name or version, and those that have both or may have."""

from __future__ import annotations

import os
from typing import Any

import opentelemetry.sdk.resources as sdk_resources
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
    get_aggregated_resources,
)
from opentelemetry.sdk.resources import SERVICE_NAME as NAME
from opentelemetry.sdk.resources import Resource as OtelResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.semconv.attributes import service_attributes
from opentelemetry.semconv.resource import ResourceAttributes
from shop.deployment import deployment_attributes
from shop.store import Resource as StoredResource

VERSION_KEY = "service.version"
ATTRIBUTES = {"service.name": "payment", "service.version": "2.1.0"}
NAME_ONLY = {"service.name": "payment", "deployment.environment.name": "production"}


# ---------------- name or version not given


def faulty_no_version(name: str) -> TracerProvider:
    return TracerProvider(resource=Resource.create({"service.name": name}))  # expect: OTK403


def faulty_no_name(version: str) -> TracerProvider:
    return TracerProvider(resource=Resource.create({"service.version": version}))  # expect: OTK403


def faulty_neither() -> TracerProvider:
    resource = Resource.create({"deployment.environment.name": "production"})  # expect: OTK403
    return TracerProvider(resource=resource)


def faulty_by_keyword(name: str) -> TracerProvider:
    resource = Resource.create(attributes={"service.name": name})  # expect: OTK403
    return TracerProvider(resource=resource)


def faulty_constant(name: str) -> TracerProvider:
    return TracerProvider(resource=Resource.create({SERVICE_NAME: name}))  # expect: OTK403


def faulty_constant_by_another_name(name: str) -> TracerProvider:
    resource = OtelResource.create({NAME: name, "service.namespace": "shop"})  # expect: OTK403
    return TracerProvider(resource=resource)


def faulty_constant_of_the_conventions(name: str) -> TracerProvider:
    resource = Resource.create({ResourceAttributes.SERVICE_NAME: name})  # expect: OTK403
    return TracerProvider(resource=resource)


def faulty_on_several_lines(name: str) -> TracerProvider:
    resource = Resource.create(  # expect: OTK403
        {
            "service.name": name,
            "service.namespace": "shop",
            "host.name": "gateway-1",
        }
    )
    return TracerProvider(resource=resource)


def faulty_dictionary_by_a_name(name: str) -> TracerProvider:
    attributes = {"service.name": name, "service.instance.id": "1"}
    resource = Resource.create(attributes)  # expect: OTK403
    return TracerProvider(resource=resource)


def faulty_dictionary_of_the_module() -> TracerProvider:
    return TracerProvider(resource=Resource.create(NAME_ONLY))  # expect: OTK403


def faulty_by_its_module(name: str) -> TracerProvider:
    resource = sdk_resources.Resource.create({"service.name": name})  # expect: OTK403
    return TracerProvider(resource=resource)


class FaultySetup:
    """A set-up that keeps its provider."""

    def __init__(self, name: str) -> None:
        resource = Resource.create({"service.name": name, "telemetry.shop": "1"})  # expect: OTK403
        self.provider = TracerProvider(resource=resource)


# ---------------- both, or more than can be read here


def clean_both(name: str, version: str) -> TracerProvider:
    return TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": version})
    )


def clean_constants(name: str, version: str) -> TracerProvider:
    resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version})
    return TracerProvider(resource=resource)


def clean_constants_by_another_name(name: str, version: str) -> TracerProvider:
    resource = OtelResource.create({NAME: name, sdk_resources.SERVICE_VERSION: version})
    return TracerProvider(resource=resource)


def clean_constants_of_the_conventions(name: str, version: str) -> TracerProvider:
    resource = Resource.create(
        attributes={
            service_attributes.SERVICE_NAME: name,
            ResourceAttributes.SERVICE_VERSION: version,
        }
    )
    return TracerProvider(resource=resource)


def clean_constant_of_the_module(name: str, version: str) -> TracerProvider:
    resource = Resource.create({"service.name": name, VERSION_KEY: version})
    return TracerProvider(resource=resource)


def clean_dictionary_of_the_module() -> TracerProvider:
    return TracerProvider(resource=Resource.create(ATTRIBUTES))


def clean_from_the_environment() -> TracerProvider:
    resource = Resource.create(
        {
            "service.name": os.environ["SHOP_SERVICE"],
            "service.version": os.environ.get("SHOP_VERSION", "0"),
        }
    )
    return TracerProvider(resource=resource)


def clean_unpacked(name: str, extra: dict[str, str]) -> TracerProvider:
    return TracerProvider(resource=Resource.create({"service.name": name, **extra}))


def clean_merged_dictionaries(name: str, extra: dict[str, str]) -> TracerProvider:
    return TracerProvider(resource=Resource.create({"service.name": name} | extra))


def clean_added_afterwards(name: str, version: str) -> TracerProvider:
    attributes = {"service.name": name}
    attributes["service.version"] = version
    return TracerProvider(resource=Resource.create(attributes))


def clean_updated_afterwards(name: str, extra: dict[str, str]) -> TracerProvider:
    attributes = {"service.name": name}
    attributes.update(extra)
    return TracerProvider(resource=Resource.create(attributes))


def clean_given_by_the_caller(attributes: dict[str, Any]) -> TracerProvider:
    return TracerProvider(resource=Resource.create(attributes))


def clean_made_by_another_module(name: str) -> TracerProvider:
    return TracerProvider(resource=Resource.create(deployment_attributes(name)))


def clean_merged(name: str, version: str) -> TracerProvider:
    resource = Resource.create({"service.name": name}).merge(Resource({SERVICE_VERSION: version}))
    return TracerProvider(resource=resource)


def clean_merged_by_a_name(name: str, version: str) -> TracerProvider:
    resource = Resource.create({"service.name": name})
    resource = resource.merge(Resource({"service.version": version}))
    return TracerProvider(resource=resource)


def clean_merged_into_the_default(name: str, version: str) -> TracerProvider:
    given = Resource({"service.name": name, "service.version": version})
    return TracerProvider(resource=Resource.create().merge(given))


def clean_detected(name: str, version: str) -> TracerProvider:
    resource = get_aggregated_resources(
        [OTELResourceDetector()],
        initial_resource=Resource({"service.name": name, "service.version": version}),
    )
    return TracerProvider(resource=resource)


def clean_resource_of_a_store(name: str) -> StoredResource:
    return StoredResource.create({"service.name": name})
