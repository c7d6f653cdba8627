"""Whether each trunk is in service, from what Asterisk says of registrations and of answers to OPTIONS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from config.settings import Hotline
from phone.ami import Ami, AmiRefused
from phone.trunk_words import IN_SERVICE as IN_SERVICE, TrunkState as TrunkState


def trunk_states(
    hotline: Hotline, registrations: Iterable[Mapping[str, str]], contacts: Iterable[Mapping[str, str]]
) -> dict[str, TrunkState]:
    """Each trunk's state by its name, in order, from AMI's OutboundRegistrationDetail and ContactStatusDetail."""
    # Between the registrations stand their authentications, of the same names.
    registered = {
        each.get("objectname", ""): each.get("status", "")
        for each in registrations
        if each.get("event") == "OutboundRegistrationDetail"
    }
    answers: dict[str, set[str]] = {}
    for contact in contacts:
        answers.setdefault(contact.get("aor", ""), set()).add(contact.get("status", ""))
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
    contacts: list[dict[str, str]] = []  # PJSIPShowContacts knows only those that registered with us
    for trunk in hotline.trunks:
        with contextlib.suppress(AmiRefused):  # Asterisk has not got this trunk (yet)
            contacts += await ami.listing("PJSIPShowEndpoint", Endpoint=hotline.asterisk.endpoint(trunk.name))
    return trunk_states(hotline, registrations, [each for each in contacts if each["event"] == "ContactStatusDetail"])
