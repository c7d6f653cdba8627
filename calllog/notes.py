"""What people write about a call, kept beside the journal: an event names a note, its text can be erased.

A note is stored in the same transaction as the event that names it, like a party. It is never changed: what is
written anew is a new note, named by a new event. Erasing empties ``text`` and leaves the row, so that ``verify`` still
finds every note that an event names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from uuid_utils import uuid7

LONGEST = 100_000
"""Characters of one note: whoever takes text in has a lower bound of their own, and a clear error."""


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text. ``kind`` says what it belongs to (``record``, ``comment`` …), ``field`` which part of that it is.

    ``call_id`` is filled in by the journal for an event of a call.
    """

    note_id: str
    kind: str
    field: str
    text: str
    call_id: str = ""


def new_note(kind: str, field: str, text: str, call_id: str = "") -> Note:
    """A note with an id of its own (UUIDv7)."""
    return Note(str(uuid7()), kind, field, text, call_id)


def notes_named(events: Iterable[object]) -> dict[str, None]:
    """The ids that these events name, each once: their field ``notes``, which is field to note_id."""
    found: dict[str, None] = {}
    for event in events:
        named = getattr(event, "notes", None)
        if isinstance(named, Mapping):
            found |= dict.fromkeys(map(str, named.values()))
    return found
