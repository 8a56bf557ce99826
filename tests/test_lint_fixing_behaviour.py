"""Run functions before and after `kata-lint --fix`: nothing but missed ends may have come."""

import asyncio
import inspect
import itertools
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from fixing_cases import FIXED, SETUP
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

STARTS_ANOTHER = {"a manager that is dropped"}
"""Cases in which the span was never started before."""
ERRORS = [None, ValueError, KeyError, asyncio.CancelledError]
FAILS_AT = range(4)


@dataclass
class World:
    """What the functions work on: everything goes well, but for one operation.

    `truth` is what each question is answered with; `log` says what was done, and under which span.
    """

    truth: bool
    error: type[BaseException] | None
    fails_at: int
    log: list[tuple[str, str | None]] = field(default_factory=list)
    done: int = 0

    def do(self, what: str) -> None:
        """Note one operation, or fail."""
        current = trace.get_current_span()
        self.log.append((what, current.name if isinstance(current, ReadableSpan) else None))
        self.done += 1
        if self.error is not None and self.done == self.fails_at + 1:
            raise self.error("boom")


class Thing:
    """Anything: it can be called, awaited, entered, asked, iterated and counted down."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __getattr__(self, name: str) -> "Thing":
        return Thing(self._world, name)

    def __call__(self, *_args: object, **_kwargs: object) -> "Thing":
        self._world.do(self._name)
        return Thing(self._world, f"result of {self._name}")

    def __await__(self) -> Generator[None, None, "Thing"]:
        self._world.do(f"await {self._name}")
        yield
        return self

    def __enter__(self) -> Self:
        self._world.do("enter")
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._world.do("exit")

    def __bool__(self) -> bool:
        self._world.do("question")
        return self._world.truth

    def __contains__(self, _item: object) -> bool:
        return bool(self)

    def __eq__(self, _other: object) -> bool:
        return bool(self)

    def __hash__(self) -> int:
        return 0

    def __getitem__(self, _key: object) -> int:
        self._world.do("get")
        return 2

    def __setitem__(self, _key: object, _value: object) -> None:
        self._world.do("set")

    def __len__(self) -> int:
        self._world.do("len")
        return 1

    def __iter__(self) -> Iterator[int]:
        for number in range(2):
            self._world.do("next")
            yield number


class Watch(SpanProcessor):
    """Note when spans start and end, between the operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.open: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a start."""
        self.open.append(span.name)
        self._world.log.append(("start", span.name))

    def on_end(self, span: ReadableSpan) -> None:
        """Note an end."""
        self.open.remove(span.name)
        self._world.log.append(("end", span.name))


@dataclass(frozen=True)
class Outcome:
    """What came of one run; `missed` are the spans that were still open then."""

    result: str
    log: list[tuple[str, str | None]]
    spans: Counter[str]
    missed: int


def outcome(code: str, world: World, *, interrupted: bool) -> Outcome:
    """Run the one function in `code`, or `code` itself where it has none."""
    provider = TracerProvider(shutdown_on_exit=False)
    watch, exporter = Watch(world), InMemorySpanExporter()
    provider.add_span_processor(watch)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    names: dict[str, Any] = {"traced": lambda **_: lambda function: function}
    exec(SETUP, names)
    names |= {"tracer": provider.get_tracer("shop"), "run": Thing(world, "run")}
    known = set(names)
    try:
        exec(code, names)
        new = [names[name] for name in names if name not in known]
        result = [_finished(_called(made, world), interrupted=interrupted) for made in new]
    except (ValueError, KeyError, asyncio.CancelledError) as exc:
        result = [repr(exc)]
    spans = Counter(_told(span) for span in exporter.get_finished_spans())
    return Outcome(repr(result), world.log, spans, len(watch.open))


def _called(made: Any, world: World) -> Any:
    function = vars(made)["load"].__func__ if inspect.isclass(made) else made
    if not inspect.isfunction(function):
        return None
    return function(*(Thing(world, name) for name in inspect.signature(function).parameters))


def _finished(result: Any, *, interrupted: bool) -> Any:
    """Run what was begun: to its end, or until it is cancelled or closed."""
    if inspect.iscoroutine(result):
        try:
            while True:
                result.send(None)
                if interrupted:
                    result.throw(asyncio.CancelledError())
        except StopIteration as done:
            return done.value
    if inspect.isgenerator(result):
        if not interrupted:
            return list(result)
        first = next(result, None)
        result.close()
        return first
    return result


def _told(span: ReadableSpan) -> str:
    events = [event.name for event in span.events]
    attributes = dict(span.attributes or {})
    return f"{span.name} {attributes} {events} {span.status.status_code} {span.parent is not None}"


@pytest.mark.parametrize("case", FIXED)
def test_a_fix_changes_nothing_but_missed_ends(case: str) -> None:
    """Every operation comes in its order, under the same span; what was exported still is."""
    before, after = FIXED[case]
    missed = 0
    for interrupted, truth, error, fails_at in itertools.product(
        (False, True), (False, True), ERRORS, FAILS_AT
    ):
        old = outcome(before, World(truth, error, fails_at), interrupted=interrupted)
        new = outcome(after, World(truth, error, fails_at), interrupted=interrupted)
        said = f"{interrupted=} {truth=} {error=} {fails_at=}"
        assert new.result == old.result, said
        assert new.missed == 0, said
        assert old.spans <= new.spans, said
        if case in STARTS_ANOTHER:
            continue
        assert new.spans.total() == old.spans.total() + old.missed, said
        assert _without_ends(new.log) == _without_ends(old.log), said
        if not old.missed:
            assert new.log == old.log, said
        missed += old.missed
    assert missed or case in STARTS_ANOTHER


def _without_ends(log: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    return [entry for entry in log if entry[0] != "end"]
