"""Whether each trunk is in service, from what Asterisk says of registrations and of answers to OPTIONS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from config.settings import Hotline
from phone.ami import Ami

TrunkState = Literal["registered", "reachable", "refused", "unreachable", "unregistered", "unknown"]
"""``refused``: the carrier answers and does not take our account. ``unknown``: never asked, or not in this Asterisk."""

IN_SERVICE: frozenset[TrunkState] = frozenset({"registered", "reachable"})


def trunk_states(
    hotline: Hotline, registrations: Iterable[Mapping[str, str]], contacts: Iterable[Mapping[str, str]]
) -> dict[str, TrunkState]:
    """Each trunk's state by its name, in their order, from AMI's OutboundRegistrationDetail and ContactList entries."""
    registered = {each.get("objectname", ""): each.get("status", "") for each in registrations}
    answers: dict[str, set[str]] = {}
    for contact in contacts:
        aor = contact.get("aor") or contact.get("objectname", "").partition("/")[0].partition(";@")[0]
        answers.setdefault(aor, set()).add(contact.get("status", ""))
    return {
        trunk.name: _state(registered.get(name), answers.get(name, set()))
        for trunk in hotline.trunks
        for name in [hotline.asterisk.endpoint(trunk.name)]
    }


def _state(registration: str | None, answers: set[str]) -> TrunkState:
    answering, silent = "Reachable" in answers, "Unreachable" in answers
    if registration == "Registered":
        return "registered"
    if registration == "Rejected":  # what no answer to a REGISTER is called, too
        return "unreachable" if silent and not answering else "refused"
    if registration is not None:
        return "unregistered"
    return "reachable" if answering else "unreachable" if silent else "unknown"


async def ask_trunk_states(ami: Ami, hotline: Hotline) -> dict[str, TrunkState]:
    """The state of each trunk now. Raises AmiError."""
    registrations = (
        await ami.listing("PJSIPShowRegistrationsOutbound")
        if any(trunk.registration is not None for trunk in hotline.trunks)
        else []
    )
    return trunk_states(hotline, registrations, await ami.listing("PJSIPShowContacts"))
