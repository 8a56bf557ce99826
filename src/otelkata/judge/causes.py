"""Say which request caused a span, though a context may serve others than its own request."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from otelkata.host.wire import PROBE_SCOPE, Started

from .calls import Call


class Causes:
    """The requests that caused spans: `handled` are those known by who handled them and port."""

    def __init__(
        self,
        started: Mapping[tuple[str, str], Started],
        handled: Mapping[tuple[str, int], Call],
    ) -> None:
        self._started = started
        self._handled = handled
        self._own = [s for s in started.values() if s.scope != PROBE_SCOPE]

    def call_of(self, started: Started) -> Call | None:
        """Return the request in whose context a span was started, or its parent was."""
        kept: Call | None = None
        for current in self._lineage(started):
            call = self._handled.get((current.handler, current.cause))
            if call is not None and not self.is_kept(current.handler, current.cause):
                return call
            kept = kept or call
        return kept

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
        found: set[tuple[str, int]] = set()
        for started in self._own:
            first = self._handled.get((started.handler, started.cause))
            if first is None or (started.handler, started.cause) in found:
                continue
            for above in self._lineage(started):
                call = self._handled.get((above.handler, above.cause))
                if call in {None, first}:
                    continue
                answered = started.time_ns > first.data.ended_ns
                lacking = (_place(started), above.handler, above.cause) not in own
                if call.lasts_at(started.time_ns) and (answered or lacking):
                    found.add((started.handler, started.cause))
                break
        return found


def _place(started: Started) -> tuple[object, ...]:
    return started.start, started.path, started.line, started.kind, started.name
