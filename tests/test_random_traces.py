"""Traces that are right stay right, whatever honest spans they have; each lost edge is found."""

from dataclasses import dataclass, field, replace
from random import Random

from evidence_builder import id_of, sound, trace_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from otelkata.evidence.model import Evidence, ExportedSpan
from otelkata.host.wire import Ended
from otelkata.judge import registry
from otelkata.judge.verdict import judge
from otelkata.judge.view import View

CHECKS = registry.load()
RELAXED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    # Shrinking 200 kB of evidence takes minutes; the message names the checks.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
SEEDS = st.integers(0, 2**32)
LEAVING = {"default", "leaving", "sigterm"}
"""Hosts of which it is judged which spans arrive; where a caller hung up, only that they end.

What edges these have is judged where the same requests are answered.
"""
OLDER = {
    "http.request.method": "http.method",
    "http.response.status_code": "http.status_code",
    "url.path": "http.target",
    "url.full": "http.url",
    "db.system.name": "db.system",
    "db.query.text": "db.statement",
}


@dataclass
class Grown:
    """Evidence of a right submission that has spans of its own, and the spans of its checkouts."""

    evidence: Evidence = field(default_factory=sound)
    count: int = 0

    def above(self, index: int) -> None:
        """Put an INTERNAL span between the span at `index` and its parent."""
        item = self.evidence.spans[index]
        added = self._add(item, item.span.parent_id, item.span.start_ns, item.span.end_ns)
        self._change(index, added)

    def below(self, index: int) -> None:
        """Put an INTERNAL span that takes no time under the span at `index`."""
        item = self.evidence.spans[index]
        self._add(item, item.span.span_id, item.span.start_ns, item.span.start_ns)

    def cut(self, index: int, parent: str) -> None:
        """Let the span at `index` have a parent that nobody has seen."""
        self._change(index, parent)

    def _change(self, index: int, parent: str) -> None:
        item = self.evidence.spans[index]
        self.evidence.spans[index] = replace(item, span=replace(item.span, parent_id=parent))
        known = [started.span_id for started in self.evidence.started].index(item.span.span_id)
        self.evidence.started[known] = replace(self.evidence.started[known], parent_id=parent)

    def _add(self, beside: ExportedSpan, parent: str | None, began: int, ended: int) -> str:
        self.count += 1
        added = id_of(f"added {self.count}")
        known = next(s for s in self.evidence.started if s.span_id == beside.span.span_id)
        span = replace(
            beside.span,
            span_id=added,
            parent_id=parent,
            kind="INTERNAL",
            name=f"step {'abc'[self.count % 3]}",
            start_ns=began,
            end_ns=ended,
            status="UNSET",
            attributes={},
            events=[],
        )
        self.evidence.spans.append(replace(beside, span=span))
        self.evidence.started.append(
            replace(
                known,
                span_id=added,
                parent_id=parent,
                kind="INTERNAL",
                name=span.name,
                time_ns=began,
            )
        )
        self.evidence.ended.append(Ended(known.start, added, ended))
        return added


def grown(random: Random) -> Grown:
    """Return a random right trace: older names here and there, and INTERNAL spans anywhere."""
    trace = Grown()
    for index, item in enumerate([*trace.evidence.spans]):
        names = {key: OLDER.get(key, key) if random.random() < 0.5 else key for key in OLDER}
        attributes = {names.get(key, key): value for key, value in item.span.attributes.items()}
        trace.evidence.spans[index] = replace(item, span=replace(item.span, attributes=attributes))
        how = random.choice(["", "", "above", "below", "both"])
        if how in {"above", "both"} and item.span.kind == "CLIENT":
            trace.above(index)
        if how in {"below", "both"} and item.span.name != "probe":
            trace.below(index)
    return trace


def failed(evidence: Evidence) -> list[str]:
    results = judge(View(evidence), CHECKS).results
    return [f"{r.check.id} {r.status}: {r.message}" for r in results if r.status != "passed"]


@RELAXED
@given(SEEDS)
def test_honest_spans_fail_nothing(seed: int) -> None:
    assert failed(grown(Random(seed)).evidence) == []


@RELAXED
@given(SEEDS)
def test_every_removed_edge_is_found(seed: int) -> None:
    random = Random(seed)
    trace = grown(random)
    edges = [
        index
        for index, item in enumerate(trace.evidence.spans)
        if item.span.parent_id
        and item.span.name != "probe"
        and item.host not in LEAVING
        and item.span.trace_id != trace_of("hang_up")
    ]
    index = random.choice(edges)
    trace.cut(index, id_of("nobody"))
    span = trace.evidence.spans[index].span
    assert any("failed" in said for said in failed(trace.evidence)), span
