"""One AMI connection for what ARI cannot do (MixMonitor), over panoramisk, with that library's known faults guarded.

Guarded here: no check for CR and LF in values (an injection), no time-out on an action, actions that had no answer
are sent again after a reconnect, a dead peer is not noticed, a refused login is retried in silence, a connection that
could not be made is tried again for ever. So each connection gets a panoramisk Manager of its own, which is thrown away
when it breaks; we reconnect, ping, and bound every wait.
Secrets appear in no log: panoramisk's own logger is silenced below WARNING.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

import structlog
from panoramisk import Manager  # type: ignore[import-untyped]
from panoramisk.ami_protocol import AMIProtocol  # type: ignore[import-untyped]
from panoramisk.message import Message  # type: ignore[import-untyped]

log = structlog.get_logger()

CONNECT_LIMIT = 5.0
"""Seconds for connection and login together: both are on loopback."""

ACTION_LIMIT = 5.0
"""Seconds for one action; MixMonitor answers in under 1 ms (DESIGN.md section 5)."""

PING_EVERY = 5.0
"""Seconds between two pings, and so, with ACTION_LIMIT, how soon a dead peer is noticed."""

BACKOFF_FIRST, BACKOFF_CAP = 0.1, 5.0
"""Seconds before the first and between later tries to connect, fully jittered."""


class AmiError(Exception):
    """AMI did not do it."""


class AmiRefused(AmiError):
    """Asterisk answered ``Error``; the text is its own."""


class AmiLost(AmiError):
    """There is no connection, or it broke, or no answer came in time: unknown whether it was done."""


class AmiLogin(AmiError):
    """Asterisk refuses this user name and password: trying again would change nothing."""


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """panoramisk's, which may also break before its manager has heard of it."""

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.factory is None:
            self.closed = True
        else:
            super().connection_lost(exc)


class _OneConnection(Manager):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's Manager for one connection: it tells of its loss and never reconnects or repeats by itself."""

    def __init__(self, *, lost: Callable[[], None], **config: object) -> None:
        super().__init__(**config)
        self.pinger: asyncio.TimerHandle | None = None
        self._lost = lost

    def connection_made(self, f: asyncio.Future[tuple[asyncio.Transport, _Protocol]]) -> None:
        # A connection that could not be made is told by connect(); panoramisk would try it again behind our back, and
        # each manager that was thrown away would soon hold a connection for ever.
        if f.cancelled() or f.exception() is not None:
            return
        _transport, protocol = f.result()
        if protocol.closed:
            self._lost()
        else:
            super().connection_made(f)

    def connection_lost(self, exc: object) -> None:
        self._connected = False
        if self.pinger is not None:
            self.pinger.cancel()
            self.pinger = None
        self.awaiting_actions.clear()
        self._lost()


class Ami:
    """Keeps one connection up; :meth:`action` works while it is."""

    def __init__(self, host: str, port: int, username: str, secret: str) -> None:
        self._host, self._port, self._username, self._secret = host, port, username, secret
        self._manager: _OneConnection | None = None
        self._up = asyncio.Event()
        self.on_change: Callable[[bool, str], None] = lambda up, why: None
        logging.getLogger("panoramisk").setLevel(logging.CRITICAL)

    @property
    def ready(self) -> bool:
        """Whether the connection stands."""
        return self._up.is_set()

    async def wait_ready(self, timeout: float) -> None:
        """Wait for the connection. Raises AmiLost after ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._up.wait()
        except TimeoutError:
            raise AmiLost(f"no AMI connection to {self._host}:{self._port} within {timeout:g} s") from None

    async def run(self) -> None:
        """Keep the connection up for ever. Raises AmiLogin when Asterisk refuses the login."""
        delay = BACKOFF_FIRST
        while True:
            lost = asyncio.Event()
            try:
                manager = await self._connect(lost)
            except (OSError, TimeoutError, AmiLost) as why:
                log.warning("no AMI connection", port=self._port, why=str(why) or type(why).__name__)
            else:
                delay = BACKOFF_FIRST
                self._manager = manager
                self._up.set()
                self.on_change(True, "")
                try:
                    why_lost = await self._watch(lost)
                finally:
                    self._up.clear()
                    self._manager = None
                    manager.close()
                log.warning("the AMI connection broke", why=why_lost)
                self.on_change(False, why_lost)
            await asyncio.sleep(random.uniform(0, delay))
            delay = min(delay * 2, BACKOFF_CAP)

    async def action(self, name: str, /, **fields: str) -> dict[str, str]:
        """Carry out one action and return the fields of its answer, in lower case.

        Raises AmiRefused (Asterisk said Error), AmiLost, and ValueError for text with CR, LF or NUL in it.
        """
        for text in (name, *fields, *fields.values()):
            if any(char in text for char in "\r\n\0"):
                raise ValueError(f"AMI {name!r}: {text[:40]!r} holds a line break or NUL")
        manager = self._manager
        if manager is None:
            raise AmiLost(f"AMI {name}: there is no connection")
        return await self._send(manager, {"Action": name, **fields})

    async def listing(self, name: str, /, **fields: str) -> list[dict[str, str]]:
        """Carry out an action that answers with a list; its entries, keys in lower case. Raises as :meth:`action`."""
        manager = self._manager
        if manager is None:
            raise AmiLost(f"AMI {name}: there is no connection")
        answers = await self._answers(manager, {"Action": name, **fields}, as_list=None)
        return [entry for entry in answers if "event" in entry and "eventlist" not in entry]

    async def _connect(self, lost: asyncio.Event) -> _OneConnection:
        manager = _OneConnection(
            lost=lost.set,
            host=self._host,
            port=self._port,
            username=self._username,
            secret=self._secret,
            events="off",
            protocol_factory=_Protocol,
            # Pings are ours (:meth:`_watch`): panoramisk's have no time-out.
            ping_delay=86_400,
            ping_interval=86_400,
            loop=asyncio.get_running_loop(),
        )
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                await manager.connect()
                # connection_made ran as a callback of that task, which was added before ours: the login is under way.
                await asyncio.sleep(0)
                login = manager.authenticated_future
                if login is None:
                    raise AmiLost("AMI: the connection broke before the login")
                await _first(login, lost)
                if not login.done():
                    raise AmiLost("AMI: the connection broke in the login")
                if login.result().response.lower() != "success":
                    raise AmiLogin(f"Asterisk refuses the AMI user {self._username!r} at {self._host}:{self._port}")
        except BaseException:
            manager.close()
            raise
        return manager

    async def _watch(self, lost: asyncio.Event) -> str:
        """Wait until the connection breaks; returns why."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY):
                    await lost.wait()
                return "closed by Asterisk"
            except TimeoutError:
                pass
            try:
                await self.action("Ping")
            except AmiError as why:
                return str(why)

    async def _send(self, manager: _OneConnection, action: dict[str, str]) -> dict[str, str]:
        return (await self._answers(manager, action, as_list=False))[0]

    async def _answers(
        self, manager: _OneConnection, action: dict[str, str], *, as_list: bool | None
    ) -> list[dict[str, str]]:
        name = action["Action"]
        future: asyncio.Future[Message | list[Message]] = manager.send_action(action, as_list=as_list)
        try:
            async with asyncio.timeout(ACTION_LIMIT):
                while not future.done():
                    await asyncio.wait({future}, timeout=0.5)
                    if not future.done() and self._manager is not manager:
                        raise AmiLost(f"AMI {name}: the connection broke before an answer came")
        except TimeoutError:
            raise AmiLost(f"AMI {name}: no answer within {ACTION_LIMIT:g} s") from None
        found = future.result()
        messages = found if isinstance(found, list) else [found]
        answers = [{str(key).lower(): str(value) for key, value in message.items()} for message in messages]
        if answers[0].get("response", "").lower() != "success":
            raise AmiRefused(f"AMI {name}: {answers[0].get('message', 'refused')}")
        return answers


async def _first(answer: asyncio.Future[Message], lost: asyncio.Event) -> None:
    """Wait for the answer or for the loss: panoramisk never ends the future of a connection that broke."""
    gone = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
