"""A caller chooses English in the Chinese menu and hears English to the end of the call: place, wait, who answers."""

from __future__ import annotations

import asyncio

import pytest

from calllog.events import AgentAnnounced, LanguageChosen, NoticeGiven, PositionTold, TalkStarted
from hotline.trial import Trial
from recordings.measure import measure
from tests.real.verbs import asks, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001"]
SHORT = {
    "recording_notice": "This call will be recorded.",
    "menu_main": "Please choose a subject.",
    "menu_language": "For English, press 9.",
    "queue_wait": "Please hold.",
    "still_waiting": "Thank you for holding.",
    "connecting": "Connecting you now.",
    "farewell": "Thank you for calling.",
}
CHANGES = {
    "hotline": {"announce": {"agent": True}},
    "menu": {"menus": {"main": {
        "offers": [{"language": "en", "prompt": "menu_language"}],
        "options": {"9": {"label": "English", "language": "en"}},
    }}},
    "prompts.en": {"speed": 260, "prompts": SHORT},
    "queues": {"queues": {"inquiry": {"longest_wait": 60}}},
}  # fmt: skip


async def test_the_agent_is_announced_to_both_and_the_recording_is_whole(hotline: Trial) -> None:
    """Also gives the desk the eight talks without which it tells no wait."""
    for _talk in range(7):
        caller, _number = await asks(hotline, "1")
        ring = await either(hotline, "8001")
        await ring.answer()
        await caller.heard("agent_serves", within=10)
        await caller.hang_up()
        await ring.gone()
    caller, number = await asks(hotline, "1")
    ring = await either(hotline, "8001")
    await ring.answer()
    await caller.heard("agent_serves", within=10, whole=True)
    await ring.heard("agent_serves", within=5)
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660, within=5)
    await ring.heard(tone_hz=440, within=5)
    await asyncio.sleep(1.5)
    heard = [name for name, _at in await caller.prompts_heard()]
    assert heard[-1] == "agent_serves" and heard[-2].startswith("num_"), heard
    await caller.hang_up()
    call = await hotline.ended(number)
    kinds = [type(recorded.event) for recorded in call.events]
    assert kinds.index(AgentAnnounced) < kinds.index(TalkStarted)
    left, right = measure(hotline.state / "recordings" / call.recordings[0].file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    assert all(span.verified for span in call.state.recordings["call"].spans)


async def test_a_caller_who_chooses_english_hears_english_to_the_end(hotline: Trial) -> None:
    other, other_number = await asks(hotline, "1")
    ring = await either(hotline, "8001")
    await ring.answer()
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("en/menu_language", within=20)
    await caller.press("9")
    await caller.heard("en/menu_main", within=10)
    await caller.press("1")
    await caller.heard("en/queue_wait", within=10)
    await caller.heard("en/position_next", within=10)
    await caller.heard("en/wait_under_minute", within=10)
    await caller.heard("en/still_waiting", within=10)
    await ring.hang_up()
    await other.hang_up()
    ring = await either(hotline, "8001")
    await ring.answer()
    await caller.heard("en/agent_serves", within=10)
    await ring.heard("en/agent_serves", within=5)
    await asyncio.sleep(0.5)
    await ring.hang_up()
    await caller.heard("en/farewell", within=10)
    await caller.gone(15)
    heard = [name for name, _at in await caller.prompts_heard()]
    chosen = heard.index("en/menu_language")
    assert heard[: chosen + 1] == ["greeting", "recording_notice", "menu_main", "en/menu_language"]
    assert heard[chosen + 1 : chosen + 3] == ["en/recording_notice", "en/menu_main"]
    assert all(name.startswith("en/") for name in heard[chosen:]), heard
    call = await hotline.ended(number)
    events = [recorded.event for recorded in call.events]
    assert LanguageChosen(language="en") in events and call.state.outcome == "answered"
    assert [event.language for event in events if isinstance(event, NoticeGiven)] == ["zh", "en"]
    assert any(event.wait == 0 for event in events if isinstance(event, PositionTold))
    assert call.recordings[0].state == "finished"
    assert (await hotline.ended(other_number)).state.outcome == "answered"
    await hotline.nothing_left()
