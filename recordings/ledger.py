"""What keeping writes into the journal, whoever holds it: the daemon, or a command while none runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from calllog.keep_events import KeepEvent
from calllog.notes import Note


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a call, and the texts that it names."""

    call_id: str
    event: KeepEvent
    notes: tuple[Note, ...] = ()


class Degraded(Exception):
    """The store fails just now: nothing is deleted by what cannot be read back. The text is one line."""


class Ledger(Protocol):
    """Writes them all, with ``by`` set to whoever asks, and returns when they are in the store.

    Raises StoreError, Degraded, and what the way to the daemon raises.
    """

    async def write(self, entries: Sequence[Entry]) -> None:
        """Safe, and in the store, when it returns."""
