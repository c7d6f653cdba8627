"""The wrap-up that waits for the call's record, in virtual time: written, extended, run out, killed, at home."""

from __future__ import annotations

import asyncio

import pytest

from calllog import events as ev
from config.settings import CallRecords, Device
from routing.agents import IllegalTransition
from routing.messages import AgentCommand
from tests.virtual.test_codes import Night
from tests.virtual.world import Caller, World, opened

RULES = CallRecords(required=True, time_limit=120, extend_by=60, extensions=1)


async def talked(world: World, agent: str = "8001") -> Caller:
    """A caller who was served, and has just hung up."""
    caller = await world.asks("1")
    ring = await world.rings(agent, 1 + sum(1 for one in world.rung if one.leg.device == f"p{agent}" and one.over))
    ring.answer()
    await caller.talks()
    await asyncio.sleep(10)
    caller.hang_up()
    await world.over(caller)
    return caller


def write(world: World, caller: Caller, complete: bool = True) -> None:
    """As ``cases.records`` does: into the journal, then to the desk."""
    version = sum(isinstance(each, ev.RecordWritten) for each in world.events(caller)) + 1
    event = ev.RecordWritten(record_id="r", version=version, by="8001", agent="8001", complete=complete)
    world.journal.append("call", caller.id, event)
    world.desk.record_saved(caller.id, complete)


async def test_the_wrap_up_lasts_until_the_record_is_complete() -> None:
    world = await opened("8001", wrap_up=30, record=RULES)
    caller = await talked(world)
    await asyncio.sleep(60)
    assert world.mode("8001") == "wrap_up"
    waiting = await world.asks("1")
    write(world, caller, complete=False)
    await asyncio.sleep(1)
    assert world.mode("8001") == "wrap_up" and waiting.leg.held == "room"
    write(world, caller)
    (await world.rings("8001", 2)).answer()
    await waiting.talks()
    write(world, waiting)  # in the talk already
    await asyncio.sleep(1)
    waiting.hang_up()
    await world.over(waiting)
    await asyncio.sleep(29)
    assert world.mode("8001") == "wrap_up", "the ordinary wrap-up"
    await asyncio.sleep(2)
    assert world.mode("8001") == "ready"
    await world.nothing_left()


async def test_ready_holds_from_the_record_on_and_not_before() -> None:
    world = await opened("8001", wrap_up=30, record=RULES)
    caller = await talked(world)
    assert world.desk.command(AgentCommand("8001", "ready")).mode == "wrap_up"
    write(world, caller)
    assert world.mode("8001") == "ready", "they said so: the ordinary wrap-up is over too"
    await world.nothing_left()


@pytest.mark.parametrize(("at_limit", "others", "ends"), [
    ("ready", ["8002"], "ready"), ("pause", ["8002"], "paused no_record"), ("pause", [], "ready"),
])  # fmt: skip
async def test_at_the_limit_the_record_is_missing_and_nobody_is_kept(
    at_limit: str, others: list[str], ends: str
) -> None:
    rules = RULES.model_copy(update={"at_limit": at_limit})
    world = await opened("8001", *others, wrap_up=5, record=rules)
    for other in others:
        world.desk.command(AgentCommand(other, "pause", "meal"))
    caller = await talked(world)
    for other in others:
        world.desk.command(AgentCommand(other, "ready"))
    await asyncio.sleep(100)
    state = world.desk.command(AgentCommand("8001", "extend"))
    assert state.mode == "wrap_up" and state.extended == 1
    with pytest.raises(IllegalTransition):
        world.desk.command(AgentCommand("8001", "extend"))
    await asyncio.sleep(75)
    assert world.mode("8001") == "wrap_up"
    await asyncio.sleep(10)
    assert world.mode("8001") == ends
    (extended,) = [each for each in world.events(caller) if isinstance(each, ev.RecordExtended)]
    assert (extended.by, extended.until) == ("8001", state.until)
    assert world.state(caller).record is None
    await world.nothing_left()


@pytest.mark.parametrize("written", [False, True])
async def test_a_kill_forgets_neither_the_limit_nor_the_record(written: bool) -> None:
    world = await opened("8001", wrap_up=5, record=RULES)
    caller = await talked(world)
    await asyncio.sleep(20)
    if written:  # the record is safe, the desk dies before it hears of it
        event = ev.RecordWritten(record_id="r", version=1, by="8001", agent="8001", complete=True)
        world.journal.append("call", caller.id, event)
    world.journal.sync()
    await world.restart()
    await asyncio.sleep(1)
    assert world.mode("8001") == ("ready" if written else "wrap_up")
    await asyncio.sleep(105)
    assert world.mode("8001") == "ready"
    await world.nothing_left()


async def test_at_home_with_a_mobile_nobody_waits_for_a_record() -> None:
    world = await opened("8001", wrap_up=5, record=RULES, devices={"8001": (Device(number="13912345678"),)})
    caller = await world.asks("1")
    ring = await world.device_rings("5678")
    ring.answer()
    ring.press("1")
    await caller.talks()
    await asyncio.sleep(5)
    caller.hang_up()
    await world.over(caller)
    await asyncio.sleep(6)
    assert world.mode("8001") == "ready"
    await world.nothing_left()


async def test_a_pause_asked_for_meanwhile_begins_with_the_record() -> None:
    world = await opened("8001", wrap_up=5, record=RULES)
    caller = await talked(world)
    world.desk.command(AgentCommand("8001", "pause", "meal"))
    assert world.mode("8001") == "wrap_up meal"
    write(world, caller)
    assert world.mode("8001") == "paused meal"
    await world.nothing_left()

async def test_by_phone_an_agent_hears_that_the_record_comes_first_and_asks_for_more_time() -> None:
    world = await opened("8001", wrap_up=5, record=RULES)
    caller = await talked(world)
    night = Night(world)
    due = world.desk.agent("8001")[0].until
    assert (await night.dial("*20"))[-1] == (await night.dial("*10"))[-1] == "code_record_first"
    assert (await night.dial("*21"))[-3:] == ["code_paused", "pause_meal", "code_record_first"]
    assert (await night.dial("*29"))[-1] == "code_extended"
    assert world.desk.agent("8001")[0].until == due + 60_000_000
    assert (await night.dial("*29"))[-1] == "code_no_more_time"
    assert [event.by for event in world.events(caller) if isinstance(event, ev.RecordExtended)] == ["8001"]
    await night.dial("*20")
    write(world, caller)
    assert world.mode("8001") == "ready" and (await night.dial("*29"))[-1] == "code_no_record"
    await world.nothing_left()
