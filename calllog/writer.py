"""The journal's writer: one task that brings queued events to safety, into the store or else into the spool.

Theory of operation. The task takes the queue in batches: a batch is one transaction with full sync, which stores the
events and the rows that they change. It waits a moment (``LINGER``) to gather a batch, unless somebody waits at a
barrier; all who wait share the batch. While much happens those who wait gather as well (``PACE``): most of what a
transaction costs is the same for one event and for ten.

When the transaction fails, the batch goes to the spool file and is synced there, which lets the barriers go just as
well; the store is tried again with backoff. Once it answers, the spool is taken in first, then the queue, so that
events reach the store in the order of ``seq``. Therefore "is this event stored already?" is one comparison with the
highest ``seq`` stored, and a crash at any point between commit and removal of the spool doubles nothing. A gap in
``seq`` is an event that was lost, and ``calllog.verify`` says so.

When the spool fails too, or a disk does not even answer, events stay in memory up to a bound, and barriers raise
StoreLost at once, from the first failure on until something is safe again: what cannot be made safe is not waited for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import structlog

from calllog.database import Database
from calllog.envelope import Item, to_line
from calllog.errors import StoreLost
from calllog.events import Alarm, Degraded
from calllog.spool import Spool, SpoolFailed
from config.catalogue import _

log = structlog.get_logger("calllog")

LINGER = 0.03
"""Seconds that a batch is gathered when nobody waits; with the sync of a slow disk still below 50 ms."""
PACE = 0.005
"""Seconds from the beginning of one transaction to that of the next at least: a barrier after a while of quiet waits
for none of it, one of many for less than anybody hears."""
BATCH = 1000
"""Events in one transaction at most, so that one transaction takes some tens of milliseconds."""
BUSY_TIMEOUT = 2.0
"""Seconds that a transaction waits for another program's lock before the spool takes over: for a caller at a
barrier that is a pause, more would be silence."""
RETRY_BUSY_TIMEOUT = 0.1
"""The same while the store is known to fail: barriers wait behind each retry."""
RETRY_FIRST = 0.25
RETRY_LONGEST = 5.0
"""Seconds between tries of a failing store, doubling from the first to the longest."""
STALL = 5.0
"""Seconds after which a transaction that does not return (a hanging disk) counts as failed."""
BARRIER_TIMEOUT = 15.0
"""Seconds a barrier waits at most: longer than a lock, a stall and the spool's sync together."""
CLOSE_TIMEOUT = 20.0
"""Seconds that closing waits for the last batch."""
MEMORY_LIMIT = 200_000
"""Events kept in memory while store and spool both fail: about 200 MB."""
LOST = "events_lost"
"""Code of the Alarm that accounts for a gap in ``seq``; its text is ``first-last``."""

T = TypeVar("T")


class StoreTrouble(Exception):
    """The store did not take a batch; it may do so later."""


class Writer:
    """Owns the queue, the barriers, the database connection and the spool.

    ``note`` appends an event of the journal's own; ``tell`` hears of the store's failing and recovery.
    """

    def __init__(
        self,
        database: Database,
        spool: Spool,
        note: Callable[[Alarm | Degraded], None],
        tell: Callable[[bool, str], None],
    ) -> None:
        self._database = database
        self._spool = spool
        self._note = note
        self._tell = tell
        self._queue: deque[Item] = deque()
        self._barriers: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._safe_seq = 0
        self._lost: list[list[int]] = []
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._closing = False
        self._closed = False
        self._retry_after = RETRY_FIRST
        self._retry_at = 0.0
        self._begun = 0.0
        self._doubtful = True
        self._connected = False
        self._stalled: asyncio.Task[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._spool_trouble = ""
        """Why the spool last failed, or that a barrier waited in vain; empty once something is safe again."""
        self.trouble = ""
        """Why the store fails; empty while it works."""

    async def start(self) -> int:
        """Connect and look at what a former run left in the spool; returns the highest ``seq`` on disk.

        Raises sqlite3.Error or OSError where store or spool cannot even be read.
        """
        await self._connect(BUSY_TIMEOUT)
        stored = await self._database.last_seq()
        self._safe_seq = max(stored, await asyncio.to_thread(self._spool.open))
        return self._safe_seq

    async def run(self) -> None:
        """Take a left spool in, as far as the store lets it, and go on writing in a task."""
        await self._turn()
        self._task = asyncio.create_task(self._write_on(), name="journal")

    async def close(self) -> None:
        """Write what is left and stop. Never raises."""
        self._closing = True
        self._wake.set()
        self._urgent.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_TIMEOUT)
            if not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=1.0)
        self._closed = True
        for item in self._queue:
            log.critical("an event is lost: the journal closed", seq=item.seq, stream=item.stream, id=item.stream_id)
        self._let_go(_("The journal is closed."))
        if self._stalled is None or self._stalled.done():
            await self._database.close()

    # --- the queue ------------------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Queue an item; items come in the order of ``seq``. Never raises."""
        if self._closed or len(self._queue) >= MEMORY_LIMIT:
            if self._lost and self._lost[-1][1] == item.seq - 1:
                self._lost[-1][1] = item.seq
            else:
                self._lost.append([item.seq, item.seq])
            why = self.trouble or "closed"
            log.critical("an event is lost", seq=item.seq, stream=item.stream, id=item.stream_id, why=why)
            return
        self._queue.append(item)
        self._wake.set()
        if len(self._queue) >= BATCH:
            self._urgent.set()

    async def safe(self, seq: int) -> None:
        """Wait until every item up to ``seq`` is synced to disk. Raises StoreLost after ``BARRIER_TIMEOUT``, and at
        once while store and spool are both known to fail: a caller would wait in vain. The writer goes on trying."""
        if seq <= self._safe_seq:
            return
        if self._closed or self._spool_trouble or any(first <= seq <= last for first, last in self._lost):
            raise StoreLost(self._why_lost())
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._barriers.append((seq, waiting))
        self._urgent.set()
        try:
            async with asyncio.timeout(BARRIER_TIMEOUT):
                await waiting
        except TimeoutError as error:
            # A disk that hangs holds the writer up for longer than anybody may wait: one has found out for all.
            self._no_spool("the disk does not answer")
            raise StoreLost(self._why_lost()) from error

    async def pending(self) -> list[Item]:
        """What may not be in the store yet, in the order of ``seq``."""
        found = {item.seq: item for item in self._queue}
        if self._spool.holds:
            found |= {item.seq: item for item in await asyncio.to_thread(self._spool.peek)}
        return [found[seq] for seq in sorted(found)]

    def _why_lost(self) -> str:
        text = _("Neither the call store nor its spool could be written: {why}.")
        return text.format(why=" / ".join(filter(None, (self.trouble, self._spool_trouble))) or "?")

    def _settle(self, batch: list[Item]) -> None:
        """The batch at the queue's head is safe on disk: let those go who wait for it."""
        for _item in batch:
            self._queue.popleft()
        self._safe_seq = batch[-1].seq
        self._spool_trouble = ""
        while self._barriers and self._barriers[0][0] <= self._safe_seq:
            _seq, waiting = self._barriers.popleft()
            if not waiting.done():
                waiting.set_result(None)

    # --- the task -------------------------------------------------------------------------------------------------

    async def _write_on(self) -> None:
        while not (self._closing and not self._queue):
            await self._gather()
            try:
                await self._turn()
            except Exception:
                log.exception("the journal's writer stumbled")
                await asyncio.sleep(RETRY_FIRST)
            if self._closing and self.trouble and self._queue:
                return

    async def _gather(self) -> None:
        """Wait until there is something to do: events, or a failing store to try again."""
        loop = asyncio.get_running_loop()
        if not self._queue and not self._closing:
            self._wake.clear()
            await _within(self._wake, self._retry_at - loop.time() if self.trouble else None)
        if not (self._barriers or self._closing or len(self._queue) >= BATCH):
            self._urgent.clear()
            await _within(self._urgent, LINGER)
        if not self._closing and len(self._queue) < BATCH and (early := self._begun + PACE - loop.time()) > 0:
            await asyncio.sleep(early)
        self._begun = loop.time()

    async def _turn(self) -> None:
        """Bring everything to safety: into the store, or else into the spool."""
        if not self.trouble or asyncio.get_running_loop().time() >= self._retry_at:
            try:
                await self._to_store()
            except StoreTrouble as error:
                self._fail(str(error))
            else:
                if self.trouble:
                    self._recover()
                return
        try:
            await self._to_spool()
        except SpoolFailed as error:
            self._no_spool(str(error))
            if not self._closing:
                await asyncio.sleep(RETRY_FIRST)

    def _no_spool(self, why: str) -> None:
        """Nothing can be made safe at the moment: let those go who wait, and do not let others begin to."""
        if not self._spool_trouble:
            log.critical("neither store nor spool can be written", queued=len(self._queue), why=why)
        self._spool_trouble = why
        self._let_go(self._why_lost())

    def _let_go(self, why: str) -> None:
        """Whoever waits at a barrier would wait in vain."""
        while self._barriers:
            _seq, waiting = self._barriers.popleft()
            if not waiting.done():
                waiting.set_exception(StoreLost(why))

    def _fail(self, why: str) -> None:
        """The store failed (again): try it later, and tell everybody once."""
        self._retry_at = asyncio.get_running_loop().time() + self._retry_after
        self._retry_after = min(self._retry_after * 2, RETRY_LONGEST)
        if not self.trouble:
            self.trouble = why
            log.error("the store fails; events go to the spool", why=why)
            self._note(Degraded(on=True, why=why))
            self._tell(True, why)

    def _recover(self) -> None:
        log.info("the store works again", failed_with=self.trouble)
        self.trouble = ""
        self._retry_after = RETRY_FIRST
        for first, last in self._lost:
            self._note(Alarm(code=LOST, what=f"{first}-{last}"))
        self._lost.clear()
        self._note(Degraded(on=False))
        self._tell(False, "")

    async def _to_spool(self) -> None:
        while self._queue:
            batch = list(islice(self._queue, BATCH))
            await asyncio.to_thread(self._spool.add, batch)
            self._settle(batch)

    async def _to_store(self) -> None:
        if self._stalled is not None and not self._stalled.done():
            raise StoreTrouble("the disk does not answer")
        self._stalled = None
        if not self._connected:
            await self._reconnect(RETRY_BUSY_TIMEOUT)
        if self._spool.holds:
            await self._take_in()
        while self._queue:
            batch = list(islice(self._queue, BATCH))
            await self._store(batch)
            self._settle(batch)
        if self.trouble:
            await self._reconnect(BUSY_TIMEOUT)

    async def _take_in(self) -> None:
        """The spool into the store. What is appended meanwhile goes behind it, so that nobody waits for long."""
        offset = 0
        try:
            while True:
                items, unreadable, after = await asyncio.to_thread(self._spool.read, offset, BATCH)
                if after == offset:
                    break
                self._doubtful = True  # an earlier try, or an earlier daemon, may have come this far
                await self._store(items)
                offset = after
                for line in unreadable:
                    await asyncio.to_thread(self._spool.set_aside, line, "it cannot be read")
                if self._barriers or len(self._queue) >= BATCH:
                    with suppress(SpoolFailed):  # it is full: they wait until it has been taken in
                        await self._to_spool()
            await asyncio.to_thread(self._spool.remove)
        except OSError as error:
            raise StoreTrouble(f"spool: {error}") from error

    # --- one transaction ------------------------------------------------------------------------------------------

    async def _store(self, batch: list[Item]) -> None:
        """One transaction. Raises StoreTrouble when it may succeed later.

        An event that no store will ever take must not hold up the others: it is set aside, and shown.
        """
        try:
            await self._try(batch)
        except (StoreTrouble, asyncio.CancelledError):
            raise
        except Exception as error:
            await self._reconnect(BUSY_TIMEOUT)
            if len(batch) == 1:
                why = f"{type(error).__name__}: {error}"
                await asyncio.to_thread(self._spool.set_aside, to_line(batch[0]), why)
                return
            log.exception("a batch was refused; its events are tried one by one", events=len(batch))
            for item in batch:
                await self._store([item])

    async def _try(self, batch: list[Item]) -> None:
        """Raises StoreTrouble where the store is at fault, anything else where an event is."""
        try:
            await self._in_time(self._database.write(batch, doubtful=self._doubtful))
        except (sqlite3.OperationalError, sqlite3.InternalError) as error:
            self._doubtful, self._connected = True, False
            raise StoreTrouble(str(error)) from error
        except sqlite3.DatabaseError as error:
            self._doubtful, self._connected = True, False
            if type(error) is sqlite3.DatabaseError:  # SQLITE_CORRUPT, SQLITE_NOTADB
                raise StoreTrouble(str(error)) from error
            raise
        except BaseException:
            self._doubtful, self._connected = True, False
            raise
        self._doubtful = False

    async def _reconnect(self, patience: float) -> None:
        """Raises StoreTrouble."""
        try:
            await self._in_time(self._connect(patience))
        except (sqlite3.Error, ValueError) as error:
            raise StoreTrouble(str(error)) from error

    async def _connect(self, patience: float) -> None:
        self._connected = False
        await self._database.close()
        await self._database.open()
        await self._database.be_patient(patience)
        self._connected = True

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result, or StoreTrouble after ``STALL`` seconds; the work then goes on by itself."""
        task = asyncio.create_task(work)
        done, _running = await asyncio.wait({task}, timeout=STALL)
        if done:
            return task.result()
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._stalled, self._doubtful, self._connected = task, True, False
        raise StoreTrouble("the disk does not answer")


async def _within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
