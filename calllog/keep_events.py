"""The events of keeping: who heard or took what, what must stay, and what is gone; all known by ``calllog.events``."""

from __future__ import annotations

from typing import Literal

import msgspec

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


# --- stream "call" ----------------------------------------------------------------------------------------------------


class HoldSet(Event, frozen=True, kw_only=True, tag="hold_set"):
    """保全: nothing of this call may be deleted until the hold is lifted. ``notes`` names the note with the reason."""

    hold_id: str
    by: str
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class HoldLifted(Event, frozen=True, kw_only=True, tag="hold_lifted"):
    """The hold is over; ``notes`` names the note with the reason."""

    hold_id: str
    by: str
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class RecordingPurged(Event, frozen=True, kw_only=True, tag="recording_purged"):
    """The recording of this category goes: its file is deleted right after this was written.

    ``kind_of`` and ``days``: the rule by which (``erased``: with all that names the caller). ``manifest`` is the name
    of the list of what went with it, ``manifest_sha256`` that file's digest.
    """

    category: Literal["call", "voicemail"]
    kind_of: Literal["call", "complaint", "voicemail", "erased"]
    days: int = 0
    file: str = ""
    sha256: str = ""
    by: str
    manifest: str
    manifest_sha256: str


class Erased(Event, frozen=True, kw_only=True, tag="erased"):
    """All that names the caller of this call is emptied: what was written about it and, where no other call of theirs
    is held, their number and name."""

    by: str
    manifest: str
    manifest_sha256: str


KeepEvent = HoldSet | HoldLifted | RecordingPurged | Erased
