"""Trunks with an account, by order and by format: a real registrar that asks for a password, and a dead carrier."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import ari
from hotline.outside import Handset, free_ports
from hotline.trial import Trial, trial
from phone.trunks import outside_targets
from tests.real.conftest import profile
from tests.real.hostile import raw_carrier
from tests.real.verbs import either

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCOUNT, PASSWORD = "02162345678", "ge;heim --; 1"
MOBILE = "13912345678"
LIMIT = 75.0
"""Seconds: a REGISTER that was sent before the carrier was there is sent again after 30."""

REGISTRAR = """\
[{account}](phone)
transport = carrier-udp
aors = {account}
auth = {account}
[{account}]
type = aor
max_contacts = 1
remove_existing = yes
minimum_expiration = 30
[{account}]
type = auth
auth_type = userpass
username = {account}
password = {password}
"""
IDENTITY = """\
[identity-udp]
type = transport
protocol = udp
bind = 127.0.0.1:{identity}
"""


def registrar(account: str, password: str) -> str:
    return REGISTRAR.format(account=account, password=password.replace(";", "\\;"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """Three trunks: a dead one, one with an account, and one whose account has another password."""
    folder = tmp_path_factory.mktemp("trunks")
    carrier, dead, identity, to = free_ports(4)
    for name, word in (("account", PASSWORD), ("wrong", "not this one")):
        (folder / f"{name}.password").write_text(word + "\n", encoding="utf-8")
    present = {"present": ACCOUNT}
    trunks = [
        {"name": "account", "registration": {
            "server": f"127.0.0.1:{carrier}", "user": ACCOUNT, "password_file": str(folder / "account.password"),
        }, "area_code": "021", "incoming": {"caller": "local", "strip": "17951"},
         "outgoing": {**present, "called": "national_zero", "add": "9"}, "probe": 2},
        {"name": "dead", "addresses": [f"127.0.0.1:{dead}"], "outgoing": {**present, "called": "e164"}, "probe": 2},
        {"name": "wrong", "registration": {
            "server": f"127.0.0.1:{carrier}", "user": "02187654321", "password_file": str(folder / "wrong.password"),
        }, "addresses": ["192.0.2.7"], "probe": 2},
        {"name": "identity", "addresses": [f"127.0.0.1:{identity}"], "outgoing": {
            "present": ACCOUNT, "present_as": "e164", "present_in": "identity", "called": "e164_digits",
        }, "probe": 2},
        {"name": "switchboard", "addresses": [f"127.0.0.1:{to}"], "incoming": {"called_from": "to"}, "probe": 0},
    ]  # fmt: skip
    more = registrar(ACCOUNT, PASSWORD) + registrar("02187654321", "another")
    more += IDENTITY.format(identity=identity)
    async with trial(folder, profile(["8001", "8002"], hotline={"trunks": trunks}), more=more, carriers=()) as it:
        await asyncio.gather(it.handset("8001"), it.handset("8002"))
        await it.reachable("8001", "8002")
        it.world.mobile("far", MOBILE)
        yield it


async def until(hotline: Trial, command: str, wanted: str) -> str:
    """The hotline's Asterisk says this at last."""
    said = ""
    async with asyncio.timeout(LIMIT):
        while wanted not in said:
            await asyncio.sleep(0.1)
            said = await asyncio.to_thread(ask, hotline, command)
    return said


def ask(hotline: Trial, command: str) -> str:
    from hotline.asterisk.process import ask as console

    return console(hotline.install, hotline.home, command)


async def test_a_call_comes_in_by_the_registered_account(hotline: Trial) -> None:
    await until(hotline, "pjsip show registrations", "Registered")
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=f"17951{number}", via=ACCOUNT)
    await caller.answered()
    await asyncio.sleep(0.3)
    await caller.press("1")
    ring = await either(hotline, "8001", "8002")
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await ring.heard(tone_hz=440)
    await caller.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.trunk) == ("answered", "account")


async def call_out(hotline: Trial, endpoint: str, caller_id: str, far: Handset) -> None:
    """A call of ours to ``far``, with a tone both ways."""
    asterisk = hotline.settings.hotline.asterisk
    url = f"http://127.0.0.1:{asterisk.ari_port}/ari"
    async with ari.Client(url, hotline.secrets.ari_user, hotline.secrets.ari_password, "calls-out") as client:
        running = asyncio.create_task(client.run())
        try:
            await client.wait_ready(LIMIT)
            await client.channels.originate(endpoint, channel_id="out", app_args="out", caller_id=caller_id, timeout=60)
            ring = await far.rings(LIMIT)
            assert (ring.dialled, ring.caller_number) == (endpoint[6:].partition("@")[0], caller_id)
            await ring.answer()
            prompts = hotline.home.state / "sounds/zh/greeting"
            async with asyncio.timeout(LIMIT):
                while not isinstance(await client.unclaimed.get(), ari.StasisStart):  # it comes at the answer
                    pass
            await client.channels.play("out", "hello", [f"sound:{prompts}"])
            await ring.heard("greeting")
            await client.channels.hangup("out")
            await ring.gone()
        finally:
            running.cancel()


async def test_a_call_goes_out_by_the_account_in_the_carriers_format(hotline: Trial) -> None:
    await until(hotline, "pjsip show registrations", "Registered")
    target = outside_targets(MOBILE, hotline.settings.hotline)[0]
    assert target.endpoint == "PJSIP/9013912345678@account"
    await call_out(hotline, target.endpoint, target.caller_id, hotline.world.handsets[MOBILE])


async def test_a_dead_carrier_is_passed_over_at_once(hotline: Trial) -> None:
    await until(hotline, "pjsip show contacts", "Unavail")
    target = outside_targets(MOBILE, hotline.settings.hotline)[1]
    assert target.endpoint == "PJSIP/+8613912345678@dead"
    asterisk = hotline.settings.hotline.asterisk
    url = f"http://127.0.0.1:{asterisk.ari_port}/ari"
    async with ari.Client(url, hotline.secrets.ari_user, hotline.secrets.ari_password, "calls-out") as client:
        with pytest.raises(ari.AriError):
            await client.channels.originate(target.endpoint, channel_id="nobody", app_args="out", timeout=15)


async def test_our_number_stands_in_p_asserted_identity_where_the_carrier_wants_it(hotline: Trial) -> None:
    target = next(one for one in outside_targets(MOBILE, hotline.settings.hotline) if one.trunk == "identity")
    assert (target.endpoint, target.caller_id) == ("PJSIP/8613912345678@identity", f"+86{ACCOUNT[1:]}")
    await call_out(hotline, target.endpoint, target.caller_id, hotline.world.handsets[MOBILE])


async def command(hotline: Trial, *words: str) -> str:
    """What a command of ours prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", *words, "--config", str(hotline.config), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, "HOTLINE_LANG": "en", "COLUMNS": "200"},
    )  # fmt: skip
    return (await process.communicate())[0].decode()


async def test_each_trunks_state_is_told_and_a_wrong_password_is_logged(hotline: Trial) -> None:
    await until(hotline, "pjsip show registrations", "Rejected")
    await until(hotline, "pjsip show contacts", "Unavail")
    await until(hotline, "pjsip show aor identity", " Avail ")
    states = {
        "account": "registered", "dead": "unreachable", "wrong": "refused", "identity": "reachable",
        "switchboard": "unknown",
    }  # fmt: skip
    told: dict[str, str] = {}
    async with asyncio.timeout(LIMIT):
        while told != states:  # one that is probed may miss a probe on a machine that stalls
            said = await command(hotline, "trunks", "--format", "json")
            told = {one["trunk"]: one["state"] for one in json.loads(said)}
    said = await command(hotline, "check")
    assert "The carrier of the trunk wrong refuses our registration." in said
    assert "The carrier of the trunk dead does not answer." in said
    async with asyncio.timeout(LIMIT):
        while (await hotline.status()).get("trunks") != states:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    async with asyncio.timeout(LIMIT):
        while True:
            lines = hotline.log.read_text(encoding="utf-8").splitlines()
            logged = [json.loads(line) for line in lines if "out of serv" in line and line.endswith("}")]
            if {(one["trunk"], one["state"]) for one in logged} >= {("wrong", "refused"), ("dead", "unreachable")}:
                break
            await asyncio.sleep(0.1)


async def test_the_number_that_was_dialled_is_read_from_to_where_the_carrier_puts_it(hotline: Trial) -> None:
    trunk = hotline.settings.hotline.trunks[-1]
    port, sip = int(trunk.addresses[0].rpartition(":")[2]), hotline.settings.hotline.asterisk.sip
    number = hotline.fresh_number()
    async with raw_carrier(port, (sip.bind, sip.port)) as carrier:
        for dialled, answer in (("4001234567", 200), ("4007654321", 404)):
            caller = carrier.caller(f'"a:b@c" <sip:{number}@127.0.0.1>'.encode(), dialled.encode())
            caller.addressed_to(b"099999")
            assert await caller.dial() == answer
        await next(iter(carrier.calls.values())).hang_up()
    call = await hotline.ended(number)
    assert (call.state.trunk, call.state.did) == ("switchboard", "4001234567")
