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
from opentelemetry.sdk.resources import get_aggregated_resources
from shop import chosen, register, resource
NAME = 'sampler'
TWICE = 'sampler'
TWICE = 'resource'
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
        ("return TracerProvider(sampler=options.sampler)", [False]),
        ("return TracerProvider(sampler=options[0])", [False]),
        ("a = ALWAYS_ON\nb = a\nc = b\nreturn TracerProvider(sampler=c)", [True]),
        ("a = ALWAYS_ON\nb = a\nc = b\nd = c\ne = d\nreturn TracerProvider(sampler=e)", [False]),
        ("more = {}\nmore[options] = ALWAYS_ON\nreturn TracerProvider(**more)", []),
        ("more = {}\nmore['sampler'] += 1\nreturn TracerProvider(**more)", []),
        ("more = {options: 1, 'sampler': ALWAYS_ON}\nreturn TracerProvider(**more)", [True]),
        ("more = {options[0]: ALWAYS_ON}\nreturn TracerProvider(**more)", []),
        ("more = {NAME: ALWAYS_ON}\nreturn TracerProvider(**more)", [True]),
        ("more = {TWICE: ALWAYS_ON}\nreturn TracerProvider(**more)", []),
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
        ("options[0]", [], []),
        ("options.resource", [], []),
        ("Resource.get_empty()", [True], [True]),
        ("get_aggregated_resources([])", [], []),
        ("get_aggregated_resources([], None)", [], []),
        ("get_aggregated_resources([], Resource({'service.name': 'shop'}))", [True], []),
        (".merge(".join(["Resource({})"] * 9) + ")" * 8, [], []),
    ],
)
def test_a_resource_is_judged_by_what_can_be_read_of_it(
    made: str, missing: list[bool], ignores: list[bool]
) -> None:
    source = function(f"return TracerProvider(resource={made})")
    assert certainties("OTK403", source) == missing
    assert certainties("OTK404", source) == ignores


@pytest.mark.parametrize(
    ("member", "ignores"),
    [
        ("self.resource = Resource({})", [True]),
        ("self.resource = Resource.create({})", []),
        ("self.resource, self.more = options", []),
        ("self.resources = Resource({})", []),
        ("resource = Resource({})", []),
    ],
)
def test_a_resource_on_an_object_is_read_where_it_is_assigned(
    member: str, ignores: list[bool]
) -> None:
    source = f"""
class Shop:
    def __init__(self, options):
        {member}
    def set_up(self):
        return TracerProvider(resource=self.resource)
"""
    assert certainties("OTK404", source) == ignores


@pytest.mark.parametrize(
    ("base", "call", "ignores"),
    [
        ("TracerProvider", "super().__init__(resource=Resource({}))", [True]),
        ("TracerProvider", "super().__init__(resource=resource)", []),
        ("TracerProvider", "self.__init__(resource=Resource({}))", []),
        ("chosen", "super().__init__(resource=Resource({}))", []),
    ],
)
def test_a_provider_of_the_projects_own_is_judged_by_what_it_gives_to_the_sdks(
    base: str, call: str, ignores: list[bool]
) -> None:
    source = f"class Provider({base}):\n    def __init__(self):\n        {call}\n"
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
        ("register(**{'tracer_provider': provider})", [True]),
        ("register(**{'provider': provider})", []),
        ("options.provider(sampler)", [True]),
        ("provider = TracerProvider(resource=resource)", [True, True]),
        ("return lambda: provider", []),
    ],
)
def test_a_provider_is_certainly_never_shut_down_where_nobody_else_has_it(
    rest: str, certain: list[bool]
) -> None:
    made = "provider = TracerProvider(resource=resource)\nprovider.add_span_processor(options)\n"
    assert certainties("OTK405", function(made + rest)) == certain


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("provider: TracerProvider = TracerProvider(resource=resource)", [False]),
        ("global provider\nprovider = TracerProvider(resource=resource)", []),
        ("TracerProvider(resource=resource)", [False]),
        ("a = b = TracerProvider(resource=resource)", []),
    ],
)
def test_a_provider_that_exports_nothing_is_no_certain_loss(body: str, certain: list[bool]) -> None:
    assert certainties("OTK405", function(body)) == certain


SHUTDOWN = "def shutdown_tracer(provider: TracerProvider, timeout: float):"
CLOSE = "async def close(provider: TracerProvider):"
CLOSED = f"{CLOSE}\n    provider.shutdown()\n"


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
        (CLOSE, "threading.Timer(5, provider.shutdown).start()", []),
        (CLOSE, "threading.Thread(target=provider.shutdown, daemon=chosen).start()", []),
        (
            CLOSE,
            """
            thread = threading.Thread(target=provider.shutdown)
            thread.daemon = True
            thread.start()
            """,
            [],
        ),
        (CLOSE, "chosen(lambda: provider.shutdown())", []),
        (SHUTDOWN, "bounded(provider.shutdown, timeout)", []),
        (SHUTDOWN, "in_background(provider.shutdown).wait(timeout)", []),
        (SHUTDOWN, "logging.debug('%r', provider.shutdown())", [True]),
        (SHUTDOWN, "with ExitStack() as stack: stack.callback(provider.shutdown)", [True]),
        (f"@bounded\n{SHUTDOWN}", "provider.shutdown()", []),
        (SHUTDOWN, "start_new_thread(provider.shutdown, ())\ndone.acquire(True, timeout)", []),
        (CLOSE, "threading.Thread(target=provider.shutdown, **options).start()", []),
        (
            SHUTDOWN,
            """
            def run():
                done.put(provider.shutdown())
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            thread.join(timeout)
            """,
            [],
        ),
        (
            SHUTDOWN,
            """
            def run():
                done.put(provider.shutdown())
            threading.Thread(target=run).start()
            """,
            [True],
        ),
        (CLOSE, "threading.Thread(target=lambda: provider.shutdown()).start()", [True]),
        (CLOSE, "threading.Thread(target=partial(provider.shutdown)).start()", [True]),
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


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("provider = TracerProvider(resource=resource)\nprovider.shutdown()\n", [False]),
        ("class Closing(threading.Thread):\n    def run(self): self.provider.shutdown()\n", []),
        ("class Closing:\n    def run(self): self.provider.shutdown()\n", [False]),
        (f"class Bounded(TracerProvider):\n    def shutdown(self): pass\n{CLOSED}", []),
        (f"class Bounded(chosen):\n    def shutdown(self): pass\n{CLOSED}", [False]),
    ],
    ids=["script", "thread", "no thread", "provider of its own", "something else"],
)
def test_what_a_shutdown_belongs_to_decides_whether_it_is_bounded(
    source: str, certain: list[bool]
) -> None:
    assert certainties("OTK406", source) == certain


@pytest.mark.parametrize(("count", "certain"), [(4, []), (6, [False])])
def test_callers_are_followed_only_so_far(count: int, certain: list[bool]) -> None:
    """Each of them hands on the next; a daemon thread runs the first."""
    chain = "".join(
        f"def close{number}(provider):\n    close{number - 1}(provider)\n"
        for number in range(1, count)
    )
    last = f"threading.Thread(target=close{count - 1}, daemon=True).start()\n"
    first = "def close0(provider: TracerProvider):\n    provider.shutdown()\n"
    assert certainties("OTK406", first + chain + last) == certain
