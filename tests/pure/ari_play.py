"""A fake Asterisk on loopback for the tests of ``ari``, and a line to it that can go dead without a word."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
from aiohttp import WSMsgType, web

import ari

USER, PASSWORD = "ari-user", "correct-horse \u4e2d"
TOKEN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SOON = 20.0
"""Seconds after which a test has hung; none waits that long when all is well."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def empty(request: web.Request) -> web.StreamResponse:
    """What Asterisk says to most commands."""
    return web.Response(status=204)


async def abort(request: web.Request) -> web.StreamResponse:
    """The connection is reset under the request."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def silence(request: web.Request) -> web.StreamResponse:
    """No answer, ever."""
    await asyncio.Event().wait()
    raise AssertionError


def refuse(status: int, message: str = "no") -> Answer:
    """Every request is refused so; Retry-After and Location are there to tempt a client into another try."""

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"Location": str(request.url), "Retry-After": "0"}
        return web.json_response({"message": message}, status=status, headers=headers)

    return answer


class FakeAri:
    """A web server that takes the event WebSocket and answers every request with `answer`."""

    def __init__(self) -> None:
        self.answer: Answer = empty
        self.upgrade_status = 101
        self.location = ""
        self.drop_upgrades = False
        self.answers_pings = True
        self.stalled: asyncio.Event | None = None
        self.seen: list[web.Request] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._open: set[asyncio.BaseTransport] = set()
        self._last: web.Request | None = None
        self._more = asyncio.Event()

    async def __aenter__(self) -> FakeAri:
        await self.rise()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    async def rise(self) -> None:
        """Listen; on the same port as before, if there was one."""
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{tail:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def die(self) -> None:
        """As `kill -9`: every connection is reset, and nobody listens any more."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for transport in self._open:
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        self._open.clear()
        await runner.cleanup()

    @property
    def url(self) -> str:
        """The address for a client."""
        return f"http://127.0.0.1:{self.port}/ari"

    def posts(self) -> list[str]:
        """The paths of the POSTs that came, in order."""
        return [request.raw_path for request in self.seen if request.method == "POST"]

    def _saw(self, request: web.Request) -> None:
        assert request.transport is not None
        self._open.add(request.transport)
        self.seen.append(request)
        self._more.set()

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        self._saw(request)
        await request.read()
        return await self.answer(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._saw(request)
        if self.stalled is not None:
            await self.stalled.wait()
        if self.drop_upgrades:
            return await abort(request)
        if self.upgrade_status != 101:
            headers = {"Location": self.location} if self.location else None
            return web.json_response({"error": "no"}, status=self.upgrade_status, headers=headers)
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
        await self._until(lambda: len(self.sockets) >= count)

    async def requests(self, count: int) -> None:
        """Wait until that many requests, upgrades among them, have come in all."""
        await self._until(lambda: len(self.seen) >= count)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def send(self, kind: str, **fields: object) -> None:
        """One event."""
        await self.send_text(msgspec.json.encode({"type": kind, "application": "hotline"} | fields).decode())

    async def send_text(self, text: str) -> None:
        """One message of any text."""
        await self.sockets[-1].send_str(text)

    def send_bytes_of_the_wire(self, data: bytes) -> None:
        """Bytes below the WebSocket's framing."""
        assert self._last is not None and isinstance(self._last.transport, asyncio.WriteTransport)
        self._last.transport.write(data)

    def abort(self) -> None:
        """The event connection is reset, without a closing handshake."""
        assert self._last is not None and self._last.transport is not None
        self._last.transport.abort()


class Wire:
    """A line to `port` that can go dead: both ends stay open, and nothing passes any more, in either direction.

    So looks a peer whose machine lost its power, or a firewall that forgot the connection.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._live: list[asyncio.Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.made = 0
        """How many connections have been made over it."""

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The address for a client."""
        return f"http://127.0.0.1:{self.port}/ari"

    def die(self) -> None:
        """Every connection that there is goes dead; new ones are alive."""
        for dead in self._live:
            dead.set()
        self._live.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self.made += 1
        dead = asyncio.Event()
        self._live.append(dead)
        for source, drain in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass(source, drain, dead))
            self._tasks.add(task)

    async def _pass(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, dead: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                if not dead.is_set():
                    drain.write(data)
        if not dead.is_set():
            drain.close()


class Stale:
    """Answers the first request of each connection, and closes it at once (`idle`), or when the next one arrives."""

    def __init__(self, *, idle: bool) -> None:
        self.idle = idle
        self.seen: list[str] = []
        self.closed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Stale:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        """The address for a client."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ari"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for first in (True, False):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            self.seen.append(head.decode().partition(" HTTP")[0])
            if first:
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n")
                await writer.drain()
            if self.idle or not first:
                break
        writer.close()
        self.closed.set()


def a_client(
    server: FakeAri | Wire, *, heartbeat: float = 5.0, request_timeout: float = SOON, inbox_size: int = 1000
) -> ari.Client:
    """A client of it that waits a few milliseconds between two tries."""
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
    """`run` of this client as a task, and all of it closed afterwards."""
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
    """The next event, soon."""
    async with asyncio.timeout(SOON):
        return await inbox.get()


async def kinds(inbox: ari.Inbox, count: int) -> list[str]:
    """The kinds of the next events."""
    return [(await next_of(inbox)).kind for _ in range(count)]


def channel(id_: str) -> dict[str, str]:
    """A channel, as short as Asterisk never writes it."""
    return {"id": id_, "name": f"PJSIP/{id_}"}
