"""A caller chooses English in the Chinese menu and hears English to the end of the call: place, wait, who answers."""

from __future__ import annotations

import asyncio

import pytest

from calllog.events import AgentAnnounced, LanguageChosen, NoticeGiven, PositionTold, TalkStarted
from hotline.outside import Caller, Ring
from hotline.trial import Trial
from ivr.prompts import SURVEY_PROMPTS
from recordings.measure import measure
from tests.real.verbs import connected, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002", "8003", "8004"]
SHORT = {
    "recording_notice": "This call will be recorded.",
    "menu_main": "Please choose a subject.",
    "menu_language": "For English, press 9.",
    "queue_wait": "Please hold.",
    "still_waiting": "Thank you for holding.",
    "connecting": "Connecting you now.",
    "farewell": "Thank you for calling.",
    "survey_invite": "How satisfied were you with our service?",
    "survey_ratings": "Very satisfied is 1, dissatisfied is 5.",
    "survey_person": "Press 0 for an agent.",
    "survey_thanks": "We have noted your answer.",
    "survey_sorry": "That is a pity.",
}
CHANGES = {
    # The phones ring at once and are answered one by one; a key is pressed some time after its prompt was heard.
    "hotline": {"announce": {"agent": True}, "times": {"ring": 30, "digit_timeout": 10}, "survey": {"enabled": True}},
    "menu": {"menus": {"main": {
        "offers": [{"language": "en", "prompt": "menu_language"}],
        "options": {"9": {"label": "English", "language": "en"}},
    }}},
    "prompts.en": {"speed": 260, "prompts": SHORT},
    "prompts.zh": {"prompts": dict.fromkeys(SURVEY_PROMPTS, "请评价。")},
    "queues": {"queues": {"inquiry": {"longest_wait": 300}}},
}  # fmt: skip


async def all_talk(hotline: Trial) -> dict[str, tuple[Caller, Ring]]:
    """A caller for every agent, each announced and connected; by the caller's number."""
    for handset in hotline.world.handsets.values():
        handset.forget()
    callers: dict[str, Caller] = {}
    for _agent in AGENTS:
        number = hotline.fresh_number()
        callers[number] = await hotline.world.call(hotline.number, number=number)
        await callers[number].answered()
    await asyncio.sleep(0.3)
    for caller in callers.values():
        await caller.press("1")
    rings = await asyncio.gather(*(hotline.world.handsets[agent].rings() for agent in AGENTS))
    for ring in rings:
        await ring.answer()
    for ring in rings:
        await ring.heard("agent_serves", whole=True)
    await asyncio.sleep(1)
    return {ring.caller_number: (callers[ring.caller_number], ring) for ring in rings}


async def test_the_agent_is_announced_to_both_and_the_recording_is_whole(hotline: Trial) -> None:
    """Also gives the desk the eight talks without which it tells no wait."""
    for caller, ring in (await all_talk(hotline)).values():
        await caller.hang_up()
        await ring.gone()
    talks = await all_talk(hotline)
    number, (caller, ring) = next(iter(talks.items()))
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await asyncio.sleep(1.5)
    heard = [name for name, _at in await caller.prompts_heard()]
    assert heard[-1] == "agent_serves" and heard[-2].startswith("num_"), heard
    for each, _ring in talks.values():
        await each.hang_up()
    call = await hotline.ended(number)
    kinds = [type(recorded.event) for recorded in call.events]
    assert kinds.index(AgentAnnounced) < kinds.index(TalkStarted)
    left, right = measure(hotline.state / "recordings" / call.recordings[0].file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    assert all(span.verified for span in call.state.recordings["call"].spans)


async def test_a_caller_who_chooses_english_hears_english_to_the_end(hotline: Trial) -> None:
    talks = await all_talk(hotline)
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("en/menu_language")
    await caller.press("9")
    await caller.heard("en/menu_main")
    await caller.press("1")
    await caller.heard("en/queue_wait")
    await caller.heard("en/position_next")
    await caller.heard("en/wait_under_minute")
    await caller.heard("en/still_waiting")
    for other, _ring in talks.values():
        await other.hang_up()
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    await caller.heard("en/agent_serves")
    await ring.heard("en/agent_serves")
    await connected(hotline, number)
    caller.say(tone_hz=440)
    await ring.heard(tone_hz=440)  # a talk without any sound has nothing to be kept of it
    await ring.hang_up()
    await caller.heard("en/survey_invite")
    await caller.heard("en/survey_ratings")
    await caller.press("2")  # while it is still being said
    await caller.heard("en/survey_thanks", whole=True)
    await caller.heard("en/farewell", whole=True)
    await caller.hang_up()
    heard = [name for name, _at in await caller.prompts_heard()]
    chosen = heard.index("en/menu_language")
    assert heard[: chosen + 1] == ["greeting", "recording_notice", "menu_main", "en/menu_language"]
    assert heard[chosen + 1 : chosen + 3] == ["en/recording_notice", "en/menu_main"]
    assert all(name.startswith("en/") for name in heard[chosen:]), heard
    call = await hotline.ended(number)
    events = [recorded.event for recorded in call.events]
    assert LanguageChosen(language="en") in events and call.state.outcome == "answered"
    assert call.state.rating == call.state.talks[-1].rating == 2
    assert [event.language for event in events if isinstance(event, NoticeGiven)] == ["zh", "en"]
    assert any(event.wait == 0 for event in events if isinstance(event, PositionTold))
    assert call.recordings[0].state == "finished"
    assert {(await hotline.ended(each)).state.outcome for each in talks} == {"answered"}
    await hotline.nothing_left()
