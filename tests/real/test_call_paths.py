"""The main job: greeted, chosen, put through, recorded; every way through the menu; each voice in its channel."""

from __future__ import annotations

import asyncio

import pytest

from calllog.events import KeyPressed, KeyTimedOut, NoticeGiven, PositionTold, RecordingRequested
from hotline.trial import Trial
from recordings.measure import measure
from tests.real.verbs import connected, either, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]


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
