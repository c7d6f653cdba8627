"""A daemon that died and is not followed: whoever it left behind is heard of by the lifeboat, and no talk is cut."""

from __future__ import annotations

import asyncio
import time

import pytest

from calllog.verify import verify
from hotline.asterisk import process, render
from hotline.trial import Trial
from recordings.measure import measure
from tests.real.test_restart import talking
from tests.real.verbs import asks, hung_up

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {"queues": {"queues": {"inquiry": {"longest_wait": 300}}}, "hotline": {"times": {"ring": 30}}}

BEHIND = 60.0
"""Seconds in which whoever was left behind hears somebody, on a loaded machine."""

LOOKS = 3
"""Looks of the watch that must miss the heartbeat here, for the test's time: six seconds, not eighteen."""


async def hasten(hotline: Trial) -> None:
    """Give the dialplan's watch less patience."""
    file = hotline.home.etc / "extensions.conf"
    text = file.read_text(encoding="utf-8")
    assert text.count(f"${{MISSED}} < {render.LOOKS}]") == 1
    file.write_text(text.replace(f"${{MISSED}} < {render.LOOKS}]", f"${{MISSED}} < {LOOKS}]"), encoding="utf-8")
    await asyncio.to_thread(process.ask, hotline.install, hotline.home, "dialplan reload")


async def test_without_a_restart_whoever_was_left_behind_gets_the_lifeboat_and_talks_go_on(hotline: Trial) -> None:
    talker, talk_number, talk_ring = await talking(hotline)
    other, other_number, other_ring = await talking(hotline)
    waiting, waiting_number = await asks(hotline)
    await waiting.heard("queue_wait")
    in_menu_number = hotline.fresh_number()
    in_menu = await hotline.world.call(hotline.number, number=in_menu_number)
    await in_menu.heard("menu_main")
    marks = {waiting: waiting.now, in_menu: in_menu.now, other: other.now}
    await hasten(hotline)  # not sooner: a daemon that serves may be slow, too
    await hotline.kill()
    await other_ring.hang_up()  # type: ignore[attr-defined]  # their caller hears nothing from now on
    heard = (caller.heard("recording_notice", within=BEHIND, after=mark) for caller, mark in marks.items())
    await asyncio.gather(*heard)
    await talker.heard(tone_hz=660)
    await talk_ring.heard(tone_hz=440)  # type: ignore[attr-defined]
    await in_menu.hang_up()
    await other.hang_up()
    await waiting.hang_up()

    # The one who talks hangs up while no daemon is there, which is when the talk ended.
    began = time.time()
    await talker.hang_up()
    await hung_up(hotline, caller=talk_number)
    gone = time.time()
    await asyncio.sleep(3)
    await hotline.start()
    state = (await hotline.ended(talk_number)).state
    assert state.outcome == "answered"
    for at in (state.ended_at, state.hung_up_at, state.talks[0].ended_at):
        assert began - 1.0 < at / 1e6 < gone + 2.0, "when they hung up, not when the daemon heard of it"
    recording = state.recordings["call"]
    assert [(span.verified, span.note) for span in recording.spans] == [(True, "")]
    left, right = measure(hotline.state / "recordings" / recording.file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    outcomes = {n: (await hotline.ended(n)).state.outcome for n in (other_number, waiting_number, in_menu_number)}
    assert outcomes == {other_number: "answered", waiting_number: "abandoned", in_menu_number: "abandoned"}
    await hotline.nothing_left()
    assert await asyncio.to_thread(verify, hotline.store) == []
