"""The bridges in which caller and agent hear each other, one for each talk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from ari import Client
from ari.errors import AriError, AriResponseError, Conflict, NotFound
from phone import port
from phone.leftovers import Leftovers
from phone.requests import Requests


class Bridges:
    """Knows the caller in each; ``lives`` tells whether that leg is still its call's. Raises LegGone and PhoneFault."""

    def __init__(self, client: Client, requests: Requests, leftovers: Leftovers, lives: Callable[[str], bool]) -> None:
        self._ari, self._requests, self._leftovers = client, requests, leftovers
        self._lives = lives
        self._callers: dict[str, str] = {}

    async def connect(self, bridge: str, caller: str, agent: str) -> None:
        """Let two legs hear each other. The agent's keys are not for the caller's ears (absorb)."""
        await self._requests.do(caller, "bridge", lambda: self._make_bridge(bridge))
        await self._requests.do(agent, "bridge", lambda: self._ari.bridges.add_channel(bridge, agent, absorb_dtmf=True))
        await self._requests.do(caller, "bridge", lambda: self._ari.bridges.add_channel(bridge, caller))
        self._callers[bridge] = caller

    async def _make_bridge(self, bridge: str) -> None:
        # dtmf_events: a bridge of two would else hand the media over natively, and no keys would arrive.
        with contextlib.suppress(Conflict):
            await self._ari.bridges.create(bridge, type="mixing,dtmf_events", name=bridge)

    async def disconnect(self, bridge: str) -> None:
        """Take a bridge away; its legs stay up. One that is gone already is no error. Tried again later where it
        fails."""
        try:
            await self._disconnect(bridge)
        except (port.PhoneFault, asyncio.CancelledError):
            self._leftovers.remember(bridge, lambda: self._disconnect(bridge))
            raise

    async def _disconnect(self, bridge: str) -> None:
        try:
            # Removing waits until the leg has left; destroying does not, and what is played to it meanwhile is lost.
            for leg in await self._left_in(bridge):
                with contextlib.suppress(AriResponseError):
                    await self._ari.bridges.remove_channel(bridge, leg)
            await self._ari.bridges.destroy(bridge)
        except NotFound:
            pass
        except AriError as error:
            raise port.PhoneFault(f"take the bridge away: {error}") from None

    async def _left_in(self, bridge: str) -> tuple[str, ...]:
        """The legs that are to live on."""
        caller = self._callers.pop(bridge, None)
        if caller is None:
            return (await self._ari.bridges.get(bridge)).channels
        return (caller,) if self._lives(caller) else ()
