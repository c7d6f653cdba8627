"""Hotline on an Asterisk that is not ours: a small office's, which goes on working, and which is told what it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from config.load import load_settings
from hotline.asterisk.check import check_any
from hotline.asterisk.install import find_asterisk
from hotline.asterisk.own import FILES, render_own
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import devices
from hotline.outside import OutsideWorld, free_ports
from hotline.outside.switch import Switch
from hotline.trial import Trial, _prompts
from hotline.trial_config import copy_config
from recordings.measure import measure
from tests.real.conftest import profile
from tests.real.verbs import either, leaves_message, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFICE = {
    "modules.conf": "[modules]\nautoload = yes\nnoload = res_hep.so\n",
    "musiconhold.conf": "[general]\n[default]\nmode = files\ndirectory = moh\n",
    "queues.conf": "[general]\n",
    "extensions.conf": """\
[globals]
RING = 15
[from-office]
exten = 600,1,Answer()
 same = n,Dial(PJSIP/8001,${RING})
 same = n,Hangup()
exten = _9.,1,Congestion(5)
""",
    "pjsip.conf": """\
[global]
type = global
user_agent = office
[transport-udp]
type = transport
protocol = udp
bind = 127.0.0.1:{sip}
[8001]
type = endpoint
transport = transport-udp
context = from-office
disallow = all
allow = alaw
aors = 8001
direct_media = no
[8001]
type = aor
contact = sip:8001@127.0.0.1:{phone}
[carrier]
type = endpoint
transport = transport-udp
context = from-office
disallow = all
allow = alaw
direct_media = no
[carrier]
type = identify
endpoint = carrier
match = 127.0.0.1:{office}
""",
    "http.conf": "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {ari}\n",
    "ari.conf": "[general]\nenabled = yes\n[office]\ntype = user\npassword = office-1\n",
    "manager.conf": "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {ami}\n[office]\nsecret = office-1\n",
    "rtp.conf": "[general]\nrtpstart = {rtp_first}\nrtpend = {rtp_last}\n",
}
LINE = """\
[office-udp]
type = transport
protocol = udp
bind = 127.0.0.1:{office}
[office-line](phone)
transport = office-udp
aors = office-line
[office-line]
type = aor
contact = sip:127.0.0.1:{sip}
"""


@dataclass
class Office:
    """The office's Asterisk, and the hotline that is to run on it."""

    switch: Switch
    it: Trial

    def codes(self) -> set[str]:
        """What hotline check finds now, warnings apart."""
        return {problem.code for problem in check_any(self.it.settings) if not problem.warning}

    async def include(self) -> None:
        """What the page says: one line into each file, and a reload."""
        etc = self.switch.folder / "etc"
        render_own(self.it.settings, etc, self.it.state, self.it.secrets)
        for name in FILES:
            with (etc / f"{name}.conf").open("a", encoding="utf-8") as file:
                file.write(f"#include hotline-{name}.conf\n")
        for command in ("module reload res_pjsip.so", "dialplan reload", "module reload res_ari.so", "manager reload",
                        "moh reload"):  # fmt: skip
            await self.switch.console(command)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("own")
    state = folder / "var"
    sip, line, handsets = free_ports(3)
    recordings = folder / "office/spool/recording"
    own = {
        "hotline": {"asterisk": {"own": {"recordings": str(recordings)}}},
        "queues": {"queues": {"inquiry": {"longest_wait": 8}}},
    }
    config = copy_config(folder / "config", state, profile(["8001", "8002"], **own))
    settings = load_settings(config)
    asterisk, install = settings.hotline.asterisk, find_asterisk()
    state.mkdir(mode=0o700)
    await asyncio.to_thread(_prompts, settings, config, state)
    ports = {
        "sip": sip, "office": line, "phone": handsets, "ari": asterisk.ari_port, "ami": asterisk.ami_port,
        "rtp_first": asterisk.rtp.first, "rtp_last": asterisk.rtp.last,
    }  # fmt: skip
    texts = {name: text if name == "extensions.conf" else text.format(**ports) for name, text in OFFICE.items()}
    switch = Switch(install, folder / "office", "office")
    recordings.mkdir(parents=True)
    try:
        await switch.start(texts, [])
        it = Trial(config, settings, install, load_secrets(state, devices(settings)))
        carrier = int(settings.hotline.trunks[0].peers[0].rpartition(":")[2])
        async with OutsideWorld.start(
            install, folder / "outside", ("127.0.0.1", asterisk.sip.port), carrier, sounds=[state / "sounds/zh"],
            handset_port=handsets, more=LINE.format(**ports),
        ) as it.world:  # fmt: skip
            yield Office(switch, it)
            if it.daemon is not None:
                await it.stop()
    finally:
        await switch.stop()


async def test_what_is_missing_is_told_all_at_once(office: Office) -> None:
    found = await asyncio.to_thread(office.codes)
    assert {"own-ari-user", "own-ami-user", "own-recordings"} <= found


async def test_a_call_is_served_and_recorded_and_the_office_goes_on_working(office: Office, tmp_path: Path) -> None:
    it = office.it
    await office.include()
    assert await asyncio.to_thread(office.codes) == set()
    await it.start()
    await asyncio.gather(it.handset("8001"), it.handset("8002"))
    await it.reachable("8001", "8002")

    inside = await it.world.call("600", via="office-line")
    desk = await it.world.mobile("desk", "8001").rings()
    await desk.answer()

    number = it.fresh_number()
    caller = await it.world.call(it.number, number=number)
    await caller.heard("menu_main")
    await caller.press("1")
    ring = await either(it, "hotline-8001", "hotline-8002")
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    inside.say(tone_hz=500)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await desk.heard(tone_hz=500)
    await recorded(it, number, 1)
    await caller.hang_up()
    call = await it.ended(number)
    assert (call.state.outcome, call.state.trunk) == ("answered", "carrier")
    assert call.recordings[0].state == "finished"
    left, right = measure(it.state / "recordings" / call.recordings[0].file)
    assert abs(left.dominant_hz - 440) < 5 and abs(right.dominant_hz - 660) < 5
    assert not inside.is_gone
    await inside.hang_up()
    await desk.gone()


async def test_a_message_is_taken_from_the_offices_folder(office: Office) -> None:
    it = office.it
    assert it.daemon is not None
    number = it.fresh_number()
    for handset in ("hotline-8001", "hotline-8002"):
        await it.world.handsets[handset].unregister()
    caller = await it.world.call(it.number, number=number)
    await caller.heard("menu_main")
    await caller.press("1")
    await caller.heard("voicemail_invite")
    caller.say(tone_hz=440)  # over the invitation, if need be: silence would end the message
    await leaves_message(it, number, 3, Path(it.settings.hotline.asterisk.own.recordings))
    await caller.hang_up()
    call = await it.ended(number)
    assert call.state.outcome == "voicemail"
    assert call.recordings[0].state == "finished"


async def test_while_the_daemon_is_away_the_lifeboat_serves_there_too(office: Office) -> None:
    it = office.it
    await it.stop()
    number = it.fresh_number()
    caller = await it.world.call(it.number, number=number)
    await caller.answered()
    await caller.heard("greeting")
    await caller.hang_up()
    await it.start()
    call = await it.ended(number)
    assert call.state.ended_at
