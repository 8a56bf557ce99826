"""Gates hold requests back until something else has happened, and let them pass then."""

import asyncio

from event_loop import in_event_loop

from otelkata.drive.gate import Gate, MeetingPoint


@in_event_loop
async def test_a_gate_holds_who_comes_until_it_is_released() -> None:
    gate = Gate()
    first, second = (asyncio.ensure_future(gate.wait()) for _ in range(2))
    await gate.reached.wait()
    assert not first.done()
    assert not second.done()
    gate.release()
    await asyncio.gather(first, second, gate.wait())
    assert 0 < gate.reached_ns <= gate.released_ns


@in_event_loop
async def test_a_gate_keeps_the_time_of_the_first_who_came() -> None:
    gate = Gate()
    gate.notice()
    reached_ns = gate.reached_ns
    gate.notice()
    assert gate.reached_ns == reached_ns


@in_event_loop
async def test_a_meeting_begins_when_all_are_there() -> None:
    meeting = MeetingPoint(3, patience=60)
    early = [asyncio.ensure_future(meeting.wait()) for _ in range(2)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert not any(task.done() for task in early)
    await asyncio.gather(meeting.wait(), *early)


@in_event_loop
async def test_a_meeting_does_not_wait_for_ever_nor_twice() -> None:
    meeting = MeetingPoint(3, patience=0.01)
    await meeting.wait()
    meeting._patience = 60
    await meeting.wait()
