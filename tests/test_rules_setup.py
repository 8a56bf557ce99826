"""Judge set-up by what examples cannot say: which finding is certain, and which is advice."""

import textwrap

import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import asyncio
import atexit
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from shop import chosen, register, resource
"""


def certainties(code: str, source: str) -> list[bool]:
    found = lint_source((SETUP + source).encode(), "shop.py", [RULES[code]])
    assert isinstance(found, list)
    return [item.certain for item in found]


def function(body: str, head: str = "def setup(sampler, options):") -> str:
    return f"{head}\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("return TracerProvider(sampler=ALWAYS_ON)", [True]),
        ("return TracerProvider(ALWAYS_ON, resource)", [True]),
        ("return TracerProvider(sampler=None)", []),
        ("return TracerProvider(sampler=sampler)", [False]),
        ("return TracerProvider(sampler=chosen())", [False]),
        ("return TracerProvider(sampler=ALWAYS_ON if options else None)", [True]),
        ("return TracerProvider(**options)", []),
        ("more = {'sampler': ALWAYS_ON}\nreturn TracerProvider(**more)", [True]),
        ("more = dict(sampler=ALWAYS_ON)\nreturn TracerProvider(**more)", [True]),
        ("more = {}\nmore['sampler'] = ALWAYS_ON\nreturn TracerProvider(**more)", [True]),
        ("return partial(TracerProvider, sampler=ALWAYS_ON)", [True]),
    ],
)
def test_a_sampler_is_certain_where_this_file_chooses_it(body: str, certain: list[bool]) -> None:
    assert certainties("OTK401", function(body)) == certain


@pytest.mark.parametrize(
    ("made", "missing", "ignores"),
    [
        ("Resource({'service.name': 'shop'})", [True], [True]),
        ("Resource.create({'service.name': 'shop'})", [True], []),
        ("Resource.create({'service.name': 'shop', **options})", [], []),
        ("Resource.create(options)", [], []),
        ("Resource(options)", [], [True]),
        ("Resource.create().merge(Resource({'service.name': 'shop'}))", [True], []),
        ("resource.merge(Resource({'service.name': 'shop'}))", [], []),
        ("resource", [], []),
        ("chosen()", [], []),
    ],
)
def test_a_resource_is_judged_by_what_can_be_read_of_it(
    made: str, missing: list[bool], ignores: list[bool]
) -> None:
    source = function(f"return TracerProvider(resource={made})")
    assert certainties("OTK403", source) == missing
    assert certainties("OTK404", source) == ignores


@pytest.mark.parametrize(
    ("rest", "certain"),
    [
        ("return provider.get_tracer('shop')", [True]),
        ("trace.set_tracer_provider(provider)", [False]),
        ("return provider", []),
        ("return {'provider': provider}", []),
        ("register(provider)", []),
        ("options.provider = provider", []),
        ("atexit.register(provider.shutdown)", []),
        ("def stop():\n    provider.shutdown()\nregister(stop)", []),
        ("register(tracer_provider=provider)", [True]),
    ],
)
def test_a_provider_is_certainly_never_shut_down_where_nobody_else_has_it(
    rest: str, certain: list[bool]
) -> None:
    made = "provider = TracerProvider(resource=resource)\nprovider.add_span_processor(options)\n"
    assert certainties("OTK405", function(made + rest)) == certain


SHUTDOWN = "def shutdown_tracer(provider: TracerProvider, timeout: float):"
CLOSE = "async def close(provider: TracerProvider):"


@pytest.mark.parametrize(
    ("head", "body", "certain"),
    [
        (SHUTDOWN, "provider.shutdown()", [True]),
        (SHUTDOWN, "provider.force_flush(timeout)\nprovider.shutdown()", [True]),
        (SHUTDOWN.replace(": TracerProvider", ""), "provider.shutdown()", [True]),
        (CLOSE, "provider.shutdown()", [False]),
        (CLOSE, "atexit.register(provider.shutdown)", [False]),
        (CLOSE, "await asyncio.wait_for(asyncio.to_thread(provider.shutdown), 5)", [False]),
        (CLOSE, "ThreadPoolExecutor().submit(provider.shutdown).result(5)", [False]),
        (CLOSE, "threading.Thread(target=provider.shutdown, daemon=True).start()", []),
        (CLOSE, "threading.Thread(target=provider.shutdown).start()", [True]),
        (
            SHUTDOWN,
            """
            thread = threading.Thread(target=provider.shutdown, daemon=True)
            thread.start()
            thread.join(timeout)
            """,
            [],
        ),
        (
            SHUTDOWN,
            """
            thread = threading.Thread(target=provider.shutdown, daemon=True)
            thread.start()
            thread.join(5)
            """,
            [True],
        ),
        (
            SHUTDOWN,
            """
            thread = threading.Thread(target=provider.shutdown, daemon=True)
            thread.start()
            thread.join(timeout=None)
            """,
            [True],
        ),
        (CLOSE, "provider.shutdown(5)", []),
        ("def close(meter_provider, executor):", "meter_provider.shutdown()", []),
    ],
)
def test_a_shutdown_is_bounded_by_a_daemon_thread_alone(
    head: str, body: str, certain: list[bool]
) -> None:
    assert certainties("OTK406", function(body, head)) == certain


def test_a_shutdown_function_is_judged_by_itself_and_not_by_its_callers() -> None:
    """A lifespan that calls it in a pool's thread does not bound it."""
    caller = function("await asyncio.to_thread(shutdown_tracer, provider, 5)", CLOSE)
    assert certainties("OTK406", function("provider.shutdown()", SHUTDOWN) + caller) == [True]
