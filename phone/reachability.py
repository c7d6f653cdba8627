"""Which phones can be rung: their device states, followed over ARI."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable

from ari import Client
from ari.errors import AriError, BadRequest, Conflict, NotFound, Unprocessable
from phone import port
from phone.names import Names

UNREACHABLE_STATES = frozenset({"UNAVAILABLE", "INVALID", "UNKNOWN"})
"""Device states of a phone that is not registered (or does not answer OPTIONS)."""

IN_USE_STATES = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})
"""Device states of a phone that rings or talks."""


class Reachability:
    """Follows ``devices``, SIP accounts. ``tell`` hears of each whether it can be rung; ``is_ours`` says whether one
    that is in use is so by us."""

    def __init__(self, client: Client, names: Names, devices: Iterable[str], *,
                 tell: Callable[[str, bool], None], is_ours: Callable[[str], bool]) -> None:  # fmt: skip
        self._ari, self._names = client, names
        self._devices = dict.fromkeys(sorted(devices))
        self._tell, self._is_ours = tell, is_ours

    def changed(self, device: str, state: str) -> None:
        """Asterisk tells that this device (``PJSIP/8001``) is in another state; one that is not followed is none of
        ours."""
        name = self._names.name(device)
        if name in self._devices:
            self._tell(name, self._can_ring(name, state))

    async def connected(self) -> None:
        """Follow all of them on a new connection. Raises ari's errors."""
        await self._follow(self._devices)

    async def follow(self, devices: Iterable[str]) -> None:
        """Follow the reachability of these SIP accounts from now on, and tell that of each.

        Accounts that are gone are followed no more. Raises PhoneFault; the next connection follows them all the same.
        """
        before, self._devices = set(self._devices), dict.fromkeys(sorted(devices))
        if not self._ari.ready:
            return
        try:
            if gone := sorted(before - set(self._devices)):
                with contextlib.suppress(NotFound, Conflict, Unprocessable, BadRequest):
                    await self._ari.applications.unsubscribe(*self._names.devices(gone))
            await self._follow(self._devices)
        except AriError as error:
            raise port.PhoneFault(f"follow the phones: {error}") from None

    async def _follow(self, devices: Collection[str]) -> None:
        await self._ari.applications.subscribe(*self._names.devices(devices))
        for device in devices:
            state = await self._ari.device_states.get(self._names.device(device))
            self._tell(device, self._can_ring(device, state.state))

    def _can_ring(self, device: str, state: str) -> bool:
        return state not in UNREACHABLE_STATES and (state not in IN_USE_STATES or self._is_ours(device))
