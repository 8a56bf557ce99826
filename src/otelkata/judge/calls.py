"""One request as the wire showed it, and the spans that claim to show it."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from otelkata.evidence.model import Exchange, ServiceStart
from otelkata.host.wire import PROBE_SCOPE, Attributes, Event, Span, Started

from . import traceparent
from .traceparent import TraceParent

CONTESTED = 0.7
"""Part of a caller's timeout after which an answer may come too late for it."""

_DATABASE_KEYS = ("db.system.name", "db.system")


class ServiceSpan:
    """One span that a service exported, where it was started, and for which request."""

    def __init__(self, span: Span, start: ServiceStart, started: Started) -> None:
        self.data = span
        self.start = start
        self.path = started.path
        self.line = started.line
        self.call: Call | None = None
        self.parent: ServiceSpan | None = None
        """The parent, where it is a span of the same start."""

    @property
    def id(self) -> str:
        """Return the span's id."""
        return self.data.span_id

    @property
    def service(self) -> str:
        """Return the service that made the span."""
        return self.start.service

    @property
    def kind(self) -> str:
        """Return the kind: SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER."""
        return self.data.kind

    @property
    def name(self) -> str:
        """Return the name."""
        return self.data.name

    @property
    def attributes(self) -> Attributes:
        """Return the attributes."""
        return self.data.attributes

    @property
    def is_probe(self) -> bool:
        """Tell whether the host started it."""
        return self.data.scope == PROBE_SCOPE

    @property
    def is_error(self) -> bool:
        """Tell whether the status is ERROR."""
        return self.data.status == "ERROR"

    @property
    def is_query(self) -> bool:
        """Tell whether it is a CLIENT span of a database."""
        return self.kind == "CLIENT" and any(key in self.attributes for key in _DATABASE_KEYS)

    @property
    def is_http_client(self) -> bool:
        """Tell whether it is a CLIENT span of anything else."""
        return self.kind == "CLIENT" and not self.is_query

    @property
    def exceptions(self) -> list[Event]:
        """Return the `exception` events that name a type."""
        return [
            event
            for event in self.data.events
            if event.name == "exception" and event.attributes.get("exception.type")
        ]

    @property
    def ancestors(self) -> "Iterator[ServiceSpan]":
        """Yield the spans of the same start above this one, nearest first."""
        seen = {self.id}
        span = self.parent
        while span is not None and span.id not in seen:
            seen.add(span.id)
            yield span
            span = span.parent

    def first(self, *keys: str) -> object:
        """Return the value of the first of `keys` that is set."""
        return next((self.attributes[key] for key in keys if key in self.attributes), None)

    def __str__(self) -> str:
        return self._label

    @cached_property
    def _label(self) -> str:
        if self.is_probe:
            return f"a span that the grader started through the tracer of {self.service}"
        return f"{self.service}'s {self.kind} span {self.name!r}"


class Call:
    """One request as the wire showed it, with the spans on both of its sides."""

    def __init__(self, exchange: Exchange, starts: Mapping[str, ServiceStart]) -> None:
        self.data = exchange
        self.callee = starts.get(exchange.callee)
        self.caller = exchange.caller
        self.timeout = starts[self.caller].timeout if self.caller in starts else None
        self.spans: list[ServiceSpan] = []
        """The spans that the callee started while it handled this request."""
        self.client: ServiceSpan | None = None
        """The CLIENT span that the caller opened for this request."""
        self.incoming: Call | None = None
        """The request that the caller was handling."""
        self.outgoing: list[Call] = []
        self.statements: list[str] = []

    @property
    def status(self) -> int | None:
        """Return the status code that was answered, if one was."""
        return self.data.response.status if self.data.response else None

    @property
    def caller_service(self) -> str:
        """Return the service that sent the request; `client` for the driver."""
        return self.data.hop.partition(">")[0]

    @property
    def callee_service(self) -> str:
        """Return the service that the request was meant for."""
        return self.data.hop.partition(">")[2]

    @cached_property
    def parent(self) -> TraceParent | None:
        """Return the valid trace context that arrived at the callee."""
        if self.data.request is None or self.callee is None or self.is_stripped:
            return None
        return traceparent.of_headers(self.data.request.headers)

    is_stripped = False
    is_silenced = False
    """Whether the caller told the callee not to sample, in a trace that is sampled."""

    @cached_property
    def servers(self) -> list[ServiceSpan]:
        """Return the SERVER spans whose parent is remote or none."""
        return [span for span in self.spans if span.kind == "SERVER" and span.parent is None]

    @property
    def server(self) -> ServiceSpan | None:
        """Return the request's SERVER span, where there is exactly one."""
        servers = self.servers
        return servers[0] if len(servers) == 1 else None

    @cached_property
    def queries(self) -> list[ServiceSpan]:
        """Return the callee's CLIENT spans of its database."""
        return [span for span in self.spans if span.is_query]

    @property
    def is_contested(self) -> bool:
        """Tell whether the answer came so late that the caller may have given up before.

        A caller that gets no processor waits longer than the wire shows. Its CLIENT span tells, as
        far as the request that it was handling lasted.
        """
        took = (self.data.answered_ns or self.data.ended_ns) - self.data.received_ns
        waited = max(took, self._waited_ns)
        return self.timeout is not None and waited > CONTESTED * self.timeout * 1e9

    @property
    def _waited_ns(self) -> int:
        if self.client is None or self.incoming is None:
            return 0
        span, handled = self.client.data, self.incoming.data
        return min(span.end_ns, handled.ended_ns) - max(span.start_ns, handled.received_ns)

    def lasts_at(self, time_ns: int) -> bool:
        """Tell whether the callee had received the request by then, and not yet answered it."""
        return self.data.received_ns <= time_ns <= self.data.ended_ns

    @property
    def failed_on_the_way(self) -> bool:
        """Tell whether no complete head of an answer reached the caller."""
        return self.data.outcome in {"refused", "timed_out", "dropped_in_headers"}

    def __str__(self) -> str:
        request = self.data.request
        what = f"{request.method} {request.target}" if request else "request"
        return f"{self.caller_service}'s {what} to {self.callee_service}"
