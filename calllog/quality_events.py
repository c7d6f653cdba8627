"""The events of what is written, kept and graded about a call, in its stream; all are known by ``calllog.events``.

What people wrote stands in notes (``calllog.notes``); an event names them in its field ``notes``: field to note_id.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from calllog.house_events import Event

Solved = Literal["", "yes", "no", "open"]
"""Whether the caller's matter is solved; empty: nobody has said."""


class RecordWritten(Event, frozen=True, kw_only=True, tag="record_written"):
    """来电登记: this is the call's record from now on. ``version`` counts from 1; every one of them is kept.

    ``by`` wrote it (a staff number, or the name of a user), ``agent`` is whose talk it is about (empty: nobody's).
    ``complete``: it has all that the settings of that moment ask for. ``notes`` has name, contact, problem and
    solution, as far as there are any; what did not change keeps its note.
    """

    record_id: str
    version: int
    by: str
    agent: str = ""
    subject: str = ""
    solved: Solved = ""
    identity_checked: bool = False
    complete: bool = False
    notes: dict[str, str] = msgspec.field(default_factory=dict)


class RecordExtended(Event, frozen=True, kw_only=True, tag="record_extended"):
    """The agent has until ``until`` (µs) to complete the record before they are taken for ready again."""

    by: str
    until: int


QualityEvent = RecordWritten | RecordExtended
