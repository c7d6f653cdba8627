"""Stops, starts and reconnects at unlucky moments: still one outcome each, and nobody is taken out of our hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from calllog.errors import StoreError
from phone.port import Snapshot
from routing import queue
from tests.virtual.fake_journal import outcomes
from tests.virtual.world import World, answers, opened

GRACE = 30.0
"""Seconds that a stopping daemon gives the next one."""


async def stops(world: World) -> None:
    """SIGTERM."""
    world.kills += 1
    world.desk.close()
    await world.calls.stop(GRACE)
    world.phone.die()
    world.journal.sync()
    world.journal.die()


async def starts(world: World) -> None:
    world.power_on()
    await world.read_back()


async def reads_back(world: World) -> int:
    """What every reconnect but the first does; returns how many calls were adopted."""
    running = world.calls.running()
    still = [call for call in world.shelf.open_calls() if call.call_id not in running]
    adoption = await world.calls.read_back(
        still, asterisk_started=world.asterisk.started, was_away=lambda call: False, is_over=world._is_over
    )
    world.calls.adopt(adoption)
    return len(adoption.begin)


@pytest.mark.parametrize("before", [True, False], ids=["before-the-snapshot", "after-it"])
async def test_a_call_that_ends_while_asterisk_is_read_back_has_no_second_end(
    before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await opened("8001", on_duty=("8001",))
    caller = await world.asks()
    snapshot: Callable[[], Awaitable[Snapshot]] = world.phone.snapshot

    async def slow() -> Snapshot:
        found = None if before else await snapshot()
        caller.hang_up()
        await world.over(caller)
        await asyncio.sleep(0.1)
        return found or await snapshot()

    monkeypatch.setattr(world.phone, "snapshot", slow)
    still = world.shelf.open_calls()  # as read by a journal that is a moment ahead
    assert [call.call_id for call in still] == [caller.id]
    adoption = await world.calls.read_back(
        still, asterisk_started=world.asterisk.started, was_away=lambda call: False, is_over=world._is_over
    )
    assert not adoption.begin
    assert len(outcomes(world.shelf, caller.id)) == 1 and len(world.calls) == 0
    await world.nothing_left()


async def test_a_bridge_that_is_being_made_is_not_taken_away_by_a_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await opened("8001")
    caller = await world.asks()
    ring = await world.rings("8001")
    await asyncio.sleep(1)
    connect = world.phone.connect

    async def reconnected(bridge: str, one: str, other: str) -> None:
        await connect(bridge, one, other)
        await reads_back(world)

    monkeypatch.setattr(world.phone, "connect", reconnected)
    ring.answer()
    await caller.talks()
    await asyncio.sleep(3)
    assert caller.leg.held.endswith("-bridge") and ring.leg.held == caller.leg.held
    caller.hang_up()
    await world.nothing_left()


async def test_who_is_in_the_menu_when_the_daemon_is_restarted_stays_as_long_as_they_like() -> None:
    world = await opened("8001", digit_timeout=20.0)
    world.answers["8001"] = answers(2)
    caller = world.call()
    await caller.heard("menu_main")
    await asyncio.sleep(1)
    await stops(world)
    await asyncio.sleep(2)
    await starts(world)
    await asyncio.sleep(GRACE)  # the guard of the stop would have taken them by now
    assert caller.leg.ours
    caller.press("1")
    await caller.talks()
    caller.hang_up()
    await world.nothing_left()


async def test_a_reading_back_that_fails_leaves_no_line_behind() -> None:
    world = await opened("8001")
    world.answers["8001"] = answers(1)
    caller = await world.asks()
    world.kill()
    world.power_on()
    world.call()  # known to nobody: the journal is asked about them, and does not answer

    async def unreadable(call_id: str) -> bool:
        raise StoreError(call_id)

    with pytest.raises(StoreError):
        await world.calls.read_back(
            world.shelf.open_calls(), asterisk_started=0, was_away=lambda call: False, is_over=unreadable
        )
    assert not world.phone.lines
    await world.read_back()
    await caller.talks()
    for each in world.callers:
        each.hang_up()
    await world.nothing_left()


async def test_nobody_is_taken_on_by_a_daemon_that_stops() -> None:
    world = await opened("8001", on_duty=("8001",))
    waits = world.call()
    await waits.heard("menu_main")
    stopping = asyncio.ensure_future(stops(world))
    await asyncio.sleep(0)
    caller = world.call()
    await stopping
    assert len(world.calls) == 0 and not world.phone.lines and not caller.leg.up
    for each in (caller, waits):
        each.hang_up()


async def test_a_key_after_a_restart_need_not_wait_for_the_prompt_of_the_daemon_before() -> None:
    world = await opened("8001")
    world.answers["8001"] = answers(1)
    caller = world.call()
    await caller.heard("menu_main")
    await asyncio.sleep(0.1)
    await world.restart(away=0.1)
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    caller.press("1")
    await caller.talks()
    assert asyncio.get_running_loop().time() - began < 1.5
    assert caller.sounds.count("menu_main") == 2
    assert not world.state(caller).faults
    caller.hang_up()
    await world.nothing_left()


async def test_a_ring_taken_back_in_the_instant_of_its_answer_keeps_no_other_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "RING_GUARD", 0)
    world = await opened("8001", "8002")
    connect = world.phone.connect

    async def slow(bridge: str, one: str, other: str) -> None:
        await connect(bridge, one, other)
        await asyncio.sleep(2)

    monkeypatch.setattr(world.phone, "connect", slow)
    caller = await world.asks()
    await world.until(lambda: bool(world.rung), "somebody rings")
    await asyncio.sleep(world.settings.hotline.times.ring - 1)
    world.rung[0].answer()
    await caller.talks()
    await asyncio.sleep(3)
    assert "ring_unreported" in world.alarms
    assert not [agent.agent for agent in world.desk.agents() if agent.mode == "ringing"] and len(world.rung) == 1
    caller.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    await world.nothing_left()


@pytest.mark.parametrize("killed", [False, True], ids=["in-service", "no-daemon"])
async def test_a_message_that_is_being_left_when_the_dialplan_takes_the_caller_is_kept(killed: bool) -> None:
    world = await opened("8001", on_duty=())
    caller = world.call()
    await caller.heard("menu_main")
    caller.press("2")
    await caller.heard("beep")
    await asyncio.sleep(4)
    if killed:
        world.kill()
        await asyncio.sleep(1)
    world.asterisk.take(caller.leg)
    if killed:
        await world.restart(0.5)
    await world.until(lambda: caller.id in world.away, "the dialplan to have the caller")
    state = world.state(caller)
    assert state.voicemail_kept and not state.voicemail_open and state.voicemail_seconds >= 3.5
