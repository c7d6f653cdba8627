"""The wires between daemon and Asterisk cut or silent, or no Asterisk at all: calls go on, nothing goes unnoticed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from calllog.folds import CallState
from hotline.asterisk import process
from hotline.outside import Caller, Ring
from hotline.trial import Trial, trial
from recordings.measure import measure
from tests.real.conftest import profile
from tests.real.hostile import Wire, healthy
from tests.real.verbs import asks, either, hung_up, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
BROKEN = ("could not be", "ALARM")
"""What the log may say here."""


class Wired:
    """A hotline whose daemon reaches its Asterisk through two wires of ours."""

    def __init__(self, hotline: Trial, ari: Wire, ami: Wire) -> None:
        self.hotline, self.ari, self.ami = hotline, ari, ami

    async def status(self, ready: bool) -> None:
        """Return when the daemon says so of its connections."""
        async with asyncio.timeout(90):
            while (await self.hotline.status()).get("ready") is not ready:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def talking(self) -> tuple[Caller, str, Ring]:
        caller, number = await asks(self.hotline)
        ring = await either(self.hotline, *AGENTS)
        await ring.answer()
        caller.say(tone_hz=440)
        ring.say(tone_hz=660)
        await caller.heard(tone_hz=660)
        return caller, number, ring

    async def waiting(self) -> tuple[Caller, str]:
        caller, number = await asks(self.hotline)
        await caller.heard("queue_wait")
        return caller, number

    async def in_menu(self) -> tuple[Caller, str]:
        number = self.hotline.fresh_number()
        caller = await self.hotline.world.call(self.hotline.number, number=number)
        await caller.heard("recording_notice", whole=True)
        return caller, number

    async def call(self, number: str) -> CallState:
        found = await self.hotline.detail(number)
        assert found is not None
        return found.state

    async def outcome(self, number: str) -> str | None:
        return (await self.hotline.ended(number)).state.outcome


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wired(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wired]:
    folder = tmp_path_factory.mktemp("trial")
    changes = profile(
        AGENTS,
        hotline={"times": {"ring": 30, "digit_timeout": 20}},
        queues={"queues": {"inquiry": {"longest_wait": 300}}},
    )
    async with trial(folder, changes, daemon=False) as it:
        at = it.settings.hotline.asterisk
        ari, ami = Wire(at.ari_port), Wire(at.ami_port)
        await ari.restore()
        await ami.restore()
        # The daemon's own settings name the wires; Asterisk was rendered with its true ports.
        wires = folder / "wires"
        shutil.copytree(it.config, wires)
        text = (wires / "hotline.yaml").read_text(encoding="utf-8")
        for true, wire in ((at.ari_port, ari), (at.ami_port, ami)):
            text = text.replace(f": {true}\n", f": {wire.port}\n")
        (wires / "hotline.yaml").write_text(text, encoding="utf-8")
        it.config = wires
        try:
            await it.start()
            for agent in AGENTS:
                await it.handset(agent)
            await it.reachable(*AGENTS)
            yield Wired(it, ari, ami)
        finally:
            for wire in (ari, ami):
                wire.freeze(False)
            await it.stop()
            for wire in (ari, ami):
                await wire.cut()


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_events_cut_off_and_back_and_what_was_missed_is_noticed(wired: Wired, how: str) -> None:
    hotline = wired.hotline
    talk_a, number_a, _ring_a = await wired.talking()
    talk_b, number_b, ring_b = await wired.talking()
    (first, first_number), (gone, gone_number), (menu, menu_number) = await asyncio.gather(
        wired.waiting(), wired.waiting(), wired.in_menu()
    )
    before = wired.ari.connections
    if how == "cut":
        await wired.ari.cut()
        await wired.status(False)
    else:
        wired.ari.freeze(True)
    # Meanwhile talks go on; a waiting caller and the second agent hang up.
    await talk_a.heard(tone_hz=660)
    await gone.hang_up()
    await ring_b.hang_up()
    agent_b = next(agent for agent in AGENTS if ring_b in hotline.world.handsets[agent].history)
    await asyncio.gather(hung_up(hotline, caller=gone_number), hung_up(hotline, agent=agent_b))
    if how == "cut":
        await wired.ari.restore()
    else:
        await wired.status(False)
        wired.ari.freeze(False)
    await wired.status(True)
    assert wired.ari.connections > before
    assert await wired.outcome(gone_number) == "abandoned"
    await talk_b.heard("farewell")
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=880)
    await first.heard(tone_hz=880)
    assert not menu.is_gone
    for caller in (talk_a, talk_b, first, menu):
        await caller.hang_up()
    assert [await wired.outcome(number) for number in (number_a, number_b, first_number)] == ["answered"] * 3
    assert await wired.outcome(menu_number) in ("menu", "abandoned")
    recording = (await hotline.ended(number_a)).recordings[0]
    left, right = measure(hotline.state / "recordings" / recording.file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    await healthy(hotline, *BROKEN)


async def test_without_ami_a_talk_is_recorded_as_soon_as_it_is_back(wired: Wired) -> None:
    await wired.ami.cut()
    await wired.status(False)
    caller, number, ring = await wired.talking()  # nobody waits for the recorder
    await wired.ami.restore()
    await wired.status(True)
    async with asyncio.timeout(90):
        while not any(part.started_at for talk in (await wired.call(number)).talks for part in talk.parts):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    await wired.ami.cut()  # once more, in the middle of the recording
    await wired.status(False)
    await ring.heard(tone_hz=440)
    await wired.ami.restore()
    await wired.status(True)
    await caller.hang_up()
    call = await wired.hotline.ended(number)
    assert call.state.outcome == "answered"
    _left, right = measure(wired.hotline.state / "recordings" / call.recordings[0].file)
    assert abs(right.dominant_hz - 660) < 5
    await healthy(wired.hotline, *BROKEN)


async def test_asterisk_killed_and_started_again_under_the_daemon(wired: Wired) -> None:
    hotline = wired.hotline
    talk, talk_number, _ring = await wired.talking()
    other, other_number, _other_ring = await wired.talking()
    (queue, queue_number), (menu, menu_number) = await asyncio.gather(wired.waiting(), wired.in_menu())
    for number in (talk_number, other_number):
        await recorded(hotline, number, 1.5)  # up to a second of the end is lost with it
    pid = process.running(hotline.home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await wired.status(False)
    await asyncio.to_thread(process.start, hotline.settings, hotline.install, hotline.state, hotline.secrets)
    await wired.status(True)
    assert [await wired.outcome(number) for number in (talk_number, other_number)] == ["answered"] * 2
    assert {await wired.outcome(number) for number in (queue_number, menu_number)} == {"failed"}
    for caller in (talk, other, queue, menu):
        await caller.hang_up()
    for phone in hotline.world.handsets.values():
        await phone.register()
    await hotline.reachable(*AGENTS)
    for number in (talk_number, other_number):
        recording = (await hotline.ended(number)).recordings[0]
        assert recording.state == "finished", recording
    left, right = measure(hotline.state / "recordings" / recording.file)
    assert right.sound_seconds > 0.2 or left.sound_seconds > 0.2
    await healthy(hotline, *BROKEN)

    caller, number, _ring = await wired.talking()
    await caller.hang_up()
    assert await wired.outcome(number) == "answered"
    await healthy(hotline, *BROKEN)


async def test_a_daemon_started_before_its_asterisk_serves_once_it_is_there(wired: Wired) -> None:
    hotline = wired.hotline
    assert await hotline.stop() == 0
    await asyncio.to_thread(process.stop, hotline.install, hotline.state)
    await hotline.launch()
    await asyncio.sleep(1)
    assert (await hotline.status()).get("ready") in (False, None)
    await asyncio.to_thread(process.start, hotline.settings, hotline.install, hotline.state, hotline.secrets)
    await hotline.in_service()
    for phone in hotline.world.handsets.values():
        await phone.register()
    await hotline.reachable(*AGENTS)
    caller, number, _ring = await wired.talking()
    await caller.hang_up()
    assert await wired.outcome(number) == "answered"
    await healthy(hotline, *BROKEN)
