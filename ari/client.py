"""The client: keeps the event connection up, feeds the inboxes, and holds the groups of requests.

Theory of operation. `run` is one loop: connect, serve until the connection is lost, wait, again. While it
serves there is one reader task that decodes and puts into inboxes, and never waits for anybody. A (re)connect
goes so:

1. the WebSocket is up; `Connected` goes into every inbox, and `unclaimed` is held: it queues, but hands
   nothing out;
2. the reader starts, so no event is lost or left in the socket while …
3. … the `on_connect` hook runs (set the event filter, list what is alive, adopt it);
4. `unclaimed` is let go, `ready` becomes true.

When the connection is lost, `ready` becomes false, `Disconnected` goes into every inbox, then `on_disconnect`
is called. Asterisk does not replay what happened meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType

import aiohttp

from ari.backoff import Backoff
from ari.bridges import Bridges
from ari.channels import Channels
from ari.decode import decode
from ari.errors import AriError, NotConnected, Replaced, UnexpectedAnswer, response_error, retryable_connect
from ari.events import ApplicationReplaced, Connected, Disconnected, UnknownEvent
from ari.http import Http, network_error
from ari.inbox import Inbox, Router
from ari.verbs import Applications, Asterisk, DeviceStates, Endpoints, Playbacks, Recordings, UserEvents

log = logging.getLogger("ari")

DEFAULT_BACKOFF = Backoff()

WS_CLOSE = 1.0
"""Seconds given to the closing handshake: by then the connection is of no use to us either way."""

UNCLAIMED_FACTOR = 10
"""How much larger `unclaimed` is than a call's inbox: it takes the new arrivals of all calls, also while
held."""

TURN = 100
"""Events that the reader takes before the program's other tasks have a turn: about a millisecond. aiohttp hands out
up to 128 KiB of them without ever going back to the loop."""

OnConnect = Callable[["Client"], Awaitable[None]]
OnDisconnect = Callable[["Client"], None]


class Client:
    """One Stasis application of one Asterisk.

    `url` is e.g. ``http://127.0.0.1:8088/ari``; user name and password go into an Authorization header (RFC
    7617) and nowhere else. `request_timeout` bounds each request, `heartbeat` is the time between WebSocket
    pings (a peer that is silent for half of it after a ping is taken for lost); both in seconds. `inbox_size`
    counts events.

    `on_connect` and `on_disconnect` may also be set later, as attributes. If `on_connect` fails with an error
    that `retryable_connect` allows, the connection is dropped and tried again; any other error ends `run`. If
    the connection is lost meanwhile, it is cancelled and begins anew with the next one.

    Raises ValueError for an address that is none, or that holds credentials.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        app: str,
        *,
        request_timeout: float = 5.0,
        heartbeat: float = 5.0,
        backoff: Backoff = DEFAULT_BACKOFF,
        inbox_size: int = 1000,
        on_connect: OnConnect | None = None,
        on_disconnect: OnDisconnect | None = None,
    ) -> None:
        self.app = app
        self.on_connect = on_connect
        self.on_disconnect = on_disconnect
        self.http = Http(url, username, password, request_timeout)
        self._heartbeat = heartbeat
        self._backoff = backoff
        self._router = Router(inbox_size, inbox_size * UNCLAIMED_FACTOR)
        self._running = False
        self._connected = False
        self._ready = False
        self._fatal: BaseException | None = None
        self._ready_or_fatal = asyncio.Event()
        self._seen_unknown: set[str] = set()

        self.channels = Channels(self.http, app)
        self.bridges = Bridges(self.http)
        self.playbacks = Playbacks(self.http)
        self.recordings = Recordings(self.http)
        self.endpoints = Endpoints(self.http)
        self.device_states = DeviceStates(self.http)
        self.applications = Applications(self.http, app)
        self.asterisk = Asterisk(self.http)
        self.events = UserEvents(self.http, app)

    def __repr__(self) -> str:
        state = "ready" if self._ready else "connected" if self._connected else "not connected"
        return f"<ari.Client {self.app} at {self.http.base}, {state}>"

    # --- events

    @property
    def unclaimed(self) -> Inbox:
        """The events that no other inbox takes: new channels' StasisStart, endpoints, devices, user events.

        A channel that `on_connect` adopted may still have its StasisStart in here: its reader skips ids it
        knows. After InboxFull, `reset` it and list the channels: it is the one inbox nobody can do without.
        """
        return self._router.unclaimed

    def inbox(self, *ids: str, size: int | None = None) -> Inbox:
        """An inbox for the events that name any of these ids (channels, bridges, playbacks, recordings'
        names).

        Register before the request that makes the thing. `size` counts events; the client's `inbox_size` if
        None.
        """
        return self._router.inbox(ids, size)

    # --- the connection

    @property
    def ready(self) -> bool:
        """Whether the event connection is up and `on_connect` has run."""
        return self._ready

    @property
    def connected(self) -> bool:
        """Whether the event connection is up; true already while `on_connect` runs."""
        return self._connected

    async def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until `ready`, at most `timeout` seconds (None: for ever).

        Raises NotConnected when it takes longer, and what ended `run` (e.g. Unauthorized) when that has ended
        and not begun again.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._ready_or_fatal.wait()
        except TimeoutError:
            raise NotConnected(f"{self.http.base} was not ready within {timeout:g} s") from None
        if self._fatal is not None:
            raise self._fatal

    async def run(self) -> None:
        """Keep the event connection up, until cancelled.

        Raises Unauthorized at once on 401 and 403; Replaced when another client takes the application's name
        (Asterisk 22 leaves the WebSocket of the one replaced open and says nothing more on it); and whatever
        `on_connect` or `on_disconnect` raises that is no fault of the network. Requests may still be made
        after it was cancelled, until `close`.
        """
        if self._running:
            raise RuntimeError("run() is running already")
        self._running = True
        self._fatal = None
        self._ready_or_fatal.clear()
        loop = asyncio.get_running_loop()
        attempt = 0
        try:
            while True:
                began = loop.time()
                try:
                    reason = await self._serve_once()
                except Exception as exc:
                    if self.http.closed or not retryable_connect(exc):
                        raise
                    reason = str(exc) or type(exc).__name__
                else:
                    # A server that takes connections only to drop them must not be asked ten times a second:
                    # only a connection that has lasted puts the waits back to the first.
                    if loop.time() - began > self._backoff.cap:
                        attempt = 0
                wait = self._backoff.delay(attempt)
                attempt += 1
                log.warning("ari: %s: %s; next try in %.2f s", self.http.base, reason, wait)
                await asyncio.sleep(wait)
        except Exception as exc:
            self._fatal = exc
            self._ready_or_fatal.set()
            raise
        finally:
            self._running = False

    async def close(self) -> None:
        """Close the connections for requests. Cancel `run` first. Later requests raise NotConnected."""
        await self.http.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _serve_once(self) -> str:
        """One connection from its opening to its loss; returns why it was lost, raises why it failed."""
        ws = await self._open()
        # From here to the start of the reader no await: nobody sees half of it.
        self._connected = True
        self._router.unclaimed.hold(True)
        self._router.broadcast(Connected(application=self.app))
        reader = asyncio.create_task(self._read(ws), name="ari reader")
        reason = "stopped"
        try:
            if await self._greet(reader):
                self._router.unclaimed.hold(False)
                self._ready = True
                self._ready_or_fatal.set()
                log.info("ari: %s: application %s is connected", self.http.base, self.app)
            reason = await reader
            return reason
        except Exception as exc:
            reason = str(exc) or type(exc).__name__
            raise
        finally:
            self._connected = self._ready = False
            self._ready_or_fatal.clear()
            reader.cancel()
            self._router.broadcast(Disconnected(application=self.app, reason=reason))
            try:
                if self.on_disconnect is not None:
                    self.on_disconnect(self)
            finally:
                await asyncio.gather(reader, return_exceptions=True)
                await ws.close()  # bounded by WS_CLOSE

    async def _open(self) -> aiohttp.ClientWebSocketResponse[bool]:
        """The WebSocket upgrade, bounded by the request's time-out."""
        limit = self.http.request_timeout
        failure: AriError
        try:
            async with asyncio.timeout(limit):
                return await self.http.session.ws_connect(
                    self.http.url("/events", {"app": self.app, "subscribeAll": False}),
                    heartbeat=self._heartbeat,
                    timeout=aiohttp.ClientWSTimeout(ws_close=WS_CLOSE),
                    # msgspec decodes bytes; a bad byte then costs one event, not the connection.
                    decode_text=False,
                )
        except aiohttp.WSServerHandshakeError as exc:
            if exc.status == HTTPStatus.SWITCHING_PROTOCOLS:
                failure = UnexpectedAnswer(f"GET /events: {exc.message}")
            else:
                known = exc.status in HTTPStatus._value2member_map_
                phrase = HTTPStatus(exc.status).phrase if known else "unknown status"
                failure = response_error(exc.status, phrase, "GET /events")
        except (aiohttp.ClientError, OSError) as exc:
            failure = network_error(exc, "GET /events", limit)
        # Out here for the same reason as in Http.raw: aiohttp's exceptions hold the Authorization header.
        raise failure

    async def _greet(self, reader: asyncio.Task[str]) -> bool:
        """Run `on_connect`; False when the connection was lost before it was done. Raises what it raises."""
        if self.on_connect is None:
            return True
        hook = asyncio.ensure_future(self.on_connect(self))
        try:
            await asyncio.wait({hook, reader}, return_when=asyncio.FIRST_COMPLETED)
            if hook.done():
                hook.result()
            return hook.done()
        finally:
            if not hook.done():
                hook.cancel()
                await asyncio.gather(hook, return_exceptions=True)

    async def _read(self, ws: aiohttp.ClientWebSocketResponse[bool]) -> str:
        """Decode and deliver until the connection ends; returns why. Waits for the socket alone."""
        taken = 0
        while True:
            taken += 1
            if taken % TURN == 0:
                await asyncio.sleep(0)
            message = await ws.receive()
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
                case aiohttp.WSMsgType.CLOSE | aiohttp.WSMsgType.CLOSING | aiohttp.WSMsgType.CLOSED:
                    broken = ws.exception()
                    return f"connection lost ({broken or ws.close_code})"
                case aiohttp.WSMsgType.ERROR:
                    return f"connection lost ({ws.exception() or message.data})"

    def _take(self, text: bytes) -> None:
        try:
            event = decode(text)
        except ValueError as exc:
            log.warning("ari: a message that is no event was passed over: %s", exc)
            return
        if isinstance(event, UnknownEvent) and event.type not in self._seen_unknown:
            # Once per type: a new Asterisk may send thousands.
            self._seen_unknown.add(event.type)
            log.info("ari: event type %s is not known%s", event.type, event.why and f": {event.why}")
        self._router.deliver(event)
        if isinstance(event, ApplicationReplaced):
            raise Replaced(f"another client has taken the application {self.app}")
