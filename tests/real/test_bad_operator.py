"""What an operator can get wrong: each is one clear line, exit status 1, in bounded time, and nothing has started."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calllog.store import APPLICATION_ID
from config.load import load_settings
from config.settings import Settings
from hotline.asterisk import process
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import find_asterisk
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import devices, render
from hotline.control import NotRunning, ask
from hotline.preflight import build_prompts
from hotline.trial_config import REPOSITORY, copy_config
from tests.real.conftest import profile

LIMIT = 60.0
"""Seconds for any refusal here; on an idle machine it takes one to three."""


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts, spoken once."""
    folder = tmp_path_factory.mktemp("sounds")
    config = copy_config(folder / "config", folder / "var", profile(["8001"]))
    assert build_prompts(load_settings(config), config, folder / "var") == []
    return folder / "var" / "sounds"


@dataclass
class Office:
    """An operator's folder: ``config`` and ``state``."""

    config: Path
    state: Path
    sounds: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def write(self, changes: Mapping[str, Any]) -> None:
        """Settings on free ports, with these changes."""
        tree = profile(["8001"])
        tree["hotline"].update(changes)
        copy_config(self.config, self.state, tree)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hotline", *words, "--config", str(self.config)]

    def refused(self, *words: str, **env: str) -> list[str]:
        """The lines of a command that must refuse; the log's own lines are left out."""
        done = subprocess.run(
            self.command(*(words or ("run",))), cwd=REPOSITORY, capture_output=True, timeout=LIMIT, check=False,
            env={**os.environ, "HOTLINE_LANG": "en", "HOTLINE_LOG": "json", **env}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        said = done.stderr.decode()
        assert done.returncode == 1, said
        assert "Traceback" not in said and done.stdout == b""
        return [line for line in said.splitlines() if not line.startswith("{") and not line.startswith("Warning: ")]


@pytest.fixture
def office(tmp_path: Path, sounds: Path) -> Iterator[Office]:
    """A good one, whose Asterisk does not run; afterwards none runs either."""
    it = Office(tmp_path / "config", tmp_path / "var", sounds)
    it.state.mkdir(mode=0o700)
    shutil.copytree(sounds, it.state / "sounds")
    it.write({})
    yield it
    if it.state.is_dir():
        assert process.running(AsteriskHome.of(it.state)) is None
    with pytest.raises(NotRunning):
        ask(it.state, "status")


def test_a_broken_configuration_names_every_problem_and_starts_nothing(office: Office) -> None:
    tree = profile(["8001"])
    tree["hotline"] |= {"colour": "red"}
    tree["hotline"]["times"]["ring"] = "long"
    tree["agents"]["agents"]["8002"] = {"name": "李", "skills": ["inquiry"], "devices": []}
    tree["queues"]["queues"]["inquiry"]["skill"] = 7.5
    again = {"prompt": "menu_main", "options": {"1": {"label": "回到开头", "menu": "main"}}}
    tree["menu"] = {"menus": {"main": {"options": {"5": {"label": "更多", "menu": "again"}}}, "again": again}}
    copy_config(office.config, office.state, tree)
    lines = office.refused("run", "--with-asterisk")
    for word in ("colour", "times.ring", "8002.devices", "menus.again", "inquiry.skill"):
        assert sum(word in line for line in lines) == 1, (word, lines)
    assert all(line.partition(":")[0] in ("hotline.yaml", "agents.yaml", "menu.yaml", "queues.yaml") for line in lines)
    assert not (office.state / "hotline.sqlite").exists() and not (office.state / "secrets.json").exists()


@pytest.mark.parametrize("which", ["sip", "ari", "ami"])
def test_a_port_in_use(office: Office, which: str) -> None:
    at = office.settings.hotline.asterisk
    port = {"sip": at.sip.port, "ari": at.ari_port, "ami": at.ami_port}[which]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if which == "sip" else socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", port))
        if which != "sip":
            other.listen()
        (line,) = office.refused("run", "--with-asterisk")
    assert str(port) in line and f"pid {os.getpid()}" in line


def script(folder: Path, text: str) -> Path:
    """An ``asterisk`` that says so of itself."""
    folder.mkdir()
    (folder / "asterisk").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "asterisk").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        (None, "", ("run", "--with-asterisk")),
        (None, "", ("asterisk", "start")),
        ("echo Asterisk 20.6.0", "20.6.0", ("run", "--with-asterisk")),
        ("echo Asterisk 20.6.0", "20.6.0", ("asterisk", "start")),
        ("echo what; exit 3", "", ("run", "--with-asterisk")),
        ("kill -9 $$", "", ("asterisk", "start")),
    ],
)
def test_no_asterisk_or_too_old_a_one(
    office: Office, tmp_path: Path, text: str | None, said: str, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "bin"
    path = str(folder) if text is None else f"{script(folder, text)}:/usr/bin:/bin"
    (line,) = office.refused(*words, HOTLINE_CACHE=str(tmp_path / "empty"), PATH=path)
    assert "22.5" in line and "make setup" in line and said in line


def file_in_the_way(office: Office) -> str:
    shutil.rmtree(office.state)
    office.state.write_text("")
    return str(office.state)


def file_above(office: Office) -> str:
    (office.state / "file").write_text("")
    office.write({"state_dir": str(office.state / "file" / "var")})
    return str(office.state / "file")


def no_file_system(office: Office) -> str:
    office.write({"state_dir": "/proc/hotline"})
    return "/proc/hotline"


def no_recordings(office: Office) -> str:
    (office.state / "recordings").write_text("")
    return str(office.state / "recordings")


def socket_is_a_folder(office: Office) -> str:
    (office.state / "hotline.sock").mkdir()
    return "hotline.sock"


def secrets_are_garbage(office: Office) -> str:
    (office.state / "secrets.json").write_bytes(b"\xff{")
    return "secrets.json"


def store_is_garbage(office: Office) -> str:
    (office.state / "hotline.sqlite").write_bytes(os.urandom(8192))
    return "hotline.sqlite"


def store_is_a_folder(office: Office) -> str:
    (office.state / "hotline.sqlite").mkdir()
    return "hotline.sqlite"


def store_is_newer(office: Office) -> str:
    with sqlite3.connect(office.state / "hotline.sqlite") as store:
        store.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        store.execute("create table alembic_version (version_num varchar(32) not null)")
        store.execute("insert into alembic_version values ('9999')")
    store.close()
    return "newer"


def store_is_anothers(office: Office) -> str:
    with sqlite3.connect(office.state / "hotline.sqlite") as store:
        store.execute("create table customers (name text)")
    store.close()
    return "hotline.sqlite"


def own_sound(make: Callable[[Path], object]) -> Callable[[Office], str]:
    def put(office: Office) -> str:
        folder = office.config / "sounds" / "zh"
        folder.mkdir(parents=True, exist_ok=True)
        make(folder / "greeting.wav")
        return "greeting.wav"

    return put


FAULTS: dict[str, Callable[[Office], str]] = {
    "file in the way": file_in_the_way,
    "file above": file_above,
    "no file system": no_file_system,
    "no recordings": no_recordings,
    "socket is a folder": socket_is_a_folder,
    "secrets are garbage": secrets_are_garbage,
    "store is garbage": store_is_garbage,
    "store is a folder": store_is_a_folder,
    "store is newer": store_is_newer,
    "store is another's": store_is_anothers,
    "sound is garbage": own_sound(lambda file: file.write_bytes(b"RIFF" + os.urandom(5000))),
    "sound is empty": own_sound(lambda file: file.write_bytes(b"")),
    "sound is a folder": own_sound(lambda file: file.mkdir()),
    "sound is missing": own_sound(lambda file: file.symlink_to("/nowhere.wav")),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_state_or_sound_that_cannot_be_used(office: Office, fault: Callable[[Office], str]) -> None:
    named = fault(office)
    lines = office.refused()
    assert len(lines) == 1 and named in lines[0], lines
    if office.state.is_file():
        office.state.unlink()


def test_a_second_daemon_is_refused_and_the_first_ends_in_good_order_without_asterisk(office: Office) -> None:
    with (office.state / "first.log").open("wb") as log:
        first = subprocess.Popen(office.command("run"), cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        until = time.monotonic() + LIMIT
        while True:
            try:
                assert ask(office.state, "status")["ready"] is False
                break
            except NotRunning:
                assert time.monotonic() < until and first.poll() is None
                time.sleep(0.05)
        (line,) = office.refused()
        assert "daemon" in line or "process" in line
        assert ask(office.state, "status")["ready"] is False
        first.send_signal(signal.SIGTERM)
        assert first.wait(60) == 0
    finally:
        first.kill()
        first.wait()
    assert "Traceback" not in (office.state / "first.log").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Iterator[Office]:
    """One whose Asterisk runs."""
    folder = tmp_path_factory.mktemp("served")
    it = Office(folder / "config", folder / "var", sounds)
    shutil.copytree(sounds, it.state / "sounds")
    it.write({})
    install, secrets = find_asterisk(), load_secrets(it.state, devices(it.settings))
    render(it.settings, install, it.state, secrets)
    process.start(it.settings, install, it.state, secrets)
    try:
        yield it
    finally:
        process.stop(install, it.state)


@pytest.mark.parametrize("which", ["ari", "ami", "both"])
def test_a_wrong_password(served: Office, which: str) -> None:
    file = served.state / "secrets.json"
    good = file.read_bytes()
    secrets = json.loads(good)
    for name in ("ari", "ami") if which == "both" else (which,):
        secrets[f"{name}_password"] = "wrong-and-secret"
    file.write_text(json.dumps(secrets))
    try:
        (line,) = served.refused()
    finally:
        file.write_bytes(good)
    assert "password" in line and "wrong-and-secret" not in line
    at = served.settings.hotline.asterisk
    ports = {"ari": (at.ari_port,), "ami": (at.ami_port,), "both": (at.ari_port, at.ami_port)}[which]
    assert any(str(port) in line for port in ports)


def test_another_server_on_the_port_of_ari(office: Office) -> None:
    """Somebody else's web server: the daemon says so and goes on trying, as it does when Asterisk is not there yet."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def play() -> tuple[int | None, str]:
        at = office.settings.hotline.asterisk
        async with await asyncio.start_server(serve, "127.0.0.1", at.ari_port):
            daemon = await asyncio.create_subprocess_exec(
                *office.command("run"), cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, env={**os.environ, "HOTLINE_LANG": "en", "HOTLINE_LOG": "json"},
            )  # fmt: skip
            assert daemon.stdout is not None
            text = ""
            async with asyncio.timeout(LIMIT):
                while line := (await daemon.stdout.readline()).decode():
                    text += line
                    if "404" in line and daemon.returncode is None:
                        daemon.terminate()
                return await daemon.wait(), text

    status, text = asyncio.run(play())
    assert "Traceback" not in text and "404" in text
    assert status in (0, 1)
