"""Run a small submission in a real host: a process that a warm parent has forked."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from otelkata.deploy.keeper import Place
from otelkata.deploy.link import Exchange, Host, Observations
from otelkata.deploy.parent import Parent
from otelkata.deploy.scratch import Scratch
from otelkata.deploy.user import own_user
from otelkata.deploy.warm import Warm
from otelkata.host import wire
from otelkata.host.isolation import Level

SUBMISSION = """
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor


def init_tracer(service_name, service_version, *, exporter=None):
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def shutdown_tracer(provider, timeout):
    provider.shutdown()
    return True


def create_gateway(provider, *, inventory_url, payment_url, timeout=2.0):
    return application(provider)


def create_inventory(provider, *, database):
    return application(provider)


def create_payment(provider, *, processor_url, timeout=2.0):
    return application(provider)


def application(provider):
    tracer = provider.get_tracer("checkout")

    async def serve(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        with tracer.start_as_current_span("served"):
            handle(scope["path"], tracer)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    return serve


def handle(path, tracer):
    pass
"""


@asynccontextmanager
async def a_parent(
    tmp_path: Path, python: str = sys.executable, level: Level | None = "process"
) -> AsyncIterator[tuple[Parent, Observations]]:
    """Yield a warm parent that has isolated itself, and what its hosts report.

    The submission lies in `tmp_path`, and the scratch directory as well.
    """
    observations = Observations()
    exchange = Exchange(observations)
    warm = Warm(python, level)
    parent = Parent(warm, exchange, tmp_path)
    try:
        warm.open()
        with own_user() as user:
            await parent.enclose(place_in(tmp_path, user))
            await exchange.open(parent.network)
            yield parent, observations
    finally:
        exchange.close()
        await parent.close()
        await warm.close()


@asynccontextmanager
async def a_host(
    tmp_path: Path,
    source: str = "",
    *,
    name: str = "main",
    in_main: bool = False,
    level: Level | None = "process",
) -> AsyncIterator[tuple[Host, Observations]]:
    """Yield a host that imports the small submission, with `source` appended to it."""
    submission = write(tmp_path, SUBMISSION + source)
    async with a_parent(tmp_path, level=level) as (parent, observations):
        yield parent.make_host(name, submission, {}, serves_in_main=in_main), observations


def place_in(tmp_path: Path, user: int | None = None) -> Place:
    """Return the directories of a submission in `tmp_path`, made where they are missing."""
    folder = tmp_path / "run"
    submission = tmp_path / "submission"
    submission.mkdir(exist_ok=True)
    folder.mkdir()
    scratch = Scratch(folder, user)
    place = scratch.place(submission)
    scratch.hand_over()
    return place


def write(tmp_path: Path, source: str) -> Path:
    """Return a directory whose `checkout.py` holds `source`."""
    submission = tmp_path / "submission"
    submission.mkdir(exist_ok=True)
    (submission / "checkout.py").write_text(source, "utf-8")
    return submission


async def start(
    host: Host,
    name: str = "payment.main",
    *,
    serves: bool = True,
    exporter: wire.ExporterKind = "memory",
) -> wire.Reply:
    """Ask `host` to start the service payment as `name`."""
    return await host.ask(
        wire.Start,
        start=name,
        service="payment",
        version="1.2.3",
        exporter=exporter,
        serves=serves,
        timeout=1.0,
        urls={"processor_url": "http://127.0.0.1:9"},
    )


async def leave(host: Host) -> int:
    """End the host as a program that is done; return its exit status."""
    await host.ask(wire.Leave)
    return await asyncio.shield(host.exited)
