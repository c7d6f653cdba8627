"""What a waiting caller is told of the wait, and who announces the agent before the two are connected."""

from __future__ import annotations

import asyncio
from typing import Any

from calllog import events as ev
from config.settings import Announce
from routing.messages import AgentCommand, Handled
from tests.virtual.conftest import Logged
from tests.virtual.sweep import sweep
from tests.virtual.test_kills import killed
from tests.virtual.test_settings_change import change, with_queues
from tests.virtual.world import SKILLS, Caller, World, opened, settings

NUMBER = ["num_8", "num_0", "num_0", "num_yao", "agent_serves"]


async def experienced(*agents: str, seconds: float = 90.0) -> World:
    """Agents who have handled twenty callers alike, each in two minutes with the wrap-up."""
    world = await opened(*agents, longest_wait=3000)
    for _talk in range(20):
        world.desk._core._learn(Handled("inquiry", world.clock.now(), seconds))
        world.desk._core._learn(Handled("complaint", world.clock.now(), seconds - 30))
    return world


async def busy(world: World, *agents: str) -> None:
    """Each of these agents talks with a caller."""
    for agent in agents:
        world.answers.pop(agent, None)
        caller = await world.asks()
        ring = await world.rings(agent)
        ring.answer()
        await caller.talks()


def told(world: World, caller: Caller) -> list[ev.PositionTold]:
    return [event for event in world.events(caller) if isinstance(event, ev.PositionTold)]


async def test_the_wait_is_told_and_falls_as_the_queue_moves_on() -> None:
    world = await experienced("8001")
    await busy(world, "8001")
    first, second = await world.asks(), await world.asks()
    await second.heard("wait_minutes")
    sounds = second.sounds
    said = sounds[sounds.index("wait_about") :]
    assert said[:3] == ["wait_about", "num_4", "wait_minutes"] and told(world, second)[0].wait == 4
    await asyncio.sleep(60)
    world.rung[0].hang_up()
    ring = await world.rings("8001", 2)
    ring.answer()
    await first.talks()
    await asyncio.sleep(100)
    waits = [event.wait for event in told(world, second) if event.wait is not None]
    assert waits == sorted(waits, reverse=True) and waits[0] > waits[-1] == 0
    assert "wait_under_minute" in second.sounds and not any(event.cause for event in told(world, second))
    for caller in world.callers:
        caller.hang_up()
    await world.nothing_left()


async def test_a_wait_that_grows_says_why() -> None:
    world = await experienced("8001", "8002", seconds=270.0)
    await busy(world, "8001", "8002")
    await world.asks()
    caller = await world.asks()
    await caller.heard("wait_minutes")
    first = told(world, caller)[-1].wait or 0
    assert 3 <= first <= 5, "two agents, one caller ahead: the mean of a talk, less what the present ones have had"
    world.desk.command(AgentCommand("8002", "pause", "培训"))  # after the talk: nobody after it is served
    await caller.heard("wait_longer_agents")
    last = told(world, caller)[-1]
    assert (last.wait or 0) > first and last.cause == "agents"
    complains = await world.asks("2")
    await caller.heard("wait_longer_priority")
    before, last = told(world, caller)[-2:]
    assert (last.wait or 0) > (before.wait or 0) and (last.cause, last.before) == ("priority", 2)
    await caller.heard("still_waiting", caller.sounds.count("still_waiting") + 1)
    await asyncio.sleep(1)
    assert told(world, caller)[-1].cause == "" and (told(world, caller)[-1].wait or 0) <= (last.wait or 0)
    assert complains in world.callers
    for each in world.callers:
        each.hang_up()
    await world.nothing_left()


async def test_a_restart_keeps_the_promise() -> None:
    world = await experienced("8001")
    await busy(world, "8001")
    caller = await world.asks()
    await caller.heard("wait_about")
    before = told(world, caller)[-1].wait
    await world.restart()
    await caller.heard("still_waiting", 2)
    after = [event.wait for event in told(world, caller)[1:] if event.wait is not None]
    assert before is not None and all(wait <= before for wait in after)
    for each in world.callers:
        each.hang_up()
    await world.nothing_left()


async def test_without_experience_only_the_place_is_told() -> None:
    world = await opened("8001", longest_wait=3000)
    await busy(world, "8001")
    caller = await world.asks()
    await caller.heard("still_waiting", 3)
    assert "position_next" in caller.sounds and not any(sound.startswith("wait_") for sound in caller.sounds)
    for each in world.callers:
        each.hang_up()
    await world.nothing_left()


async def announcing(*agents: str, **changes: Any) -> World:
    """A hotline that announces agents."""
    rules = settings({agent: SKILLS for agent in agents}, wrap_up=1.0, **changes)
    hotline = rules.hotline.model_copy(update={"announce": Announce(position=False, wait=False, agent=True)})
    world = World(rules.model_copy(update={"hotline": hotline}))
    await world.read_back()
    return world


async def test_caller_and_agent_hear_the_staff_number_before_they_are_connected() -> None:
    world = await announcing("8001")
    caller = await world.asks()
    ring = await world.rings("8001")
    await asyncio.sleep(3)
    ring.answer()
    await caller.heard("agent_serves")
    assert caller.leg.held == "room" and not caller.leg.monitors, "not connected yet"
    await caller.talks()
    assert caller.sounds[-5:] == NUMBER and caller.whole("agent_serves")
    assert [sound for sound, _at, _whole in ring.leg.heard] == NUMBER
    await asyncio.sleep(5)
    assert caller.leg.monitors
    caller.hang_up()
    await world.over(caller)
    kinds = [type(event) for event in world.events(caller)]
    assert kinds.index(ev.AgentAnnounced) < kinds.index(ev.TalkStarted) < kinds.index(ev.RecordingStarted)
    assert not {"position_next", "queue_wait"} & set(caller.sounds) - {"queue_wait"}
    await world.nothing_left()


async def test_an_agent_who_hangs_up_while_announced_is_followed_by_the_next() -> None:
    world = await announcing("8001", "8002")
    caller = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    await caller.heard("num_yao")
    ring.hang_up()
    second = await world.rings("8002")
    assert caller.leg.held == "room"
    second.answer()
    await caller.talks()
    assert caller.sounds[-5:] == [*NUMBER[:3], "num_2", "agent_serves"]
    caller.hang_up()
    state = await world.over(caller)
    assert [talk.ring_result for talk in state.talks] == ["missed", "answered"]
    await world.nothing_left()


async def test_settings_that_change_while_an_agent_is_announced_hold_for_a_caller_who_waits_again() -> None:
    world = await announcing("8001", longest_wait=60.0)
    caller = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    await caller.heard("num_yao")
    change(world, with_queues(world.settings, inquiry={"longest_wait": 3000.0}))
    world.answers["8001"] = lambda ring: ring.reject(17)
    ring.hang_up()
    await world.until(lambda: world.loop.time() > 400, "time passes")
    assert caller.leg.held == "room" and caller.id not in world.away
    caller.hang_up()
    await world.nothing_left()


async def test_the_number_is_said_in_the_callers_language() -> None:
    world = await announcing("8001")
    caller = world.call()
    await caller.heard("en/menu_language")
    caller.press("9", "1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    english = ["en/agent_number", "en/num_8", "en/num_0", "en/num_0", "en/num_1", "en/agent_serves"]
    assert caller.sounds[-6:] == english == [sound for sound, _at, _whole in ring.leg.heard]
    caller.hang_up()
    await world.nothing_left()


async def announced(world: World, caller: Caller) -> None:
    """Served after the announcement; the agent hangs up."""
    await caller.heard("menu_main")
    caller.press("1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await asyncio.sleep(5)
    ring.hang_up()
    await caller.heard("farewell")
    await caller.gone()


async def two() -> World:
    return await announcing("8001", "8002")


def test_a_kill_at_any_instant_of_the_announcement_still_serves_the_caller(logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        assert world.state(caller).outcome == "answered"

    assert sweep(two, announced, killed(), check) > 80


def test_a_caller_who_hangs_up_at_any_instant_of_it_leaves_nothing(logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged

    assert sweep(two, announced, lambda world, caller: caller.hang_up(), check) > 80
