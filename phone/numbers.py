"""Telephone numbers as people and carriers write them, in E.164 (ITU-T E.164: + and at most 15 digits)."""

from __future__ import annotations

import phonenumbers


def e164(raw: str, country: str) -> str:
    """The number in E.164, or nothing when it cannot be read as one.

    ``country`` is the ISO 3166 region in which a number without + is meant. A leading 0 that a carrier put before a
    mobile number is the national prefix and falls away.
    """
    digits = "".join(char for char in raw if char in "+0123456789")
    if len(digits) < 3:
        return ""
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
