"""Telephone numbers as people and carriers write them, in E.164 (ITU-T E.164: + and at most 15 digits). Pure.

The formats of ``config.telephony.NumberFormat``, for +8613912345678 and +862112345678 in country CN, area 021::

    as_sent         as it is written, whichever way
    e164            +8613912345678      +862112345678
    e164_digits     8613912345678       862112345678
    international   008613912345678     00862112345678
    national        13912345678         02112345678       as people dial within the country; abroad with 00
    national_zero   013912345678        02112345678       always with the country's trunk prefix, mobiles too
    local           13912345678         12345678          the own area's numbers without area code, others national
"""

from __future__ import annotations

import phonenumbers

from config.telephony import NumberFormat

LONGEST_SHORT = 6
"""Digits of a short code (10086, 95588, 110): it means the same in no other form."""

_ABROAD = "00"
"""What carriers write before a country code where there is no + (ITU-T E.164 appendix)."""


def dialled(raw: str) -> str:
    """The digits of a number, and the + before them if there is one."""
    digits = "".join(char for char in raw if char in "0123456789")
    return "+" + digits if raw.lstrip(" (").startswith("+") else digits


def e164(raw: str, country: str, area_code: str = "") -> str:
    """The number in E.164, or nothing when it cannot be read as one.

    ``country`` is the ISO 3166 region in which a number without + is meant, ``area_code`` (with or without its 0) the
    area of one that is no number without it. A leading 0 that a carrier put before a mobile number is the national
    prefix and falls away.
    """
    digits = dialled(raw)
    plain = _parsed(digits, country)
    if area_code and not digits.startswith("+") and (plain is None or not phonenumbers.is_valid_number(plain)):
        near = _parsed(area_code + digits, country)
        if near is not None and phonenumbers.is_valid_number(near):
            return _e164(near)
    return "" if plain is None else _e164(plain)


def read(written: str, form: NumberFormat, country: str, area_code: str = "") -> str:
    """What a carrier that writes numbers in this format means, in E.164; nothing when it is no number.

    A number that is none in this format (a short code, an extension, another carrier's habit) is read like any other.
    """
    digits = dialled(written)
    if form in ("e164", "e164_digits"):
        far = _parsed("+" + digits.removeprefix("+"), country)
    elif form == "international" and digits.startswith(_ABROAD):
        far = _parsed("+" + digits.removeprefix(_ABROAD), country)
    else:
        far = None
    return e164(digits, country, area_code) if far is None else _e164(far)


def write(number: str, form: NumberFormat, country: str, area_code: str = "") -> str:
    """A number in a carrier's format; one that is no number (a short code such as 10086) is left as it is."""
    meant = e164(number, country)
    parsed = phonenumbers.parse(meant) if meant else None
    if form == "as_sent" or parsed is None or _is_short(parsed):
        return dialled(number)
    if form == "e164":
        return meant
    if form == "e164_digits":
        return meant.removeprefix("+")
    if form == "international" or parsed.country_code != phonenumbers.country_code_for_region(country):
        return _ABROAD + meant.removeprefix("+")
    significant = phonenumbers.national_significant_number(parsed)
    prefix = phonenumbers.ndd_prefix_for_region(country, True) or ""
    if form == "national_zero":
        return prefix + significant
    area = area_code.removeprefix(prefix)
    if form == "local" and area and significant.startswith(area):
        near = significant[len(area) :]
        if e164(near, country, area_code) == meant:  # else it would be taken for another number
            return near
    return dialled(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))


def exchanged(number: str, strip: str, add: str) -> str:
    """The number without the prefix ``strip`` (where it is there) and with the prefix ``add``."""
    return add + number.removeprefix(strip)


def _parsed(digits: str, country: str) -> phonenumbers.PhoneNumber | None:
    if len(digits) < 3:
        return None
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _is_short(number: phonenumbers.PhoneNumber) -> bool:
    significant = phonenumbers.national_significant_number(number)
    return len(significant) <= LONGEST_SHORT and not phonenumbers.is_valid_number(number)


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
