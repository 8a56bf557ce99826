"""Play the cases: send the driver's requests, and open the gates when it is time."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from otelkata.evidence.model import Case, Delay, Headers, Hop

from . import database
from .deployment import Deployment
from .gate import MeetingPoint
from .http import Call, CallFailed, Request, Response
from .play import Play
from .record import Draft
from .scenario import INTERLEAVED, Scenario
from .tap import Crossings
from .values import Values

AT_ONCE = 8
CLIENT_LIMIT = 45.0
"""Longest time, in seconds, that the driver waits for any answer."""

SILENCE_LIMIT = 12.0
"""Longest time, in seconds, for which a service that owes an answer may give no sign of life."""

SILENCES_ENOUGH = 3
SHORTEST_DELAY = 0.35
LONGEST_DELAY = 9.0
LONGEST_LOCK = 3.5
"""Longest time, in seconds, for which a database is locked: many drivers give up after five."""

MEETING_PATIENCE = 1.0

_TARGETS = {"gateway": "/checkout", "inventory": "/reservations", "payment": "/payments"}


class _Silent(Exception):
    # `start` owes an answer, and has given no sign of life for so many `seconds`.

    def __init__(self, start: str, seconds: float) -> None:
        super().__init__(start)
        self.start = start
        self.seconds = seconds


class Conductor:
    """All cases of a run, and who plays them when.

    Only scenarios that `plays` accepts are. `patience` multiplies how long an answer may take.
    """

    def __init__(
        self,
        scenarios: Iterable[Scenario],
        values: Values,
        deployment: Deployment,
        crossings: Crossings,
        plays: Callable[[Scenario], bool] = lambda _: True,
        patience: float = 1.0,
    ) -> None:
        self._deployment = deployment
        self._patience = patience
        self._crossings = crossings
        self._silences = crossings.silences
        self._meeting = MeetingPoint(INTERLEAVED, MEETING_PATIENCE)
        self._burst_is_over = asyncio.Event()
        # All are prepared, so that a seed means the same values whatever is played.
        prepared = [(s, self._prepare(s, values)) for s in scenarios]
        self._plays = {s.name: (s, play) for s, play in prepared if plays(s)}
        self._skipped: dict[str, str] = {}
        self._unanswered: set[str] = set()
        self._explained: set[str] = set()
        self._gone: set[str] = set()

    @property
    def skus(self) -> list[str]:
        """Return what has to be in stock."""
        return [play.case.marks.sku for s, play in self._plays.values() if s.stocked]

    async def play_burst(self, group: str) -> None:
        """Play the cases of `group`, a few at a time; then those that belong together at once."""
        plays = self._of(group)
        together = [play for play in plays if "concurrent" in play.case.tags]
        slots = asyncio.Semaphore(AT_ONCE)

        async def in_turn(play: Play) -> None:
            async with slots:
                await self.play(play)

        await asyncio.gather(*(in_turn(play) for play in plays if play not in together))
        await asyncio.gather(*(self.play(play) for play in together))

    def end_burst(self) -> None:
        """Tell that what keeps the services busy is over, so that delays may end."""
        self._burst_is_over.set()

    async def play_together(self, group: str) -> None:
        """Play all cases of `group` at once."""
        await asyncio.gather(*(self.play(play) for play in self._of(group)))

    async def play_one(self, name: str) -> None:
        """Play the case `name`."""
        await self.play(self._plays[name][1])

    async def play(self, play: Play) -> None:
        """Play one case, if what it needs is there."""
        missing = [start for start in self._needs(play) if not self._deployment.serves(start)]
        if play.entry in self._gone:
            self._skipped[play.case.name] = f"the process of {play.entry} had ended"
            return
        if missing:
            self._skipped[play.case.name] = f"{missing[0]} did not start"
            return
        services = [start.partition(".")[0] for start in self._needs(play)]
        silent = [name for name in services if self._silences[name] >= SILENCES_ENOUGH]
        if silent:
            self._skipped[play.case.name] = f"{silent[0]} answers no more"
            return
        self._crossings.expect(play)
        match play.delay:
            case None:
                await self._request(play)
            case "query":
                await self._with_lock(play)
            case _:
                await self._request_and_release(play)

    def is_unanswered(self, name: str) -> bool:
        """Tell whether a request to the service that the case `name` is about was given up."""
        return self._plays[name][1].entry in self._unanswered

    def cases(self) -> list[Case]:
        """Return the cases as evidence."""
        return [self._finished(play) for _, play in self._plays.values()]

    def _of(self, group: str) -> list[Play]:
        return [play for scenario, play in self._plays.values() if scenario.group == group]

    def _prepare(self, scenario: Scenario, values: Values) -> Play:
        marks = values.marks()
        quantity = scenario.quantity
        if quantity is None:
            quantity = values.number(101, 899)
        headers: Headers = [*scenario.parent.headers]
        if scenario.baggage:
            members = f"tenant.id={marks.tenant_id},user.id={marks.user_id}"
            headers.append(("baggage", members))
        case = Case(
            name=scenario.name,
            title=scenario.title,
            tags=list(scenario.tags),
            entry=scenario.entry,
            answers=list(scenario.answers),
            codes=list(scenario.codes),
            inner={hop: list(answers) for hop, answers in scenario.inner.items()},
            marks=marks,
            parent=scenario.parent,
            quantity=quantity,
            unit_price_cents=database.UNIT_PRICE_CENTS,
            baggage=scenario.baggage,
        )
        return Play(
            case=case,
            entry=scenario.start or f"{scenario.entry}.{scenario.group}",
            request=_request(scenario, case, headers),
            routes=dict(scenario.routes),
            faults=dict(scenario.faults),
            refused=scenario.refused,
            delay=scenario.delay,
            hangs_up=scenario.hangs_up,
            meeting=self._meeting,
        )

    def _needs(self, play: Play) -> list[str]:
        group = self._deployment.callees_of(play.entry)
        callees = [
            f"{hop.partition('>')[2]}.{group}" for hop in play.case.inner if hop not in play.routes
        ]
        return [play.entry, *play.routes.values(), *callees]

    async def _request(self, play: Play) -> None:
        case = play.case
        hop: Hop = f"client>{case.entry}"  # type: ignore[assignment]
        draft = self._crossings.record.note(hop, "")
        draft.case, draft.callee, draft.request = case.name, play.entry, play.request
        call = Call(play.request, self._crossings.connected, self._crossings.network)
        port = self._crossings.port_of(play.entry)
        sending = asyncio.create_task(call.send(port or 0))
        if play.hangs_up:
            await self._hang_up(play, sending)
        try:
            draft.answered(await self._answer(play, draft, sending))
        except asyncio.CancelledError:
            if not play.hangs_up:
                raise
        except _Silent as silent:
            self._unanswered.add(play.entry)
            await self._count_silence(play, silent)
        except CallFailed:
            draft.outcome = "dropped_in_headers"
            await self._look_after(play)
        finally:
            draft.port = call.port
            self._crossings.record.finish(draft)
        if play.refused is not None:
            hop, caller = play.refused
            refused = self._crossings.record.note(hop, caller)
            refused.case, refused.outcome = case.name, "refused"
            refused.received_ns = draft.received_ns
            self._crossings.record.finish(refused)

    async def _answer(
        self, play: Play, draft: Draft, sending: "asyncio.Task[Response]"
    ) -> Response:
        limit = draft.received_ns + CLIENT_LIMIT * self._patience * 1e9
        silence = SILENCE_LIMIT * self._patience * 1e9
        try:
            while not sending.done():
                sign, awaited = self._crossings.record.awaited(play.entry)
                sign = max(sign, draft.received_ns)
                now = time.time_ns()
                rest = min(limit, sign + silence) - now
                if rest <= 0:
                    raise _Silent(awaited, (now - sign) / 1e9)
                await asyncio.wait({sending}, timeout=rest / 1e9)
        finally:
            sending.cancel()
        return sending.result()

    async def _hang_up(self, play: Play, sending: "asyncio.Task[Response]") -> None:
        reached = asyncio.create_task(play.gate.reached.wait())
        tasks: set[asyncio.Task[Any]] = {reached, sending}
        await asyncio.wait(tasks, timeout=SILENCE_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        sending.cancel()

    async def _count_silence(self, play: Play, silent: "_Silent") -> None:
        service = silent.start.partition(".")[0]
        self._silences[service] += 1
        if service not in self._explained:
            self._explained.add(service)
            await self._deployment.explain_silence(
                silent.start,
                "hang",
                f"in {play.case.title}, {service} did not answer within {silent.seconds:.0f} s",
            )

    async def _look_after(self, play: Play) -> None:
        host = self._deployment.host_of(play.entry)
        if host.gone:
            self._gone.add(play.entry)
            await self._deployment.explain_end(host.name)

    async def _request_and_release(self, play: Play) -> None:
        releasing = asyncio.create_task(self._release(play))
        try:
            await self._request(play)
        finally:
            # Where the request never came to the gate, nothing is left to wait for.
            releasing.cancel()
            play.gate.release()

    async def _release(self, play: Play) -> None:
        # The delay outlasts all that keeps the machine busy, and all that this request has met
        # before, so that no other span looks slower.
        began = time.monotonic()
        await play.gate.reached.wait()
        before = time.monotonic() - began
        longest = LONGEST_LOCK if play.delay == "query" else LONGEST_DELAY
        await asyncio.sleep(min(longest, max(SHORTEST_DELAY, 1.5 * before)))
        rest = longest - (time.monotonic() - began - before)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._burst_is_over.wait(), max(0.0, rest))
        play.gate.release()

    async def _with_lock(self, play: Play) -> None:
        if not await self._deployment.lock_database():
            reason = "inventory keeps its database locked while nothing is asked of it"
            self._skipped[play.case.name] = reason
            return
        await asyncio.gather(self._request_and_release(play), self._unlock(play))

    async def _unlock(self, play: Play) -> None:
        await play.gate.until_released()
        await self._deployment.unlock_database()

    def _finished(self, play: Play) -> Case:
        delay = None
        if play.delay is not None and play.gate.reached_ns:
            delay = Delay(play.delay, play.gate.reached_ns, play.gate.released_ns)
        return replace(play.case, delay=delay, skipped=self._skipped.get(play.case.name, ""))


def _request(scenario: Scenario, case: Case, headers: Headers) -> Request:
    marks = case.marks
    bodies: Mapping[str, dict[str, object]] = {
        "gateway": {
            "sku": marks.sku,
            "quantity": case.quantity,
            "user_id": marks.user_id,
            "email": marks.email,
            "card_number": marks.card_number,
        },
        "inventory": {"sku": marks.sku, "quantity": case.quantity},
        "payment": {
            "user_id": marks.user_id,
            "card_number": marks.card_number,
            "amount_cents": case.quantity * case.unit_price_cents,
        },
    }
    body = scenario.body if scenario.body is not None else json.dumps(bodies[scenario.entry])
    return Request(
        scenario.method,
        scenario.target or _TARGETS[scenario.entry],
        [("Content-Type", "application/json"), *headers],
        body.encode(),
    )
