"""Put claims beside facts: which spans belong to which request, and which case.

The wire is the truth that everything hangs from. A span belongs to the request in whose context it
was started, as its host reported; one without a request of its own belongs where its parent does.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from otelkata.evidence.model import Evidence, Exchange, Exit, Reading
from otelkata.host.wire import PROBE_SCOPE, Logged, Problem, Span, Started

from .calls import Call, ServiceSpan
from .cases import CaseView
from .causes import Causes
from .clients import handled_meanwhile, match_clients
from .servers import match_servers

_OPERATIONS = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")


class View:
    """All that was observed, linked."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.starts = {start.name: start for start in evidence.starts}
        self.cases = {case.name: CaseView(case) for case in evidence.cases}
        self._tagged: dict[str, list[CaseView]] = defaultdict(list)
        for case in self.cases.values():
            for tag in case.data.tags:
                self._tagged[tag].append(case)
        self.calls = [self._call(exchange) for exchange in evidence.exchanges]
        self._handled = {(c.data.callee, c.data.port): c for c in self.calls if c.data.port}
        # A host can claim to have started spans for a service that was never there.
        self._reported = [s for s in evidence.started if s.start in self.starts]
        self.started = {(s.start, s.span_id): s for s in self._reported}
        self._causes = Causes(self.started, self._handled)
        self.ended: set[tuple[str, str]] = {(e.start, e.span_id) for e in evidence.ended}
        self.made_up: list[tuple[str, Span]] = []
        """Spans that no provider ever started, with the start that they were exported by."""
        self.astray: list[tuple[str, str]] = []
        """Starts whose spans reached the exporter of another, and whose it was."""
        self.spans = list(self._exported())
        self._link_spans()
        self._link_calls()

    @property
    def exits(self) -> list[Exit]:
        """Return the ends of providers, services and processes."""
        return self.evidence.exits

    @property
    def problems(self) -> list[Problem]:
        """Return where the submission broke the contract."""
        return self.evidence.problems

    @cached_property
    def has_lost_a_process(self) -> bool:
        """Tell whether a process ended by itself: what it would have done is not known."""
        return any(problem.stage == "exit" for problem in self.problems)

    @cached_property
    def reading(self) -> Reading | None:
        """Return what the linter said of the source, certain of every span that was started."""
        reading = self.evidence.reading
        if reading is None:
            return None
        places = {(started.path, started.line) for started in self.own}
        remarks = [
            replace(remark, criteria=[*remark.criteria, *remark.if_started])
            if (remark.path, remark.line) in places
            else remark
            for remark in reading.remarks
        ]
        return replace(reading, remarks=remarks)

    @property
    def logs(self) -> list[Logged]:
        """Return the warnings of the OpenTelemetry libraries."""
        return self.evidence.logs

    def tagged(self, tag: str) -> list[CaseView]:
        """Return the cases that carry `tag`."""
        return list(self._tagged.get(tag, ()))

    def case_of(self, span: ServiceSpan) -> CaseView | None:
        """Return the case that `span` belongs to."""
        return self.cases.get(span.call.data.case) if span.call else None

    def call_of(self, started: Started) -> Call | None:
        """Return the request in whose context a span was started, or its parent was."""
        return self._causes.call_of(started)

    def lost_during(self, call: Call) -> list[ServiceSpan]:
        """Return the callee's spans that know no request and were started during `call`."""
        return [
            span
            for span in self._without_call
            if span.start is call.callee and call.lasts_at(span.data.start_ns)
        ]

    @cached_property
    def _without_call(self) -> list[ServiceSpan]:
        return [span for span in self.spans if span.call is None and not span.is_probe]

    @cached_property
    def span_ids(self) -> set[str]:
        """Return the ids of all spans that arrived."""
        return {span.id for span in self.spans}

    @cached_property
    def exporting(self) -> set[str]:
        """Return the starts of which at least one span arrived."""
        return {span.start.name for span in self.spans}

    @cached_property
    def tracing(self) -> set[str]:
        """Return the starts that started at least one span of their own."""
        return {started.start for started in self.own}

    @cached_property
    def own(self) -> list[Started]:
        """Return the starts of the submission's own spans, without those of the host."""
        return [s for s in self._reported if s.scope != PROBE_SCOPE]

    def _call(self, exchange: Exchange) -> Call:
        call = Call(exchange, self.starts)
        case = self.cases.get(exchange.case)
        if case is not None:
            case.calls.append(call)
            call.is_stripped = "stripped" in case.data.tags and bool(exchange.caller)
        return call

    def _exported(self) -> Iterator[ServiceSpan]:
        by_id: dict[str, list[Started]] = defaultdict(list)
        for started in self._reported:
            by_id[started.span_id].append(started)
        seen = set()
        for exported in self.evidence.spans:
            span = exported.span
            known = [
                started
                for started in by_id[span.span_id]
                if started.trace_id == span.trace_id
                and self.starts[started.start].host == exported.host
            ]
            if not known:
                self.made_up.append((exported.start, span))
                continue
            # Two starts that share a provider both report its spans; the handler's is right.
            own = [started for started in known if started.handler in {"", started.start}]
            if not own:
                self.astray.append((known[0].handler, known[0].start))
                continue
            started = own[0]
            given = "" if self.starts[started.start].exporter == "default" else started.start
            if exported.start != given:
                other = exported.start or "the environment's OTLP endpoint"
                self.astray.append((started.handler or started.start, other))
                continue
            if (started.start, span.span_id) not in seen:
                seen.add((started.start, span.span_id))
                yield ServiceSpan(span, self.starts[started.start], started)

    def _link_spans(self) -> None:
        by_id = {(span.start.name, span.id): span for span in self.spans}
        for span in self.spans:
            span.parent = by_id.get((span.start.name, span.data.parent_id or ""))
            call = self.call_of(self.started[span.start.name, span.id])
            if call is not None and call.callee is span.start:
                span.call = call
                call.spans.append(span)
        match_servers(self.spans, self.calls, self.cases)
        for query in self.evidence.queries:
            kept = self._causes.is_kept(query.start, query.cause)
            call = None if kept else self._handled.get((query.start, query.cause))
            if call is not None and query.statement.lstrip().upper().startswith(_OPERATIONS):
                call.statements.append(query.statement)

    def _link_calls(self) -> None:
        for case in self.cases.values():
            for call in case.calls:
                call.incoming = handled_meanwhile(call, case.calls) if call.caller else None
                if call.incoming is not None:
                    call.incoming.outgoing.append(call)
                told = call.parent is not None and not call.parent.sampled
                call.is_silenced = told and "unsampled" not in case.data.tags
            for call in case.calls:
                match_clients(call)
