"""The event connection against a fake Asterisk on loopback: lost, refused, frozen, flooding."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

import ari

USER, PASSWORD = "ari-user", "correct-horse \u4e2d"
TOKEN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, TOKEN, "Basic ", "api_key")
SOON = 5.0
"""Seconds after which a test has hung; none waits that long when all is well."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def empty(request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


class FakeAri:
    """A web server that takes the event WebSocket and answers every request with `answer`."""

    def __init__(self) -> None:
        self.answer: Answer = empty
        self.upgrade_status = 101
        self.drop_upgrades = False
        self.answers_pings = True
        self.stalled: asyncio.Event | None = None
        self.seen: list[web.Request] = []
        self.sockets: list[web.WebSocketResponse] = []
        self._last: web.Request | None = None
        self._more = asyncio.Event()
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{tail:.*}", self._rest)
        self._server = TestServer(app)

    async def __aenter__(self) -> "FakeAri":
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/ari"

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self._more.set()
        await request.read()
        return await self.answer(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self._more.set()
        if self.stalled is not None:
            await self.stalled.wait()
        if self.drop_upgrades:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.upgrade_status != 101:
            return web.json_response({"error": "no"}, status=self.upgrade_status)
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        self._last = request
        self.sockets.append(socket)
        self._more.set()
        async for message in socket:
            assert message.type in (WSMsgType.PING, WSMsgType.PONG)
        return socket

    async def connections(self, count: int) -> None:
        """Wait until that many event connections have been made in all."""
        async with asyncio.timeout(SOON):
            while len(self.sockets) < count:
                self._more.clear()
                await self._more.wait()

    async def requests(self, count: int) -> None:
        """Wait until that many requests, upgrades among them, have come in all."""
        async with asyncio.timeout(SOON):
            while len(self.seen) < count:
                self._more.clear()
                await self._more.wait()

    async def send(self, kind: str, **fields: object) -> None:
        await self.send_text(msgspec.json.encode({"type": kind, "application": "hotline"} | fields).decode())

    async def send_text(self, text: str) -> None:
        await self.sockets[-1].send_str(text)

    def abort(self) -> None:
        """As when Asterisk is killed: a reset, no closing handshake."""
        assert self._last is not None and self._last.transport is not None
        self._last.transport.abort()


def a_client(
    server: FakeAri, *, heartbeat: float = 5.0, request_timeout: float = SOON, inbox_size: int = 1000
) -> ari.Client:
    return ari.Client(
        server.url,
        USER,
        PASSWORD,
        "hotline",
        heartbeat=heartbeat,
        request_timeout=request_timeout,
        inbox_size=inbox_size,
        backoff=ari.Backoff(first=0.001, cap=0.01),
    )


@asynccontextmanager
async def running(client: ari.Client) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(SOON):
            yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        await client.close()


async def next_of(inbox: ari.Inbox) -> ari.Event:
    async with asyncio.timeout(SOON):
        return await inbox.get()


def channel(id_: str) -> dict[str, str]:
    return {"id": id_, "name": f"PJSIP/{id_}"}


async def test_events_arrive_where_they_belong() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        inbox = client.inbox("c1")
        async with running(client):
            await client.wait_ready(SOON)
            assert client.ready and client.connected
            request = server.seen[0]
            assert dict(request.query) == {"app": "hotline", "subscribeAll": "false"}
            await server.send("StasisStart", args=[], channel=channel("c2"))
            await server.send("StasisEnd", channel=channel("c1"))
            assert [(await next_of(inbox)).kind for _ in range(2)] == ["Connected", "StasisEnd"]
            assert [(await next_of(client.unclaimed)).kind for _ in range(2)] == ["Connected", "StasisStart"]
    assert not client.ready


@pytest.mark.parametrize("how", ["abort", "close"])
async def test_a_lost_connection_is_made_again(how: str) -> None:
    async with FakeAri() as server:
        client = a_client(server)
        lost: list[bool] = []
        client.on_disconnect = lambda c: lost.append(c.ready)
        with client.inbox("c1") as inbox:
            async with running(client):
                for count in range(1, 4):
                    await server.connections(count)
                    await client.wait_ready(SOON)
                    assert isinstance(await next_of(inbox), ari.Connected)
                    if how == "abort":
                        server.abort()
                    else:
                        await server.sockets[-1].close()
                    assert isinstance(await next_of(inbox), ari.Disconnected)
                await server.connections(4)
                await server.send("StasisEnd", channel=channel("c1"))
                assert [(await next_of(inbox)).kind for _ in range(2)] == ["Connected", "StasisEnd"]
                assert lost == [False] * 3
        assert lost == [False] * 4


async def test_asterisk_may_come_later() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        server.upgrade_status = 503
        async with running(client):
            await server.requests(2)
            server.upgrade_status, server.drop_upgrades = 101, True
            await server.requests(len(server.seen) + 2)
            server.drop_upgrades = False
            await client.wait_ready(SOON)


async def test_nobody_there_is_not_connected() -> None:
    async with FakeAri() as server:
        client = a_client(server)
    async with running(client) as task:
        with pytest.raises(ari.NotConnected):
            await client.wait_ready(0.05)
        with pytest.raises(ari.NotConnected):
            await client.asterisk.ping()
        assert not task.done()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_password_is_fatal_at_once(status: int) -> None:
    async with FakeAri() as server:
        server.upgrade_status = status
        client = a_client(server)
        async with running(client) as task:
            with pytest.raises(ari.Unauthorized) as waiter:
                await client.wait_ready(SOON)
            with pytest.raises(ari.Unauthorized) as runner:
                await task
            assert waiter.value.status == runner.value.status == status
        assert len(server.seen) == 1


async def test_a_second_client_under_the_same_name_ends_the_first() -> None:
    """Asterisk 22.10 leaves the WebSocket open but sends nothing more: `ready` would be a lie."""
    async with FakeAri() as server:
        client = a_client(server)
        async with running(client) as task:
            await client.wait_ready(SOON)
            await server.send("ApplicationReplaced")
            with pytest.raises(ari.Replaced):
                await task
            with pytest.raises(ari.Replaced):
                await client.wait_ready(SOON)
            assert not client.ready
            got = [(await next_of(client.unclaimed)).kind for _ in range(3)]
            assert got == ["Connected", "ApplicationReplaced", "Disconnected"]
        assert len(server.sockets) == 1


def test_which_failures_to_connect_are_tried_again() -> None:
    assert not ari.retryable_connect(ari.Unauthorized(401, "no"))
    assert not ari.retryable_connect(ari.Unauthorized(403, "no"))
    assert not ari.retryable_connect(ari.Replaced())
    assert not ari.retryable_connect(TypeError("a fault of the program"))
    for exc in (
        ari.NotConnected(),
        ari.RequestTimeout(),
        ari.TransportError(),
        ari.NotFound(404, "loading"),
        ari.ServerError(503, "starting"),
        ConnectionResetError(),
        TimeoutError(),
    ):
        assert ari.retryable_connect(exc)


async def test_a_frozen_peer_is_noticed_by_the_heartbeat() -> None:
    async with FakeAri() as server:
        server.answers_pings = False
        client = a_client(server, heartbeat=0.02)
        inbox = client.inbox("c1")
        async with running(client):
            assert isinstance(await next_of(inbox), ari.Connected)
            assert isinstance(await next_of(inbox), ari.Disconnected)
            await server.connections(2)


async def test_a_stalled_upgrade_is_bounded() -> None:
    async with FakeAri() as server:
        server.stalled = asyncio.Event()
        client = a_client(server, request_timeout=0.02)
        async with running(client):
            await server.requests(3)
            server.stalled.set()
            await client.wait_ready(SOON)


async def test_the_hook_runs_first_after_each_connect_and_no_event_is_lost() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def hook(c: ari.Client) -> None:
            assert c is client and c.connected and not c.ready
            await c.applications.list()
            entered.set()
            await go_on.wait()

        async def none(request: web.Request) -> web.StreamResponse:
            return web.json_response([])

        server.answer = none
        client.on_connect = hook
        inbox = client.inbox("c1")
        async with running(client):
            for _ in range(2):
                await entered.wait()
                await server.send("StasisStart", args=[], channel=channel("c2"))
                await server.send("StasisEnd", channel=channel("c1"))
                assert [(await next_of(inbox)).kind for _ in range(2)] == ["Connected", "StasisEnd"]
                assert client.unclaimed.get_nowait() is None
                go_on.set()
                assert [(await next_of(client.unclaimed)).kind for _ in range(2)] == [
                    "Connected",
                    "StasisStart",
                ]
                assert client.ready
                entered.clear()
                go_on.clear()
                server.abort()
                assert [(await next_of(i)).kind for i in (inbox, client.unclaimed)] == ["Disconnected"] * 2


async def test_a_hook_that_fails_by_the_network_is_tried_again() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        tries = 0

        async def hook(_: ari.Client) -> None:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise ari.TransportError("lost")

        client.on_connect = hook
        async with running(client):
            await client.wait_ready(SOON)
            assert tries == 3


async def test_a_hook_with_a_bug_ends_run() -> None:
    async with FakeAri() as server:
        client = a_client(server)

        async def hook(_: ari.Client) -> None:
            raise KeyError("bug")

        client.on_connect = hook
        async with running(client) as task:
            with pytest.raises(KeyError):
                await client.wait_ready(SOON)
            with pytest.raises(KeyError):
                await task


async def test_a_connection_lost_under_the_hook_cancels_it() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        log: list[str] = []

        async def hook(_: ari.Client) -> None:
            log.append("began")
            if len(log) == 1:
                server.abort()
                try:
                    await asyncio.Event().wait()
                finally:
                    log.append("cancelled")

        client.on_connect = hook
        async with running(client):
            await client.wait_ready(SOON)
            assert log == ["began", "cancelled", "began"]


async def test_oddities_do_not_stop_the_reader(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeAri() as server:
        client = a_client(server)
        with caplog.at_level(logging.INFO, "ari"):
            async with running(client):
                await client.wait_ready(SOON)
                assert isinstance(await next_of(client.unclaimed), ari.Connected)
                for text in ("nonsense", "[]", "{}", '{"type": null}'):
                    await server.send_text(text)
                await server.send("Brandnew", channel={"id": 7})
                await server.send("Brandnew")
                await server.send("StasisEnd", channel=channel("c1"), fresh=1)
                got = [await next_of(client.unclaimed) for _ in range(3)]
        assert [event.kind for event in got] == ["Brandnew", "Brandnew", "StasisEnd"]
        assert [record.message for record in caplog.records if "Brandnew" in record.message] == [
            "ari: event type Brandnew is not known"
        ]
        assert len(server.sockets) == 1


async def test_a_flood_fails_only_the_inbox_that_nobody_reads() -> None:
    async with FakeAri() as server:
        client = a_client(server, inbox_size=100)
        asleep, awake = client.inbox("c1"), client.inbox("c1", size=100_000)
        async with running(client):
            await client.wait_ready(SOON)
            for number in range(5000):
                await server.send(
                    "ChannelDtmfReceived", channel=channel("c1"), digit=str(number), duration_ms=1
                )
            await server.send("StasisEnd", channel=channel("c2"))
            while (event := await next_of(client.unclaimed)).kind != "StasisEnd":
                assert isinstance(event, ari.Connected)
            digits = [
                event.digit
                for event in [await next_of(awake) for _ in range(5001)]
                if isinstance(event, ari.ChannelDtmfReceived)
            ]
            assert digits == [str(number) for number in range(5000)]
            assert len([await next_of(asleep) for _ in range(100)]) == 100
            with pytest.raises(ari.InboxFull):
                await asleep.get()
            assert client.ready and len(server.sockets) == 1


async def test_run_is_one_at_a_time_and_ends_by_cancelling() -> None:
    async with FakeAri() as server:
        client = a_client(server)
        async with running(client) as task:
            await client.wait_ready(SOON)
            with pytest.raises(RuntimeError):
                await client.run()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not client.ready and not client.connected
            await client.channels.answer("c1")  # the pool outlives run(), until close()
        with pytest.raises(ari.NotConnected):
            await client.channels.answer("c1")
        with pytest.raises(ari.NotConnected):
            await client.run()


def everything_of(exc: BaseException | None) -> str:
    """All that a log of this exception could show: its words, arguments and whole chain."""
    text = ""
    while exc is not None:
        text += f"{exc!s} {exc!r} {exc.args!r} {vars(exc)!r}"
        exc = exc.__cause__ or exc.__context__
    return text


async def test_credentials_are_in_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failures: list[BaseException] = []

    async def fails(doing: Awaitable[object]) -> None:
        with pytest.raises(ari.AriError) as caught:
            await doing
        failures.append(caught.value)

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "no"}, status=401)

    async def abort(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def nonsense(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with FakeAri() as server:
        client = a_client(server)
        async with running(client):
            await client.wait_ready(SOON)
            for answer in (refuse, abort, nonsense):
                server.answer = answer
                await fails(client.channels.list())
            server.abort()
        for request in server.seen:
            assert request.headers["Authorization"] == f"Basic {TOKEN}"
            assert not any(secret in str(request.url) for secret in (*SECRETS, USER))
        for server.upgrade_status in (401, 403, 500, 200, 302):
            again = a_client(server)
            await fails(again._open())
            await again.close()
        server.drop_upgrades = True
        again = a_client(server)
        await fails(again._open())
        await again.close()
    await fails(again._open())
    shown = caplog.text + repr(client) + repr(client.http) + "".join(map(everything_of, failures))
    assert len(failures) == 10
    for secret in SECRETS:
        assert secret not in shown
    assert [type(exc) for exc in failures[3:8]] == [
        ari.Unauthorized,
        ari.Unauthorized,
        ari.ServerError,
        ari.AriResponseError,
        ari.AriResponseError,
    ]


@pytest.mark.parametrize(
    "url", ["http://a:secret@host:8088/ari", "host:8088", "ftp://host/ari", "http://h/ari?x=1"]
)
def test_an_address_must_be_one_without_credentials(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        ari.Client(url, USER, PASSWORD, "hotline")
    assert "secret" not in str(refusal.value)
