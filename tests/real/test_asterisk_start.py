"""A private Asterisk as it is started: quiet, on loopback, closed to strangers; and what is said when it cannot."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, encode_basic_auth
from ruamel.yaml import YAML

from hotline.asterisk import process
from hotline.asterisk.check import check
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.install import find_asterisk, sipp_command
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import UNTAKEN, devices, render
from hotline.outside.callers import hangs_up, refused
from hotline.outside.ports import free_ports
from tests.real.private_asterisk import (
    CALLER,
    NOWHERE,
    REPOSITORY,
    PrivateAsterisk,
    call,
    private_asterisk,
    settings_for,
    wait_for,
)


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    """One for the tests here that change nothing."""
    with private_asterisk(tmp_path_factory.mktemp("state")) as running:
        yield running


def ami(asterisk: PrivateAsterisk, password: str, *actions: str) -> str:
    """Log in and do ``actions``; returns everything that AMI said."""
    with socket.create_connection(("127.0.0.1", asterisk.settings.hotline.asterisk.ami_port), timeout=30) as peer:
        login = f"Action: Login\r\nUsername: {asterisk.secrets.ami_user}\r\nSecret: {password}\r\n\r\n"
        peer.sendall((login + "".join(f"{action}\r\n\r\n" for action in actions)).encode())
        peer.sendall(b"Action: Logoff\r\n\r\n")
        said = b""
        while piece := peer.recv(65_536):
            said += piece
        return said.decode()


def test_a_start_logs_no_error_and_no_warning(asterisk: PrivateAsterisk) -> None:
    log = (asterisk.home.log / "messages.log").read_text(encoding="utf-8")
    assert "Asterisk 22" in log
    assert process.log_problems(asterisk.home) == []
    assert "NOTICE" not in (asterisk.home.log / "console.log").read_text(encoding="utf-8")


def test_every_module_of_the_list_runs(asterisk: PrivateAsterisk) -> None:
    rows = [line.split() for line in asterisk.ask("module show").splitlines() if ".so " in line]
    configured = (asterisk.home.etc / "modules.conf").read_text(encoding="utf-8").count("\nload = ")
    assert len(rows) == configured > 100
    assert [row[0] for row in rows if "Not" in row] == []


def test_only_loopback_is_listened_on(asterisk: PrivateAsterisk) -> None:
    pid = process.running(asterisk.home)
    ours = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    listening = []
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == state and f"socket:[{fields[9]}]" in ours:
                listening.append((table, *fields[1].split(":")))
    loopback = "0100007F"
    at = asterisk.settings.hotline.asterisk
    ports = {(table, int(port, 16)) for table, address, port in listening if address == loopback}
    assert ports == {("udp", at.sip.port), ("tcp", at.ari_port), ("tcp", at.ami_port)}
    # PJSIP's DNS client has one unconnected UDP socket per family, on a port of the kernel's choice; no service.
    assert len([row for row in listening if row[1] != loopback]) <= 2
    assert all(row[0].startswith("udp") for row in listening if row[1] != loopback)


def test_passwords_are_private_and_kept(asterisk: PrivateAsterisk) -> None:
    state = asterisk.home.state
    assert (state / "secrets.json").stat().st_mode & 0o777 == 0o600
    for file in asterisk.home.etc.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    for folder in (asterisk.home.root, asterisk.home.etc, asterisk.home.log, asterisk.home.away, asterisk.home.run):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    again = load_secrets(state, [*devices(asterisk.settings), "new-phone"])
    assert again.ari_password == asterisk.secrets.ari_password
    assert {name: again.sip[name] for name in asterisk.secrets.sip} == asterisk.secrets.sip
    assert len(set(again.sip.values())) == len(again.sip)
    assert again.ari_password not in repr(again)


def test_wrong_passwords_are_refused(asterisk: PrivateAsterisk) -> None:
    port = asterisk.settings.hotline.asterisk.ari_port
    assert process.ari_answers(port, asterisk.secrets.ari_user, asterisk.secrets.ari_password)
    assert not process.ari_answers(port, asterisk.secrets.ari_user, "wrong")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/ari/channels", timeout=30)
    assert refused.value.code == 401
    assert "Authentication failed" in ami(asterisk, "wrong")
    assert "InvalidPassword" in (asterisk.home.log / "security.log").read_text(encoding="utf-8")


def test_ami_may_record_and_list_contacts_but_not_more(asterisk: PrivateAsterisk) -> None:
    password = asterisk.secrets.ami_password
    said = ami(asterisk, password, "Action: MixMonitor\r\nChannel: none\r\nFile: x.raw", "Action: PJSIPShowContacts")
    assert "No such channel" in said and "ontact" in said.split("No such channel")[1]
    assert "Permission denied" not in said
    for action in (
        "Action: Command\r\nCommand: core show version",
        "Action: Originate\r\nChannel: Local/s@hotline-away\r\nApplication: NoOp",
    ):
        assert "Permission denied" in ami(asterisk, password, action), action


@pytest.mark.parametrize(
    "caller, to",
    [
        ("<sip:13912345678@[local_ip]>", "4001234567"),
        ("<sip:8001@[local_ip]>", "4001234567"),
        ("<sip:carrier@[local_ip]>", "4001234567"),
        ("<sip:anonymous@anonymous.invalid>", "8001"),
    ],
)
def test_strangers_are_refused(asterisk: PrivateAsterisk, tmp_path: Path, caller: str, to: str) -> None:
    port = free_ports(1)[0]
    assert port != asterisk.carrier_port
    call(tmp_path, asterisk, refused(caller, NOWHERE, 401), to=to, from_port=port)
    assert "0 active channels" in asterisk.ask("core show channels count")


def test_the_carrier_is_known_even_when_a_caller_has_a_phones_number(asterisk: PrivateAsterisk, tmp_path: Path) -> None:
    device = devices(asterisk.settings)[0]
    call(tmp_path, asterisk, hangs_up(f"<sip:{device}@[local_ip]>", NOWHERE, 0.2))


def test_phones_register_beside_the_carrier_on_one_address(asterisk: PrivateAsterisk, tmp_path: Path) -> None:
    device = devices(asterisk.settings)[0]
    assert register(tmp_path, asterisk, device, asterisk.secrets.sip[device]) == 0
    assert f"{device}/sip:" in asterisk.ask("pjsip show contacts")
    assert register(tmp_path, asterisk, device, "wrong") != 0


def register(folder: Path, asterisk: PrivateAsterisk, device: str, password: str) -> int:
    """SIPp registers ``device`` as a phone does; returns its exit status."""
    head = (
        "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0\n"
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        f"From: <sip:{device}@[remote_ip]>;tag=[pid]x[call_number]\nTo: <sip:{device}@[remote_ip]>\n"
        f"Call-ID: [call_id]\nCSeq: [cseq] REGISTER\nContact: <sip:{device}@[local_ip]:[local_port]>\n"
        "Max-Forwards: 70\nExpires: 60\n"
    )
    scenario = folder / f"register-{device}-{password[:4]}.xml"
    scenario.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="register">\n'
        f"<send><![CDATA[\n{head}Content-Length: 0\n\n]]></send>\n"
        '<recv response="401" auth="true"/>\n'
        f"<send><![CDATA[\n{head}[authentication username={device} password={password}]\n"
        "Content-Length: 0\n\n]]></send>\n"
        '<recv response="200"/>\n</scenario>\n',
        encoding="utf-8",
    )
    return subprocess.run(
        [
            *sipp_command(), f"127.0.0.1:{asterisk.sip_port}", "-sf", str(scenario), "-m", "1", "-i", "127.0.0.1",
            "-p", str(free_ports(1)[0]), "-nostdin", "-timeout", "30", "-timeout_error",
        ],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    ).returncode  # fmt: skip


async def arrive(
    asterisk: PrivateAsterisk, folder: Path, take: bool, seconds: float, *, beats: bool = False
) -> float:
    """A call while a stand-in daemon is connected, which takes it or is as if frozen; returns the call's seconds."""
    at, secrets = asterisk.settings.hotline.asterisk, asterisk.secrets
    url = f"http://127.0.0.1:{at.ari_port}/ari"
    headers = {"Authorization": encode_basic_auth(secrets.ari_user, secrets.ari_password)}
    async with (
        ClientSession(headers=headers) as session,
        session.ws_connect(f"{url}/events?app={at.application}") as events,
    ):
        heart = {"variable": "HOTLINE_ALIVE", "value": str(int(time.time())) if beats else ""}
        async with session.post(f"{url}/asterisk/variable", params=heart) as answer:
            assert answer.status == 204
        begun = time.monotonic()
        scenario = hangs_up(CALLER, NOWHERE, seconds)
        caller = asyncio.create_task(asyncio.to_thread(call, folder, asterisk, scenario))
        arrived = await events.receive_json(timeout=60)
        assert (arrived["type"], arrived["args"]) == ("StasisStart", ["incoming", asterisk.number])
        assert arrived["channel"]["state"] == ("Up" if beats else "Ring")
        channel = arrived["channel"]["id"]
        assert arrived["channel"]["channelvars"]["HOTLINE_CALL"] == channel
        if take:
            value = {"variable": "TIMEOUT(absolute)", "value": "0"}
            for path, params in (("variable", value), ("answer", {})):
                async with session.post(f"{url}/channels/{channel}/{path}", params=params) as answer:
                    assert answer.status == 204
        await caller
        async with session.post(f"{url}/asterisk/variable", params={**heart, "value": ""}) as answer:
            assert answer.status == 204
        return time.monotonic() - begun


@pytest.mark.parametrize("beats, seconds", [(False, 0.7), (True, 5.0)], ids=["never-there", "just-frozen"])
async def test_a_frozen_daemon_does_not_leave_its_callers_unheard(
    asterisk: PrivateAsterisk, tmp_path: Path, beats: bool, seconds: float
) -> None:
    before = set(asterisk.home.away.glob("*.txt"))
    assert UNTAKEN < await arrive(asterisk, tmp_path, take=False, beats=beats, seconds=seconds) < UNTAKEN + 20
    (record,) = set(asterisk.home.away.glob("*.txt")) - before
    wait_for(lambda: "end=" in record.read_text())
    assert "why=frozen\n" in record.read_text()


async def test_a_call_that_the_daemon_has_taken_is_left_alone(asterisk: PrivateAsterisk, tmp_path: Path) -> None:
    before = set(asterisk.home.away.glob("*.txt"))
    seconds = UNTAKEN + 1.5
    assert await arrive(asterisk, tmp_path, take=True, seconds=seconds) >= seconds
    assert set(asterisk.home.away.glob("*.txt")) == before


def test_a_second_start_finds_the_first(asterisk: PrivateAsterisk) -> None:
    pid = process.running(asterisk.home)
    assert process.start(asterisk.settings, asterisk.install, asterisk.home.state, asterisk.secrets) == pid
    assert process.status(asterisk.install, asterisk.home.state).serving


def test_check_on_a_running_one(asterisk: PrivateAsterisk) -> None:
    problems = check(asterisk.settings, asterisk.install)
    assert [str(problem) for problem in problems if not problem.warning] == []
    assert asterisk.install.debian_patch == ("asterisk-debian-patch" in {problem.code for problem in problems})


@pytest.mark.parametrize("which", ["sip", "ari", "ami"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, which: str) -> None:
    settings = settings_for(tmp_path)
    at = settings.hotline.asterisk
    port = {"sip": at.sip.port, "ari": at.ari_port, "ami": at.ami_port}[which]
    install, secrets = find_asterisk(), load_secrets(tmp_path, devices(settings))
    home = render(settings, install, tmp_path, secrets)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if which == "sip" else socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", port))
        if which != "sip":
            other.listen()
        with pytest.raises(AsteriskFault) as fault:
            process.start(settings, install, tmp_path, secrets)
        codes = [(problem.code, problem.place.key) for problem in check(settings, install) if not problem.warning]
    line = str(fault.value)
    assert "\n" not in line and str(port) in line and f"pid {os.getpid()}" in line
    assert [code for code, _key in codes] == ["port-taken"]
    assert process.running(home) is None


def test_a_broken_configuration_is_one_clear_line(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    install, secrets = find_asterisk(), load_secrets(tmp_path, devices(settings))
    home = render(settings, install, tmp_path, secrets)
    (home.etc / "modules.conf").write_text("[modules]\nautoload = no\nrequire = res_nothing.so\n", encoding="utf-8")
    with pytest.raises(AsteriskFault) as fault:
        process.start(settings, install, tmp_path, secrets)
    assert "\n" not in str(fault.value) and "res_nothing" in str(fault.value)
    assert process.running(home) is None


def test_a_killed_one_is_noticed_and_started_again(tmp_path: Path) -> None:
    with private_asterisk(tmp_path) as one:
        first = process.running(one.home)
        assert first is not None
        os.kill(first, 9)
        wait_for(lambda: process.running(one.home) is None)
        assert not process.status(one.install, tmp_path).serving
        second = process.start(one.settings, one.install, tmp_path, one.secrets)
        assert second != first
    assert process.running(one.home) is None
    assert process.stop(one.install, tmp_path) is False


def test_a_long_state_folder_gets_a_short_socket(tmp_path: Path) -> None:
    state = tmp_path / "long"
    state = state.with_name("l" * (180 - len(str(state))))
    with private_asterisk(state) as one:
        assert len(str(one.home.run)) < 80
        assert one.home.run.stat().st_mode & 0o777 == 0o700
        run = one.home.run
    shutil.rmtree(run)


def test_the_command_line(tmp_path: Path) -> None:
    """``hotline asterisk`` with a copy of the settings: start, status, stop, and a missing folder."""
    folder = tmp_path / "config"
    folder.mkdir()
    for file in (REPOSITORY / "config").glob("*.yaml"):
        shutil.copy(file, folder)
    tree = YAML().load(folder / "hotline.yaml")
    tree["state_dir"] = str(tmp_path / "state")
    tree["asterisk"]["sip"]["port"] = free_ports(1)[0]
    tree["asterisk"] |= dict(zip(("ari_port", "ami_port"), free_ports(2), strict=True))
    YAML().dump(tree, folder / "hotline.yaml")

    def run(*words: str, config: Path = folder) -> subprocess.CompletedProcess[str]:
        code = "from hotline.cli_asterisk import asterisk_app; asterisk_app()"
        line = [sys.executable, "-c", code, *words, "--config", str(config)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)

    assert run("status").returncode == 1
    try:
        started = run("start")
        assert started.returncode == 0, started.stderr
        assert run("status").returncode == 0
        assert run("start").returncode == 0
    finally:
        assert run("stop").returncode == 0
    assert run("stop").returncode == 0
    missing = run("start", config=tmp_path / "none")
    assert missing.returncode == 1
    assert len(missing.stderr.splitlines()) == 1
