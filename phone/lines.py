"""The inbox of one call over ARI: events translated to the port's words, with the desk's messages in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import structlog

from ari import Client, events as ari_ev
from ari.errors import InboxFull
from phone import port
from phone.translate import line_event

log = structlog.get_logger()

FATE = 0.3
"""Seconds after a leg left Stasis without a request to hang it up until we ask whether the dialplan has it."""

HUNG_UP = 2.0
"""Seconds after a hang-up within which Asterisk tells that the leg is gone, however busy. A play that begins in the
instant in which its channel leaves a bridge by a hang-up holds the channel's thread for ten minutes (bridge_sync_wait
in main/bridge_channel.c, seen on 22.10.1): nobody is there any more, and no agent is to ring for them."""

PLAY_SLACK = 5.0
"""Seconds after the length of its sounds at which a play counts as lost: Asterisk can forget one that is started in the
instant in which its channel leaves a bridge (seen on 22.10.1), and a caller must not wait in silence for its end."""


class Posted(ari_ev.Event, frozen=True, kw_only=True):
    """A message of our own process in an inbox of events, so that both keep one order."""

    message: object = None


class LineOwner(Protocol):
    """The phone, as its lines need it."""

    def line_closed(self, call_id: str) -> None:
        """Forget this line."""

    async def is_there(self, leg: str) -> bool:
        """Whether Asterisk still has this leg, wherever it is."""

    async def read_back(self, line: AsteriskLine, *, lost: bool = False) -> None:
        """Read what the line missed, and post it."""


class AsteriskLine:
    """A :class:`phone.port.Line`. Remembers what is outstanding, so that a broken connection can be made good."""

    def __init__(self, owner: LineOwner, client: Client, call_id: str, legs: Iterable[str]) -> None:
        self.call_id = call_id
        self.legs: set[str] = set(legs)
        self.ended: set[str] = set()
        """Legs that were followed and are gone."""
        self.answered: set[str] = {call_id}
        self.plays: dict[str, tuple[str, float]] = {}
        """By play: its leg, and the loop's time at which it counts as lost."""
        self.messages: dict[str, str] = {}
        self.prompts = self.began_with = Path()
        """The folder that this call's prompts are played from, and the one for what that no longer has: a caller may
        hear a language that has been taken away since."""
        self._owner = owner
        self._inbox = client.inbox(*self.legs)
        self._hanging_up: dict[str, int] = {}
        self._overdue: dict[str, float] = {}
        self._leaving: dict[str, float] = {}

    def follow(self, leg: str) -> None:
        """Events of this leg come here from now on."""
        self.legs.add(leg)
        self.ended.discard(leg)
        self._inbox.add(leg)

    def post(self, message: object) -> None:
        """Put a message of our own process into the inbox."""
        self._inbox.put(Posted(message=message))

    def lose(self, leg: str, lost: bool) -> None:
        """This leg ended while nobody listened."""
        self._forget(leg)
        self.post(port.LegEnded(leg, 0, lost))

    def left(self, leg: str) -> None:
        """This leg left Stasis while nobody listened; what became of it is asked soon, as after a StasisEnd."""
        self._leaving.setdefault(leg, asyncio.get_running_loop().time() + FATE)
        self.post(None)  # wakes whoever waits without a time

    def put(self, event: ari_ev.Event) -> None:
        """An event that came before this line was there."""
        self._inbox.put(event)

    def close(self) -> None:
        """Follow nothing any more."""
        self._inbox.close()
        self._owner.line_closed(self.call_id)

    async def next(self, timeout: float | None = None) -> object:
        """The next event or message; one that waits already is returned even with ``timeout`` 0."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while True:
            event = self._waiting()
            if event is None:
                event = await self._wait(loop, deadline)
            if event is not None:
                message = self._message(event, loop.time())
            else:
                now = loop.time()
                message = self._held_back(now) or self._lost_play(now) or await self._fate(now)
            if message is not None:
                return message

    def _waiting(self) -> ari_ev.Event | None:
        try:
            return self._inbox.get_nowait()
        except InboxFull:
            return None  # _wait meets it again, where it can be awaited

    async def _wait(self, loop: asyncio.AbstractEventLoop, deadline: float | None) -> ari_ev.Event | None:
        """The next event; None when a leaving leg's or a play's time is up. Raises TimeoutError at the deadline."""
        plays = (at for _leg, at in self.plays.values())
        due = min([*self._overdue.values(), *self._leaving.values(), *plays], default=None)
        until = min((at for at in (deadline, due) if at is not None), default=None)
        try:
            async with asyncio.timeout_at(until):
                return await self._inbox.get()
        except InboxFull as full:
            log.error("a call's inbox was full: reading back", call=self.call_id, why=str(full))
            self._inbox.reset()
            await self._owner.read_back(self)
            return None
        except TimeoutError:
            if due is not None and due <= loop.time():
                return None
            raise

    def _message(self, event: ari_ev.Event, now: float) -> object | None:
        if isinstance(event, Posted):
            return event.message
        if isinstance(event, ari_ev.ChannelHangupRequest):
            leg = event.channel.id
            self._hanging_up.setdefault(leg, event.cause or 0)
            if leg in self.legs:
                self._overdue.setdefault(leg, now + HUNG_UP)
            return None
        if isinstance(event, ari_ev.StasisEnd):
            # Our subscription ends here, so no ChannelDestroyed follows for a leg that came in by itself.
            leg = event.channel.id
            if leg in self._hanging_up and leg in self.legs:
                self._forget(leg)
                return port.LegEnded(leg, self._hanging_up[leg])
            if leg in self.legs:
                self._leaving.setdefault(leg, now + FATE)
            return None
        message = line_event(event)
        match message:
            case port.LegEnded(leg=leg):
                if leg not in self.legs:
                    return None
                self._forget(leg)
            case port.LegAnswered(leg=leg):
                if leg in self.answered:
                    return None
                self.answered.add(leg)
            case port.PlayEnded(leg=leg, play=play):
                self.plays.pop(play, None)
                if leg in self._hanging_up:  # cut off by the hang-up: no fault of the sounds
                    return port.PlayEnded(leg, play, True)
            case port.MessageEnded(message=name):
                self.messages.pop(name, None)
            case _:
                pass
        return message

    def playing(self, play: str, leg: str, seconds: float) -> None:
        """This play begins, and should last so long."""
        self.plays[play] = (leg, asyncio.get_running_loop().time() + seconds + PLAY_SLACK)

    def _lost_play(self, now: float) -> object | None:
        for play, (leg, at) in self.plays.items():
            if at <= now:
                log.warning("a play was lost by Asterisk", call=self.call_id, play=play)
                del self.plays[play]
                return port.PlayEnded(leg, play, False)
        return None

    def _held_back(self, now: float) -> object | None:
        """A leg that hung up, and that Asterisk does not let go."""
        for leg, at in self._overdue.items():
            if at <= now:
                log.warning("Asterisk keeps a channel that has hung up", call=self.call_id, leg=leg)
                self._forget(leg)
                return port.LegEnded(leg, self._hanging_up[leg])
        return None

    def _forget(self, leg: str) -> None:
        self.legs.discard(leg)
        self._overdue.pop(leg, None)
        self.ended.add(leg)
        self._leaving.pop(leg, None)
        self._inbox.remove(leg)

    async def _fate(self, now: float) -> object | None:
        """What became of a leg that left Stasis: the dialplan has it, or it is gone."""
        for leg, at in list(self._leaving.items()):
            if at <= now:
                del self._leaving[leg]
                if await self._owner.is_there(leg):
                    return port.LegTaken(leg)
                self._forget(leg)
                return port.LegEnded(leg, self._hanging_up.get(leg, 0))
        return None
