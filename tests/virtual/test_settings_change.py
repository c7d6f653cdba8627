"""Settings that change under running calls: each call goes on, by the new ones as far as it can."""

from __future__ import annotations

from typing import Any

from config.settings import AgentFile, QueueFile, Settings
from routing.messages import Rules
from routing.session import settings_of_running_call
from tests.pure.desk_plain import on
from tests.virtual.world import World, answers, opened, settings


def change(world: World, new: Settings, *duty: str) -> None:
    """What the daemon does when a change takes effect."""
    world.settings = new
    world.duty = dict.fromkeys(duty or new.agents.agents, world.clock.now())
    world.desk.settings_changed(Rules.of(new), on(world.duty))
    world.calls.settings_changed(new)


def with_queues(base: Settings, **changes: Any) -> Settings:
    """Queues by name, each with something changed; None takes one away."""
    queues = dict(base.queues.queues)
    for name, update in changes.items():
        if update is None:
            del queues[name]
        else:
            queues[name] = queues[name].model_copy(update=update)
    return base.model_copy(update={"queues": QueueFile(queues=queues)})


def with_menu_key(base: Settings, key: str, queue: str) -> Settings:
    """The main menu with another queue behind a key."""
    menu = base.menu.menus["main"]
    option = menu.options[key].model_copy(update={"queue": queue})
    menus = {**base.menu.menus, "main": menu.model_copy(update={"options": {**menu.options, key: option}})}
    return base.model_copy(update={"menu": base.menu.model_copy(update={"menus": menus})})


async def test_a_longer_wait_is_not_cut_short_by_the_guard_of_the_shorter_one() -> None:
    world = await opened("8001", longest_wait=60.0)
    world.answers["8001"] = lambda ring: ring.reject(17)
    caller = await world.asks()
    change(world, with_queues(world.settings, inquiry={"longest_wait": 3000.0}))
    await world.until(lambda: world.loop.time() > 400, "time passes")
    assert caller.leg.held == "room" and caller.id not in world.away
    world.answers["8001"] = answers(1.0, 5.0)
    await caller.talks()
    assert (await world.over(caller)).outcome == "answered"
    await world.nothing_left()


async def test_a_call_keeps_its_menu_and_what_that_leads_to_although_it_is_gone() -> None:
    world = await opened("8001", longest_wait=200.0)
    caller = world.call()
    await caller.heard("menu_main")
    new = with_queues(with_menu_key(world.settings, "4", "inquiry"), business=None)
    change(world, new)
    caller.press("4")
    ring = await world.rings("8001")
    assert world.state(caller).queue == "business" and world.state(caller).priority == 5
    ring.reject(17)
    await world.until(lambda: world.loop.time() > 150, "time passes")
    assert caller.id not in world.away, "a queue that is gone still has its longest wait"
    world.answers["8001"] = answers(1.0, 5.0)
    assert (await world.over(caller)).outcome == "answered"
    after = world.call()
    await after.heard("menu_main")
    after.press("4")
    await world.over(after)
    assert world.state(after).queue == "inquiry"
    await world.nothing_left()


async def test_who_waits_is_not_given_up_when_all_agents_are_exchanged_at_once() -> None:
    world = await opened("8001", longest_wait=300.0)
    world.answers["8001"] = lambda ring: ring.reject(17)
    world.answers["8002"] = answers(1.0, 5.0)
    caller = await world.asks()
    new = settings({"8002": ("inquiry", "complaint", "general", "business")}, longest_wait=300.0)
    change(world, new)
    assert world.state(caller).stage in ("queue", "ringing")
    world.desk.reachable("p8002", True)
    assert (await world.over(caller)).outcome == "answered"
    assert {talk.agent for talk in world.state(caller).talks if talk.started_at} == {"8002"}
    await world.nothing_left()


async def test_an_agent_who_is_removed_finishes_the_talk_and_is_rung_no_more() -> None:
    world = await opened("8001", "8002", longest_wait=30.0)
    world.answers["8001"] = answers(1.0)
    world.answers["8002"] = lambda ring: ring.reject(17)
    caller = await world.asks()
    await caller.talks()
    agents = {number: agent for number, agent in world.settings.agents.agents.items() if number != "8001"}
    change(world, world.settings.model_copy(update={"agents": AgentFile(agents=agents)}))
    assert caller.leg.held.endswith("-bridge")
    other = await world.asks()
    await world.over(other)
    assert {talk.agent for talk in world.state(other).talks} == {"8002"}
    caller.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    await world.nothing_left()


def test_of_new_settings_a_running_call_takes_all_but_the_menu() -> None:
    began = settings({"8001": ("inquiry",)})
    now = with_queues(with_menu_key(settings({"8002": ("inquiry",)}, digit_timeout=7.0), "4", "inquiry"), business=None)
    kept = settings_of_running_call(began, now)
    assert kept.menu == began.menu != now.menu
    assert (kept.hotline, kept.agents, kept.prompts) == (now.hotline, now.agents, now.prompts)
    assert kept.queues.queues == {**now.queues.queues, "business": began.queues.queues["business"]}
