"""The lifeboat: while the daemon is dead or hangs, Asterisk itself greets callers and rings who is on duty."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from calllog import events as ev
from calllog.verify import verify
from hotline.lifeboat import VIA
from hotline.outside import Caller, Ring
from hotline.trial import Trial
from recordings.measure import measure
from tests.real.verbs import asks, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {"hotline": {"times": {"ring": 4}}, "queues": {"queues": {"person": {"longest_wait": 40}}}}


async def dials(hotline: Trial) -> tuple[Caller, str]:
    """A caller while no daemon serves; rings of before are forgotten."""
    for handset in hotline.world.handsets.values():
        handset.forget()
    number = hotline.fresh_number()
    return await hotline.world.call(hotline.number, number=number), number


def agent_of(hotline: Trial, ring: Ring) -> str:
    return next(agent for agent, handset in hotline.world.handsets.items() if handset.talk is ring)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while True:
            if condition():
                return
            await asyncio.sleep(0.05)


async def talks(hotline: Trial, caller: Caller) -> Ring:
    """The agent whom the lifeboat rings picks up; both hear each other."""
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    return ring


async def test_killed_a_caller_is_greeted_talks_and_is_in_the_log_with_the_recording(hotline: Trial) -> None:
    await hotline.kill()
    caller, number = await dials(hotline)
    await caller.heard("greeting")
    await caller.heard("recording_notice")
    ring = await talks(hotline, caller)
    agent = agent_of(hotline, ring)
    await asyncio.sleep(2)
    await ring.hang_up()
    await caller.heard("farewell")
    await caller.hang_up()
    await hotline.start()
    call = await hotline.ended(number)
    state = call.state
    assert (state.outcome, state.reason) == ("answered", f"{VIA}agent_hung_up")
    assert state.greeted_at and state.notice_version and state.trunk == "carrier" and call.party.raw == number
    assert [event.event.why for event in call.events if isinstance(event.event, ev.HandedOver)] == ["lifeboat"]
    (talk,) = state.talks
    assert talk.ring_result == "answered" and talk.agent == agent and talk.ended_by == "agent"
    left, right = measure(hotline.state / "recordings" / state.recordings["call"].file)
    assert all(span.verified for span in state.recordings["call"].spans)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    await until(lambda: all(file.stem == "hung-up" for file in (hotline.state / "away").iterdir()))
    await until(lambda: not list((hotline.state / "recordings/spool").iterdir()))
    await hotline.nothing_left()


async def test_a_talk_that_goes_on_when_the_daemon_returns_is_taken_in_at_its_end(hotline: Trial) -> None:
    await hotline.kill()
    caller, number = await dials(hotline)
    ring = await talks(hotline, caller)
    await hotline.start()
    # The desk does not ring the phone that is in use: the other agent gets the next two callers.
    other = next(agent for agent in AGENTS if agent != agent_of(hotline, ring))
    for _ in range(2):
        second, second_number = await asks(hotline)
        second_ring = await either(hotline, *AGENTS)
        await second_ring.answer()
        assert agent_of(hotline, second_ring) == other
        second_ring.say(tone_hz=880)
        await second.heard(tone_hz=880)
        await second.hang_up()
        assert (await hotline.ended(second_number)).state.outcome == "answered"
    assert await hotline.detail(number) is None
    await caller.heard(tone_hz=660)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert (call.state.outcome, call.state.reason) == ("answered", f"{VIA}caller_hung_up")
    assert call.state.recordings["call"].spans[0].verified
    await hotline.reachable(*AGENTS)
    await hotline.nothing_left()


async def test_nobody_answers_so_a_message_is_taken(hotline: Trial) -> None:
    await hotline.kill()
    caller, number = await dials(hotline)
    await caller.heard("away_apology", within=90)
    await caller.heard("beep", whole=True)
    caller.say(tone_hz=440)
    await asyncio.sleep(3)
    await caller.hang_up()
    await hotline.start()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.reason) == ("voicemail", f"{VIA}longest_wait")
    assert Counter(talk.ring_result for talk in state.talks) == {"missed": 4}
    (channel,) = measure(hotline.state / "recordings" / state.recordings["voicemail"].file)
    assert abs(channel.dominant_hz - 440) < 5
    await hotline.nothing_left()


async def test_a_daemon_that_hangs_traps_nobody_and_after_a_thaw_all_goes_on(hotline: Trial) -> None:
    assert hotline.daemon is not None
    hotline.daemon.send_signal(signal.SIGSTOP)
    try:
        trapped, trapped_number = await dials(hotline)  # the heart may have beaten a moment ago
        ring = await talks(hotline, trapped)
        silent, silent_number = await dials(hotline)
        await silent.heard("greeting")
        second = await either(hotline, *(agent for agent in AGENTS if agent != agent_of(hotline, ring)))
        await second.answer()
        second.say(tone_hz=880)
        await silent.heard(tone_hz=880)
        seen = [file.read_text() for file in (hotline.state / "away").glob("*.jsonl")]
        assert any('"why": "silent"' in text for text in seen), "the second was not kept waiting: Asterisk knew"
    finally:
        hotline.daemon.send_signal(signal.SIGCONT)
    await hotline.in_service()
    await trapped.heard(tone_hz=660)
    await trapped.hang_up()
    await silent.hang_up()
    outcomes = [(await hotline.ended(one)).state for one in (trapped_number, silent_number)]
    assert [state.outcome for state in outcomes] == ["answered", "answered"]
    assert all(state.reason.startswith(VIA) for state in outcomes)
    await hotline.reachable(*AGENTS)
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=880)
    await caller.heard(tone_hz=880)
    await caller.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.reason) == ("answered", "caller_hung_up")
    await hotline.nothing_left()


class Supervisor:
    """What systemd does for a service of Type=notify: hears READY and WATCHDOG, and replaces a silent daemon."""

    def __init__(self, hotline: Trial, folder: Path, watchdog: float) -> None:
        self._hotline, self._watchdog = hotline, watchdog
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._server.bind(str(folder / "notify"))
        self.environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": str(int(watchdog * 1e6))}
        self.ready = asyncio.Event()
        self.words: list[str] = []
        self.restarts = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            watched = self.ready.is_set() and "STOPPING=1" not in self.words
            limit = self._watchdog if watched else None
            try:
                async with asyncio.timeout(limit):
                    while True:
                        words = (await loop.sock_recv(self._server, 4096)).decode().splitlines()
                        self.words += words
                        if "READY=1" in words:
                            self.ready.set()
                        if {"WATCHDOG=1", "STOPPING=1"} & set(words) or (self.ready.is_set() and limit is None):
                            break
            except TimeoutError:
                self.ready.clear()
                self.restarts += 1
                await self._hotline.kill()
                await self._hotline.launch()


async def test_a_hanging_daemon_is_noticed_and_replaced_and_everybody_is_taken_back(
    hotline: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hotline.kill()
    with tempfile.TemporaryDirectory() as folder:
        supervisor = Supervisor(hotline, Path(folder), watchdog=6.0)
        for name, value in supervisor.environment.items():
            monkeypatch.setenv(name, value)
        course = asyncio.create_task(supervisor.run())
        try:
            await hotline.start()
            await asyncio.wait_for(supervisor.ready.wait(), 60)
            caller, number = await asks(hotline)
            ring = await either(hotline, *AGENTS)
            await ring.answer()
            ring.say(tone_hz=660)
            await caller.heard(tone_hz=660)
            before = supervisor.restarts
            assert hotline.daemon is not None
            hotline.daemon.send_signal(signal.SIGSTOP)
            await until(lambda: supervisor.restarts > before and supervisor.ready.is_set())
            await caller.heard(tone_hz=660, after=caller.now)
            await ring.hang_up()
            await caller.heard("farewell")
            await caller.hang_up()
            state = (await hotline.ended(number)).state
            assert state.outcome == "answered" and state.adopted >= 1
            assert any(word.startswith("STATUS=") for word in supervisor.words)
            assert await hotline.stop() == 0
            await until(lambda: "STOPPING=1" in supervisor.words)
        finally:
            course.cancel()
    await hotline.start()
    await hotline.nothing_left()


async def test_the_journal_agrees_with_itself(hotline: Trial) -> None:
    assert await asyncio.to_thread(verify, hotline.store) == []
