"""Each way in which Asterisk, the network or a reader fails, against a fake server; `FAULTS` says where each is."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from ari_play import (
    SOON,
    Answer,
    FakeAri,
    Stale,
    Wire,
    a_client,
    abort,
    channel,
    empty,
    kinds,
    next_of,
    refuse,
    running,
    silence,
)  # fmt: skip

import ari
from ari.client import TURN
from ari.http import KEEPALIVE
from tests.ari_verbs import Verb, sent, verbs

FAULTS = {
    "abort": "test_abort",
    "clean close": "test_clean_close",
    "half-open socket": "test_half_open_socket",
    "stalled server": "test_stalled_server",
    "slow consumer": "test_slow_consumer",
    "flood of events": "test_flood_of_events",
    "unknown events": "test_unknown_events",
    "duplicate events": "test_duplicate_events",
    "404, 409, 422, 500": "test_refusals",
    "stale keep-alive": "test_stale_keep_alive",
    "Asterisk restarting": "test_asterisk_restarting",
    "any of these under a POST": "test_no_post_is_ever_repeated",
}
"""Fault -> test. The table in ``ari/README.md`` says to users what happens then."""

ASTERISK_KEEPS = 15.0
"""Seconds that Asterisk keeps an idle connection: ``session_keep_alive`` of its http.conf, where nothing is set."""


async def test_abort() -> None:
    """A reset, again and again: readers are told, the request under way ends, events flow again, `ready` is no lie."""
    async with FakeAri() as server:
        client = a_client(server)
        lost: list[bool] = []
        client.on_disconnect = lambda c: lost.append(c.ready)
        with client.inbox("c1") as inbox:
            async with running(client):
                for count in range(1, 4):
                    await server.connections(count)
                    await client.wait_ready()
                    assert await kinds(inbox, 1) == ["Connected"]
                    server.answer = abort
                    with pytest.raises(ari.TransportError):
                        await client.channels.answer("c1")
                    server.abort()
                    assert await kinds(inbox, 1) == ["Disconnected"]
                    assert len(server.posts()) == count
                await server.connections(4)
                await server.send("StasisEnd", channel=channel("c1"))
                assert await kinds(inbox, 2) == ["Connected", "StasisEnd"]
                assert lost == [False] * 3
        assert lost == [False] * 4


async def test_clean_close() -> None:
    """Asterisk says goodbye (it does so when it is stopped gracefully): no other than an abort for the reader."""
    async with FakeAri() as server:
        client = a_client(server)
        with client.inbox("c1") as inbox:
            async with running(client):
                for count in range(1, 4):
                    await server.connections(count)
                    await client.wait_ready()
                    await server.send("StasisEnd", channel=channel("c1"))
                    assert await kinds(inbox, 2) == ["Connected", "StasisEnd"]
                    await server.sockets[-1].close(code=1001)
                    end = await next_of(inbox)
                    assert isinstance(end, ari.Disconnected) and "1001" in end.reason
                    await client.channels.answer("c1")  # requests have connections of their own
                await server.connections(4)
        assert len(server.posts()) == 3


async def test_half_open_socket() -> None:
    """The other end is gone and no packet says so: the heartbeat notices, and a POST into it ends, unrepeated."""
    async with FakeAri() as server, Wire(server.port) as wire:
        client = a_client(wire, heartbeat=2.0)
        inbox = client.inbox("c1")
        async with running(client):
            await client.wait_ready()
            await client.channels.answer("c0")  # its connection is kept, and will be used again
            assert await kinds(inbox, 1) == ["Connected"]
            wire.die()
            client.http.request_timeout = 0.1
            with pytest.raises(ari.RequestTimeout):
                await client.channels.originate("PJSIP/6001", channel_id="c1")
            client.http.request_timeout = SOON
            assert await kinds(inbox, 2) == ["Disconnected", "Connected"]
            await client.wait_ready()
            assert server.posts() == ["/ari/channels/c0/answer"]
            await client.channels.answer("c2")
            await server.send("StasisEnd", channel=channel("c1"))
            assert await kinds(inbox, 1) == ["StasisEnd"]
            assert server.posts() == ["/ari/channels/c0/answer", "/ari/channels/c2/answer"]


@pytest.mark.parametrize(
    "where", ["no answer", "half an answer", "it reads nothing", "upgrade", "half an event", "no pong"]
)
async def test_stalled_server(where: str) -> None:
    """It accepts and then does nothing more: every request is bounded, and the event connection, too."""
    async with FakeAri() as server:
        go_on = asyncio.Event()
        client = a_client(server, request_timeout=0.05, heartbeat=0.05)
        inbox = client.inbox("c1")

        async def stall(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            if where == "half an answer":
                response.content_length = 10
                await response.prepare(request)
                await response.write(b"{")
            await go_on.wait()
            return response

        async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await go_on.wait()
            writer.close()

        server.answer = stall
        if where == "upgrade":
            server.stalled = go_on
        if where in ("half an event", "no pong"):
            server.answers_pings = False
        async with running(client):
            if where == "upgrade":
                await server.requests(3)
                go_on.set()
                await client.wait_ready()
            elif where in ("half an event", "no pong"):
                assert await kinds(inbox, 1) == ["Connected"]
                if where == "half an event":
                    server.send_bytes_of_the_wire(b"\x81\x7e\x10\x00" + b'{"type": "Stas')
                assert await kinds(inbox, 2) == ["Disconnected", "Connected"]
            elif where == "it reads nothing":
                deaf = await asyncio.start_server(take_nothing, "127.0.0.1", 0)
                url = f"http://127.0.0.1:{deaf.sockets[0].getsockname()[1]}/ari"
                async with deaf, ari.Client(url, "u", "p", "hotline", request_timeout=0.05) as other:
                    with pytest.raises(ari.RequestTimeout):
                        await other.channels.set_variable("c1", "X", "x" * 20_000_000)
                    go_on.set()
            else:
                with pytest.raises(ari.RequestTimeout):
                    await client.channels.answer("c1")
                assert len(server.posts()) <= 1  # none where this machine was too slow even to send it
        go_on.set()


async def test_slow_consumer() -> None:
    """Whoever does not keep up is told so, after what was queued, and can begin anew; nobody else waits for it."""
    async with FakeAri() as server:
        client = a_client(server, inbox_size=10)
        slow, quick = client.inbox("c1"), client.inbox("c1", size=1000)
        async with running(client):
            assert [await kinds(inbox, 1) for inbox in (slow, quick)] == [["Connected"]] * 2
            for number in range(30):
                await server.send("ChannelDtmfReceived", channel=channel("c1"), digit=str(number))
            heard = [event.digit for event in [await next_of(quick) for _ in range(30)] if hasattr(event, "digit")]
            assert heard == [str(number) for number in range(30)]
            assert slow.failed and not quick.failed and not client.unclaimed.failed
            assert await kinds(slow, 10) == ["ChannelDtmfReceived"] * 10
            with pytest.raises(ari.InboxFull, match="20 event"):
                await slow.get()
            slow.reset()
            await server.send("StasisEnd", channel=channel("c1"))
            assert await kinds(slow, 1) == ["StasisEnd"]
            assert client.ready and len(server.sockets) == 1


async def test_flood_of_events() -> None:
    """5,000 events as fast as they come: in order, none lost to who has room, all others failed alone; and while they
    come the program's other tasks have their turns."""
    async with FakeAri() as server:
        client = a_client(server, inbox_size=100)
        asleep, awake, quiet = client.inbox("c1"), client.inbox("c1", size=100_000), client.inbox("c2")
        most = 0

        async def live() -> None:
            nonlocal most
            before = 0
            while True:
                most, before = max(most, len(awake) - before), len(awake)
                await asyncio.sleep(0)

        async with running(client):
            await client.wait_ready()
            other = asyncio.create_task(live())
            for number in range(5000):
                await server.send("ChannelDtmfReceived", channel=channel("c1"), digit=str(number), duration_ms=1)
                await server.send("EndpointStateChange", endpoint={"technology": "PJSIP", "resource": "x"})
            await server.send("StasisEnd", channel=channel("c2"))
            while (await next_of(quiet)).kind != "StasisEnd":
                pass
            other.cancel()
            heard = [await next_of(awake) for _ in range(5001)]
            digits = [event.digit for event in heard if isinstance(event, ari.ChannelDtmfReceived)]
            assert digits == [str(number) for number in range(5000)]
            assert 0 < most <= TURN
            assert len(await kinds(asleep, 100)) == 100
            assert len(client.unclaimed) == 1000
            with pytest.raises(ari.InboxFull):
                await asleep.get()
            assert client.unclaimed.failed
            assert client.ready and len(server.sockets) == 1


async def test_unknown_events(caplog: pytest.LogCaptureFixture) -> None:
    """No text stops the reader: an event of any kind arrives with all it holds, and one log line tells of its type."""
    async with FakeAri() as server:
        client = a_client(server)
        inbox = client.inbox("c1")
        with caplog.at_level(logging.INFO, "ari"):
            async with running(client):
                assert await kinds(client.unclaimed, 1) == await kinds(inbox, 1) == ["Connected"]
                for text in ("nonsense", "[]", "{}", '{"type": null}', '{"type": 7}', ""):
                    await server.send_text(text)
                await server.send("Brandnew", channel={"id": 7}, depth={"deep": [1]})
                await server.send("Brandnew", channel={"id": "c1"})
                await server.send("ChannelDtmfReceived", channel=channel("c1"), digit=["1"])
                await server.send("StasisEnd", channel=channel("c1"), fresh=1)
                strange = await next_of(client.unclaimed)
                got = [await next_of(inbox) for _ in range(3)]
        assert isinstance(strange, ari.UnknownEvent) and strange.raw["depth"] == {"deep": [1]}
        assert [event.kind for event in got] == ["Brandnew", "ChannelDtmfReceived", "StasisEnd"]
        assert isinstance(got[1], ari.UnknownEvent) and "digit" in got[1].why
        assert [r.message for r in caplog.records if "Brandnew" in r.message] == [
            "ari: event type Brandnew is not known"
        ]
        assert len(server.sockets) == 1


async def test_duplicate_events() -> None:
    """An event is passed on as often as it came, in order, but once to an inbox however many of its ids it names."""
    async with FakeAri() as server:
        client = a_client(server)
        both, one = client.inbox("c1", "b1"), client.inbox("b1")
        async with running(client):
            assert await kinds(both, 1) == await kinds(one, 1) == ["Connected"]
            entered = {"channel": channel("c1"), "bridge": {"id": "b1", "channels": ["c1", "c1"]}}
            for _ in range(3):
                await server.send("ChannelEnteredBridge", **entered)
                await server.send("StasisEnd", channel=channel("c1"))
            await server.send("BridgeDestroyed", bridge={"id": "b1"})
            assert await kinds(both, 7) == [*["ChannelEnteredBridge", "StasisEnd"] * 3, "BridgeDestroyed"]
            assert await kinds(one, 4) == [*["ChannelEnteredBridge"] * 3, "BridgeDestroyed"]
            assert len(both) == len(one) == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, ari.NotFound), (409, ari.Conflict), (422, ari.Unprocessable), (500, ari.ServerError)],
)
async def test_refusals(status: int, kind: type[ari.AriResponseError]) -> None:
    """Each has its type and Asterisk's words, is sent once, and costs neither the connection nor what follows."""
    async with FakeAri() as server:
        client = a_client(server)
        async with running(client):
            await client.wait_ready()
            for again in range(1, 4):
                server.answer = refuse(status, "Channel not found")
                with pytest.raises(ari.AriResponseError) as refusal:
                    await client.channels.set_variable("c1", "X", "13800138000")
                assert type(refusal.value) is kind and refusal.value.status == status
                assert str(refusal.value) == f"POST /channels/c1/variable: {status} Channel not found"
                server.answer = empty
                await client.channels.hangup("c1")
                assert len(server.posts()) == again
            assert client.ready and len(server.sockets) == 1


@pytest.mark.parametrize("idle", [True, False], ids=["closed while idle", "closed as the request arrives"])
async def test_stale_keep_alive(idle: bool) -> None:
    """Asterisk closes a kept connection: a POST goes out once, over a new one if that can still be known; else its end
    is a TransportError. Ours are not kept as long as Asterisk keeps them, so that this stays rare."""
    assert KEEPALIVE <= ASTERISK_KEEPS / 2
    stale = Stale(idle=idle)
    async with stale, ari.Client(stale.url, "u", "p", "hotline") as client:
        await client.channels.answer("c1")
        if idle:
            await stale.closed.wait()
            await asyncio.sleep(0.05)  # its closing has arrived long before
            await client.channels.answer("c2")
        else:
            with pytest.raises(ari.TransportError):
                await client.channels.answer("c2")
    assert stale.seen == ["POST /ari/channels/c1/answer", "POST /ari/channels/c2/answer"]


async def test_asterisk_restarting() -> None:
    """It is killed, is away, comes back refusing while its modules load, and serves: the same client goes on, with
    the hook run anew, and what was asked meanwhile has been said to be not done, or unknown."""
    async with FakeAri() as server:
        client = a_client(server)
        hooks = 0

        async def adopt(c: ari.Client) -> None:
            nonlocal hooks
            await c.channels.list()
            hooks += 1

        async def nothing_there(request: web.Request) -> web.StreamResponse:
            return web.json_response([])

        client.on_connect = adopt
        server.answer = nothing_there
        inbox = client.inbox("c1")
        async with running(client):
            await client.wait_ready()
            assert await kinds(inbox, 1) == ["Connected"]
            server.answer, before = silence, len(server.seen)
            waiting = asyncio.create_task(client.channels.originate("PJSIP/6001", channel_id="c1"))
            await server.requests(before + 1)
            await server.die()
            with pytest.raises(ari.TransportError):
                await waiting
            assert await kinds(inbox, 1) == ["Disconnected"]
            for _ in range(3):
                with pytest.raises(ari.NotConnected):
                    await client.channels.answer("c2")
            assert not client.ready
            before = len(server.seen)
            server.upgrade_status, server.answer = 503, refuse(503)
            await server.rise()
            await server.requests(before + 3)
            server.upgrade_status = 404
            await server.requests(before + 6)
            server.upgrade_status = 101  # the WebSocket is up before the channels are served
            await server.connections(3)
            assert hooks == 1 and not client.ready
            server.answer = nothing_there
            await client.wait_ready()
            server.answer = empty
            await client.channels.answer("c3")
            assert hooks == 2
        assert server.posts() == ["/ari/channels", "/ari/channels/c3/answer"]


async def test_no_post_is_ever_repeated() -> None:
    """Each POST there is, under each fault that tempts a client to try again: it arrives once, and the error says
    whether it was done."""
    posts = [verb for verb in verbs() if (await sent(verb)).method == "POST"]
    assert len(posts) > 60

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"{")
        return await abort(request)

    async def nonsense(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, text="<html>", headers={"Retry-After": "0"})

    async with FakeAri() as server:

        async def try_all(verbs: list[Verb], answer: Answer, error: type[ari.AriError], limit: float = SOON) -> None:
            async with a_client(server) as client:
                for verb in verbs:
                    server.answer, client.http.request_timeout = empty, SOON
                    await client.http.do("POST", "/warm")  # so that it goes over a kept connection
                    before = len(server.seen)
                    server.answer, client.http.request_timeout = answer, limit
                    with pytest.raises(error):
                        await verb.do(client)
                    assert len(server.seen) - before in ((1,) if limit == SOON else (0, 1)), verb.name

        await try_all(posts, abort, ari.TransportError)
        await try_all(posts, half, ari.TransportError)
        await try_all(posts, nonsense, ari.AriResponseError)
        for status in (302, 307, 308, 401, 404, 408, 409, 422, 500, 502, 503, 504):
            await try_all(posts[::5], refuse(status), ari.AriResponseError)
        await try_all(posts[::5], silence, ari.RequestTimeout, limit=0.02)


def test_the_table_is_whole() -> None:
    here = {name for name in globals() if name.startswith("test_")} - {"test_the_table_is_whole"}
    assert set(FAULTS.values()) == here
