"""The journal: where everybody writes down what happened, and asks what the present is.

``append`` gives an event its ``seq``, its place in the journal, final from then on; :mod:`calllog.writer` brings it
to disk together with the rows folded from it; :mod:`calllog.recall` answers from the store and from what is not yet
in it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from calllog.clock import Clock
from calllog.database import Database
from calllog.envelope import seal
from calllog.errors import StoreError
from calllog.events import Alarm, AnyEvent, Degraded, Party, Recorded, Stream
from calllog.folds import AgentState, CallState
from calllog.handled import HandledTalk
from calllog.migrate import bring_up_to_date
from calllog.notes import Note
from calllog.recall import Recall
from calllog.spool import LIMIT, Spool
from calllog.store import WriterLock, explain, make_file
from calllog.writer import Writer
from config.catalogue import _

log = structlog.get_logger("calllog")

OnDegraded = Callable[[bool, str], None]

SOON = 0.05
"""Seconds in which every event is committed while the store works, by itself."""

STORE = "store"
"""The stream_id of the journal's own events in the stream ``system``."""


class Journal:
    """Made by :meth:`open`; all methods belong to the loop that opened it. One process at a time holds a store."""

    def __init__(self, path: Path, clock: Clock, spool: Spool, on_degraded: OnDegraded) -> None:
        self._path = path
        self._clock = clock
        self._on_degraded = on_degraded
        self._lock = WriterLock(path)
        self._database = Database(path)
        self._writer = Writer(self._database, spool, self._note, self._tell)
        self._recall = Recall(path, self._writer.pending)
        self._next_seq = 1

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        spool: Path,
        on_degraded: OnDegraded = lambda on, why: None,
        spool_limit: int = LIMIT,
    ) -> Journal:
        """Open or make the store at ``path`` (folder 0700, file 0600), migrate it, take a left spool file in.

        ``spool`` is a file, ``spool_limit`` its most bytes. ``on_degraded(on, why)`` is called in the loop when the
        store begins to fail and when it works again; the journal itself appends the ``Degraded`` event. Raises
        StoreError with one clear line.
        """
        journal = cls(path, clock, Spool(spool, spool_limit), on_degraded)
        make_file(path)
        await journal._lock.take()
        try:
            await bring_up_to_date(path)
            await journal._start(spool)
        except BaseException:
            await journal._database.close()
            journal._lock.free()
            raise
        return journal

    async def _start(self, spool: Path) -> None:
        try:
            self._next_seq = await self._writer.start() + 1
        except sqlite3.Error as error:
            raise explain(self._path, error) from error
        except OSError as error:
            text = _("The call store's spool {path} cannot be read: {why}.")
            raise StoreError(text.format(path=spool, why=error.strerror)) from error
        await self._writer.run()

    @property
    def degraded(self) -> bool:
        """Whether the store fails and events go to the spool."""
        return bool(self._writer.trouble)

    def append(
        self,
        stream: Stream,
        stream_id: str,
        event: AnyEvent,
        *,
        party: Party | None = None,
        notes: Iterable[Note] = (),
        at: int | None = None,
    ) -> None:
        """Journal an event; returns at once, never fails; committed within 50 ms while the store works.

        ``party`` counts for ``Arrived`` only; ``notes`` are the texts that the event names, stored in the same
        transaction. ``at`` is µs UTC, the clock's now when left out.
        """
        self._put(stream, stream_id, event, party, at, notes)

    async def commit(
        self,
        stream: Stream,
        stream_id: str,
        event: AnyEvent,
        *,
        party: Party | None = None,
        notes: Iterable[Note] = (),
        at: int | None = None,
        hurry: bool = True,
    ) -> None:
        """Journal an event and wait until it, and all before it, are synced to disk (store or spool).

        Without ``hurry`` nobody waits who could tell: it goes with a batch of others, some 50 ms later.
        Raises StoreLost when neither took it in time; the event is then still kept in memory and tried again.
        """
        seq = self._put(stream, stream_id, event, party, at, notes)
        if not hurry:
            await asyncio.sleep(SOON)
        await self._writer.safe(seq)

    async def flush(self) -> None:
        """Wait until everything appended so far is synced to disk. Raises StoreLost like ``commit``."""
        await self._writer.safe(self._next_seq - 1)

    async def close(self) -> None:
        """Write what is left, then close. Never raises; what could not be written is in the spool or the log."""
        await self._writer.close()
        await self._recall.close()
        self._lock.free()

    async def open_calls(self) -> list[CallState]:
        """Calls that have no outcome yet, in order of arrival; spooled events count. Raises StoreError."""
        return await self._recall.open_calls()

    async def unarchived_calls(self, *, retry_failed: bool = False) -> list[CallState]:
        """Ended calls whose recording (``state.archives_due``) is not finished, in order of arrival.

        With ``retry_failed`` also those whose last try ended in ``ArchiveFailed``. Raises StoreError.
        """
        return await self._recall.unarchived_calls(retry_failed)

    async def agent_states(self) -> dict[str, AgentState]:
        """The latest state of every agent who ever had one, by staff number. Raises StoreError."""
        return await self._recall.agent_states()

    async def handled(self, since: int) -> list[HandledTalk]:
        """See :meth:`calllog.recall.Recall.handled`. Raises StoreError."""
        return await self._recall.handled(since)

    async def events_of(self, call_id: str) -> list[Recorded]:
        """Every event of one call, in order; empty when there is no such call. Raises StoreError."""
        return await self._recall.events_of(call_id)

    async def notes_of(self, call_id: str) -> dict[str, str]:
        """Text by note_id of everything written about one call. Raises StoreError."""
        return await self._recall.notes_of(call_id)

    async def last_event(self, stream: Stream, stream_id: str) -> Recorded | None:
        """The latest event of this stream and id; None when there is none. Raises StoreError."""
        return await self._recall.last_event(stream, stream_id)

    async def last_in(self, stream: Stream) -> Recorded | None:
        """The latest event of a whole stream; None when there is none. Raises StoreError."""
        return await self._recall.last_in(stream)

    async def events_since(self, stream: Stream, stream_id: str, since: int) -> list[Recorded]:
        """The events of this stream and id from ``since`` (µs) on, in order. Raises StoreError."""
        return await self._recall.events_since(stream, stream_id, since)

    async def last_events(self, stream: Stream, stream_id: str, most: int) -> list[Recorded]:
        """The latest ``most`` events of this stream and id, in order. Raises StoreError."""
        return await self._recall.last_events(stream, stream_id, most)

    def _put(
        self, stream: Stream, stream_id: str, event: AnyEvent, party: Party | None, at: int | None,
        notes: Iterable[Note] = (),
    ) -> int:  # fmt: skip
        """Give the event its place and queue it; returns the place."""
        try:
            moment = self._clock.now() if at is None else at
            item = seal(self._next_seq, moment, stream, stream_id, event, party, notes)
        except Exception:
            log.exception("this is no event", stream=stream, id=stream_id, given=repr(event)[:500])
            return self._next_seq - 1
        self._next_seq += 1
        self._writer.put(item)
        return item.seq

    def _note(self, event: Alarm | Degraded) -> None:
        self._put("system", STORE, event, None, None)

    def _tell(self, on: bool, why: str) -> None:
        try:
            self._on_degraded(on, why)
        except Exception:
            log.exception("telling of the store's state failed")
