"""Serve one of the three services: `python -m checkout gateway --port 8000`."""

import argparse
import os

import uvicorn
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from starlette.types import ASGIApp

from checkout import create_gateway, create_inventory, create_payment, init_tracer

VERSION = "1.0.0"


def tracer_for(service: str) -> TracerProvider:
    """Start the tracer under the name and version that the environment gives, if it gives any."""
    environment = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or service})
    version = environment.attributes.get(SERVICE_VERSION, VERSION)
    return init_tracer(str(environment.attributes[SERVICE_NAME]), str(version))


def application(service: str) -> ASGIApp:
    """Make the service from `INVENTORY_URL`, `PAYMENT_URL`, `PROCESSOR_URL` and `DATABASE_PATH`.

    `REQUEST_TIMEOUT` is the longest that one downstream call may take, in seconds.
    """
    provider = tracer_for(service)
    timeout = float(os.environ.get("REQUEST_TIMEOUT", "2"))
    if service == "gateway":
        return create_gateway(
            provider,
            inventory_url=os.environ.get("INVENTORY_URL", "http://127.0.0.1:8001"),
            payment_url=os.environ.get("PAYMENT_URL", "http://127.0.0.1:8002"),
            timeout=timeout,
        )
    if service == "inventory":
        return create_inventory(provider, database=os.environ.get("DATABASE_PATH", "stock.db"))
    return create_payment(
        provider,
        processor_url=os.environ.get("PROCESSOR_URL", "http://127.0.0.1:8003"),
        timeout=timeout,
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m checkout")
    parser.add_argument("service", choices=["gateway", "inventory", "payment"])
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()
    # Without this bound a client that never finishes its request keeps the tracer from its
    # shutdown.
    uvicorn.run(application(arguments.service), port=arguments.port, timeout_graceful_shutdown=5)


if __name__ == "__main__":
    main()
