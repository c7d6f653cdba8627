"""Where a recording runs on, Debian's Asterisk loses the second agent; ours has both, twenty times out of twenty.

Ten calls at a time, so that chance has its say: the fault depends on RTP sequence numbers (DESIGN.md section 5).
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from calllog.queries import CallDetail
from hotline.outside import Ring
from hotline.trial import Trial
from recordings.measure import Tone, tones
from tests.real.verbs import asks, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = [str(number) for number in range(8101, 8121)]
CHANGES = {
    "hotline": {"times": {"ring": 30, "digit_timeout": 8}},
    "queues": {"queues": {"inquiry": {"longest_wait": 300}}},
}
AT_ONCE, TIMES = 10, 20
FIRST_HZ, SECOND_HZ, CALLER_HZ = 660, 880, 440


class Agents:
    """Whoever is rung first for a caller says 660 Hz and hangs up; whoever follows says 880 Hz."""

    def __init__(self, hotline: Trial) -> None:
        self.hotline = hotline
        self.seen: Counter[str] = Counter()
        self.second: dict[str, asyncio.Future[Ring]] = {}
        for handset in hotline.world.handsets.values():
            handset.on_ring(self.answer)

    async def answer(self, ring: Ring) -> None:
        self.seen[ring.caller_number] += 1
        first = self.seen[ring.caller_number] == 1
        await ring.answer()
        ring.say(tone_hz=FIRST_HZ if first else SECOND_HZ)
        if first:
            await recorded(self.hotline, ring.caller_number, 1.2)
            await ring.hang_up()
        else:
            self.second.setdefault(ring.caller_number, asyncio.get_running_loop().create_future()).set_result(ring)


async def one_call(hotline: Trial, agents: Agents) -> CallDetail:
    caller, number = await asks(hotline)
    agents.second[number] = asyncio.get_running_loop().create_future()
    asked = caller.now
    caller.say(tone_hz=CALLER_HZ)
    await caller.heard(tone_hz=FIRST_HZ)
    await caller.heard("farewell", after=asked)
    await caller.press("0")
    ring = await asyncio.wait_for(agents.second[number], 60)
    await caller.heard(tone_hz=SECOND_HZ)
    await ring.heard(tone_hz=CALLER_HZ)
    await recorded(hotline, number, 1.2, talks=2)
    await caller.hang_up()
    return await hotline.ended(number)


def in_turn(heard: list[Tone]) -> list[tuple[int, float]]:
    """Each tone in its turn, in steps of 20 Hz, and for how many seconds; a loaded machine may tear one."""
    turns: list[tuple[int, float]] = []
    for tone in heard:
        hz = round(tone.hz / 20) * 20
        if turns and turns[-1][0] == hz:
            turns[-1] = hz, turns[-1][1] + tone.seconds
        else:
            turns.append((hz, tone.seconds))
    return turns


async def test_both_agents_are_in_the_file_twenty_times_out_of_twenty(hotline: Trial) -> None:
    agents = Agents(hotline)
    calls: list[CallDetail] = []
    while len(calls) < TIMES:
        calls += await asyncio.gather(*(one_call(hotline, agents) for _ in range(AT_ONCE)))
    for call in calls:
        (recording,) = call.recordings
        file = hotline.state / "recordings" / recording.file
        right, left = in_turn(tones(file, 1)), tones(file, 0)
        assert [hz for hz, seconds in right if seconds > 0.8] == [FIRST_HZ, SECOND_HZ], (call.row.call_id, right)
        assert all(abs(tone.hz - CALLER_HZ) < 5 for tone in left if tone.seconds > 0.8), (call.row.call_id, left)
        for span in call.state.recordings["call"].spans:  # the caller is in both talks
            inside = sum(max(0, min(tone.end, span.end) - max(tone.first, span.first)) for tone in left)
            assert inside > 0.8 * recording.rate, (call.row.call_id, span, left)
        assert all(span.verified for span in call.state.recordings["call"].spans), call.state.recordings
        assert [talk.ended_by for talk in call.state.talks] == ["agent", "caller"]
    await hotline.nothing_left()
