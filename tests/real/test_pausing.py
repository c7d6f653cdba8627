"""A recording is paused and goes on: silence on both sides meanwhile, the tones afterwards, nothing moved in time."""

from __future__ import annotations

import asyncio

import pytest

import ari
from calllog.events import RecordingDeclined, RecordingPaused, RecordingResumed
from hotline.asterisk.access import access
from hotline.outside import Caller, Ring
from hotline.trial import Trial
from recordings import keys
from recordings.folders import RATE
from recordings.measure import tones
from recordings.measures import read_measures
from routing.recording import ENOUGH
from tests.real.verbs import asks, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001"]
CHANGES = {
    "hotline": {"times": {"ring": 20}, "recording": {"longest_pause": 60, "silence_from": 1}},
    "menu": {"menus": {"main": {"options": {"7": {"label": "不录音", "decline_recording": True}}}}},
}


async def talking(hotline: Trial) -> tuple[Caller, str, Ring]:
    """Both say a tone, caller 440 Hz and agent 660 Hz, for more than a second."""
    caller, number = await asks(hotline)
    ring = await hotline.world.handsets["8001"].answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await recorded(hotline, number, 1.2)
    return caller, number, ring


async def test_paused_by_keys_kept_over_a_kill_and_ended_by_command(hotline: Trial) -> None:
    hotline.world.handsets["8001"].by_hand()
    caller, number, ring = await talking(hotline)
    await ring.press("*81")
    await ring.heard("recording_paused", whole=False)
    assert "recording_paused" not in {name for name, _at in await caller.prompts_heard()}
    await asyncio.sleep(0.6)
    await hotline.kill()
    await hotline.start()
    answer = await control(hotline, agent="8001", pause=False)
    assert answer == {"recording": "resumed"}
    await ring.heard("recording_resumed", whole=False)
    await asyncio.sleep(1.5)
    await caller.hang_up()
    call = await hotline.ended(number)
    events = [(one.at, one.event) for one in call.events if isinstance(one.event, RecordingPaused | RecordingResumed)]
    (paused, pause), (resumed, resume) = events
    assert (pause.by, resume.by) == ("agent", "command")
    (recording,) = call.recordings
    (span,) = call.state.recordings["call"].spans
    assert span.verified and span.note.startswith("paused=")
    begun = call.state.parts[0].started_at
    measures = read_measures(hotline.state / "recordings", recording.file, keys.Ring({}))
    middle = span.first / RATE + ((paused + resumed) / 2 - begun) / 1e6
    assert not any(since <= middle <= until for since, until in measures.silences), "a pause is no silence of theirs"
    talk = call.state.talks[-1]
    file = hotline.state / "recordings" / recording.file
    off, on = (span.first + (at - begun) / 1e6 * RATE for at in (paused, resumed))
    for side, hz in ((0, 440), (1, 660)):
        found = [tone for tone in tones(file, side) if tone.seconds > 0.2]  # a machine that stalls may tear one
        before = [tone for tone in found if tone.end <= off + RATE]
        after = [tone for tone in found if tone.first >= on - RATE]
        assert len(before) + len(after) == len(found) and all(abs(tone.hz - hz) < 5 for tone in found), (side, found)
        assert all(sum(tone.seconds for tone in part) > 0.5 for part in (before, after)), (side, found)
    assert recording.seconds == pytest.approx((talk.ended_at - begun) / 1e6, abs=1.5)
    await hotline.nothing_left()


async def test_a_recording_grows_with_the_sound_that_comes_and_with_no_other_clock(hotline: Trial) -> None:
    hotline.world.handsets["8001"].by_hand()
    caller, number, ring = await talking(hotline)
    call = await hotline.detail(number)
    assert call is not None and call.state.talk is not None
    legs = (call.state.leg, call.state.talk.leg)
    file = hotline.state / "recordings" / "spool" / call.state.parts[0].file
    by = access(hotline.settings, hotline.state)
    async with ari.Client(by.ari_url, by.ari_user, by.ari_password, "counts") as client, asyncio.timeout(90):

        async def seen() -> tuple[int, ...]:
            return (file.stat().st_size, *[(await client.channels.rtp_statistics(leg)).rxcount for leg in legs])

        for phone in (caller, ring):
            phone.send_nothing()
        before, still = (0, 0, 0), await seen()
        while before != still:
            await asyncio.sleep(0.5)
            before, still = still, await seen()
        caller.send_nothing(False)
        now = still
        while now[1] < still[1] + ENOUGH or now[0] == still[0]:
            await asyncio.sleep(0.1)
            now = await seen()
        assert now[2] == still[2], "one of the two is enough"
    await caller.hang_up()
    call = await hotline.ended(number)
    assert len(call.state.parts) == 1 and call.state.recordings["call"].file
    await hotline.nothing_left()


async def test_a_caller_who_declines_is_served_and_nothing_is_recorded(hotline: Trial) -> None:
    hotline.world.handsets["8001"].by_hand()
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("menu_main", whole=False)
    await caller.press("7")
    await caller.heard("recording_declined")
    await caller.press("1")
    ring = await hotline.world.handsets["8001"].answer()
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await recorded(hotline, number, 0)  # or is not to be
    await caller.hang_up()
    call = await hotline.ended(number, archived=False)
    assert [one.event for one in call.events if isinstance(one.event, RecordingDeclined)] == [
        RecordingDeclined(menu="main", key="7")
    ]
    assert [part.failed for part in call.state.parts] == ["declined"] and call.state.outcome == "answered"
    assert not list((hotline.state / "recordings" / "spool").glob(f"*{call.row.call_id}*"))
    await hotline.nothing_left()


async def control(hotline: Trial, **request: object) -> dict[str, object]:
    """What the command says to the daemon."""
    from hotline import control as socket

    return dict(await asyncio.to_thread(lambda: socket.ask(hotline.state, "recording", **request)))
