"""The outside world itself, against a trivial third Asterisk: what tests hear and do through it is what happens."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from hotline.asterisk.install import find_asterisk
from hotline.outside import NotHeard, NotSeen, OutsideWorld, PromptBook, free_ports, g711, sipp, spoken_wav, tone_wav
from hotline.outside.audio import Stream
from hotline.outside.hearing import Listener
from hotline.outside.switch import Switch
from tests.real.world import ACCOUNTS, peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = {
    "greeting": "您好。",
    "menu": "咨询请按一。",
    "alike": "咨询请按二。",
    "never": "咨询请按三，谢谢。",
    "one": "一百",
    "goodbye": "再见。",
}


@dataclass
class Two:
    """The outside world and the Asterisk that it calls."""

    outside: OutsideWorld
    peer: Switch
    sip_port: int

    async def said(self, mark: str) -> str:
        """The last line of the peer's log that holds ``mark``."""
        for _ in range(1_000):
            lines = [line for line in self.peer.log.read_text(encoding="utf-8").splitlines() if mark in line]
            if lines:
                return lines[-1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {mark} in the peer's log")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    await asyncio.gather(*(spoken_wav(folder / f"{name}.wav", text, speed=260) for name, text in TEXTS.items()))
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> AsyncIterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    install = find_asterisk()
    sip_port, carrier_port = free_ports(2)
    rtp = free_ports(200, run=True)[0]
    async with (
        peer(install, folder / "peer", sip_port, rtp, sounds) as other,
        OutsideWorld.start(install, folder / "out", ("127.0.0.1", sip_port), carrier_port, sounds=[sounds]) as outside,
    ):
        await asyncio.gather(
            outside.handset("8001", "p8001", ACCOUNTS["p8001"]), outside.handset("8002", "p8002", ACCOUNTS["p8002"])
        )
        yield Two(outside, other, sip_port)
    # Those of test_a_wrong_password_is_seen apart, and that our own connection is over.
    expected = ("res_pjsip_outbound_registration.c", "ari/ari_websockets.c: WebSocket read error")
    complaints = outside.switch.complaints().splitlines()
    assert [line for line in complaints if not any(word in line for word in expected)] == []


async def test_prompts_are_heard_in_order_and_no_others(two: Two, sounds: Path) -> None:
    caller = await two.outside.call("prompts")
    await caller.answered()
    await caller.heard("greeting")
    first = await caller.heard("menu")
    second = await caller.heard("menu", whole=True)
    assert second > first + 0.5
    with pytest.raises(NotHeard, match=r"'never' was not heard.*menu at"):
        await caller.heard("never", within=0.1, after=0)
    await caller.gone()
    heard = await caller.prompts_heard()
    assert [name for name, _ in heard] == ["greeting", "menu", "menu", "alike"]
    assert all(found.whole for found in await caller.hearing())
    # Time-true: no silence is lost (a loaded machine may only add some), and the file is as long as the call.
    gaps = await caller.silences(0.28)
    length = len(g711.read_sound(sounds / "menu.wav")) / 8000
    assert length + 0.46 < heard[2][1] - heard[1][1]
    assert gaps, "the pauses must be in the file"
    assert len(g711.read_sound(caller.heard_audio)) / 8000 == pytest.approx(caller.gone_at or 0, abs=0.05)


async def test_sound_goes_both_ways(two: Two, sounds: Path, tmp_path: Path) -> None:
    caller = await two.outside.call("echo")
    await caller.answered()
    caller.say(tone_hz=440)
    await caller.heard(tone_hz=440)
    await caller.silence()
    await asyncio.sleep(0.3)
    caller.say(tone_wav(tmp_path / "long.wav", 660, 0.6))
    await caller.said()
    async with asyncio.timeout(90):  # it is on its way for a moment; a loaded machine may tear it
        while sum(end - start for start, end in await caller.tones_heard(660)) < 0.4:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    caller.say(sounds / "menu.wav")
    await caller.heard("menu", whole=True)
    assert sum(end - start for start, end in await caller.tones_heard(660)) < 0.75
    await caller.hang_up()
    await caller.gone()
    spans = await caller.tones_heard(440)  # a loaded machine may tear it, but not much of it is lost
    assert sum(end - start for start, end in spans) > 0.8 * (spans[-1][1] - spans[0][0]), spans


async def test_keys_arrive_both_ways(two: Two) -> None:
    caller = await two.outside.call("keys")
    await caller.answered()
    await caller.press("1*20")
    await caller.heard("menu")  # the peer plays it for exactly these keys
    assert await caller.gone() == 17
    assert caller.keys_heard == "42"


@pytest.mark.parametrize(("code", "dialled"), [(486, "BUSY 17"), (603, "CHANUNAVAIL 21"), (500, "CHANUNAVAIL 38")])
async def test_a_rejected_ring_gives_its_code(two: Two, code: int, dialled: str) -> None:
    caller = await two.outside.call("phone", number="13900001111")
    ring = await two.outside.handsets["p8001"].rings()
    assert ring.caller_number == "13900001111"
    await ring.reject(code)
    assert str(await caller.gone()) == dialled.split()[1]
    assert await two.said(f"DIALED {dialled}")


async def test_a_ring_is_cancelled(two: Two) -> None:
    caller = await two.outside.call("phone")
    ring = await two.outside.handsets["p8001"].rings()
    await caller.answered()
    await caller.hang_up()
    await ring.cancelled()
    with pytest.raises(NotSeen):
        await ring.answer()


async def test_talk_hold_and_registration(two: Two) -> None:
    phone = two.outside.handsets["p8001"]
    caller = await two.outside.call("phone")
    ring = await phone.answer()
    assert phone.talk is ring
    ring.say(tone_hz=660)
    caller.say(tone_hz=440)
    await asyncio.gather(caller.heard(tone_hz=660), ring.heard(tone_hz=440))
    await ring.hold()
    async with asyncio.timeout(90):
        with pytest.raises(NotHeard):
            while True:  # what is under way is heard yet
                await caller.heard(tone_hz=660, within=0.6)
    await ring.unhold()
    await caller.heard(tone_hz=660)
    await ring.hang_up()
    assert await caller.gone() == 16
    assert phone.talk is None

    await phone.unregister()
    caller = await two.outside.call("phone")
    await caller.gone()
    await phone.does_not_ring(0.2)
    await phone.register()
    caller = await two.outside.call("phone")
    await phone.rings()
    await caller.hang_up()
    await caller.gone()


async def test_hearing_survives_a_change_of_the_far_leg(two: Two) -> None:
    first, second = two.outside.handsets["p8001"], two.outside.handsets["p8002"]
    first.auto_answer(0.0, tone_hz=660)
    second.auto_answer(0.0, tone_hz=880)
    try:
        caller = await two.outside.call("two")
        caller.say(tone_hz=440)
        await caller.heard(tone_hz=660)
        ring = first.history[-1]
        await ring.heard(tone_hz=440)
        await ring.hang_up()
        menu = await caller.heard("menu")
        await caller.heard(tone_hz=880)
        ring = second.history[-1]
        await ring.heard(tone_hz=440)
        await ring.hang_up()
        await caller.gone()
    finally:
        first.by_hand()
        second.by_hand()
    before, after = await caller.tones_heard(660), await caller.tones_heard(880)  # a loaded machine may tear them
    assert before and after and before[-1][1] - 0.2 < menu < after[0][0] + 0.2
    heard = [name for name, _ in await caller.prompts_heard()]
    assert heard.count("menu") == 1 and heard[-1] == "menu"


@pytest.mark.parametrize(
    ("number", "name", "arrives"),
    [
        ("13912345678", "张三", "num=13912345678 name=%E5%BC%A0%E4%B8%89"),
        (None, "", "num=anonymous name=Anonymous"),
        ('"1', 'a"b\\c', "num=%221 name=a%5C%22b%5C%5Cc"),
        ("139\r\nX-Evil: y", "", "num=139%0D%0AX-Evil%3A%20y name="),
        ("1" * 500, "n" * 500, "num=" + "1" * 79),
    ],
)
async def test_odd_callers(two: Two, number: str | None, name: str, arrives: str) -> None:
    caller = await two.outside.call("who", number=number, name=name)
    assert await caller.gone() == 17
    assert await two.said(f"WHO {arrives}")


async def test_calls_that_are_not_answered(two: Two) -> None:
    with pytest.raises(NotSeen, match="not answered"):
        await (await two.outside.call("ring")).answered(0.2)
    await two.outside.callers[-1].hang_up()
    assert await (await two.outside.call("refuse")).gone() == 21
    assert await (await two.outside.call("nosuch")).gone() == 1
    await two.outside.callers[-3].gone()


async def test_a_wrong_password_is_seen(two: Two) -> None:
    with pytest.raises(NotSeen, match="Rejected"):
        await two.outside.handset("9", "p9999", "wrong")


async def test_sipp_calls_without_a_number(two: Two, tmp_path: Path) -> None:
    done = await sipp(NO_NUMBER, tmp_path, ("127.0.0.1", two.sip_port), free_ports(1)[0], service="who", timeout=30)
    assert done.ok, done
    assert "From: <sip:127.0.0.1" in done.messages


async def test_nothing_is_left(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 120)  # longer than a socket's path may be
    install = find_asterisk()
    hotline, first, second = free_ports(3)
    async with (
        OutsideWorld.start(install, deep / "1", ("127.0.0.1", hotline), first) as one,
        OutsideWorld.start(install, deep / "2", ("127.0.0.1", hotline), second) as other,
    ):
        pids = [one.switch.pid, other.switch.pid]
        caller = await one.call("4001234567")
        assert not caller.is_gone
    assert caller.is_gone
    for pid in pids:
        assert pid is not None and str(pid) not in os.listdir("/proc")
    for port in (first, second, one.handset_port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", port))


async def test_cut_prompts_are_not_taken_for_others(sounds: Path) -> None:
    book = PromptBook(sounds)
    random = np.random.default_rng(7)
    voices = {name: g711.read_sound(sounds / f"{name}.wav") for name in TEXTS}
    for _ in range(12):
        parts, want = [np.zeros(random.integers(800, 4_000), np.float32)], []
        for name in random.choice(list(TEXTS), 8):
            voice = voices[name]
            if len(voice) > 8_000 and random.random() < 0.5:
                voice = voice[: random.integers(6_400, len(voice))]
            want.append((name, sum(map(len, parts)) / 8000))
            parts += [voice, np.zeros(random.integers(400, 2_400), np.float32)]
        heard = g711.decode(g711.encode(np.concatenate(parts)))
        found = book.find(heard)
        assert len(found) == len(want)
        for (name, at), prompt in zip(want, found, strict=True):
            assert name in prompt.name.split("|") and abs(prompt.at - at) < 0.06
        listener = Listener(book)
        bits = [listener.listen(heard[:end]) for end in range(0, len(heard) + 3_200, 3_200)]
        assert [(p.name, round(p.at, 2)) for p in bits[-1]] == [(p.name, round(p.at, 2)) for p in found]


async def test_the_ear_is_true_to_time() -> None:
    stream = Stream(time.monotonic())
    try:

        def packet(source: int, seq: int, stamp: int, byte: int) -> bytes:
            return struct.pack("!BBHII", 0x80, 8, seq, stamp, source) + bytes([byte]) * 160

        for n in range(5):
            stream._take(packet(1, n, 160 * n, 1), 0.02 * (n + 1) + 0.1 * (n % 2))  # late: stays in place
        stream._take(packet(1, 5, 160 * 55, 2), 1.12)  # after a pause that its timestamp tells
        stream._take(packet(2, 60_000, 12, 3), 2.0)  # another source, its numbers behind
        stream._take(packet(2, 3, 172, 4), 2.02)
        stream._take(packet(2, 4, 90_000, 5), 3.0)  # a jump of the timestamp without time behind it
        heard = stream.heard(0, 3.0)
    finally:
        stream.close()
    assert heard[:800] == b"\1" * 800
    places = [heard.index(bytes([byte])) / 8000 for byte in (2, 3, 4, 5)]
    assert places == pytest.approx([1.1, 1.98, 2.0, 2.98], abs=0.001)
    assert heard.count(g711.SILENCE) == len(heard) - 9 * 160


NO_NUMBER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="no number">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 6000 RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="486"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
</scenario>
"""
