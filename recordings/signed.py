"""Addresses of recordings that open one recording, for one session, for some minutes. Pure.

An audio element sends no header of ours, so the address itself carries the right: who, what and until when, under an
HMAC-SHA256 (RFC 2104). The secret is made at each start of the daemon, so no address outlives it. Whoever serves the
address must also find the session that it names still open: a copied address is worth nothing elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from calllog.events import Category

VALID_FOR = 900
"""Seconds; a page asks for a new address before."""
_SECRET = 32
_MAC = 32
_ABOUT = b"hotline recording address 1\0"


class NotSigned(Exception):
    """The address opens nothing: it was changed, is not ours, is too old, or of another session."""


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """What an address opens. ``until`` is in µs since 1970 UTC; ``session`` names the session it was given to."""

    call_id: str
    category: Category
    who: str
    session: str
    until: int
    view: str = "wav"


def new_secret() -> bytes:
    """A secret for one run of the daemon."""
    return secrets.token_bytes(_SECRET)


def sign(secret: bytes, grant: Grant) -> str:
    """The address's token: letters, digits, ``-`` and ``_``."""
    said = msgspec.json.encode(grant)
    return _written(_mac(secret, said) + said)


def opens(secret: bytes, token: str, session: str, now: int) -> Grant:
    """What the token opens, for this session at ``now`` (µs). Raises NotSigned, without telling why."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        mac, said = raw[:_MAC], raw[_MAC:]
        if token != _written(raw):  # the same bytes can be written in several ways: one of them is ours
            raise NotSigned
        if not hmac.compare_digest(mac, _mac(secret, said)):
            raise NotSigned
        grant = msgspec.json.decode(said, type=Grant)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise NotSigned from error
    if not hmac.compare_digest(grant.session.encode(), session.encode()) or now >= grant.until:
        raise NotSigned
    return grant


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(secret: bytes, said: bytes) -> bytes:
    return hmac.new(secret, _ABOUT + said, hashlib.sha256).digest()
