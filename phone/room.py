"""The waiting room: one holding bridge with music, in which all callers wait who wait."""

from __future__ import annotations

import contextlib

from ari import Client
from ari.errors import AriError, BadRequest, Conflict, NotFound, Unprocessable
from phone import port
from phone.requests import Requests

WAITING_ROOM = "hotline-waiting-room"
MUSIC = "hotline"
"""The class of music on hold in Asterisk's configuration (``hotline.asterisk.render.MUSIC``)."""

MUSIC_SURE = 4
"""With more legs in the room its music plays: it ends when the last one leaves, and so many do not at once."""


class WaitingRoom:
    """Knows who is in it, as far as we can tell. Raises LegGone and PhoneFault."""

    def __init__(self, client: Client, requests: Requests) -> None:
        self._ari, self._requests = client, requests
        self._legs: set[str] = set()

    async def open(self) -> None:
        """Make it, after each (re)connect; who is in it is then not sure. Raises ari's errors."""
        self._legs.clear()
        with contextlib.suppress(Conflict):  # it is there since the last connection
            await self._ari.bridges.create(WAITING_ROOM, type="holding", name="hotline waiting room")

    async def enter(self, leg: str) -> None:
        """Put a leg in."""
        await self._requests.do(leg, "wait", lambda: self._ari.bridges.add_channel(WAITING_ROOM, leg))
        self._legs.add(leg)
        if len(self._legs) <= MUSIC_SURE:
            await self.keep_music()

    async def keep_music(self) -> None:
        """Make sure that it has its music: it ends when the last leg leaves (seen on 22.10.1)."""
        try:
            await self._ari.bridges.moh_start(WAITING_ROOM, moh_class=MUSIC)
        except AriError as error:
            raise port.PhoneFault(f"music: {error}") from None

    async def leave(self, leg: str) -> None:
        """Take a leg out; one that is not there is no error."""
        self.left(leg)
        try:
            await self._ari.bridges.remove_channel(WAITING_ROOM, leg)
        except (NotFound, Conflict, Unprocessable, BadRequest):
            pass
        except AriError as error:
            raise port.PhoneFault(f"stop music: {error}") from None

    def left(self, leg: str) -> None:
        """This leg is gone, or goes elsewhere."""
        self._legs.discard(leg)
