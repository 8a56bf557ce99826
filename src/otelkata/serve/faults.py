"""Hold the switches for what goes wrong, and what a hop does while one is on."""

import asyncio
import contextlib
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

import msgspec

from otelkata.drive.http import Connection, Request, listen
from otelkata.drive.record import Draft
from otelkata.drive.tap import Crossings, Tap, json_answer
from otelkata.evidence.model import Hop

SLOW_SECONDS = 1.0
"""How long the database stays locked for one slow query."""


@dataclass(slots=True)
class Faults:
    """What is wrong at the moment."""

    slow_query: bool = False
    card_declined: bool = False
    processor_down: bool = False

    def switch(self, wanted: bytes) -> None:
        """Set the switches that a JSON object names; raise ValueError for what is none."""
        switches = msgspec.json.decode(wanted, type=dict[str, bool])
        for name in switches:
            if name not in KNOWN:
                raise ValueError(f"there is no fault {name!r}; there are {', '.join(KNOWN)}")
        for name, value in switches.items():
            setattr(self, name, value)


KNOWN = tuple(field.name for field in fields(Faults))
"""What can be switched on, by name."""


class SlowQuery:
    """A database that is locked for a while; whoever queries it waits."""

    def __init__(
        self, lock: Callable[[], Awaitable[bool]], unlock: Callable[[], Awaitable[None]]
    ) -> None:
        self._lock = lock
        self._unlock = unlock
        self._turn = asyncio.Lock()
        self._is_held = False
        self._releasing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Lock the database, unless it is locked already."""
        async with self._turn:
            if not self._is_held:
                self._is_held = await self._lock()
                self._releasing = asyncio.create_task(self._release())

    async def _release(self) -> None:
        await asyncio.sleep(SLOW_SECONDS)
        await self._unlock()
        self._is_held = False


class FaultyTap(Tap):
    """A hop that fails as the switches say; while nobody is to be there, it refuses."""

    def __init__(
        self,
        crossings: Crossings,
        hop: Hop,
        caller: str,
        callee: str,
        *,
        faults: Faults,
        slow: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(crossings, hop, caller, callee)
        self._faults = faults
        self._slow = slow
        self._port = 0
        self._turn = asyncio.Lock()
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()

    @property
    def leads_to_processor(self) -> bool:
        """Tell whether the card processor is at its end."""
        return self._hop == "payment>processor"

    async def refuse(self, *, refuses: bool) -> None:
        """Listen no longer, so that connections are refused; or do so again, at the same port."""
        async with self._turn:
            if refuses:
                self.close()
                # Those from before end as well, as they do with the process at their other end.
                for connection in self._connections:
                    with contextlib.suppress(OSError):
                        connection.reset()
            elif self._server is None or not self._server.is_serving():
                self._server = await listen(self._cross, self._crossings.network, self._port)

    async def open(self) -> int:
        """Begin to listen; return the port."""
        self._port = await super().open()
        return self._port

    async def _handle(self, connection: Connection, draft: Draft, request: Request) -> None:
        self._connections.add(connection)
        if self.leads_to_processor and self._faults.card_declined:
            response = json_answer(402, '{"error": "card_declined"}')
            draft.answered(response)
            connection.answer(response)
            return
        if self._hop == "gateway>inventory" and self._faults.slow_query:
            await self._slow()
        await self._forward(connection, draft, self._callee, request)
        if self._hop == "gateway>payment" and self._faults.processor_down:
            self._note_refusal(draft)

    def _note_refusal(self, asked: Draft) -> None:
        # Nobody is there to see a connection refused; who asks payment sees what comes of it.
        if asked.response is not None and asked.response.status >= 500:
            record = self._crossings.record
            refused = record.note("payment>processor", self._callee)
            refused.outcome, refused.received_ns = "refused", asked.received_ns
            record.finish(refused)
