"""The AMI connection against a peer of the tests' own, who refuses, is silent, talks rubbish, and breaks off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from phone import ami as module
from phone.ami import Ami, AmiError, AmiLogin, AmiLost, AmiRefused

Message = dict[str, str]
Answer = Callable[["Peer", Message, asyncio.StreamWriter], Awaitable[None]]

LIMIT = 20.0
"""Seconds for anything here: the limits of the code are set to fractions of one."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The intervals of the code, short; its limits are not, since this machine may stall."""
    monkeypatch.setattr(module, "PING_EVERY", 0.2)
    monkeypatch.setattr(module, "BACKOFF_CAP", 0.2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of the code, short, where a peer is silent."""
    monkeypatch.setattr(module, "CONNECT_LIMIT", 1.0)
    monkeypatch.setattr(module, "ACTION_LIMIT", 1.0)


async def good(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
    """Accept everything."""
    head = "Response: Success\r\nMessage: done\r\nMixMonitorID: 0x7f\r\n"
    writer.write(f"{head}ActionID: {message['ActionID']}\r\n\r\n".encode())


async def refuse(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
    """Answer Error."""
    head = "Response: Error\r\nMessage: No such channel\r\n"
    writer.write(f"{head}ActionID: {message['ActionID']}\r\n\r\n".encode())


async def silent(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
    """Say nothing."""


async def list_two(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
    """Answer with a list of two entries."""
    tag = f"ActionID: {message['ActionID']}\r\n"
    writer.write(f"Response: Success\r\n{tag}EventList: start\r\nMessage: a list follows\r\n\r\n".encode())
    for name in ("one", "two"):
        writer.write(f"Event: ContactList\r\n{tag}Aor: {name}\r\nStatus: Reachable\r\n\r\n".encode())
    writer.write(f"Event: ContactListComplete\r\n{tag}EventList: Complete\r\nListItems: 2\r\n\r\n".encode())


async def hang_up(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
    """Break off."""
    writer.transport.abort()


@dataclass
class Peer:
    """Asterisk's side. ``answers`` says what to do by action; every message is kept, with its connection's number."""

    answers: dict[str, Answer] = field(default_factory=dict)
    banner: bytes = b"Asterisk Call Manager/11.0.0\r\n"
    port: int = 0
    connections: int = 0
    got: list[tuple[int, Message]] = field(default_factory=list)
    raw: bytes = b""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    serving: list[asyncio.Task[None]] = field(default_factory=list)

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection."""
        self.serving.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(self.banner)
            while not writer.is_closing():
                block = await reader.readuntil(b"\r\n\r\n")
                self.raw += block
                lines = block.decode().strip().split("\r\n")
                message = {key: value for key, _, value in (line.partition(": ") for line in lines)}
                self.got.append((number, message))
                await self.answers.get(message["Action"], good)(self, message, writer)
        writer.close()

    def sent(self, action: str) -> list[int]:
        """The connections on which this action came."""
        return [number for number, message in self.got if message["Action"] == action]

    def cut(self) -> None:
        """Break every connection."""
        for writer in self.writers:
            writer.transport.abort()


@asynccontextmanager
async def connected(peer: Peer) -> AsyncIterator[tuple[Ami, list[tuple[bool, str]]]]:
    """An AMI connection that is up to this peer, and its changes since."""
    changes: list[tuple[bool, str]] = []
    async with listening(peer) as ami:
        ami.on_change = lambda up, why: changes.append((up, why))
        async with running(ami):
            await ami.wait_ready(LIMIT)
            yield ami, changes


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[Ami]:
    """The peer, and an AMI connection to it that nobody has begun yet."""
    server = await asyncio.start_server(peer.take, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield Ami("127.0.0.1", peer.port, "hotline", "geheim")
    finally:
        server.close()
        peer.cut()
        for task in peer.serving:
            task.cancel()
        await asyncio.gather(*peer.serving, return_exceptions=True)


@asynccontextmanager
async def running(ami: Ami) -> AsyncIterator[None]:
    """Keep it up meanwhile."""
    task = asyncio.create_task(ami.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_listing_and_what_becomes_of_one_that_is_refused(impatient: None) -> None:
    peer = Peer({"PJSIPShowContacts": list_two, "PJSIPShowAors": refuse, "PJSIPShowAuths": silent})
    async with connected(peer) as (ami, _changes):
        assert [entry["aor"] for entry in await ami.listing("PJSIPShowContacts")] == ["one", "two"]
        with pytest.raises(AmiRefused):
            await ami.listing("PJSIPShowAors")
        with pytest.raises(AmiLost):
            await ami.listing("PJSIPShowAuths")


async def test_an_action_and_its_answer() -> None:
    peer = Peer()
    async with connected(peer) as (ami, changes):
        answer = await ami.action("MixMonitor", Channel="PJSIP/carrier-1", File="/a/ü.raw")
        assert answer["mixmonitorid"] == "0x7f"
        assert changes == [(True, "")]
        assert peer.got[0][1]["Events"] == "off"
        assert [message["File"] for _n, message in peer.got if "File" in message] == ["/a/ü.raw"]


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "\r\n\r\nAction: Command"])
async def test_no_line_break_gets_through(value: str) -> None:
    peer = Peer()
    async with connected(peer) as (ami, _changes):
        before = peer.raw
        with pytest.raises(ValueError, match="line break"):
            await ami.action("MixMonitor", Channel="PJSIP/carrier-1", File=value)
        with pytest.raises(ValueError, match="line break"):
            await ami.action(value)
        with pytest.raises(ValueError, match="line break"):
            await ami.action("Ping", **{value: "x"})
        assert peer.raw == before


async def test_a_refusal_is_asterisks_own_words() -> None:
    async with connected(Peer({"StopMixMonitor": refuse})) as (ami, _changes):
        with pytest.raises(AmiRefused, match="No such channel"):
            await ami.action("StopMixMonitor", Channel="gone")
        assert ami.ready


async def test_no_answer_ends_in_bounded_time_and_is_never_sent_again(impatient: None) -> None:
    peer = Peer({"MixMonitor": silent})
    async with connected(peer) as (ami, _changes):
        async with asyncio.timeout(LIMIT):
            with pytest.raises(AmiLost, match="no answer within"):
                await ami.action("MixMonitor", Channel="c", File="f")
        peer.cut()
        await until(lambda: peer.connections > 1)
        await until(lambda: ami.ready)
        await ami.action("StopMixMonitor", Channel="c")
        assert peer.sent("MixMonitor") == [1]


async def test_a_break_in_an_action_is_told_and_the_action_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACTION_LIMIT", 10 * LIMIT)

    async def fully_booted(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
        await good(peer, message, writer)
        # What makes panoramisk send again whatever had no answer.
        writer.write(b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")

    peer = Peer({"MixMonitor": hang_up, "Login": fully_booted})
    async with connected(peer) as (ami, changes):
        async with asyncio.timeout(LIMIT):  # so the break itself was noticed
            with pytest.raises(AmiLost):
                await ami.action("MixMonitor", Channel="c", File="f")
        await until(lambda: ami.ready and peer.connections == 2)
        await ami.action("StopMixMonitor", Channel="c")
        assert peer.sent("MixMonitor") == [1]
        assert [up for up, _why in changes] == [True, False, True]


async def test_without_a_connection_an_action_fails_at_once() -> None:
    ami = Ami("127.0.0.1", 1, "hotline", "geheim")
    with pytest.raises(AmiLost, match="no connection"):
        await ami.action("Ping")
    with pytest.raises(AmiLost, match="within"):
        await ami.wait_ready(0.05)


async def test_a_dead_peer_is_noticed_by_a_ping(impatient: None) -> None:
    peer = Peer()
    async with connected(peer) as (ami, changes):
        peer.answers["Ping"] = silent
        await until(lambda: len(changes) > 1)
        assert changes[1][0] is False and "no answer" in changes[1][1]
        assert peer.sent("Ping")
        del peer.answers["Ping"]
        await until(lambda: ami.ready)
        await ami.action("StopMixMonitor", Channel="c")


def came_back(ami: Ami, changes: list[tuple[bool, str]], times: int) -> bool:
    return ami.ready and len(changes) > 2 * times


@pytest.mark.parametrize("times", [1, 3])
async def test_a_connection_cut_again_and_again_comes_back(times: int) -> None:
    peer = Peer()
    async with connected(peer) as (ami, changes):
        for n in range(times):
            peer.cut()
            await until(partial(came_back, ami, changes, n + 1))
        assert (await ami.action("Ping"))["response"] == "Success"


async def test_after_refused_connections_there_is_one_and_stays_one() -> None:
    """panoramisk tries a refused connection again by itself after two seconds, each of them."""
    peer = Peer()
    async with listening(peer) as ami:
        async with running(ami):
            await ami.wait_ready(LIMIT)
        peer.connections = 0
    async with running(ami):
        await asyncio.sleep(0.6)  # nobody listens there now: a few tries are refused
        server = await asyncio.start_server(peer.take, "127.0.0.1", peer.port)
        await ami.wait_ready(LIMIT)
        await asyncio.sleep(2.5)
        server.close()
        peer.cut()
    assert peer.connections == 1


async def test_a_wrong_login_is_told_at_once_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACTION_LIMIT", 10 * LIMIT)
    monkeypatch.setattr(module, "CONNECT_LIMIT", 10 * LIMIT)
    peer = Peer({"Login": refuse})
    with pytest.raises(AmiLogin, match="hotline") as refused:
        async with listening(peer) as ami, asyncio.timeout(LIMIT):
            await ami.run()
    assert peer.connections == 1
    assert "geheim" not in str(refused.value)


async def test_a_peer_that_breaks_off_in_the_login_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACTION_LIMIT", 10 * LIMIT)
    monkeypatch.setattr(module, "CONNECT_LIMIT", 10 * LIMIT)
    peer = Peer({"Login": hang_up})
    async with listening(peer) as ami, running(ami):
        await until(lambda: peer.connections >= 2)  # before the login's time is up: the break itself was noticed
        peer.answers.clear()
        await ami.wait_ready(LIMIT)


async def test_a_peer_that_never_answers_the_login_is_tried_again(impatient: None) -> None:
    peer = Peer({"Login": silent})
    async with listening(peer) as ami, running(ami):
        await until(lambda: peer.connections >= 2)
        assert not ami.ready
        peer.answers.clear()
        await ami.wait_ready(LIMIT)


GARBAGE = {
    "no AMI": b"HTTP/1.1 400 Bad Request\r\n\r\n\r\n\r\n",
    "bytes": bytes(range(256)) * 50 + b"\r\n\r\n",
    "no colon": b"Response\r\nSuccess\r\n\r\n",
    "nobody's": b"Response: Success\r\nActionID: never-sent\r\n\r\n",
    "event": b"Event: Newchannel\r\nChannel: PJSIP/a\r\n\r\nEvent: \r\n\r\nEvent:\r\n\r\n",
    "empty": b"\r\n\r\n\r\n\r\n: \r\n\r\n",
    "twice": b"Event: A\r\nA: 1\r\nA: 2\r\nEvent: B\r\n\r\n",
    "ids": b"Response: Success\r\nActionID: a\r\nActionID: b\r\n\r\n",
    "half": b"Response: Success\r\nMess",
}


@pytest.mark.parametrize("rubbish", GARBAGE.values(), ids=GARBAGE.keys())
async def test_rubbish_between_the_answers_ends_nothing(rubbish: bytes) -> None:
    async def odd(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
        writer.write(rubbish)
        await writer.drain()
        await asyncio.sleep(0.02)
        await good(peer, message, writer)

    async with connected(Peer({"MixMonitor": odd})) as (ami, _changes):
        for _ in range(2):
            with contextlib.suppress(AmiError):
                await ami.action("MixMonitor", Channel="c", File="f")
        await until(lambda: ami.ready)
        assert (await ami.action("StopMixMonitor", Channel="c"))["response"] == "Success"


async def test_a_flood_without_an_end_is_cut_off_by_the_next_ping(impatient: None) -> None:
    async def flood(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
        for _ in range(40):
            writer.write(b"x" * 65_536)
            await writer.drain()
            await asyncio.sleep(0)

    peer = Peer({"MixMonitor": flood})
    async with connected(peer) as (ami, changes):
        with pytest.raises(AmiLost):
            await ami.action("MixMonitor", Channel="c", File="f")
        await until(lambda: len(changes) > 1 and ami.ready)
        await ami.action("StopMixMonitor", Channel="c")


async def test_many_at_once_each_get_their_own_answer() -> None:
    async def late(peer: Peer, message: Message, writer: asyncio.StreamWriter) -> None:
        async def answer() -> None:
            await asyncio.sleep(0.05 if message["Channel"].endswith("3") else 0.01)
            text = f"Response: Success\r\nActionID: {message['ActionID']}\r\nEcho: {message['Channel']}\r\n\r\n"
            writer.write(text.encode())

        tasks.append(asyncio.create_task(answer()))

    tasks: list[asyncio.Task[None]] = []
    async with connected(Peer({"MixMonitor": late})) as (ami, _changes):
        answers = await asyncio.gather(*(ami.action("MixMonitor", Channel=f"c{n}", File="f") for n in range(40)))
        assert [answer["echo"] for answer in answers] == [f"c{n}" for n in range(40)]


async def test_a_connection_that_breaks_before_its_manager_has_heard_of_it_is_lost_like_any_other() -> None:
    """uvloop may tell the protocol of the end before the connecting task's own callbacks run."""
    told: list[str] = []
    manager = module._OneConnection(lost=lambda: told.append("lost"), loop=asyncio.get_running_loop())
    protocol = module._Protocol()
    protocol.connection_made(asyncio.Transport())
    protocol.connection_lost(None)
    made: asyncio.Future[tuple[asyncio.Transport, module._Protocol]] = asyncio.get_running_loop().create_future()
    made.set_result((asyncio.Transport(), protocol))
    manager.connection_made(made)
    assert told == ["lost"] and manager.authenticated_future is None
