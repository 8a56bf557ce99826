"""Draw the trace of a case as text, with the fault marked, and what the wire showed beside it."""

from collections import defaultdict

from otelkata.judge.finding import Fault
from otelkata.judge.traceparent import values_of
from otelkata.judge.view import Call, CaseView, ServiceSpan

MARK = "✗"
SPANS_SHOWN = 40


def draw(fault: Fault) -> str | None:
    """Return the trace that `fault` is in, or its details; None where it has neither."""
    if fault.case is None:
        return fault.details.strip() or None
    lines = _Drawing(fault, fault.case).lines()
    return "\n".join([*lines, "on the wire:", *_wire(fault.case, fault.call)])


class _Drawing:
    # A forest: spans under the parents that they claim, across services.

    def __init__(self, fault: Fault, case: CaseView) -> None:
        self._fault = fault
        self._case = case
        self._spans = sorted(case.spans, key=lambda span: span.data.start_ns)
        self._drawn: set[str] = set()
        self._known = {(span.data.trace_id, span.id) for span in self._spans}
        self._children: dict[tuple[str, str], list[ServiceSpan]] = defaultdict(list)
        for span in self._spans:
            self._children[span.data.trace_id, span.data.parent_id or ""].append(span)

    def lines(self) -> list[str]:
        if not self._spans:
            return [f"{MARK} no span arrived"]
        lines: list[str] = []
        roots = [span for span in self._spans if self._key(span) not in self._known]
        for trace_id in dict.fromkeys(span.data.trace_id for span in roots):
            lines.append(f"trace {trace_id}")
            tops = [span for span in roots if span.data.trace_id == trace_id]
            for number, span in enumerate(tops):
                lines += self._branch(span, "", last=number == len(tops) - 1)
        for span in self._spans:
            if span.id not in self._drawn:  # its ancestors form a circle
                lines += [f"trace {span.data.trace_id}", *self._branch(span, "", last=True)]
        return [*_shortened(lines), *self._missing()]

    def _key(self, span: ServiceSpan) -> tuple[str, str]:
        return span.data.trace_id, span.data.parent_id or ""

    def _branch(self, span: ServiceSpan, indent: str, *, last: bool) -> list[str]:
        if span.id in self._drawn:
            return []
        self._drawn.add(span.id)
        lines = [f"{indent}{'└─' if last else '├─'} {self._line(span)}"]
        children = self._children[span.data.trace_id, span.id]
        for number, child in enumerate(children):
            deeper = indent + ("   " if last else "│  ")
            lines += self._branch(child, deeper, last=number == len(children) - 1)
        return lines

    def _line(self, span: ServiceSpan) -> str:
        took = (span.data.end_ns - span.data.start_ns) / 1e6
        code = span.first("http.response.status_code", "http.status_code")
        parts = [span.service, span.kind, span.name, f"{took:.1f} ms"]
        parts += [f"{code}"] if code is not None else []
        parts += [span.data.status] if span.data.status != "UNSET" else []
        parts += [f"[{event.name}]" for event in span.data.events[:3]]
        if span in self._fault.spans:
            parts.insert(0, MARK)
        return "  ".join(parts) + self._origin(span)

    def _origin(self, span: ServiceSpan) -> str:
        parent_id = span.data.parent_id
        if self._key(span) in self._known:
            return ""
        if parent_id is None:
            return "  (root)"
        if parent_id == self._case.data.parent.span_id:
            return "  (child of the caller's span)"
        return f"  (its parent {parent_id} is not in this trace)"

    def _missing(self) -> list[str]:
        call = self._fault.call
        if call is None or self._fault.spans or call.data.request is None:
            return []
        if call.callee is not None and not call.servers:
            return [f"{MARK} no SERVER span of {call.callee_service} for this request"]
        if call.caller and call.client is None:
            return [f"{MARK} no CLIENT span of {call.caller_service} for {call}"]
        return []


def _shortened(lines: list[str]) -> list[str]:
    # Lines that are marked stay, whatever else has to go.
    if len(lines) <= SPANS_SHOWN:
        return lines
    marked = [number for number, line in enumerate(lines) if MARK in line]
    kept = sorted({*marked[:SPANS_SHOWN], *range(SPANS_SHOWN - len(marked[:SPANS_SHOWN]))})
    short: list[str] = []
    for before, number in zip([-1, *kept], kept, strict=False):
        if number > before + 1:
            short.append(f"… {number - before - 1} lines more")
        short.append(lines[number])
    rest = len(lines) - 1 - kept[-1]
    return [*short, f"… {rest} lines more"] if rest else short


def _wire(case: CaseView, at_fault: Call | None) -> list[str]:
    lines = []
    for call in case.calls:
        request = call.data.request
        what = f"{request.method} {request.target}" if request else "connection refused"
        header = "".join(values_of(request.headers if request else [], "traceparent")[:1])
        status = call.status if call.status is not None else call.data.outcome.replace("_", " ")
        took = (call.data.ended_ns - call.data.received_ns) / 1e6
        mark = MARK if call is at_fault else " "
        context = f"  traceparent {header}" if header else "  no traceparent" if request else ""
        route = f"{call.caller_service} → {call.callee_service}"
        lines.append(f"{mark} {route}  {what}{context}  {status}  {took:.1f} ms")
    return lines
