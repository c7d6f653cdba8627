"""A shift changes in the middle of a talk and of a queue; and a queue closes at that hour."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from hotline.trial import Trial, trial
from tests.real.conftest import profile
from tests.real.verbs import asks, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {
    "hotline": {"times": {"ring": 30}},
    "roster": {
        "shifts": {"早班": {"from": "06:00", "to": "14:00"}, "中班": {"from": "14:00", "to": "22:00"}},
        "rules": [{"shift": "早班", "agents": ["8001"]}, {"shift": "中班", "agents": ["8002"]}],
    },
    "queues": {"queues": {
        "inquiry": {"longest_wait": 300}, "suggestion": {"hours": [{"from": "08:00", "to": "14:00"}]},
    }},
}  # fmt: skip
BEFORE = (10.0, 25.0, 60.0)
"""Seconds before 14:00 at which the hotline is started; a slow machine needs more to have talk and queue by then."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    async with trial(tmp_path_factory.mktemp("trial"), profile(AGENTS, **CHANGES), daemon=False) as it:
        await asyncio.gather(*(it.handset(agent) for agent in AGENTS))
        yield it


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def waits(hotline: Trial, number: str) -> bool:
    found = await hotline.detail(number)
    return found is not None and found.state.stage in ("queue", "ringing")


async def is_off(hotline: Trial, agent: str) -> bool:
    return bool((await hotline.status())["agents"][agent]["mode"] == "off")


async def test_a_shift_changes_in_the_middle_of_a_talk_and_of_a_queue(house: Trial) -> None:
    phones = house.world.handsets
    for day, before in enumerate(BEFORE):  # each on the next day: the hotline's clock does not go back
        await house.stop()
        now = dt.datetime.now(house.settings.hotline.zone)
        ends = time.monotonic() + before
        change = now.replace(hour=14, minute=0, second=0, microsecond=0) + dt.timedelta(days=day)
        await house.start(offset=(change - now).total_seconds() - before)
        await house.reachable(*AGENTS)
        talker, talker_number = await asks(house)
        ring = await either(house, *AGENTS)
        await ring.answer()
        ring.say(tone_hz=660)
        await talker.heard(tone_hz=660)
        waiter, waiter_number = await asks(house)
        await until(lambda number=waiter_number: waits(house, number))
        if time.monotonic() < ends:
            break
        await asyncio.gather(talker.hang_up(), waiter.hang_up())
    assert ring in phones["8001"].history

    next_ring = await phones["8002"].rings(90)
    assert time.monotonic() > ends - 1.0, "the next shift is not rung before it begins"
    await next_ring.answer()
    next_ring.say(tone_hz=990)
    # A queue whose hours end at 14:00: who asks now is told that it is closed, and until when.
    closed, closed_number = await asks(house, "3")
    await waiter.heard(tone_hz=990)
    later, later_number = await asks(house)
    await until(lambda: waits(house, later_number))
    await talker.heard(tone_hz=660)

    # The agent of the shift that is over finishes the talk and gets nobody new, though a caller waits.
    await talker.hang_up()
    await until(lambda: is_off(house, "8001"))
    await next_ring.hang_up()
    last = await phones["8002"].rings()
    await last.answer()
    last.say(tone_hz=770)
    await later.heard(tone_hz=770)
    for prompt in ("closed_now", "day_tomorrow", "opens_end"):
        await closed.heard(prompt)
    await asyncio.gather(later.hang_up(), waiter.hang_up(), closed.hang_up())
    assert (await house.ended(closed_number)).state.outcome == "closed"
    for number, agent in ((talker_number, "8001"), (waiter_number, "8002"), (later_number, "8002")):
        found = await house.ended(number)
        assert found.state.outcome == "answered"
        assert [talk.agent for talk in found.state.talks] == [agent], "rung once each"
    await house.nothing_left()

