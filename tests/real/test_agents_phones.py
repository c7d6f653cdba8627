"""Phones that do not answer, refuse, are busy or gone: the next agent rings, nobody is lost, nothing is left over."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from calllog.events import RingEnded
from hotline.control import ask
from hotline.trial import Trial
from tests.real.conftest import on_duty
from tests.real.verbs import asks, connected, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS, QUICK = ["8001", "8002"], ["8003", "8004"]
REGISTERED = [*AGENTS, *QUICK]
MISSED = 1.5
"""Seconds that the phones of the quick ones ring: they are there to be missed, for complaints alone."""

CHANGES = {
    "hotline": {"times": {"dead_phone": 3}},
    "roster": on_duty(*AGENTS, *QUICK),
    "agents": {"agents": {
        **{agent: {"skills": ["inquiry"]} for agent in AGENTS},
        **{agent: {"name": f"座席{agent}", "skills": ["complaint"], "devices": [{"sip": agent, "ring_time": MISSED}]}
           for agent in QUICK},
    }},
}  # fmt: skip


async def ready(hotline: Trial, *agents: str) -> None:
    """Every one of these agents is ready and has missed nothing."""
    for agent in agents:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="ready")


def alarms(hotline: Trial) -> list[str]:
    with closing(sqlite3.connect(f"file:{hotline.store}?mode=ro", uri=True)) as store:
        return [data for (data,) in store.execute("select data from event where kind = 'alarm'")]


async def mode(hotline: Trial, agent: str) -> tuple[str, str]:
    state = (await hotline.status())["agents"][agent]
    return state["mode"], state["reason"]


@pytest.mark.parametrize(("code", "result"), [(486, "busy"), (603, "rejected"), (500, "failed"), (480, "missed")])
async def test_a_phone_that_does_not_answer_is_followed_by_the_next(hotline: Trial, code: int, result: str) -> None:
    await ready(hotline, "8001", "8002")
    caller, number = await asks(hotline)
    phones = hotline.world.handsets
    waits = {agent: asyncio.ensure_future(phones[agent].rings()) for agent in AGENTS}
    done, _rest = await asyncio.wait(waits.values(), return_when=asyncio.FIRST_COMPLETED)
    first = next(agent for agent, wait in waits.items() if wait in done)
    second = next(agent for agent in AGENTS if agent != first)
    await waits[first].result().reject(code)
    ring = await waits[second]
    await ring.answer()
    await connected(hotline, number)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "answered"
    rings = [(e.agent, e.result) for e in (r.event for r in call.events) if isinstance(e, RingEnded)]
    assert rings[0] == (first, result) and rings[-1] == (second, "answered")
    await hotline.nothing_left()


async def test_who_missed_twice_is_paused_and_the_last_reachable_one_is_kept_with_an_alarm(hotline: Trial) -> None:
    await ready(hotline, *QUICK)
    caller, number = await asks(hotline, "2")
    # Nobody answers: each is rung until the last one would have to be paused, too.
    async with asyncio.timeout(90):
        while not any("last_agent_missed" in data for data in alarms(hotline)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    modes = {agent: await mode(hotline, agent) for agent in QUICK}
    assert sorted(modes.values())[0] == ("paused", "missed"), modes
    assert [name for name, _reason in modes.values()].count("paused") == 1, modes
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "abandoned"
    rings = [(e.agent, e.result) for e in (r.event for r in call.events) if isinstance(e, RingEnded)]
    assert [result for _agent, result in rings[:4]] == ["missed"] * 4
    assert [agent for agent, _result in rings[:4]] in (QUICK * 2, QUICK[::-1] * 2), "each is followed by the other"
    paused = next(agent for agent, state in modes.items() if state[0] == "paused")
    await ready(hotline, paused)
    assert (await mode(hotline, paused))[0] == "ready"
    await hotline.nothing_left()


async def test_an_unregistered_phone_is_not_rung(hotline: Trial) -> None:
    await ready(hotline, "8001", "8002")
    await hotline.world.handsets["8001"].unregister()
    async with asyncio.timeout(90):
        while (await hotline.status())["agents"]["8001"]["reachable"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    caller, number = await asks(hotline)
    ring = await hotline.world.handsets["8002"].rings()
    await ring.answer()
    await caller.hang_up()
    call = await hotline.ended(number)
    assert [talk.agent for talk in call.state.talks] == ["8002"]
    await hotline.world.handsets["8001"].register()
    await hotline.reachable("8001")


async def test_hang_up_in_the_same_instant_as_the_answer_leaves_nothing(hotline: Trial) -> None:
    for delay in (0.0, 0.002, 0.005, 0.01, 0.02):
        await ready(hotline, "8001", "8002")
        caller, number = await asks(hotline)
        waits = [asyncio.ensure_future(hotline.world.handsets[agent].rings()) for agent in AGENTS]
        done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        ring = done.pop().result()
        answer = asyncio.ensure_future(ring.answer())
        await asyncio.sleep(delay)
        await caller.hang_up()
        await asyncio.gather(answer, return_exceptions=True)
        await ring.gone()
        state = (await hotline.ended(number)).state
        assert state.outcome in ("answered", "abandoned")
        await hotline.nothing_left()
        status = await hotline.idle()
        assert {status["agents"][agent]["mode"] for agent in AGENTS} <= {"ready", "wrap_up"}


async def test_a_phone_that_dies_in_mid_talk_is_followed_by_another_agent(hotline: Trial) -> None:
    await ready(hotline, "8001", "8002")
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    ring.send_nothing()
    await caller.heard("agent_lost")
    second = await either(hotline, *AGENTS)
    await second.answer()
    second.say(tone_hz=880)
    await caller.heard(tone_hz=880)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "answered" and len([talk for talk in call.state.talks if talk.started_at]) == 2
    await hotline.nothing_left()
