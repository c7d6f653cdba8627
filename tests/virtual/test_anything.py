"""Anything that callers, agents, phones, Asterisk and the machine may do, in any order: what must hold holds."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from config.survey import Survey
from tests.pure.desk_plain import on
from tests.virtual.fake_asterisk import Leg
from tests.virtual.virtual_time import run
from tests.virtual.world import World, opened

DELAYS = st.sampled_from([0.0, 0.001, 0.0015, 0.002, 0.01, 0.1, 1.0, 2.0, 5.0, 20.0, 40.0])
ACTS = st.sampled_from([
    "call", "call", "press 1", "press 1", "press 2", "press 4", "press 0", "press *", "press 9", "press #",
    "hang up", "taken",
    "answer", "answer", "answer", "reject 17", "reject 21", "reject 41", "agent 16", "agent 38",
    "lost", "back", "off duty", "on duty", "kill", "refuse", "silent", "store", "nothing",
])  # fmt: skip
STEPS = st.lists(st.tuples(DELAYS, ACTS, st.integers(0, 3)), min_size=1, max_size=40)


def legs(world: World, *, of_callers: bool, up: bool | None = None) -> list[Leg]:
    return [
        leg for leg in world.asterisk.legs.values()
        if (leg.arrival is not None) == of_callers and (up is None or leg.up == up)
    ]  # fmt: skip


async def act(world: World, what: str, which: int) -> None:
    """One thing happens, to the ``which``-th it can happen to."""
    word, _, more = what.partition(" ")
    callers = legs(world, of_callers=True)
    rung, talking = legs(world, of_callers=False, up=False), legs(world, of_callers=False, up=True)
    asterisk, agent = world.asterisk, f"800{which % 2 + 1}"
    match word:
        case "call" if len(world.callers) < 5:
            world.call()
        case "press" if callers:
            asterisk.press(callers[which % len(callers)], more)
        case "hang" if callers:
            asterisk.end(callers[which % len(callers)], 16)
        case "taken" if callers:
            asterisk.take(callers[which % len(callers)])
        case "answer" if rung:
            asterisk.answered(rung[which % len(rung)])
        case "reject" if rung:
            asterisk.end(rung[which % len(rung)], int(more))
        case "agent" if talking:
            asterisk.end(talking[which % len(talking)], int(more))
        case "lost":
            world.unregistered.add(agent)
            world.phone.unregistered.add(f"p{agent}")
            world.desk.reachable(f"p{agent}", False)
        case "back":
            world.unregistered.discard(agent)
            world.phone.unregistered.discard(f"p{agent}")
            world.desk.reachable(f"p{agent}", True)
        case "off":
            world.duty = {}
            world.desk.stand(on({}))
        case "on":
            world.duty = dict.fromkeys(world.settings.agents.agents, world.clock.now())
            world.desk.stand(on(world.duty))
        case "kill":
            await world.restart(0.3)
        case "refuse" | "silent":
            next_one = len(world.phone.requests) + 1 + which
            failure: Any = "refused" if word == "refuse" else "unanswered"
            world.phone.fault = lambda request: failure if request.number == next_one else ""
        case "store":
            lost = world.journal.barriers + 1 + which
            journal = world.journal
            journal.fault = lambda event: journal.barriers == lost
        case _:
            pass


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whatever_happens(steps: list[tuple[float, str, int]]) -> None:
    async def live() -> None:
        world = await opened("8001", "8002", longest_wait=60, wrap_up=2.0, survey=Survey(enabled=True))
        world.call()
        for delay, what, which in steps:
            await asyncio.sleep(delay)
            await act(world, what, which)
        await asyncio.sleep(30)
        for leg in legs(world, of_callers=True):
            world.asterisk.end(leg, 16)
        await asyncio.sleep(60)
        await world.restart()
        await world.nothing_left()

    run(live())
