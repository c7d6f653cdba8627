"""保全: an order that a call's recordings and data stay, with its reason, until it is lifted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from uuid_utils import uuid7

from calllog import keep_queries
from calllog.keep_events import HoldLifted, HoldSet
from calllog.notes import new_note
from recordings.ledger import Entry, Ledger
from recordings.turns import KEEP, turn

KIND = "hold"
"""Of the notes that hold the reasons."""


async def hold(state_dir: Path, ledger: Ledger, call_ids: Sequence[str], reason: str, *, by: str) -> dict[str, str]:
    """Set a hold on each of these calls; returns call_id to hold_id. Safe against a purge that is under way.

    Raises ``turns.Busy`` and what the ledger raises.
    """
    set_: dict[str, str] = {}
    entries = []
    for call_id in dict.fromkeys(call_ids):
        note = new_note(KIND, "reason", reason, call_id)
        set_[call_id] = str(uuid7())
        event = HoldSet(hold_id=set_[call_id], by=by, notes={"reason": note.note_id})
        entries.append(Entry(call_id, event, (note,)))
    async with turn(state_dir, KEEP):
        await ledger.write(entries)
    return set_


async def release(store: Path, ledger: Ledger, call_ids: Sequence[str], reason: str, *, by: str) -> int:
    """Lift every hold in force on these calls; returns how many. Raises ``turns.Busy``, StoreError and what the ledger
    raises."""
    entries = []
    async with turn(store.parent, KEEP):
        for call_id in dict.fromkeys(call_ids):
            for one in await asyncio.to_thread(keep_queries.list_holds, store, call_id=call_id):
                note = new_note(KIND, "released", reason, call_id)
                event = HoldLifted(hold_id=one.hold_id, by=by, notes={"reason": note.note_id})
                entries.append(Entry(call_id, event, (note,)))
        await ledger.write(entries)
    return len(entries)
