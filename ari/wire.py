"""HTTP/1.1 to one server over a few kept connections: what ARI needs of it, in a small part of the CPU time that a
general client takes (a call makes some twenty requests).

Theory of operation. A connection carries one request at a time, with its head and body in one write. `Wires` keeps
the idle ones, newest first, and throws away what has been idle for too long or was closed. A request is written once
and never again: a connection that breaks under it ends it with ConnectionError. Whoever gives up waiting for an
answer takes the connection down with them, so no late answer can be taken for another's.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from contextlib import suppress
from typing import NamedTuple, cast

HEAD_LIMIT = 65_536
"""Bytes of an answer's head at most; Asterisk's have some hundred."""


LARGEST = 32 << 20
"""Bytes of an answer's body at most: ten thousand channels take about ten million."""

_FIELDS = re.compile(
    r"\r\n(connection|content-length|transfer-encoding):((?:[^\r]|\r(?!\n))*)", re.IGNORECASE | re.ASCII
).findall
"""The fields of a head that matter, each with its value."""

TO_THE_END = 1 << 62
"""Bytes of a body without a length: it ends with the connection."""


class CannotConnect(Exception):
    """No connection could be made: nothing was sent. The text says why."""


class Answer(NamedTuple):
    """One answer."""

    status: int
    reason: str
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection. `reusable` and `idle_since` are for the pool."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._taken = b""
        self._head: tuple[int, str] | None = None
        self._chunked = False
        self._body: list[bytes] = []
        self._left = 0
        self._size = 0
        self.reusable = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self.reusable = True

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """Write the request; the answer comes in the future, or ConnectionError."""
        waiting = self._waiting = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            self._fail("closed")
        else:
            self._transport.write(request)
        return waiting

    def close(self) -> None:
        """Take it down at once; who waits gets ConnectionError."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()
        self._fail("closed")

    # --- what the loop calls

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # an answer to nothing: whatever follows could not be trusted
            self.close()
            return
        if self._head is None or self._chunked:
            self._taken = self._taken + data if self._taken else data
        else:
            self._body.append(data)
            self._left -= len(data)
            self._size += len(data)
        try:
            while self._waiting is not None and self._take():
                pass
            if max(self._size, len(self._taken)) > LARGEST:
                raise ValueError("the answer is too long")
        except ValueError as broken:
            self._fail(str(broken))
            self.close()

    def eof_received(self) -> bool:
        self.reusable = False
        if self._head is not None and self._left > TO_THE_END // 2:
            self._done()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._transport = None
        self._fail(type(exc).__name__ if exc is not None else "closed")

    # --- reading

    def _take(self) -> bool:
        """Take one piece of the answer; False when more must come first. Raises ValueError for what is no HTTP."""
        if self._head is None:
            return self._take_head()
        if self._chunked:
            return self._take_chunk()
        if self._left > 0:
            return False
        if self._left < 0:
            raise ValueError("more came than the answer's length")
        self._done()
        return True

    def _take_head(self) -> bool:
        head, found, rest = self._taken.partition(b"\r\n\r\n")
        if not found:
            if len(self._taken) > HEAD_LIMIT:
                raise ValueError("the head of the answer is too long")
            return False
        text = head.decode("latin-1")
        first = text.partition("\r\n")[0]
        version, _space, words = first.partition(" ")
        status, _space, reason = words.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise ValueError("this is no HTTP/1.1")
        self._taken = rest
        code = int(status)
        if 100 <= code < 200:
            return True
        fields = {name.lower(): value.strip() for name, value in _FIELDS(text)}
        connection = fields.get("connection", "").lower()
        if connection == "close" or (version == "HTTP/1.0" and connection != "keep-alive"):
            self.reusable = False
        self._head, self._left, self._body, self._size = (code, reason), 0, [], 0
        self._chunked = "chunked" in fields.get("transfer-encoding", "").lower()
        if self._chunked:
            return True
        if code not in (204, 304):
            length = fields.get("content-length")
            if length is None:
                self._left, self.reusable = TO_THE_END, False
            elif length.isascii() and length.isdigit():
                self._left = int(length)
            else:
                raise ValueError("the length of the answer is no number")
        self._body, self._left, self._taken = [rest], self._left - len(rest), b""
        self._size = len(rest)
        if LARGEST < self._left < TO_THE_END // 2:
            raise ValueError("the answer is too long")
        return True

    def _take_chunk(self) -> bool:
        line, found, rest = self._taken.partition(b"\r\n")
        if not found:
            if len(line) > HEAD_LIMIT:
                raise ValueError("the size of a chunk is no number")
            return False
        size = int(line.partition(b";")[0], 16)
        if not 0 <= size <= LARGEST - self._size:
            raise ValueError("the answer is too long")
        if size == 0:
            # The last chunk, perhaps fields behind it, and an empty line.
            end = 0 if rest.startswith(b"\r\n") else rest.find(b"\r\n\r\n") + 2
            if end == 1:
                return False
            if rest[end + 2 :]:
                raise ValueError("more came than the answer's length")
            self._done()
            return True
        if len(rest) < size + 2:
            return False
        self._body.append(rest[:size])
        self._size += size
        self._taken = rest[size + 2 :]
        return True

    def _done(self) -> None:
        assert self._head is not None
        (status, reason), body = self._head, b"".join(self._body)
        self._head, self._chunked, self._body, self._taken = None, False, [], b""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(status, reason, body))

    def _fail(self, why: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(ConnectionError(why))


class Wires:
    """At most ``limit`` connections to one server; one idle for ``keepalive`` seconds is not used again."""

    def __init__(self, host: str, port: int, secure: bool, limit: int, keepalive: float) -> None:
        self._host, self._port = host, port
        self._ssl = ssl.create_default_context() if secure else None
        self._limit, self._keepalive = limit, keepalive
        self._idle: list[_Connection] = []
        self._open = 0
        self._all: set[_Connection] = set()
        self._queue: deque[asyncio.Future[_Connection | None]] = deque()

    async def request(self, request: bytes, limit: float) -> Answer:
        """Send it once and return the answer, within ``limit`` seconds. Raises CannotConnect, ConnectionError and
        TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        connection = self._ready(loop.time())
        if connection is None:
            async with asyncio.timeout_at(deadline):
                connection = await self._take(loop)
        # A timer of our own on the answer: asyncio.timeout would cost a third of the whole request.
        answer = connection.send(request)
        timer = loop.call_at(deadline, _too_late, answer)
        try:
            return await answer
        except BaseException:
            connection.close()
            raise
        finally:
            timer.cancel()
            self._give(connection)

    async def close(self) -> None:
        """Take every connection down; requests that wait for an answer get ConnectionError."""
        for connection in tuple(self._all):
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # aborted transports close their sockets in the loop's next turn

    def _ready(self, now: float) -> _Connection | None:
        """An idle connection, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > now - self._keepalive:
                return connection
            self._drop(connection)
        return None

    async def _take(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        """A connection: an idle one, a new one, or the next that is free."""
        while True:
            if (connection := self._ready(loop.time())) is not None:
                return connection
            if self._open < self._limit:
                return await self._connect(loop)
            turn: asyncio.Future[_Connection | None] = loop.create_future()
            self._queue.append(turn)
            try:
                given = await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    left = turn.result()
                    if left is not None:
                        self._give(left)
                    else:
                        self._next()
                raise
            if given is not None and given.reusable:
                return given
            if given is not None:
                self._drop(given)

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        self._open += 1
        connection = _Connection(loop)
        try:
            await loop.create_connection(lambda: connection, self._host, self._port, ssl=self._ssl)
        except BaseException as error:
            self._open -= 1
            connection.close()
            self._next()
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise CannotConnect(error.strerror or type(error).__name__) from None
            raise
        self._all.add(connection)
        return connection

    def _give(self, connection: _Connection) -> None:
        """The connection is free: for the next in the queue, or to be kept."""
        if not connection.reusable:
            self._drop(connection)
            self._next()
            return
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection in self._all:
            self._all.discard(connection)
            self._open -= 1
        connection.close()

    def _next(self) -> None:
        """A place is free: let the next in the queue open a connection of its own."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return


def _too_late(answer: asyncio.Future[Answer]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def host_and_port(netloc: str, secure: bool) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port`` taken apart. Raises ValueError."""
    host, colon, port = netloc.rpartition(":")
    if not colon or netloc.endswith("]"):
        host, port = netloc, ""
    with suppress(ValueError):
        return host.strip("[]"), int(port) if port else (443 if secure else 80)
    raise ValueError(f"not a host and port: {netloc!r}")
