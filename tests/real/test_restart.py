"""The daemon killed, stopped and away: talks go on, every caller goes on from where they were, nobody is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from calllog.verify import verify
from hotline.outside import Caller
from hotline.trial import Trial
from recordings.measure import measure
from tests.real.verbs import asks, either, hung_up, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {
    "queues": {"queues": {"inquiry": {"longest_wait": 300}}},
    # A ring and a menu must outlast what a test does between two looks at them.
    "hotline": {"times": {"ring": 30, "digit_timeout": 20, "stop_grace": 10}},
}


async def talking(hotline: Trial) -> tuple[Caller, str, object]:
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    return caller, number, ring


async def test_killed_with_callers_in_menu_queue_and_talk_each_goes_on_from_its_stage(hotline: Trial) -> None:
    talks = [await talking(hotline), await talking(hotline)]
    first, first_number = await asks(hotline)
    await first.heard("queue_wait")
    second, second_number = await asks(hotline)
    await second.heard("queue_wait")
    gone, gone_number = await asks(hotline)
    await gone.heard("queue_wait")
    in_menu_number = hotline.fresh_number()
    in_menu = await hotline.world.call(hotline.number, number=in_menu_number)
    await in_menu.heard("menu_main")
    mark = in_menu.now
    await hotline.kill()

    # Talks go on without a daemon: both sides still hear each other.
    (caller_a, number_a, ring_a), (caller_b, number_b, ring_b) = talks
    await caller_a.heard(tone_hz=660)
    await ring_a.heard(tone_hz=440)  # type: ignore[attr-defined]
    await gone.hang_up()
    await ring_b.hang_up()  # type: ignore[attr-defined]  # an agent who hangs up while no daemon is there
    agent_b = next(agent for agent in AGENTS if ring_b in hotline.world.handsets[agent].history)
    await asyncio.gather(hung_up(hotline, caller=gone_number), hung_up(hotline, agent=agent_b))

    await hotline.start()
    # The caller whose agent hung up meanwhile is thanked; the free agent gets the first of the queue.
    await caller_b.heard("farewell")
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=880)
    await first.heard(tone_hz=880)
    assert second.is_gone is False
    await in_menu.heard("menu_main", after=mark)
    await in_menu.press("1")
    await recorded(hotline, first_number, 0.5)
    await first.hang_up()
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=770)
    await second.heard(tone_hz=770)
    await second.hang_up()
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=550)
    await in_menu.heard(tone_hz=550)
    await in_menu.hang_up()
    await caller_a.hang_up()

    answered = (number_a, number_b, first_number, second_number, in_menu_number)
    states = {number: (await hotline.ended(number)).state for number in answered}
    assert {state.outcome for state in states.values()} == {"answered"}
    assert all(state.adopted == 1 for state in states.values())
    assert (await hotline.ended(gone_number)).state.outcome == "abandoned"
    assert states[first_number].talks[0].started_at < states[second_number].talks[0].started_at
    for number in (number_a, first_number):
        recording = states[number].recordings["call"]
        left, right = measure(hotline.state / "recordings" / recording.file)
        assert all(span.verified for span in recording.spans), recording
        assert right.sound_seconds > 0.3 and (number != number_a or abs(left.dominant_hz - 440) < 5)
    await hotline.nothing_left()
    await hotline.idle()


async def test_sigterm_leaves_talks_up_and_a_new_daemon_takes_everybody_back(hotline: Trial) -> None:
    talk_caller, talk_number, _ring = await talking(hotline)
    _other, other_number, other_ring = await talking(hotline)
    waiting, waiting_number = await asks(hotline)
    await waiting.heard("queue_wait")
    assert await hotline.stop() == 0
    await talk_caller.heard(tone_hz=660)
    await hotline.start()
    await other_ring.hang_up()  # type: ignore[attr-defined]
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    await asyncio.sleep(11)  # longer than the guard of the stop: it was taken away
    assert not waiting.is_gone
    for caller in (waiting, talk_caller):
        await caller.hang_up()
    outcomes = Counter([(await hotline.ended(n)).state.outcome for n in (talk_number, other_number, waiting_number)])
    assert outcomes == {"answered": 3}
    await hotline.nothing_left()


async def test_sigterm_without_a_new_daemon_hands_waiting_callers_to_the_lifeboat(hotline: Trial) -> None:
    talk_caller, talk_number, talk_ring = await talking(hotline)
    other_caller, other_number, _other = await talking(hotline)
    waiting, waiting_number = await asks(hotline)
    await waiting.heard("queue_wait")
    in_menu_number = hotline.fresh_number()
    in_menu = await hotline.world.call(hotline.number, number=in_menu_number)
    await in_menu.heard("menu_main")
    marks = waiting.now, in_menu.now
    await hotline.stop()
    for caller, mark in zip((waiting, in_menu), marks, strict=True):
        await caller.heard("queue_wait", after=mark)  # all agents talk: the lifeboat has them wait
    await talk_caller.heard(tone_hz=660)
    await in_menu.hang_up()
    await talk_ring.hang_up()  # type: ignore[attr-defined]
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=880)
    await waiting.heard(tone_hz=880)
    await waiting.hang_up()
    await hotline.start()
    await talk_caller.hang_up()
    await other_caller.hang_up()
    assert {(await hotline.ended(n)).state.outcome for n in (talk_number, other_number)} == {"answered"}
    assert (await hotline.ended(waiting_number)).state.outcome == "answered"
    assert (await hotline.ended(in_menu_number)).state.outcome == "abandoned"
    await hotline.nothing_left()


async def test_the_journal_agrees_with_itself_after_all_this(hotline: Trial) -> None:
    assert await asyncio.to_thread(verify, hotline.store) == []
