"""Requests about one leg, with ARI's errors in the words of the Phone port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ari import Client
from ari.errors import AriError, BadRequest, Conflict, NotConnected, NotFound, ServerError, Unprocessable
from phone import port
from phone.ami import AmiError, AmiRefused

T = TypeVar("T")

RECONNECT_PATIENCE = 10.0
"""Seconds a request waits for a broken connection to Asterisk to come back before it is a fault."""

NOT_OURS = "not in stasis"
"""Part of what Asterisk answers (409, 422) about a channel that left our application (resource_channels.c)."""


class Requests:
    """Carries requests out, and tells a leg that is gone from a fault."""

    def __init__(self, client: Client) -> None:
        self._ari = client

    async def do(self, leg: str, what: str, request: Callable[[], Awaitable[T]]) -> T:
        """Carry out a request about a leg. Raises LegGone and PhoneFault."""
        for attempt in (1, 2):
            try:
                return await request()
            except NotFound:
                raise port.LegGone(leg) from None
            except NotConnected as down:
                # Nothing was sent: the one case in which trying again is safe.
                if attempt == 2:
                    raise port.PhoneFault(f"{what}: {down}") from None
                await self._wait_ready(what)
            except (Conflict, Unprocessable, BadRequest, ServerError) as refused:
                # A leg that is just leaving is "not in Stasis" for a request while the list of channels still has it.
                if NOT_OURS in refused.message.lower() or not await self.is_ours(leg):
                    raise port.LegGone(leg) from None
                raise port.PhoneFault(f"{what}: {refused}") from None
            except AriError as error:
                raise port.PhoneFault(f"{what}: {error}") from None
        raise AssertionError("unreachable")

    async def monitored(self, leg: str, verb: Awaitable[T]) -> T:
        """Await a MixMonitor's verb; Raises LegGone and PhoneFault."""
        try:
            return await verb
        except AmiRefused as refused:
            if not await self.is_ours(leg):
                raise port.LegGone(leg) from None
            raise port.PhoneFault(str(refused)) from None
        except AmiError as error:
            raise port.PhoneFault(str(error)) from None

    async def is_ours(self, leg: str) -> bool:
        """Whether the leg is there and in Stasis; a leg on its way out answers requests with 409, 422 or 500."""
        try:
            channel = await self._ari.channels.get(leg)
        except NotFound:
            return False
        except AriError:
            return True
        return channel.dialplan.app_name == "Stasis"

    async def is_there(self, leg: str) -> bool:
        """Whether Asterisk still has this leg, wherever it is; true when that cannot be told."""
        try:
            await self._ari.channels.get(leg)
        except NotFound:
            return False
        except AriError:
            return True
        return True

    async def _wait_ready(self, what: str) -> None:
        try:
            await self._ari.wait_ready(RECONNECT_PATIENCE)
        except AriError as error:
            raise port.PhoneFault(f"{what}: {error}") from None
