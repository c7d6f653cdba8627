"""Mobiles behind the carrier, and several devices: who did not press 1 is never connected, one wins, the others stop.

Each agent has a skill of their own, so that the caller's key says who is rung.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from calllog import events as ev
from calllog.queries import CallDetail
from hotline.outside import Caller, Handset, Ring
from hotline.outside.ports import free_ports
from hotline.outside.speech import spoken_wav
from hotline.trial import Trial, trial
from hotline.trial_config import PRESENTED
from recordings.measure import tones
from tests.real.conftest import profile
from tests.real.verbs import asks, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOBILES = {number: f"1380013{number}" for number in ("8001", "8002", "8004")}
PHONES = ("8002", "8003", "8004")
CALLER_HZ, AGENT_HZ = 440, 660
CONFIRM = 8.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """8001 has a mobile alone, 8002 phone and mobile at once, 8004 in order; and two carriers."""
    carrier, second = free_ports(2)
    trunks = [
        {"name": "carrier", "addresses": [f"127.0.0.1:{carrier}"], "outgoing": {"present": PRESENTED}},
        {"name": "second", "addresses": [f"127.0.0.1:{second}"], "outgoing": {"present": PRESENTED}},
    ]
    agents = {
        "8001": {"skills": ["inquiry"], "devices": [{"number": MOBILES["8001"]}]},
        "8002": {"skills": ["complaint"], "ring": "at_once",
                 "devices": [{"sip": "8002"}, {"number": MOBILES["8002"]}]},
        "8003": {"skills": ["inquiry"]},
        "8004": {"skills": ["business"], "devices": [{"sip": "8004"}, {"number": MOBILES["8004"]}]},
    }  # fmt: skip
    changes = profile(
        list(agents), agents={"agents": agents},
        hotline={"trunks": trunks, "times": {"ring": 40, "confirm": CONFIRM}},
        queues={"queues": {name: {"longest_wait": 300} for name in ("inquiry", "complaint", "business")}},
    )  # fmt: skip
    async with trial(tmp_path_factory.mktemp("trial"), changes) as it:
        for agent, number in MOBILES.items():
            it.world.mobile(agent, number)
        await asyncio.gather(*(it.handset(agent) for agent in PHONES))
        await it.reachable(*agents)
        yield it


def mobile(hotline: Trial, agent: str) -> Handset:
    return hotline.world.handsets[MOBILES[agent]]


def devices(call: CallDetail) -> list[str]:
    """What was journalled of the rings, in short."""
    said = []
    for event in (one.event for one in call.events):
        match event:
            case ev.RingStarted(device=device, trunk=trunk) | ev.DeviceRung(device=device, trunk=trunk):
                said.append(f"{device} {trunk}".strip())
            case ev.ConfirmAsked():
                said.append("asked")
            case ev.DeviceEnded(result=result):
                said.append(result)
            case ev.RingEnded(agent=agent, result=ring_result):
                said.append(f"{agent} {ring_result}")
            case _:
                pass
    return said


def heard_right(hotline: Trial, call: CallDetail) -> None:
    """The recording has the caller left and the agent right."""
    (recording,) = call.recordings
    file = hotline.state / "recordings" / recording.file
    for channel, hz in ((0, CALLER_HZ), (1, AGENT_HZ)):
        found = [tone for tone in tones(file, channel) if tone.seconds > 0.8]
        assert found and all(abs(tone.hz - hz) < 5 for tone in found), (channel, found)


async def test_a_voicemail_never_answers_a_customer(hotline: Trial) -> None:
    caller, number = await asks(hotline, "1")
    caller.say(tone_hz=CALLER_HZ)
    voicemail = await mobile(hotline, "8001").rings()
    assert voicemail.caller_number == PRESENTED, "the mobile sees our number, never the caller's or the 400 number"
    assert not hotline.world.handsets["8003"].history
    await voicemail.answer()
    await voicemail.heard("agent_confirm")
    speech = "您好，您拨打的用户暂时无法接听，请在提示音后留言。"
    wav = await spoken_wav(hotline.world.work_dir / "voicemail.wav", speech)
    voicemail.say(wav)
    await voicemail.said()
    voicemail.say(tone_hz=1000)  # and its beep, on and on
    ring = await hotline.world.handsets["8003"].rings()
    assert await voicemail.gone() == 16
    confirms = [name for name, _at in await voicemail.prompts_heard() if name == "agent_confirm"]
    assert len(confirms) >= 2, "the question is repeated"
    assert await voicemail.tones_heard(CALLER_HZ) == [] and await caller.tones_heard(1000) == []
    assert ring.caller_number == number
    await ring.answer()
    ring.say(tone_hz=AGENT_HZ)
    await caller.heard(tone_hz=AGENT_HZ)
    await recorded(hotline, number, 1.2)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert devices(call) == ["*8001 carrier", "asked", "unconfirmed", "8001 missed", "8003", "8003 answered"]
    assert call.row.rings == 2 and call.state.outcome == "answered"
    heard_right(hotline, call)
    await hotline.nothing_left()


async def talk(hotline: Trial, number: str, ring: Ring, caller: Caller) -> None:
    """Both hear each other for a while, and are recorded."""
    caller.say(tone_hz=CALLER_HZ)
    ring.say(tone_hz=AGENT_HZ)
    await caller.heard(tone_hz=AGENT_HZ)
    await ring.heard(tone_hz=CALLER_HZ)
    await recorded(hotline, number, 1.2)


async def test_at_once_the_mobile_accepts_and_the_phone_stops(hotline: Trial) -> None:
    caller, number = await asks(hotline, "2")
    phone, ring = await asyncio.gather(hotline.world.handsets["8002"].rings(), mobile(hotline, "8002").rings())
    assert (phone.caller_number, ring.caller_number) == (number, PRESENTED)
    await ring.answer()
    await ring.heard("agent_confirm")
    assert not phone.is_gone and not caller.is_gone
    await ring.press("1")
    assert await phone.cancelled() == 26, "answered elsewhere: no missed call on the phone"
    await talk(hotline, number, ring, caller)
    await ring.hang_up()
    await caller.heard("farewell")
    await caller.hang_up()
    call = await hotline.ended(number)
    assert devices(call) == ["8002", "*8002 carrier", "asked", "elsewhere", "8002 answered"]
    (talked,) = call.state.talks
    assert (talked.device, talked.agent) == ("*8002", "8002") and call.row.rings == 1
    heard_right(hotline, call)
    await hotline.nothing_left()


async def test_at_once_both_accept_in_the_same_instant_and_one_is_dropped(hotline: Trial) -> None:
    caller, number = await asks(hotline, "2")
    phone, ring = await asyncio.gather(hotline.world.handsets["8002"].rings(), mobile(hotline, "8002").rings())
    await ring.answer()
    await ring.heard("agent_confirm")
    # In the same instant: either wins, never both; the one that is dropped meanwhile may fail in what it does.
    await asyncio.gather(phone.answer(), ring.press("1"), return_exceptions=True)
    won, lost = (phone, ring) if await _gone_first(phone, ring) is ring else (ring, phone)
    await talk(hotline, number, won, caller)
    assert lost.is_gone and await lost.tones_heard(CALLER_HZ) == []
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "answered" and devices(call).count("8002 answered") == 1
    heard_right(hotline, call)
    await hotline.nothing_left()


async def _gone_first(*rings: Ring) -> Ring:
    waits = {asyncio.ensure_future(ring.gone()): ring for ring in rings}
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return waits[done.pop()]


async def test_in_order_and_by_the_next_trunk_when_the_first_is_full(hotline: Trial) -> None:
    caller, number = await asks(hotline, "4")
    await (await hotline.world.handsets["8004"].rings()).reject(486)
    await (await mobile(hotline, "8004").rings()).reject(503)
    ring = await mobile(hotline, "8004").rings()
    await ring.answer()
    await ring.press("1")  # one who knows need not hear the question out
    await talk(hotline, number, ring, caller)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert devices(call) == [
        "8004", "busy", "*8004 carrier", "unreachable", "*8004 second", "asked", "8004 answered"
    ]  # fmt: skip
    heard_right(hotline, call)
    await hotline.nothing_left()


async def test_a_daemon_killed_while_a_phone_rings_and_a_mobile_is_asked_leaves_no_leg(hotline: Trial) -> None:
    caller, number = await asks(hotline, "2")
    caller.say(tone_hz=CALLER_HZ)
    phone, ring = await asyncio.gather(hotline.world.handsets["8002"].rings(), mobile(hotline, "8002").rings())
    await ring.answer()
    await ring.heard("agent_confirm")
    await hotline.kill()
    await ring.press("1")  # nobody hears it
    await hotline.start()
    await asyncio.gather(ring.gone(), phone.cancelled())
    assert await ring.tones_heard(CALLER_HZ) == []
    again, other = await asyncio.gather(hotline.world.handsets["8002"].rings(), mobile(hotline, "8002").rings())
    await again.answer()
    await talk(hotline, number, again, caller)
    await other.gone()
    await caller.hang_up()
    call = await hotline.ended(number)
    rung = ["8002", "*8002 carrier"]
    assert devices(call) == [*rung, "asked", "8002 failed", *rung, "elsewhere", "8002 answered"]
    heard_right(hotline, call)
    await hotline.nothing_left()
