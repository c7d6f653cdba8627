"""Telephone numbers as far as somebody may see them: ``138****8000``. Pure.

What is left tells two callers apart, and finds a number one knows already; it is not enough to call anybody. In a log
no number is ever written whole (:func:`masked_text`); on screens the reader's permission decides (:func:`shown`).
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = "****"
_BETWEEN = re.compile(r"[\s\-()./\u2010-\u2015]+")
"""What people write between digits."""

_SCHEME = re.compile(r"^(sips?|tel):", re.IGNORECASE)

_LONG, _SHORTEST = 10, 5
"""Digits from which a number has an area code (its last four are shown), and below which nothing of it is."""

_IN_TEXT = re.compile(
    r"""(?<![0-9A-Fa-f])(?<![0-9a-f]{4}-)    # not inside a digest, nor the end of a UUID
    (?:\+[0-9]{7,15}                         # E.164
      |[0-9]{10,15}                          # as it is dialled, with its area code
      |1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})  # a mobile in groups
    (?![0-9A-Fa-f])(?!\.[0-9])               # a Uniqueid goes on with .N and is no telephone number""",
    re.VERBOSE,
)
_IN_JSON = re.compile(r'("(?:raw|e164)": ?")([^"]*)')
"""A party as it stands in a line of the spool: a short number is known by its key alone."""


def masked(number: str) -> str:
    """One number with its middle hidden.

    ==================  =================
    ``13800008000``     ``138****8000``
    ``+8613800008000``  ``+86138****8000``
    ``021-12345678``    ``021****5678``
    ``95588``           ``9****88``
    ``8001``            ``****``
    a SIP name          its first character and ``****``; never its domain
    nothing (hidden)    nothing
    ==================  =================
    """
    text = unicodedata.normalize("NFKC", number).strip()
    digits = _BETWEEN.sub("", text).removeprefix("+")
    if not text:
        return ""
    if not (digits.isascii() and digits.isdigit()):
        user = _SCHEME.sub("", text).partition("@")[0]
        return masked(user) if user != text else f"{user[:1]}{_HIDDEN}"
    if len(digits) < _SHORTEST:
        return _HIDDEN
    last = 4 if len(digits) >= _LONG else 2
    plus = "+" if text.startswith("+") else ""
    return f"{plus}{digits[: max(1, len(digits) - last - 4)]}{_HIDDEN}{digits[-last:]}"


def masked_text(text: str) -> str:
    """A text with every telephone number in it masked: E.164, or as dialled with its area code (10 to 15 digits)."""
    text = _IN_JSON.sub(lambda found: found[1] + masked(found[2]), text)
    return _IN_TEXT.sub(lambda found: masked(found[0]), text)


def at_home(number: str, country: str) -> str:
    """A number as people at home write it: ``13800001111``, ``02112345678``; a foreign one stays in E.164.

    Only China's numbers are shortened: all but mobiles (1…) and service numbers (400, 800, 95…) are dialled with a 0
    before the area code.
    """
    if country != "CN" or not number.startswith("+86"):
        return number
    national = number[3:]
    return national if re.match(r"1[3-9]|[48]00|95", national) else f"0{national}"


def shown(number: str, country: str, *, whole: bool) -> str:
    """A caller's number for a screen, as people at home write it: whole, or masked. Empty where it was hidden."""
    home = at_home(number, country)
    return home if whole else masked(home)
