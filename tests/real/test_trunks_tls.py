"""SIP over TLS and TCP with encrypted sound, to a carrier whose certificate is verified and to phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from config.telephony import Sip, Tls
from hotline.asterisk.certificates import make_for_trials
from hotline.outside import free_ports
from hotline.trial import Trial, trial
from tests.real.conftest import profile
from tests.real.test_trunks import LIMIT, until
from tests.real.verbs import either

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARRIERS = """\
[secure-tls]
type = transport
protocol = tls
bind = 127.0.0.2:{carrier}
cert_file = {folder}/tls/hotline.crt
priv_key_file = {folder}/tls/hotline.key
[secure](phone)
transport = secure-tls
media_encryption = sdes
aors = secure
[secure]
type = aor
contact = sip:127.0.0.1:{tls}\\;transport=tls
[careless](phone)
transport = secure-tls
aors = secure
[stranger-tls]
type = transport
protocol = tls
bind = 127.0.0.4:{carrier}
cert_file = {stranger}/tls/hotline.crt
priv_key_file = {stranger}/tls/hotline.key
[plain-tcp]
type = transport
protocol = tcp
bind = 127.0.0.3:{carrier}
[plain](phone)
transport = plain-tcp
aors = plain
[plain]
type = aor
contact = sip:127.0.0.1:{sip}\\;transport=tcp
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """Phones over TLS, encrypted; carriers over TLS, over TCP, and one whose certificate nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    carrier, tls, sip, udp = free_ports(4)
    for name, address in (("carrier", "127.0.0.2"), ("stranger", "127.0.0.4")):
        make_for_trials(Sip(bind=address, tls=Tls(port=carrier)), folder / name)
    changes = {
        "asterisk": {
            "sip": {
                "port": sip,
                "tcp": True,
                "tls": {"port": tls, "ca": str(folder / "carrier/tls/hotline.crt")},
            },
            "phones": {"transport": "tls", "srtp": True},
        },
        "trunks": [
            {"name": "usual", "addresses": [f"127.0.0.1:{udp}"]},
            {"name": "secure", "addresses": [f"127.0.0.2:{carrier}"], "transport": "tls", "srtp": True, "probe": 2},
            {"name": "plain", "addresses": [f"127.0.0.3:{carrier}"], "transport": "tcp", "probe": 2},
            {"name": "stranger", "addresses": [f"127.0.0.4:{carrier}"], "transport": "tls", "probe": 2},
        ],
    }
    more = CARRIERS.format(carrier=carrier, tls=tls, sip=sip, folder=folder / "carrier", stranger=folder / "stranger")
    async with trial(
        folder, profile(["8001"], hotline=changes), more=more, phones="tls", phones_to=tls, srtp=True
    ) as it:
        await it.handset("8001")
        await it.reachable("8001")
        yield it


@pytest.mark.parametrize("carrier", ["secure", "plain", "carrier"])
async def test_both_hear_each_other_over(hotline: Trial, carrier: str) -> None:
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number, via=carrier)
    await caller.answered()
    await asyncio.sleep(0.3)
    await caller.press("1")
    ring = await either(hotline, "8001")
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await caller.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.trunk) == ("answered", "usual" if carrier == "carrier" else carrier)


async def test_sound_in_clear_is_refused_where_it_must_be_encrypted(hotline: Trial) -> None:
    caller = await hotline.world.call(hotline.number, number=hotline.fresh_number(), via="careless")
    await caller.gone()
    assert caller.answered_at is None


async def test_a_carrier_is_believed_by_its_certificate_alone(hotline: Trial) -> None:
    async with asyncio.timeout(LIMIT):
        rows: dict[str, str] = {}
        while "Unavail" not in rows.get("stranger", ""):
            said = await until(hotline, "pjsip show contacts", "Unavail")
            contacts = [line for line in said.splitlines() if "sip:" in line]
            rows = {line.split()[1].partition("/")[0]: line for line in contacts}
    log = (hotline.home.log / "messages.log").read_text(encoding="utf-8", errors="replace")
    refused = [line for line in log.splitlines() if "certificate is untrusted" in line]
    assert refused and all("'127.0.0.4'" in line for line in refused)
    await until(hotline, "pjsip show contacts", "Avail ")
    said = await until(hotline, "pjsip show aor secure", "Avail")
    assert "Unavail" not in said
