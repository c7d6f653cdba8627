"""What systemd is told, over a socket of the test's own; and the heartbeat behind the signs of life."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ari.errors import NotConnected, ServerError
from hotline.heartbeat import BEAT_EVERY, HUNG, WATCH, Heartbeat
from hotline.notify import Notifier, keep_told


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd's, and its address as NOTIFY_SOCKET names it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.settimeout(30)
        if request.param == "path":
            address = os.path.relpath(tmp_path / "notify")
            server.bind(address)
            yield server, address
        else:
            name = f"hotline-test-{os.getpid()}-{id(server)}"
            server.bind("\0" + name)
            yield server, "@" + name


def test_words_go_out_as_one_datagram(listening: tuple[socket.socket, str]) -> None:
    server, address = listening
    notifier = Notifier(address)
    notifier.tell(READY=1, STATUS="in service\nand well")
    assert server.recv(4096) == b"READY=1\nSTATUS=in service and well"
    notifier.tell(STATUS="a name that is no text: \udcff")
    assert server.recv(4096) == b"STATUS=a name that is no text: ?"
    notifier.close()


def test_without_a_supervisor_nothing_is_said_and_a_deaf_one_is_no_fault(tmp_path: Path) -> None:
    Notifier().tell(READY=1)
    Notifier(str(tmp_path / "nobody")).tell(READY=1)


def test_the_environment_is_read_once_and_a_watchdog_of_another_process_is_not_ours() -> None:
    mine = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "15000000", "WATCHDOG_PID": str(os.getpid()), "PATH": "/bin"}
    assert Notifier.taken_from(mine).watchdog == 15.0 and mine == {"PATH": "/bin"}
    assert Notifier.taken_from({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "1"}).watchdog == 0
    assert Notifier.taken_from({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "often"}).watchdog == 0
    assert Notifier.taken_from({"WATCHDOG_USEC": "15000000"}).watchdog == 0


async def test_ready_is_said_once_more_time_is_asked_for_before_and_signs_of_life_end_with_life() -> None:
    said: list[dict[str, str | int]] = []
    notifier = Notifier("@nobody", watchdog=0.04)
    cast(Any, notifier).tell = lambda **what: said.append(what)
    state = SimpleNamespace(ready=False, alive=True)

    task = asyncio.create_task(
        keep_told(notifier, ready=lambda: state.ready, alive=lambda: state.alive, status=lambda: "waiting")
    )
    await until(lambda: len(said) > 2)
    assert all("EXTEND_TIMEOUT_USEC" in words and "READY" not in words for words in said)
    assert [words["STATUS"] for words in said if "STATUS" in words] == ["waiting"]
    state.ready = True
    await until(lambda: len(said) > 6 and "READY" in str(said))
    assert sum("READY" in words for words in said) == 1 and said[-1] == {"WATCHDOG": 1}
    state.alive = False
    await asyncio.sleep(0.1)
    count = len(said)
    await asyncio.sleep(0.1)
    assert len(said) == count
    task.cancel()


class FakeServer:
    """Asterisk as the heartbeat sees it: ``returns`` tells whether events come back."""

    def __init__(self) -> None:
        self.ready, self.returns, self.broken = True, True, False
        self.values: list[str] = []
        self.heart: Heartbeat | None = None
        self.watches = 0
        self.asterisk = self.events = self.channels = self

    async def set_variable(self, name: str, value: str) -> None:
        assert name == "HOTLINE_ALIVE"
        if self.broken:
            raise NotConnected("gone")
        self.values.append(value)

    async def user_event(self, name: str) -> None:
        if self.broken:
            raise NotConnected("gone")
        if self.returns and self.heart is not None:
            self.heart.came(name)


    async def originate(self, endpoint: str, *, context: str, extension: str, timeout: int) -> object:
        assert (endpoint, context, extension) == (WATCH, "hotline-watch", "wait")
        self.watches += 1
        if self.watches > 1:
            raise ServerError(500, "Allocation failed")
        return None


async def test_the_time_is_written_only_after_the_event_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.heartbeat.BEAT_EVERY", 0.01)
    monkeypatch.setattr("hotline.heartbeat.BEAT_LIMIT", 0.02)
    monkeypatch.setattr("hotline.heartbeat.HUNG", 0.1)
    server = FakeServer()
    heart = server.heart = Heartbeat(server, lambda: 1_790_000_000.9)
    await heart.connected()
    await heart.connected()  # an Asterisk that knows no watch serves all the same
    assert server.values == ["1790000000"] * 2 and server.watches == 2
    server.values.pop()
    server.returns = False
    task = asyncio.create_task(heart.run())
    await asyncio.sleep(0.1)
    heart.came("hotline-beat-0")  # an old one
    assert server.values == ["1790000000"]
    await until(lambda: not heart.alive)
    server.ready = False  # a connection that is down is no fault of ours
    assert heart.alive
    server.ready = server.returns = True
    await until(lambda: len(server.values) >= 3 and heart.alive)
    await heart.stop()
    number = heart._number
    await until(lambda: heart._number > number + 2)  # it beats on: only the dialplan is told otherwise
    assert server.values[-1] == "0"
    task.cancel()
    server.broken = True
    await heart.stop()


def test_the_dialplan_tolerates_several_beats() -> None:
    from hotline.asterisk.render import LOOK_EVERY, LOOKS, SILENCE_LIMIT

    assert BEAT_EVERY * 3 < SILENCE_LIMIT < HUNG
    assert BEAT_EVERY + 0.5 < LOOK_EVERY and 15 < LOOK_EVERY * LOOKS <= 20
