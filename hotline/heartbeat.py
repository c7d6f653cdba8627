"""The heartbeat by which Asterisk notices a daemon that hangs, and by which the daemon itself knows that it is alive.

Callers whom a daemon that died has left behind are found by a channel in Asterisk that watches the same variable; it is
started with each connection (``hotline-watch`` in the dialplan).

Each beat is a user event that we send to our own application: it comes back on the WebSocket, through the same reader,
inbox and task as a new caller's arrival. Only then the time is written into Asterisk's global variable
``HOTLINE_ALIVE``, which the dialplan compares with its own clock before it gives us a caller (DESIGN.md section 5,
mechanics 9).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from ari.errors import AriError, AriResponseError

log = structlog.get_logger()

VARIABLE = "HOTLINE_ALIVE"
BEAT = "hotline-beat-"
"""The user event's name, before its number."""

WATCH = "Local/s@hotline-watch/n"
"""The channel that watches over callers, should we die; there is always one, the newest."""

BEAT_EVERY = 1.0
"""Seconds between two beats: a fifth of what the dialplan tolerates (``hotline.asterisk.render.SILENCE_LIMIT``)."""

BEAT_LIMIT = 3.0
"""Seconds for one event to come back; then the next is sent."""

HUNG = 20.0
"""Seconds connected without a beat after which we are no longer alive: long enough for a loaded machine, and for the
client to notice a connection that is dead."""

STOP_LIMIT = 1.0
"""Seconds given to the last word at a stop."""


class _Server(Protocol):
    async def set_variable(self, name: str, value: str) -> None: ...


class _Events(Protocol):
    async def user_event(self, name: str) -> None: ...


class _Channels(Protocol):
    async def originate(self, endpoint: str, *, context: str, extension: str, timeout: int) -> object: ...


class _Client(Protocol):
    @property
    def ready(self) -> bool: ...
    @property
    def asterisk(self) -> _Server: ...
    @property
    def events(self) -> _Events: ...
    @property
    def channels(self) -> _Channels: ...


class Heartbeat:
    """``wall`` is Asterisk's clock, in seconds since 1970 UTC: that of the machine."""

    def __init__(self, client: _Client, wall: Callable[[], float] = time.time) -> None:
        self._client, self._wall = client, wall
        self._number = 0
        self._back = asyncio.Event()
        self._silent_since: float | None = None
        self._stopped = False

    async def connected(self) -> None:
        """The first word after a (re)connect: for some seconds callers may come. Raises AriError."""
        await self._tell(str(int(self._wall())))
        self._silent_since = None
        try:
            await self._client.channels.originate(WATCH, context="hotline-watch", extension="wait", timeout=10)
        except AriResponseError as error:  # an Asterisk of one's own that has not read our newest files yet
            log.error("nobody watches over callers, should we die: render and reload Asterisk", why=str(error))

    def came(self, name: str) -> None:
        """A user event came back."""
        if name == f"{BEAT}{self._number}":
            self._back.set()

    async def run(self) -> None:
        """Beat for ever."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._client.ready:
                self._silent_since = None
            elif await self._beat():
                if self._silent_since is not None and loop.time() - self._silent_since > BEAT_LIMIT:
                    log.warning("the heartbeat is back", seconds=round(loop.time() - self._silent_since, 1))
                self._silent_since = None
            elif self._silent_since is None:
                self._silent_since = loop.time()
            await asyncio.sleep(BEAT_EVERY)

    @property
    def alive(self) -> bool:
        """Whether our own events come back to us; a connection that is down is no fault of ours."""
        if self._silent_since is None or not self._client.ready:
            return True
        return asyncio.get_running_loop().time() - self._silent_since < HUNG

    async def stop(self) -> None:
        """New callers shall go into the lifeboat from now on; no beat says otherwise. Never raises."""
        self._stopped = True
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await self._tell("0")
        except (AriError, TimeoutError) as error:
            log.warning("Asterisk was not told of the stop: the next callers wait some seconds", why=str(error))

    async def _beat(self) -> bool:
        self._number += 1
        self._back.clear()
        try:
            await self._client.events.user_event(f"{BEAT}{self._number}")
            async with asyncio.timeout(BEAT_LIMIT):
                await self._back.wait()
            if not self._stopped:
                await self._tell(str(int(self._wall())))
        except (AriError, TimeoutError) as error:
            if self._client.ready:
                log.warning("no heartbeat", why=str(error) or type(error).__name__)
            return False
        return True

    async def _tell(self, value: str) -> None:
        await self._client.asterisk.set_variable(VARIABLE, value)
