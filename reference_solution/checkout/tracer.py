"""Start the tracer of a service and shut it down in bounded time."""

import logging
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from checkout.delivery import WatchedBatchProcessor
from checkout.privacy import PrivacyFilter

logger = logging.getLogger(__name__)


def init_tracer(
    service_name: str, service_version: str, *, exporter: SpanExporter | None = None
) -> TracerProvider:
    """Make a tracer provider that exports to `exporter`, by default over OTLP/HTTP.

    Where OTLP goes and what is sampled is a matter of deployment, so both are left to the `OTEL_*`
    environment variables. The provider is returned, not made global: whoever needs a tracer is
    given one.
    """
    # create(), unlike the constructor, merges OTEL_RESOURCE_ATTRIBUTES.
    resource = Resource.create({SERVICE_NAME: service_name, SERVICE_VERSION: service_version})
    # The SDK's own shutdown at exit waits for the exporter without a bound, so it is turned off.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    destination = exporter if exporter is not None else OTLPSpanExporter()
    provider.add_span_processor(WatchedBatchProcessor(PrivacyFilter(destination)))
    return provider


def shutdown_tracer(provider: TracerProvider, timeout: float) -> bool:
    """Export what is pending and shut down, within `timeout` seconds.

    True if every span was exported, False if time ran out or an export failed.

    The SDK's calls take no timeout, or ignore it, and a thread that is stuck in an exporter cannot
    be stopped. So they run in a daemon thread, which is left behind when time is out: it does not
    keep the process alive. This call blocks: from a coroutine, use `asyncio.to_thread`.
    """
    exported = False

    def flush_and_shut_down() -> None:
        nonlocal exported
        try:
            flushed = provider.force_flush()
            provider.shutdown()
            exported = flushed
        except Exception:  # an exporter may raise anything, and a caller could only log it too
            logger.exception("The tracer could not be shut down")

    thread = Thread(target=flush_and_shut_down, name="tracer-shutdown", daemon=True)
    thread.start()
    thread.join(max(timeout, 0))
    return exported
