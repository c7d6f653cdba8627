"""The daemon's Unix socket under rubbish, floods, slow clients and files that are in its way."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import stat
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.catalogue import _, language, set_language
from hotline import control as module
from hotline.control import LONGEST_LINE, Control, NotRunning, Refused, ask, socket_path


async def echo(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"got": {key: value for key, value in request.items() if key not in ("verb", "language")}}


async def refuse(request: Mapping[str, Any]) -> dict[str, Any]:
    raise Refused(lambda: f"not {request.get('what')}: {_('Say sign-in, sign-out, ready, pause or extend.')}")


async def fail(request: Mapping[str, Any]) -> dict[str, Any]:
    raise RuntimeError("a secret of the inside")


async def hang(request: Mapping[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(60)
    return {}


UNKNOWN = "The running hotline does not know this request: is it another version?"
VERBS = {"echo": echo, "refuse": refuse, "fail": fail, "hang": hang}


@asynccontextmanager
async def listening(state: Path) -> AsyncIterator[Path]:
    control = Control(socket_path(state), VERBS)
    await control.open()
    try:
        yield socket_path(state)
    finally:
        await control.close()


async def say(path: Path, data: bytes, *, end: bool = False) -> bytes:
    """What comes back on raw bytes, until the daemon closes."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def works(state: Path) -> bool:
    return await asyncio.to_thread(ask, state, "echo", a="ü") == {"got": {"a": "ü"}}


async def test_only_the_owner_may_open_it(tmp_path: Path) -> None:
    async with listening(tmp_path) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await works(tmp_path)
    assert not path.exists()
    with pytest.raises(NotRunning):
        ask(tmp_path, "echo")


RUBBISH = {
    "nothing": b"\n",
    "no JSON": b"GET / HTTP/1.1\r\n\r\n",
    "bytes": bytes(range(128, 256)) + b"\n",
    "null": b"null\n",
    "list": b"[]\n",
    "number": b"1\n",
    "text": b'"verb"\n',
    "no verb": b"{}\n",
    "unknown verb": b'{"verb": "stop"}\n',
    "odd verbs": b'{"verb": ["echo"]}\n',
    "inside": b'{"verb": "__class__"}\n',
    "deep": b"[" * 30_000 + b"\n",
    "deep in a verb": b'{"verb": "echo", "a": ' + b'{"a":' * 10_000 + b"\n",
    "huge number": b'{"verb": ' + b"9" * 20_000 + b"}\n",
}


@pytest.mark.parametrize("data", RUBBISH.values(), ids=RUBBISH.keys())
async def test_rubbish_is_answered_as_such(tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(tmp_path) as path:
        answer = json.loads(await say(path, data))
        assert answer == {"ok": False, "error": _(UNKNOWN)}
        assert await works(tmp_path)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


CUT_SHORT = {
    "too long": b'{"verb": "echo", "a": "' + b"x" * (2 * LONGEST_LINE) + b'"}\n',
    "too long, no end": b"x" * (3 * LONGEST_LINE),
}


@pytest.mark.parametrize("data", CUT_SHORT.values(), ids=CUT_SHORT.keys())
async def test_too_long_a_line_is_cut_off(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT", 600.0)
    async with listening(tmp_path) as path:
        async with asyncio.timeout(30):  # so not by that limit
            assert await say(path, data) == b""
        assert await works(tmp_path)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_half_request_whose_sender_ends_is_no_request(tmp_path: Path) -> None:
    async with listening(tmp_path) as path:
        assert json.loads(await say(path, b'{"verb": "ec', end=True))["error"] == _(UNKNOWN)
        assert json.loads(await say(path, b"", end=True))["error"] == _(UNKNOWN)
        assert await works(tmp_path)


async def test_text_that_is_no_unicode_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A lone surrogate is what Python makes of a byte in argv that is no UTF-8 (PEP 383)."""
    async with listening(tmp_path) as path:
        assert json.loads(await say(path, b'{"verb": "echo", "a": "\\udcff"}\n'))["ok"]
        with pytest.raises(Refused, match="not"):
            await asyncio.to_thread(ask, tmp_path, "refuse", what="\udcff")
        assert await works(tmp_path)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_fault_in_a_verb_stays_inside(tmp_path: Path) -> None:
    async with listening(tmp_path):
        with pytest.raises(Refused) as refused:
            await asyncio.to_thread(ask, tmp_path, "fail")
        assert "secret" not in str(refused.value)
        with pytest.raises(Refused, match="not there"):
            await asyncio.to_thread(ask, tmp_path, "refuse", what="there")
        assert await works(tmp_path)


async def test_an_answer_is_in_the_language_of_whoever_asks(tmp_path: Path) -> None:
    """The daemon goes on in its own, whoever asks what at the same time."""
    daemons = language()
    async with listening(tmp_path) as path:
        said = {}
        for asked in ("en", "zh", "fr", None, 7, ["en"]):
            request = json.dumps({"verb": "refuse", "what": "x", "language": asked}).encode() + b"\n"
            said[str(asked)] = json.loads(await say(path, request))["error"]
        assert said["en"] == "not x: Say sign-in, sign-out, ready, pause or extend."
        assert said["zh"] == "not x: 请写 sign-in、sign-out、ready、pause 或 extend。"
        assert said["fr"] == said["None"] == said["7"] == said["['en']"] == said[daemons]
        fault = b'{"verb": "fail", "language": "en"}\n'
        assert json.loads(await say(path, fault))["error"] == "A fault in the running hotline: its log says more."
        assert language() == daemons
    set_language("en" if daemons == "zh" else "zh")
    try:
        async with listening(tmp_path):
            with pytest.raises(Refused) as refused:
                await asyncio.to_thread(ask, tmp_path, "refuse", what="x")
            assert str(refused.value) == said[language()]
    finally:
        set_language(daemons)


async def test_slow_clients_hold_nobody_up_and_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT", 2.0)
    async with listening(tmp_path) as path:
        slow = [await asyncio.open_unix_connection(path) for _ in range(50)]
        for _reader, writer in slow:
            writer.write(b'{"verb"')
        assert await works(tmp_path)  # held up by one of them, it would not be answered within the limit
        async with asyncio.timeout(30):
            for reader, writer in slow:
                assert await reader.read() == b""
                writer.close()


async def test_a_verb_that_hangs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT", 0.3)
    async with listening(tmp_path) as path:
        async with asyncio.timeout(30):
            assert await say(path, b'{"verb": "hang"}\n') == b""


async def test_a_client_that_goes_before_its_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(tmp_path) as path:
        for _ in range(20):
            _reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b'{"verb": "echo", "a": "' + b"x" * 60_000 + b'"}\n')
            writer.transport.abort()
        assert await works(tmp_path)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def left_behind(path: Path) -> None:
    """A socket file whose daemon was killed."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
        dead.listen()


def a_file(path: Path) -> None:
    path.write_text("not a socket")


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("in_the_way", [left_behind, a_file, a_dangling_link])
async def test_what_a_killed_daemon_left_is_taken_over(tmp_path: Path, in_the_way: Any) -> None:
    in_the_way(socket_path(tmp_path))
    async with listening(tmp_path):
        assert await works(tmp_path)


async def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    socket_path(tmp_path).mkdir()
    with pytest.raises(OSError) as error:
        async with listening(tmp_path):
            pass
    assert error.value.filename == str(socket_path(tmp_path))


async def test_a_second_daemon_is_refused_and_the_first_keeps_its_socket(tmp_path: Path) -> None:
    async with listening(tmp_path) as path:
        second = Control(path, VERBS)
        with pytest.raises(FileExistsError):
            await second.open()
        await second.close()
        assert await works(tmp_path)


async def test_a_long_state_folder_has_a_short_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    state = tmp_path / ("x" * 120)
    async with listening(state) as path:
        assert len(os.fsencode(path)) < 108 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert await works(state)


@pytest.mark.parametrize("answer", [b"", b"\n", b"rubbish\n", b"[]\n", b'{"ok": true', b'"text"\n', b"\xff\xfe\n"])
def test_a_daemon_that_answers_rubbish_is_one_clear_line(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(os.fspath(socket_path(tmp_path)))
        other.listen()

        def serve() -> None:
            peer, _address = other.accept()
            with peer:
                peer.recv(65_536)
                peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises((NotRunning, Refused)) as error:
            ask(tmp_path, "status")
        assert "\n" not in str(error.value)
        thread.join(5)
