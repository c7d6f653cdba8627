"""The events of keeping: who heard or took what, what must stay, and what is gone; all known by ``calllog.events``."""

from __future__ import annotations

from calllog.house_events import Event

# --- stream "access", stream_id = call_id, or "log" where it is about no one call ------------------------------------


class Accessed(Event, frozen=True, kw_only=True, tag="accessed"):
    """Somebody heard, took or exported something of a caller's; the log of these is a chain (``calllog.access``).

    ``n`` counts them from 1. ``who``: a user of the console, or ``os:NAME`` of a command. ``verb`` says what they did
    (``recording.hear``, ``recording.export`` …), ``why`` is the reason they gave. ``batch`` is the same for all that
    one export took. ``previous`` is the digest of the entry before, ``digest`` this one's own.
    """

    n: int
    who: str
    verb: str
    role: str = ""
    call_id: str = ""
    category: str = ""
    party_id: str = ""
    why: str = ""
    address: str = ""
    batch: str = ""
    previous: str
    digest: str
