"""What the devices of the agents mean: numbers that nobody can or may be rung at, and devices that two would share."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumberType, number_type, shortnumberinfo

from config.catalogue import _, ngettext
from config.problems import Place, Problem, key_path, shown
from config.settings import Hotline, Settings
from phone.numbers import e164
from phone.trunks import outside_targets

DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
"""Kinds of numbers that cost by the call, as those of other hotlines do: no person is at such a number."""


def check(settings: Settings) -> list[Problem]:
    """Every problem of the agents' devices; none gives an empty list."""
    hotline, found = settings.hotline, list[Problem]()
    owners: dict[str, str] = {}
    unreached: list[tuple[str, str, tuple[str | int, ...]]] = []
    for agent, one in settings.agents.agents.items():
        for index, device in enumerate(one.devices):
            place = ("agents", agent, "devices", index)
            if (device.sip is None) == (device.number is None):
                what = _("A device has either sip or number.")
                fix = _('Write {example}, one device in each pair of braces.').format(
                    example='{sip: "8001"}, {number: "13800138000"}'
                )
                found.append(_problem("device-unclear", place, what, fix))
            elif device.number is not None:
                faults = list(_number(device.number, hotline, (*place, "number")))
                if all(fault.warning for fault in faults) and not outside_targets(device.number, hotline):
                    unreached.append((device.number, agent, (*place, "number")))
                found += faults
                if device.confirm is False:
                    what = _("A number is always confirmed by key 1: its voicemail could answer a caller.")
                    found.append(_problem("device-unconfirmed", (*place, "confirm"), what, _("Remove the key.")))
                number = e164(device.number, hotline.country)
                if number and number in owners:
                    what = _("The number {number} already belongs to agent {agent}.")
                    what = what.format(number=device.number, agent=owners[number])
                    fix = _("One person cannot take two calls: remove one of them.")
                    found.append(_problem("number-doubled", (*place, "number"), what, fix))
                owners.setdefault(number, agent)
    return [*found, *_unreached(unreached)]


def _unreached(numbers: list[tuple[str, str, tuple[str | int, ...]]]) -> Iterator[Problem]:
    """Numbers that no trunk carries calls to: one cause, told once."""
    if not numbers:
        return
    (number, _agent, path), agents = numbers[0], list(dict.fromkeys(agent for _number, agent, _path in numbers))
    what = _("No trunk carries calls out, so {number} cannot be rung.").format(number=number)
    if len(numbers) > 1:
        what = ngettext(
            "No trunk carries calls out, so the numbers of {n} agent cannot be rung: {agents}.",
            "No trunk carries calls out, so the numbers of {n} agents cannot be rung: {agents}.", len(agents),
        ).format(n=len(agents), agents=shown(", ".join(agents), 120))  # fmt: skip
    yield _problem("number-no-trunk", path, what, _("Set outgoing.present of a trunk in hotline.yaml."))


def _number(number: str, hotline: Hotline, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """What speaks against ringing an agent there."""
    full = e164(number, hotline.country)
    if shortnumberinfo.is_emergency_number(number, hotline.country):
        what = _("{number} is an emergency number.").format(number=number)
        yield _problem("number-emergency", path, what, _("Give the agent's own number."))
    elif not full:
        what = _("{number} is not a telephone number in {country}.").format(number=number, country=hotline.country)
        yield _problem("number-wrong", path, what, _("Write it as it is dialled here, or with + and the country."))
    elif full in {e164(own, hotline.country) for own in hotline.numbers}:
        what = _("{number} is the hotline itself.").format(number=number)
        yield _problem("number-is-hotline", path, what, _("Give the agent's own number."))
    else:
        parsed = phonenumbers.parse(full)
        if number_type(parsed) in DEAR:
            what = _("{number} is a number that costs by the call.").format(number=number)
            yield _problem("number-dear", path, what, _("Give the agent's own number."))
        elif not phonenumbers.is_valid_number(parsed):
            what = _("No carrier is known to have given out {number}.").format(number=number)
            yield _problem("number-unknown", path, what, _("Is a digit wrong?"), warning=True)
        elif full in {e164(trunk.outgoing.present or "", hotline.country) for trunk in hotline.trunks}:
            what = _("{number} is what a trunk shows: a call to it may come back to the hotline.").format(number=number)
            yield _problem("number-shown", path, what, _("Give the agent's own number."), warning=True)


def _problem(code: str, path: tuple[str | int, ...], what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place("agents.yaml", 0, key_path(path)), what, fix, warning)
