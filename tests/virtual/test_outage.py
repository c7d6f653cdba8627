"""Asterisk cannot be reached for minutes while it and the callers are well: nobody is given up for it."""

from __future__ import annotations

import asyncio

import pytest

from calllog import events as ev
from tests.virtual.world import answers, opened


@pytest.mark.parametrize("minutes", [0.1, 1.0, 4.0])
async def test_a_caller_in_the_menu_is_served_after_it(minutes: float) -> None:
    world = await opened("8001")
    world.answers["8001"] = answers(2, talks=20)
    caller = world.call()
    await caller.heard("recording_notice")
    world.phone.up.clear()
    await asyncio.sleep(60 * minutes)
    world.phone.up.set()
    await caller.heard("menu_main")
    caller.press("1")
    await caller.talks()
    assert (await world.over(caller)).outcome == "answered"
    assert not any(isinstance(event, ev.Fault) for event in world.events(caller))
    await world.nothing_left()


async def test_one_who_asks_during_it_is_rung_for_after_it() -> None:
    world = await opened("8001")
    caller = world.call()
    await caller.heard("menu_main")
    world.phone.up.clear()
    caller.press("1")
    await asyncio.sleep(100)
    world.phone.up.set()
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    caller.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    await world.nothing_left()


async def test_a_recorder_that_is_back_records_the_rest_of_the_talk() -> None:
    world = await opened("8001")
    world.answers["8001"] = answers(2, talks=60)
    broken = True
    world.phone.fault = lambda request: "refused" if broken and request.verb == "record_talk" else ""
    caller = world.call()
    await caller.heard("menu_main")
    caller.press("1")
    await caller.talks()
    await asyncio.sleep(15)
    assert not caller.leg.monitors
    broken = False
    await asyncio.sleep(12)
    assert len(caller.leg.monitors) == 1
    state = await world.over(caller)
    assert [bool(part.failed) for part in state.parts][-1] is False and state.parts[0].failed
    await world.nothing_left()
