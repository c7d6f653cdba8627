"""The main job: greeted, chosen, put through, recorded; every way through the menu; each voice in its channel."""

from __future__ import annotations

import asyncio

import pytest

from calllog.events import (
    KeyPressed,
    KeyTimedOut,
    NoticeGiven,
    PositionTold,
    Rated,
    RecordingRequested,
    SurveyInvited,
)
from calllog.search import Wanted, find
from hotline.trial import Trial
from recordings.measure import measure, tones
from tests.real.verbs import asks, connected, either, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
SURVEY = {
    "survey_invite": "请您评价本次服务。",
    "survey_ratings": "非常满意请按一，满意请按二，一般请按三，不满意请按四，非常不满意请按五。",
    "survey_person": "如果需要继续咨询，请按零。",
    "survey_thanks": "谢谢您。",
    "survey_sorry": "很抱歉没有让您满意。",
}
CHANGES = {
    "hotline": {"survey": {"enabled": True, "queues": ["complaint"]}},
    "prompts.zh": {"prompts": SURVEY},
    "queues": {"queues": {"complaint": {"wrap_up": 0.1}}},
}


async def test_a_caller_is_served_and_each_voice_is_in_its_own_channel(hotline: Trial) -> None:
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.answered()
    await caller.heard("menu_main")
    await caller.press("2")
    ring = await either(hotline, "8001", "8002")
    assert ring.caller_number == number
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await recorded(hotline, number, 2)
    heard = [name for name, _at in await caller.prompts_heard()]
    assert heard[:3] == ["greeting", "recording_notice", "menu_main"]
    await caller.hang_up()
    assert await ring.gone() == 16

    call = await hotline.ended(number)
    state = call.state
    assert (state.outcome, state.reason) == ("answered", "caller_hung_up")
    assert (state.queue, state.label) == ("complaint", "投诉")
    events = [recorded.event for recorded in call.events]
    notice = next(i for i, event in enumerate(events) if isinstance(event, NoticeGiven))
    assert notice < next(i for i, event in enumerate(events) if isinstance(event, RecordingRequested))
    assert any(isinstance(event, PositionTold) for event in events)
    recording = call.recordings[0]
    assert (recording.state, recording.channels, recording.rate) == ("finished", 2, 8000)
    file = hotline.state / "recordings" / recording.file
    left, right = measure(file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    (talk,) = state.talks
    assert recording.seconds == pytest.approx((talk.ended_at - talk.parts[0].started_at) / 1e6, abs=1.5)
    async with asyncio.timeout(90):  # parts go after the commit that makes them needless
        while list((hotline.state / "recordings" / "spool").glob("*.raw")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await hotline.nothing_left()


@pytest.mark.parametrize(
    ("key", "queue", "label"),
    [("1", "inquiry", "咨询"), ("3", "suggestion", "建议"), ("4", "business", "业务办理"), ("0", "person", "人工服务")],
)
async def test_each_key_leads_to_its_queue(hotline: Trial, key: str, queue: str, label: str) -> None:
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("recording_notice")
    await caller.press(key)
    ring = await either(hotline, "8001", "8002")
    await ring.answer()
    await connected(hotline, number)
    await ring.hang_up()
    await caller.heard("farewell")
    await caller.gone()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.reason) == ("answered", "agent_hung_up")
    assert (state.queue, state.label, state.hung_up_by) == (queue, label, "hotline")


async def test_wrong_key_silence_and_repeat_are_each_answered_and_then_a_person_comes(hotline: Trial) -> None:
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("menu_main")
    await caller.press("*")
    await caller.heard("menu_main")
    await caller.press("8")
    ring = await either(hotline, "8001", "8002")
    heard = [name for name, _at in await caller.prompts_heard()]
    assert {"menu_wrong_key", "menu_no_key", "menu_to_person"} <= set(heard) and heard.count("menu_main") >= 3
    await caller.hang_up()
    await ring.cancelled()
    call = await hotline.ended(number)
    assert (call.state.outcome, call.state.queue) == ("abandoned", "person")
    keys = [(e.key, e.meaning) for e in (r.event for r in call.events) if isinstance(e, KeyPressed)]
    assert keys == [("*", "repeat"), ("8", "none")]
    assert sum(isinstance(r.event, KeyTimedOut) for r in call.events) == 2
    await hotline.nothing_left()


async def test_a_caller_who_hangs_up_in_the_menu_never_asked(hotline: Trial) -> None:
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("greeting")
    await caller.hang_up()
    state = (await hotline.ended(number)).state
    assert state.outcome == "menu" and not state.asked
    await hotline.nothing_left()


async def test_a_caller_is_asked_how_it_was_and_nothing_of_that_is_recorded(hotline: Trial) -> None:
    """Again after a kill and after a wrong key; 0 leads to a person; the rating counts though the caller hangs up."""
    for handset in hotline.world.handsets.values():
        handset.by_hand()
    caller, number = await asks(hotline, "2")
    caller.say(tone_hz=440)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=660)
    await ring.heard(tone_hz=440)
    await recorded(hotline, number, 1.2)
    await caller.press("1")  # in the talk: an answer to nothing
    await ring.hang_up()
    await caller.heard("survey_invite")
    await hotline.kill()
    killed = caller.now
    await hotline.start()
    await caller.heard("survey_invite", after=killed)
    await caller.press("#")  # while it is still being said
    await caller.heard("menu_wrong_key")
    await caller.heard("survey_invite")
    for handset in hotline.world.handsets.values():
        handset.forget()
    await caller.press("0")
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=660)
    talking = caller.now
    await recorded(hotline, number, 1.2, 2)
    await ring.hang_up()
    await caller.heard("survey_invite", after=talking)
    await caller.press("5")
    await caller.heard("survey_sorry")
    await caller.hang_up()
    call = await hotline.ended(number)
    state, (first, second) = call.state, call.state.talks
    assert (state.outcome, state.rating, state.hung_up_by, state.adopted) == ("answered", 5, "caller", 1)
    asked = [recorded.event for recorded in call.events if isinstance(recorded.event, SurveyInvited | Rated)]
    assert asked == [
        SurveyInvited(talk_id=first.talk_id), SurveyInvited(talk_id=second.talk_id),
        Rated(talk_id=second.talk_id, rating=5),
    ]  # fmt: skip
    assert (call.row.rating, [talk.rating for talk in call.talks]) == (5, [0, 5])
    found = await find(hotline.store, Wanted(ratings=(4, 5), outcome="answered"))
    assert found.call_ids == (call.row.call_id,)
    for talk in (first, second):
        assert talk.parts and all(part.stopped_at <= talk.ended_at <= talk.invited_at for part in talk.parts)
    # Keys and questions are not in the file: between the tones of the two talks it is silent.
    file = hotline.state / "recordings" / call.recordings[0].file
    talked = sum(talk.ended_at - talk.parts[0].started_at for talk in (first, second)) / 1e6
    assert call.recordings[0].seconds > talked + 2
    for side, (sound, hz) in enumerate(zip(measure(file), (440, 660), strict=True)):
        assert sound.sound_seconds < talked + 0.3 and all(abs(tone.hz - hz) < 5 for tone in tones(file, side))
    await hotline.nothing_left()
