"""The event connection against a fake Asterisk: who gets what, the hook, what ends `run`. Faults: test_ari_faults."""

import asyncio
import logging
from collections.abc import Awaitable

import pytest
from aiohttp import web
from ari_play import PASSWORD, SOON, TOKEN, USER, FakeAri, a_client, abort, channel, next_of, refuse, running

import ari

SECRETS = (PASSWORD, TOKEN, "Basic ", "api_key")


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


async def test_a_redirect_leads_to_nobody_else() -> None:
    async with FakeAri() as server, FakeAri() as stranger:
        server.upgrade_status, server.location = 302, f"http://127.0.0.1:{stranger.port}/ari/events"
        client = a_client(server)
        async with running(client):
            await server.requests(3)  # it tries again
            assert not stranger.seen and not stranger.sockets
            server.upgrade_status = 101
            await client.wait_ready()


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

    async def nonsense(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with FakeAri() as server:
        client = a_client(server)
        async with running(client):
            await client.wait_ready(SOON)
            for answer in (refuse(401), abort, nonsense):
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


@pytest.mark.parametrize("url", ["http://a:secret@host:8088/ari", "host:8088", "ftp://host/ari", "http://h/ari?x=1"])
def test_an_address_must_be_one_without_credentials(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        ari.Client(url, USER, PASSWORD, "hotline")
    assert "secret" not in str(refusal.value)
