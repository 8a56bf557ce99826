"""Say which request caused a span, though a context may serve others than its own request."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from otelkata.host.wire import PROBE_SCOPE, Started

from .calls import Call


class Causes:
    """The requests that caused spans: `handled` are those known by who handled them and port.

    Where a span was started in no request's context, or in one that serves others, too, the wire
    tells: a span belongs to the request that brought the id of its parent.
    """

    def __init__(
        self,
        started: Mapping[tuple[str, str], Started],
        handled: Mapping[tuple[str, int], Call],
    ) -> None:
        self._started = started
        self._handled = handled
        self._arrived: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
        for (start, _), call in handled.items():
            if call.parent is not None:
                self._arrived[start, call.parent.trace_id, call.parent.span_id].append(call)
        self._own = [s for s in started.values() if s.scope != PROBE_SCOPE]

    def call_of(self, started: Started) -> Call | None:
        """Return the request in whose context a span was started, or its parent was."""
        kept: Call | None = None
        for current in self._lineage(started):
            call = self._handled.get((current.handler, current.cause))
            if call is not None and not self.is_kept(current.handler, current.cause):
                return call
            if brought := self._brought(current):
                return brought
            if call is not None and current.kind == "SERVER":
                return None  # one of several that a worker handles: it may be any's
            kept = kept or call
        return kept

    def _brought(self, started: Started) -> Call | None:
        """Return the request that brought the id of the span's parent."""
        known = self._arrived.get((started.start, started.trace_id, started.parent_id or ""), [])
        return next((call for call in known if call.lasts_at(started.time_ns)), None)

    def _lineage(self, started: Started) -> Iterator[Started]:
        # The span and those above it on the same provider, nearest first.
        seen: set[str] = set()
        current: Started | None = started
        while current is not None and current.span_id not in seen:
            yield current
            seen.add(current.span_id)
            current = self._started.get((current.start, current.parent_id or ""))

    def is_kept(self, handler: str, cause: int) -> bool:
        """Tell whether the context of that request goes on being used for others."""
        return (handler, cause) in self._kept

    @cached_property
    def _kept(self) -> set[tuple[str, int]]:
        """Requests in whose context something runs on for others, such as a worker's task.

        The first request that needed it created it. It starts spans under others when that one has
        been answered, or where they have none of the kind by themselves: what its context says of
        a cause is worth nothing.
        """
        own = {(_place(started), started.handler, started.cause) for started in self._own}
        serving = {(s.handler, s.cause) for s in self._own if s.kind == "SERVER"}
        found: set[tuple[str, int]] = set()
        for started in self._own:
            first = self._handled.get((started.handler, started.cause))
            if first is None or (started.handler, started.cause) in found:
                continue
            for above in self._lineage(started):
                call = self._handled.get((above.handler, above.cause))
                if call in {None, first}:
                    if self._is_anothers(above, first, serving):
                        found.add((started.handler, started.cause))
                        break
                    continue
                answered = started.time_ns > first.data.ended_ns
                lacking = (_place(started), above.handler, above.cause) not in own
                if call.lasts_at(started.time_ns) and (answered or lacking):
                    found.add((started.handler, started.cause))
                break
        return found

    def _is_anothers(self, started: Started, first: Call, serving: set[tuple[str, int]]) -> bool:
        # Another request brought its parent, and has no SERVER span otherwise.
        brought = self._brought(started)
        if brought is None or brought is first:
            return False
        itself = (started.start, brought.data.port)
        return started.time_ns > first.data.ended_ns or itself not in serving


def _place(started: Started) -> tuple[object, ...]:
    return started.start, started.path, started.line, started.kind, started.name
