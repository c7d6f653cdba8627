"""On an Asterisk without Debian's Opus patch one recorder runs over all talks of a call; every agent is in its file.

Needs the Asterisk that ``hotline asterisk build`` makes, and is skipped without it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from calllog.queries import CallDetail
from hotline.asterisk import process
from hotline.asterisk.check import check
from hotline.asterisk.install import CHOICE, find_built
from hotline.trial import Trial, trial
from recordings.folders import RATE
from recordings.measure import tones
from tests.real import test_second_agent as second
from tests.real.conftest import profile

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(find_built() is None, reason="no Asterisk of our own: run 'hotline asterisk build'"),
]


@pytest.fixture(scope="module")
def built() -> Iterator[None]:
    """The Asterisk that was built, whatever else this machine has."""
    with ExitStack() as undo:
        before = os.environ.get(CHOICE)
        undo.callback(lambda: os.environ.pop(CHOICE, None) if before is None else os.environ.update({CHOICE: before}))
        os.environ[CHOICE] = "built"
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unbroken(built: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """A hotline on trial with one recorder per call."""
    changes = {**second.CHANGES, "hotline": {**second.CHANGES["hotline"], "recording": {"unbroken": True}}}
    async with trial(tmp_path_factory.mktemp("unbroken"), profile(second.AGENTS, **changes)) as it:
        await asyncio.gather(*(it.handset(agent) for agent in second.AGENTS))
        await it.reachable(*second.AGENTS)
        yield it


def right_in(hotline: Trial, call: CallDetail) -> None:
    """Caller left; first and second agent right, each where its talk's span is; nothing of the waiting between."""
    (recording,) = call.recordings
    file = hotline.state / "recordings" / recording.file
    agents = [tone for tone in tones(file, 1) if tone.seconds > 0.8]
    heard = [round(tone.hz / 20) * 20 for tone in agents]
    assert heard == [second.FIRST_HZ, second.SECOND_HZ], (call.row.call_id, tones(file, 1))
    callers = [tone for tone in tones(file, 0) if tone.seconds > 0.8]
    assert len(callers) == 2 and all(abs(tone.hz - second.CALLER_HZ) < 5 for tone in callers), tones(file, 0)
    spans = call.state.recordings["call"].spans
    assert len(spans) == 2 and all(span.verified and not span.note for span in spans), spans
    for span, tone in zip(spans, agents, strict=True):
        assert span.first - 0.3 * RATE < tone.first < tone.end < span.end + 0.3 * RATE, (spans, agents)
    assert len({part.file for part in call.state.parts}) == 1 and len(call.state.parts) == 2


async def test_one_unbroken_recording_holds_both_agents_twenty_times_out_of_twenty(unbroken: Trial) -> None:
    agents = second.Agents(unbroken)
    calls: list[CallDetail] = []
    while len(calls) < second.TIMES:
        calls += await asyncio.gather(*(second.one_call(unbroken, agents) for _ in range(second.AT_ONCE)))
    for call in calls:
        right_in(unbroken, call)
    await unbroken.nothing_left()


async def test_this_build_is_not_warned_of(unbroken: Trial) -> None:
    codes = {problem.code for problem in check(unbroken.settings, unbroken.install)}
    assert not codes & {"asterisk-debian-patch", "recording-unbroken", "asterisk-modules"}
    assert process.log_problems(unbroken.home) == []
