"""What hotline check says of an Asterisk of one's own that lacks this and that, with stand-ins for its ARI and AMI."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.settings import Settings
from hotline.asterisk import recorder
from hotline.asterisk.check_own import ACTIONS, check_own
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.own import MODULES, link_spool
from tests.pure.test_render import SETTINGS
from tests.pure.test_trunks_rendered import own

INFO = {"system": {"version": "22.10.1"}, "config": {"name": "office"}}
ENDPOINTS = ["carrier", *sorted(SETTINGS.agents.agents)]


class Stand(ThreadingHTTPServer):
    """ARI: ``answers`` is status and body by method and path, without arguments."""

    answers: dict[str, tuple[int, Any]]


class Ask(BaseHTTPRequestHandler):
    server: Stand

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/ari")
        status, body = self.server.answers.get(f"{self.command} {path}", (404, {"message": "no"}))
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


class Manager(socketserver.ThreadingTCPServer):
    """AMI: which actions our user may use, and what functions say."""

    daemon_threads = allow_reuse_address = True
    login = True
    may: set[str]
    values: dict[str, str]


class Talk(socketserver.StreamRequestHandler):
    server: Manager

    def handle(self) -> None:
        self.wfile.write(b"Asterisk Call Manager/11.0.0\r\n")
        message: dict[str, str] = {}
        for raw in self.rfile:
            line = raw.decode().strip()
            if line:
                key, _, value = line.partition(": ")
                message[key] = value
                continue
            said = "Response: Success\r\n"
            if message.get("Action") == "Login" and not self.server.login:
                said = "Response: Error\r\nMessage: Authentication failed\r\n"
            if message.get("Action") == "ListCommands":
                said += "".join(f"{name}: what it does\r\n" for name in sorted(self.server.may))
            if message.get("Action") == "Getvar":
                said += f"Variable: x\r\nValue: {self.server.values.get(message['Variable'].partition('(')[0], '')}\r\n"
            self.wfile.write(f"{said}ActionID: {message.get('ActionID', '')}\r\n\r\n".encode())
            message = {}


@pytest.fixture
def stand() -> Iterator[tuple[Stand, Manager]]:
    """Both, as they are when nothing is missing."""
    ari, ami = Stand(("127.0.0.1", 0), Ask), Manager(("127.0.0.1", 0), Talk)
    ari.answers = {
        "GET /asterisk/info": (200, INFO),
        "POST /asterisk/variable": (204, None),
        "GET /asterisk/modules": (200, [{"name": f"{name}.so", "status": "Running"} for name in MODULES]),
        "GET /endpoints/PJSIP": (200, [{"resource": f"hotline-{name}"} for name in ENDPOINTS]),
    }
    ami.may, ami.values = set(ACTIONS), {"STAT": "1", "DIALPLAN_EXISTS": "1"}
    for server in (ari, ami):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield ari, ami
    for server in (ari, ami):
        server.shutdown()
        server.server_close()


def set_up(folder: Path, ari: int, ami: int) -> Settings:
    it = own(folder)
    asterisk = it.hotline.asterisk.model_copy(update={"ari_port": ari, "ami_port": ami})
    hotline = it.hotline.model_copy(update={"asterisk": asterisk, "state_dir": str(folder / "var")})
    return it.model_copy(update={"hotline": hotline})


def found(folder: Path, stand: tuple[Stand, Manager], *, spool: bool = True) -> set[str]:
    it = set_up(folder, stand[0].server_address[1], stand[1].server_address[1])
    home = AsteriskHome.of(folder / "var")
    home.make_shared()
    assert it.hotline.asterisk.own is not None
    if spool:
        link_spool(home, it.hotline.asterisk.own)
    return {problem.code for problem in check_own(it)}


def test_an_asterisk_that_has_it_all(tmp_path: Path, stand: tuple[Stand, Manager]) -> None:
    assert found(tmp_path, stand) == set()


@pytest.mark.parametrize(
    "request_, answer, codes",
    [
        ("GET /asterisk/info", (401, {}), {"own-ari-user"}),
        ("GET /asterisk/info", (404, {}), {"own-ari-missing"}),
        ("GET /asterisk/info", (200, "<html>"), {"own-ari-odd"}),
        ("GET /asterisk/info", (200, INFO | {"system": {"version": "20.6.0"}}), {"asterisk-old"}),
        ("GET /asterisk/info", (200, INFO | {"system": {"version": "23.1.0"}}), {"asterisk-new"}),
        ("GET /asterisk/info", (200, INFO | {"config": {"name": ""}}), {"own-systemname"}),
        ("POST /asterisk/variable", (403, {}), {"own-ari-read-only"}),
        ("GET /asterisk/modules", (200, [{"name": "app_stasis.so", "status": "Not Running"}] * 2
            + [{"name": "res_ari.so", "status": "Running"}]), {"own-modules"}),
        ("GET /asterisk/modules", (200, [{"name": f"{name}.so", "status": "Running"} for name in
            (*MODULES, "codec_opus_open_source")]), {"asterisk-debian-patch"}),
        ("GET /endpoints/PJSIP", (200, [{"resource": "8001"}]), {"own-endpoints"}),
        ("GET /applications/hotline", (200, {}), {"own-application"}),
    ],
)  # fmt: skip
def test_what_ari_lacks(
    tmp_path: Path, stand: tuple[Stand, Manager], request_: str, answer: tuple[int, Any], codes: set[str]
) -> None:
    stand[0].answers[request_] = answer
    assert found(tmp_path, stand) == codes


def test_what_ami_and_the_dialplan_lack(tmp_path: Path, stand: tuple[Stand, Manager]) -> None:
    stand[1].values.clear()
    assert found(tmp_path, stand) == {"own-dialplan", "own-live-dangerously"}
    stand[1].may.discard("mixmonitor")
    stand[1].values |= {"STAT": "1", "DIALPLAN_EXISTS": "1"}
    assert found(tmp_path, stand) == {"own-ami-rights"}
    stand[1].login = False
    assert found(tmp_path, stand, spool=True) == {"own-ami-user"}


def test_nobody_there_at_all_is_told_at_once_and_completely(tmp_path: Path, stand: tuple[Stand, Manager]) -> None:
    for server in stand:
        server.shutdown()
        server.server_close()
    assert found(tmp_path, stand, spool=False) == {"own-ari-silent", "own-ami-silent", "own-recordings"}


@pytest.mark.parametrize(
    "version, codes",
    [("22.10.1", []), ("22.10.1+dfsg+~cs6.17.60671434-1", ["recording-unbroken"]), ("GIT-22-1a2b3c", [])],
)
def test_one_recorder_is_refused_on_debians_package(
    tmp_path: Path, stand: tuple[Stand, Manager], version: str, codes: list[str]
) -> None:
    stand[0].answers["GET /asterisk/info"] = (200, INFO | {"system": {"version": version}})
    it = set_up(tmp_path, stand[0].server_address[1], stand[1].server_address[1])
    assert list(recorder.check(it, tmp_path / "var")) == []
    recording = it.hotline.recording.model_copy(update={"unbroken": True})
    it = it.model_copy(update={"hotline": it.hotline.model_copy(update={"recording": recording})})
    assert [problem.code for problem in recorder.check(it, tmp_path / "var")] == codes
    for server in stand:
        server.shutdown()
        server.server_close()
    (unknown,) = recorder.check(it, tmp_path / "var")
    assert (unknown.code, unknown.warning) == ("recording-unbroken-unknown", True)
