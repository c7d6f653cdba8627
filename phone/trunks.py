"""Which way a call of ours goes out, and what a carrier means by a caller's number. Pure.

Outgoing calls try the trunks in their order. A 400 number is inbound only: what we show is each trunk's own
``outgoing.present``, and a trunk without one carries no call out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from config.catalogue import _
from config.problems import Place, Problem, key_path
from config.settings import Hotline
from config.telephony import Trunk
from phone.numbers import dialled, e164, exchanged, read, write

_SERVICE = frozenset({
    phonenumbers.PhoneNumberType.TOLL_FREE, phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.UAN,
})  # fmt: skip
"""Numbers that can be called and must never be shown: 400, 800 and their like."""


@dataclass(frozen=True, slots=True)
class OutsideTarget:
    """Where to send a call to an outside number: ARI's endpoint, the caller id to show, and the trunk's name."""

    endpoint: str
    caller_id: str
    trunk: str


def outside_targets(number: str, hotline: Hotline) -> list[OutsideTarget]:
    """The ways to an outside number in the trunks' order; none when no trunk may call out (no ``present``)."""
    found = []
    for trunk in hotline.trunks:
        out = trunk.outgoing
        if out.present is None:
            continue
        called = exchanged(write(number, out.called, hotline.country, trunk.area_code), out.strip, out.add)
        shown = write(out.present, out.present_as, hotline.country, trunk.area_code)
        found.append(OutsideTarget(f"PJSIP/{called}@{hotline.asterisk.endpoint(trunk.name)}", shown, trunk.name))
    return found


def caller_e164(written: str, trunk_name: str, hotline: Hotline) -> str:
    """A caller's number as this trunk wrote it, in E.164; nothing when it is none (hidden, an extension)."""
    trunk = next((each for each in hotline.trunks if each.name == trunk_name), None)
    if trunk is None:
        return e164(written, hotline.country)
    came = trunk.incoming
    number = exchanged(dialled(written), came.strip, came.add)
    return read(number, came.caller, hotline.country, trunk.area_code)


def check(hotline: Hotline) -> list[Problem]:
    """What the trunks are to show and to write that cannot be; the places have no line yet."""
    found: list[Problem] = []
    for index, trunk in enumerate(hotline.trunks):
        found += _presented(index, trunk, hotline)
        formats = (trunk.incoming.caller, trunk.outgoing.called, trunk.outgoing.present_as)
        if "local" in formats and not trunk.area_code:
            what = _("The trunk {name} writes local numbers, and its area is not known.").format(name=trunk.name)
            fix = _("Set area_code, for example 021.")
            found.append(Problem("area-code-missing", _place(index), what, fix))
    return found


def _presented(index: int, trunk: Trunk, hotline: Hotline) -> Iterator[Problem]:
    shown = trunk.outgoing.present
    if shown is None:
        return
    here = _place(index, "outgoing", "present")
    number = e164(shown, hotline.country)
    if not number:
        what = _("{number} is no telephone number.").format(number=shown)
        yield Problem("present-no-number", here, what, _("Write it whole, with its area code."))
    elif phonenumbers.number_type(phonenumbers.parse(number)) in _SERVICE:
        what = _("{number} is a service number: it can be called, and must never be shown to whom we call.")
        fix = _("Present the geographic number behind it.")
        yield Problem("present-service-number", here, what.format(number=shown), fix)


def _place(index: int, *keys: str) -> Place:
    return Place("hotline.yaml", 0, key_path(("trunks", index, *keys)))
