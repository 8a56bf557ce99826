"""Hold what was observed of one submission.

Two sources, kept apart: exchanges, cases and exits are facts that the driver saw itself; spans,
starts of spans, logs and problems are claims that came out of the submission's process. All times
are nanoseconds since the epoch, taken on one machine.
"""

from dataclasses import dataclass, field
from typing import Literal

from otelkata.host.wire import Ended, ExporterKind, Logged, Problem, Query, Service, Span, Started

SCHEMA_VERSION = 1

Hop = Literal[
    "client>gateway",
    "client>inventory",
    "client>payment",
    "gateway>inventory",
    "gateway>payment",
    "payment>processor",
]
Outcome = Literal[
    "answered",  # complete, though perhaps with an error status
    "refused",  # nobody listened
    "timed_out",  # the caller gave up waiting
    "dropped_in_headers",
    "dropped_in_body",
    "unreadable",  # answered with what is no answer of the API
]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its headers in order and as they were spelt."""

    method: str
    target: str
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on one hop and what became of it.

    `caller` and `callee` are the starts at the ends of the hop, empty where the driver itself is
    there. `port` is the one from which the request came to the callee. `answered_ns` is when the
    first byte of an answer was written to the caller; 0 where none was.
    """

    number: int
    case: str
    hop: Hop
    caller: str
    callee: str
    port: int
    request: Request | None
    response: Response | None
    outcome: Outcome
    received_ns: int
    answered_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Marks:
    """The values that belong to one case alone."""

    sku: str
    user_id: str
    tenant_id: str
    email: str
    card_number: str


@dataclass(frozen=True, slots=True)
class Parent:
    """The trace context that the driver sent: headers, and what they mean where they are valid."""

    headers: Headers
    trace_id: str
    span_id: str
    sampled: bool


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay that was put into a case: where, and from when until when."""

    where: Literal["network", "query", "processor"]
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario as it was played: one request of the driver and all that followed from it.

    `answers` are the right status codes, `inner` those on hops behind the first, `codes` the right
    values of `error` in the gateway's answer (empty: any). `skipped` says why the case could not
    be played.
    """

    name: str
    title: str
    tags: list[str]
    entry: Service
    answers: list[int]
    codes: list[str]
    inner: dict[str, list[int]]
    marks: Marks
    parent: Parent
    quantity: int
    unit_price_cents: int
    baggage: bool
    delay: Delay | None = None
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStart:
    """One call of `init_tracer` and `create_<service>`, and whether it came to serve.

    `exporter` is the kind that it was given. `timeout` is the one for its downstream calls, in
    seconds.
    """

    name: str
    host: str
    service: Service
    exporter: ExporterKind
    version: str
    timeout: float | None
    port: int
    serves: bool


@dataclass(frozen=True, slots=True)
class ExportedSpan:
    """A span and the start whose exporter it reached; `start` is empty for a real collector."""

    start: str
    host: str
    span: Span


_DONE = {
    "shutdown_tracer_pending": "shutdown_tracer while a span is still to be exported",
    "shutdown_tracer_failing": "shutdown_tracer while the exporter fails",
    "shutdown_tracer_raising": "shutdown_tracer while the exporter raises",
    "shutdown_tracer_hanging": "shutdown_tracer while the exporter hangs",
    "process": "the end of the process after all shutdowns",
    "lifespan": "lifespan shutdown of",
    "lifespan_hanging": "lifespan shutdown of",
    "sigterm": "SIGTERM to",
    "sigterm_hanging": "SIGTERM to",
}
_WHILE = {
    "lifespan_hanging": " while its exporter hangs",
    "sigterm_hanging": " while the collector hangs",
}


@dataclass(frozen=True, slots=True)
class Exit:
    """One end of a provider, a service or a process, and what it was asked to cope with.

    `took` is in seconds; None where the end was not seen within `limit`. `returned` is what
    `shutdown_tracer` returned. `pending` are the ids of spans that had ended before. `arrived` are
    those of them that were exported before lifespan shutdown was over, for a provider before the
    process was told to end; None where that was not noted, and all counts that was exported at all.
    `kept_by` says which thread a process waits for.
    """

    name: str
    tags: list[str]
    starts: list[str]
    limit: float
    took: float | None
    returned: str | bool | None = None
    raised: str = ""
    path: str = ""
    line: int = 0
    status: int | None = None
    pending: list[str] = field(default_factory=list)
    skipped: str = ""
    arrived: list[str] | None = None
    kept_by: str = ""

    def __str__(self) -> str:
        """Return in words what was done, to be read after 'at'."""
        what, _, service = self.name.partition(".")
        return _DONE.get(what, what) + (f" {service}" if service else "") + _WHILE.get(what, "")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that reached the collector, by which host, over which protocol."""

    host: str
    protocol: str
    spans: int


@dataclass(frozen=True, slots=True)
class Remark:
    """What the linter says of one place in the source; it fails `criteria`, or is advice.

    It fails those in `if_started`, too, where a span was seen to start at that place.
    """

    code: str
    name: str
    path: str
    line: int
    column: int
    message: str
    criteria: list[str]
    steps: list[str]
    if_started: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the linter made of the source; `unread` names what it could not read, and why."""

    remarks: list[Remark]
    unread: list[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was observed of one submission in one run.

    `left_out` are the tags of what was not run on purpose, and is not judged. `only` are the ids of
    the checks that the run was for, and no other is judged on it; empty: it was for all.
    `timings` are seconds from the begin of the run: until the services were `up`, until the
    `in_memory` scenarios, and until `everything` was over. `sources` are the submission's own
    Python files, by path, as far as they are short enough to be shown. `patience` is what limits
    were multiplied by: more than 1 where others kept the machine busy.
    """

    submission: str
    seed: int
    left_out: list[str]
    platform: str
    python: str
    isolation: str
    resource: dict[str, str]
    probes: list[str]
    starts: list[ServiceStart]
    cases: list[Case]
    exchanges: list[Exchange]
    exits: list[Exit]
    deliveries: list[Delivery]
    problems: list[Problem]
    logs: list[Logged]
    queries: list[Query]
    started: list[Started]
    ended: list[Ended]
    spans: list[ExportedSpan]
    duration_s: float
    reading: Reading | None = None
    timings: dict[str, float] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    patience: float = 1.0
    schema_version: int = SCHEMA_VERSION
