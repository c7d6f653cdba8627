"""What commands may have the running daemon write down: the access log, and what is kept or goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from calllog.access import Access
from calllog.errors import StoreError
from config.catalogue import _
from hotline.control import Refused, Verb, peer
from hotline.ledger import Own, unpacked, user_name
from recordings.ledger import Degraded

if TYPE_CHECKING:
    from hotline.daemon import Daemon


class KeepVerbs:
    """The daemon's answers, by verb. Each raises Refused."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def table(self) -> dict[str, Verb]:
        """The verbs by name."""
        return {"access": self._access, "keep": self._keep}

    async def _access(self, request: Mapping[str, Any]) -> dict[str, Any]:
        who = user_name(peer(), str(request.get("sudo", "")))
        try:
            accesses = msgspec.convert(request.get("accesses"), list[Access])
        except msgspec.ValidationError:
            raise Refused(not_understood) from None
        try:
            await self._daemon.access.note([replace(one, who=who, role="operator", address="") for one in accesses])
        except StoreError as error:
            why = str(error)
            raise Refused(lambda: why) from None
        return {}


    async def _keep(self, request: Mapping[str, Any]) -> dict[str, Any]:
        daemon = self._daemon
        try:
            entries = [unpacked(each) for each in request.get("entries", ())]
        except (ValueError, LookupError, TypeError):
            raise Refused(not_understood) from None
        try:
            await Own(daemon.journal, daemon.access, user_name(peer(), str(request.get("sudo", "")))).write(entries)
        except (StoreError, Degraded) as error:
            why = str(error)
            raise Refused(lambda: why) from None
        return {}


def not_understood() -> str:
    """A request of another version's command."""
    return _("The running hotline does not know this request: is it another version?")
