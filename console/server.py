"""The console's listener in the daemon's loop: uvicorn's HTTP, but our own accepting, bounds, and stop.

uvicorn's own server takes the signals, which are the daemon's, and leaves the process when it cannot listen. So only
its protocol is used. Connections are counted before anything is read, also while TLS is being agreed on: neither many
of them nor slow ones may cost the calls a file descriptor or a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from config.console import Console as Settings

log = structlog.get_logger()

MOST, MOST_OF_ONE = 400, 120
"""Connections in all, and of one address (behind NAT or a proxy sits a whole floor); proxies count for nobody."""

HEAD_PATIENCE = 10.0
"""Seconds from a connection, or from the first byte of a request, to the end of its head (slowloris)."""

TLS_PATIENCE = 8.0
"""Seconds for the TLS handshake."""

IDLE = 15.0
"""Seconds that a connection is kept for the next request."""

HEAD = 32 * 1024
"""Bytes of a request's head."""

LINGER = 2.0
"""Seconds in which the rest of a request that was answered already is thrown away: a close at once could cost the
answer (RFC 9112, section 9.6)."""

STOP_PATIENCE = 2.0
"""Seconds that a stop leaves to answers that are on their way."""

CERTIFICATE_EVERY = 60.0
"""Seconds between two looks whether the certificate was renewed."""


class Line(H11Protocol):
    """One connection, which must come to the point."""

    gone: Callable[[], None] | None = None
    """Called once when the connection is over."""
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The connection is there; its first request's head has so long."""
        super().connection_made(transport)
        self._be_patient()

    def data_received(self, data: bytes) -> None:
        """Bytes came. What is no HTTP ends the connection, and says nothing into the log."""
        try:
            super().data_received(data)
        except Exception as fault:  # h11's own refusals; whatever it is, it is this connection's alone
            log.debug("a connection to the console made no sense", why=repr(fault)[:200])
            self.transport.abort()
            return
        if self.conn.their_state is h11.IDLE:
            self._be_patient()
        else:
            self._let_be()

    def on_response_complete(self) -> None:
        """The answer is out. Where the rest of the request is still to come, nobody waits for it for long."""
        super().on_response_complete()
        if self._unread():
            self.loop.call_later(LINGER, self._no_more)

    def _unread(self) -> bool:
        """Whether a request was answered whose body has not come to its end."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _no_more(self) -> None:
        if self._unread() and not self.transport.is_closing():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._let_be()
        if self.gone is not None:
            self.gone()
        super().connection_lost(exc)

    def _be_patient(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_PATIENCE, self._too_slow)

    def _let_be(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        self._patience = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.abort()


class Listener:
    """Listens by ``settings`` and serves ``app``. :meth:`open` raises OSError (ssl.SSLError is one)."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._settings = settings
        trusted = list(settings.proxies)
        inner = ProxyHeadersMiddleware(app, trusted_hosts=trusted) if trusted else app
        self._config = uvicorn.Config(
            inner, http=Line, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            proxy_headers=False, h11_max_incomplete_event_size=HEAD, timeout_keep_alive=round(IDLE), interface="asgi3",
        )  # fmt: skip
        self._state = ServerState()
        self._secure: ssl.SSLContext | None = None
        self._stamp: object = None
        self._socket: socket.socket | None = None
        self._open: Counter[str] = Counter()
        self._greeting: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._most = MOST

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    @property
    def connections(self) -> int:
        """How many there are."""
        return sum(self._open.values())

    async def open(self) -> None:
        """Begin to listen. Raises OSError."""
        if not self._config.loaded:
            self._config.load()
        tls = self._settings.tls
        if tls.certificate is not None:
            self._secure = await asyncio.to_thread(_context, Path(tls.certificate), Path(tls.key or tls.certificate))
            self._stamp = _stamp(tls.certificate, tls.key)
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft not in (-1, resource.RLIM_INFINITY):
            self._most = max(16, min(MOST, soft // 4))
        family = socket.AF_INET6 if ":" in self._settings.address else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setblocking(False)
            listening.bind((self._settings.address, self._settings.port))
            listening.listen(128)
        except OSError:
            listening.close()
            raise
        self._socket = listening
        self._tasks = [asyncio.create_task(self._accept(listening), name="console-accept")]
        if self._secure is not None:
            self._tasks.append(asyncio.create_task(self._renew(), name="console-certificate"))

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                conn, address = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    log.warning("the console cannot take a connection", why=error.strerror)
                await asyncio.sleep(0.5)
                continue
            place = str(address[0])
            if self.connections >= self._most or (self._open[place] >= MOST_OF_ONE and place not in self._exempt()):
                conn.close()
                continue
            self._open[place] += 1
            task = asyncio.create_task(self._greet(conn, place))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    def _exempt(self) -> tuple[str, ...]:
        return tuple(each.removesuffix("/32").removesuffix("/128") for each in self._settings.proxies)

    async def _greet(self, conn: socket.socket, place: str) -> None:
        """Agree on TLS where that is on, and hand the connection to its protocol."""
        loop, left = asyncio.get_running_loop(), self._left(place)

        def protocol() -> Line:
            line = Line(self._config, self._state, {}, loop)
            line.gone = left
            return line

        try:
            conn.setblocking(False)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = {"ssl": self._secure, "ssl_handshake_timeout": TLS_PATIENCE} if self._secure is not None else {}
            await loop.connect_accepted_socket(protocol, conn, **secure)  # type: ignore[arg-type]
        except BaseException as fault:
            conn.close()
            left()
            if not isinstance(fault, OSError | TimeoutError):
                raise

    def _left(self, place: str) -> Callable[[], None]:
        gone = False

        def left() -> None:
            nonlocal gone
            if not gone:
                gone = True
                self._open[place] -= 1
                if self._open[place] <= 0:
                    del self._open[place]

        return left

    async def _renew(self) -> None:
        """A renewed certificate is used by the connections that come after it."""
        tls = self._settings.tls
        assert tls.certificate is not None and self._secure is not None
        while True:
            await asyncio.sleep(CERTIFICATE_EVERY)
            try:
                stamp = await asyncio.to_thread(_stamp, tls.certificate, tls.key)
                if stamp != self._stamp:
                    await asyncio.to_thread(_context, Path(tls.certificate), Path(tls.key or tls.certificate))
                    self._secure.load_cert_chain(tls.certificate, tls.key)
                    self._stamp = stamp
                    log.info("the console's certificate was renewed")
            except (OSError, ssl.SSLError) as error:
                log.error("the console's new certificate cannot be used; the old one stays", why=str(error))

    async def close(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        """Listen no more, give answers that are on their way a moment, and end every connection."""
        for task in [*self._tasks, *self._greeting]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._greeting, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        if before is not None:
            await before()
        for line in list(self._state.connections):
            with contextlib.suppress(Exception):
                line.shutdown()
        ends = asyncio.get_running_loop().time() + STOP_PATIENCE
        while self._state.tasks and asyncio.get_running_loop().time() < ends:
            await asyncio.wait(list(self._state.tasks), timeout=0.2)
        for task in list(self._state.tasks):
            task.cancel()
        for line in list(self._state.connections):
            with contextlib.suppress(Exception):
                line.transport.abort()
        await asyncio.sleep(0)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp(*files: str | None) -> object:
    return [Path(file).stat().st_mtime_ns for file in files if file is not None]
