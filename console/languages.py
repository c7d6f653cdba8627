"""Which of our languages somebody would rather read, by what their browser or program says of itself. Pure."""

from __future__ import annotations

from typing import get_args

from config.catalogue import Language

LONGEST = 500
"""Characters of the header that are read."""


def preferred(header: str) -> Language | None:
    """Of ``Accept-Language`` (RFC 9110, section 12.5.4) the first of our languages with the most weight; None for
    none. ``zh-Hant-TW`` is ``zh``: there is one Chinese. What makes no sense is passed over."""
    best: Language | None = None
    most = 0.0
    for part in header[:LONGEST].split(","):
        tag, _sign, rest = part.partition(";")
        name = tag.strip().partition("-")[0].lower()
        known = next((each for each in get_args(Language) if each == name), None)
        weight = _weight(rest)
        if known is not None and weight > most:
            best, most = known, weight
    return best


def _weight(text: str) -> float:
    """``q=0.8``; one where nothing is said, nothing where it makes no sense."""
    name, sign, value = text.replace(" ", "").partition("=")
    if not name and not sign:
        return 1.0
    digits = value.replace(".", "", 1)
    if name.lower() != "q" or not (digits.isascii() and digits.isdigit()) or len(value) > 5:
        return 0.0
    weight = float(value)
    return weight if weight <= 1.0 else 0.0
