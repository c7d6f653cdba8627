"""Nobody on duty, or nobody in time: the caller hears so and can leave a message, which is kept like a recording."""

from __future__ import annotations

import pytest

from hotline.trial import Trial
from recordings.measure import measure
from tests.real.verbs import asks, leaves_message

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001"]
CHANGES = {
    # No message here ends by silence, however late this machine speaks; what is cut off at once is too short.
    "hotline": {"times": {"voicemail_silence": 10}, "recording": {"shortest_voicemail": 6}},
    # 8001 alone is on duty and knows business only; nobody at all knows the others.
    "agents": {"agents": {"8001": {"skills": ["business"]}}},
    "queues": {"queues": {"business": {"longest_wait": 6}}},
}


async def test_nobody_on_duty_is_said_and_a_message_is_kept(hotline: Trial) -> None:
    caller, number = await asks(hotline, "1")
    await caller.heard("nobody_on_duty")
    await caller.heard("voicemail_invite")
    await caller.heard("beep", whole=True)
    caller.say(tone_hz=440)
    await leaves_message(hotline, number, 6.5)
    await caller.press("#")
    await caller.silence()
    await caller.heard("voicemail_thanks")
    await caller.gone()
    call = await hotline.ended(number)
    assert (call.state.outcome, call.state.reason) == ("voicemail", "uncovered")
    voicemail = call.recordings[0]
    assert (voicemail.category, voicemail.state, voicemail.channels) == ("voicemail", "finished", 1)
    (channel,) = measure(hotline.state / "recordings" / voicemail.file)
    assert abs(channel.dominant_hz - 440) < 5 and 2 < channel.sound_seconds < 15
    await hotline.nothing_left()


async def test_a_message_whose_caller_hangs_up_in_the_middle_is_kept(hotline: Trial) -> None:
    caller, number = await asks(hotline, "1")
    await caller.heard("beep", whole=True)
    caller.say(tone_hz=440)
    await leaves_message(hotline, number, 6.5)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "voicemail" and 2 < call.state.voicemail_seconds < 15
    assert call.recordings[0].state == "finished"
    await hotline.nothing_left()


async def test_who_leaves_no_message_was_not_covered(hotline: Trial) -> None:
    caller, number = await asks(hotline, "1")
    await caller.heard("voicemail_invite")
    await caller.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.recordings) == ("uncovered", {})


async def test_too_short_a_message_may_be_tried_again(hotline: Trial) -> None:
    caller, number = await asks(hotline, "1")
    await leaves_message(hotline, number, 0)
    await caller.press("#")
    await caller.heard("voicemail_too_short")
    await caller.heard("beep", whole=True)
    caller.say(tone_hz=440)
    await leaves_message(hotline, number, 6.5)
    await caller.press("#")
    await caller.heard("voicemail_thanks")
    await caller.gone()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.messages) == ("voicemail", 2)


async def test_the_longest_wait_ends_in_the_offer_of_a_message(hotline: Trial) -> None:
    busy, _busy_number = await asks(hotline, "4")
    talk = await hotline.world.handsets["8001"].answer()
    caller, number = await asks(hotline, "4")
    waits = await caller.heard("queue_wait")
    await caller.heard("position_next")
    await caller.heard("wait_too_long")
    assert [span for span in await caller.silences(4) if span[0] > waits] == [], "there is music in between"
    await caller.hang_up()
    await talk.hang_up()
    await busy.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.reason) == ("abandoned", "after_longest_wait")
    await hotline.nothing_left()
