"""A recording that is encrypted at rest: sealed on disk, heard by range as it was said, checked, counted."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from calllog.recording_coverage import coverage
from hotline.archive_work import live_calls, measure_all
from hotline.trial import Trial
from recordings.findings import CheckJob
from recordings.folders import Folders, archived_of
from recordings.keys import load_ring, make_key
from recordings.measure import tones
from recordings.measures import measure_file, read_measures
from recordings.playback import Playback
from recordings.reconcile import reconcile
from recordings.sealed import key_of
from tests.real.verbs import asks, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001"]
CHANGES = {"hotline": {"times": {"ring": 20}, "recording": {"encrypt": True}}}


async def test_a_sealed_recording_is_heard_as_it_was_said_and_nothing_of_it_lies_open(
    hotline: Trial, tmp_path: Path
) -> None:
    keys = hotline.state / "keys"
    key = make_key(keys, dt.datetime.now(dt.UTC))  # the running daemon takes it with the next recording
    hotline.world.handsets["8001"].by_hand()
    caller, number = await asks(hotline)
    ring = await hotline.world.handsets["8001"].answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await recorded(hotline, number, 3)
    live = await asyncio.to_thread(live_calls, hotline.state)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert live == {call.row.call_id}
    archived = archived_of(call.state, "call")
    assert archived is not None and archived.spans[0].verified
    folders = Folders(hotline.state)
    for name in (archived.file, measure_file(archived.file)):
        assert key_of(folders.archive / name) == key.key_id
    assert read_measures(folders.archive, archived.file, load_ring(keys)).talk_overs  # both spoke for seconds
    playback = Playback(folders, lambda: keys)
    playing = await playback.open(archived)
    heard = tmp_path / "heard.wav"
    halves = (0, playing.size // 2), (playing.size // 2, playing.size)
    heard.write_bytes(b"".join([piece for half in halves async for piece in playback.read(playing, *half)]))
    await playback.close()
    for side, hz in ((0, 440), (1, 660)):
        assert any(abs(tone.hz - hz) < 5 and tone.seconds > 2 for tone in tones(heard, side)), tones(heard, side)
    job = CheckJob(str(hotline.store), str(hotline.state), str(keys), call.row.arrived_at)
    report = await asyncio.to_thread(reconcile, job)
    assert (report.recordings, report.read, report.counts) == (1, 1, {})
    assert (await coverage(hotline.store)).share == 1.0
    measured = await asyncio.to_thread(measure_all, hotline.settings, hotline.state, lambda done, total: None)
    assert measured == (0, 0)  # it was measured when it was archived
    await hotline.nothing_left()
