"""Define what a host and the driver say to each other: one line `Name {json}` per message.

This module is read by two interpreters, that of the grader and that of the submission, and so
imports nothing but the standard library. Times are nanoseconds since the epoch, on the clock that
the SDK gives spans (`time.time_ns`). Identifiers of traces and spans are lower-case hexadecimal.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Literal, cast

Scalar = str | bool | int | float
Value = Scalar | list[Scalar]
Attributes = dict[str, Value]
Service = Literal["gateway", "inventory", "payment"]
ExporterKind = Literal["memory", "default"]
Behaviour = Literal["collect", "delay", "hang", "fail", "raise"]

PROBE_SCOPE = "otelkata.probe"
"""Instrumentation scope of the spans that the host starts itself."""

TEXT_LIMIT = 10_000
"""Longest text, in characters, that is kept of any value a submission chooses."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an exported span."""

    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an exported span."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """One span as it was handed to an exporter: what a submission claims."""

    trace_id: str
    span_id: str
    parent_id: str | None
    kind: str
    name: str
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    resource: Attributes
    scope: str


# From the host to the driver.


@dataclass(frozen=True, slots=True)
class Hello:
    """Open a host's channel."""

    host: str
    token: str
    pid: int
    python: str


@dataclass(frozen=True, slots=True)
class Started:
    """Tell that a span was started on the provider of `start`, by code at `path`:`line`.

    `cause` is the port from which the request came in whose context the span was started, and
    `handler` the start that handled it; 0 and empty where no request was known.
    """

    start: str
    trace_id: str
    span_id: str
    parent_id: str | None
    kind: str
    name: str
    time_ns: int
    handler: str
    cause: int
    scope: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Tell that a span has ended."""

    start: str
    span_id: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Exported:
    """Tell that a span reached the exporter that was given to `start`."""

    start: str
    span: Span


@dataclass(frozen=True, slots=True)
class Query:
    """Tell that SQLite ran a statement while `start` handled the request from the port `cause`."""

    start: str
    cause: int
    statement: str


@dataclass(frozen=True, slots=True)
class Logged:
    """Pass on a warning that the OpenTelemetry libraries logged."""

    logger: str
    message: str
    trace_id: str
    cause: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Tell that the submission broke the contract: what, at which stage, and where in its code."""

    start: str
    service: str
    stage: str
    message: str
    path: str
    line: int
    details: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the command number `request`; `values` depend on the command."""

    request: int
    ok: bool
    values: dict[str, Scalar | None] = field(default_factory=dict)


# From the driver to the host.


@dataclass(frozen=True, slots=True)
class Start:
    """Call `init_tracer` and, if it `serves`, `create_<service>`, and serve; reply its `port`."""

    request: int
    start: str
    service: Service
    version: str
    exporter: ExporterKind
    serves: bool
    timeout: float | None
    urls: dict[str, str]


@dataclass(frozen=True, slots=True)
class Settle:
    """Reply when every span of `starts` has ended, or after `seconds`."""

    request: int
    starts: list[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Flush:
    """Call `force_flush` on the providers of `starts`; reply when done, or after `seconds`."""

    request: int
    starts: list[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Probe:
    """Start and end a span on a provider, with these strings in attributes, an event and status.

    The exporter behaves as told from the very end of the span on.
    """

    request: int
    start: str
    name: str
    texts: list[str]
    behaviour: Behaviour = "collect"


@dataclass(frozen=True, slots=True)
class Arm:
    """Make the exporter of `start` behave as told from now on."""

    request: int
    start: str
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class ShutDown:
    """Call `shutdown_tracer(provider, seconds)`; reply what it `returned` and `took`, or raised."""

    request: int
    start: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Run lifespan shutdown of `start`; reply how many seconds it `took`."""

    request: int
    start: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Where:
    """Reply where the code of `start` stands now (empty: the import), to explain a hang.

    `blocks` tells that its event loop cannot go on before that line is through.
    """

    request: int
    start: str


@dataclass(frozen=True, slots=True)
class Lingering:
    """Reply which `thread` the process waits for before it ends, and its `path` and `line`."""

    request: int


@dataclass(frozen=True, slots=True)
class Leave:
    """End the host's main thread, as a program that has nothing left to do."""

    request: int


@dataclass(frozen=True, slots=True)
class Lock:
    """Hold an exclusive lock on the SQLite file at `path`; reply whether it is held."""

    request: int
    path: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """Let go of the lock."""

    request: int


Report = Hello | Started | Ended | Exported | Query | Logged | Problem | Reply
Command = (
    Start
    | Settle
    | Flush
    | Probe
    | Arm
    | ShutDown
    | Stop
    | Where
    | Lingering
    | Leave
    | Lock
    | Unlock
)

REPORTS = {
    cls.__name__: cls for cls in (Hello, Started, Ended, Exported, Query, Logged, Problem, Reply)
}
COMMANDS = {
    cls.__name__: cls
    for cls in (
        Start,
        Settle,
        Flush,
        Probe,
        Arm,
        ShutDown,
        Stop,
        Where,
        Lingering,
        Leave,
        Lock,
        Unlock,
    )
}


# Of exactly one of these types: to `isinstance`, a bool is an int.
_VALUES: dict[type[object], dict[str, tuple[type, ...]]] = {
    Start: {"port": (int,)},
    Stop: {"took": (float, int)},
    ShutDown: {"returned": (bool, str, NoneType), "raised": (str, NoneType), "took": (float, int)},
    Where: {"path": (str,), "line": (int,), "blocks": (bool,)},
    Lingering: {"thread": (str,), "path": (str,), "line": (int,)},
}
_OPTIONAL: dict[str, type] = {"path": str, "line": int}
_PORTS = range(65_536)
_LONGEST = 86_400


def fits(command: type[object], reply: Reply) -> bool:
    """Tell whether `reply` has the values that an answer to `command` has.

    One that failed needs none, but for commands that answer by their values alone.
    """
    values = reply.values
    expected = _VALUES.get(command, {})
    if not reply.ok and command in {Start, Stop}:
        expected = {}
    return (
        all(name in values and type(values[name]) in kinds for name, kinds in expected.items())
        and all(type(values.get(name, kind())) is kind for name, kind in _OPTIONAL.items())
        and values.get("port", 0) in _PORTS
        and ("took" not in expected or 0 <= took(values) <= _LONGEST)
    )


def place(values: Mapping[str, Scalar | None]) -> tuple[str, int]:
    """Return the path and line in values that fit; an empty one and 0 where there are none."""
    return cast("str", values.get("path", "")), cast("int", values.get("line", 0))


def took(values: Mapping[str, Scalar | None]) -> float:
    """Return how many seconds it took, by values that fit a command that asks for that."""
    return cast("float", values["took"])


def text(value: object) -> str:
    """Return `value` as text that every reader can carry: lone surrogates escaped, cut to size."""
    return str(value)[:TEXT_LIMIT].encode("utf-8", "backslashreplace").decode()


def encode(message: Report | Command) -> bytes:
    """Return `message` as one line; text that UTF-8 cannot carry is escaped by JSON."""
    payload = json.dumps(message, default=_fields)
    return f"{type(message).__name__} {payload}\n".encode("ascii")


def _fields(item: object) -> dict[str, object]:
    # Not `asdict`: it copies deeply, which costs five times as much.
    return {name: getattr(item, name) for name in type(item).__slots__}  # type: ignore[attr-defined]


def decode_command(line: bytes) -> Command:
    """Return the command that the driver wrote as `line`."""
    name, payload = line.split(b" ", 1)
    command: Command = COMMANDS[name.decode()](**json.loads(payload))
    return command
