"""Brings every ended call's recording into the archive: worker, journal, and only then the raw files away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from types import TracebackType
from zoneinfo import ZoneInfo

import structlog

from calllog.errors import StoreError
from calllog.events import Archived, ArchiveFailed, Category, Measured
from calllog.folds import CallState
from calllog.journal import Journal
from recordings.archiver import Archiver, Closed
from recordings.aside import bring_back, put_aside
from recordings.folders import Folders, files_of, spool_files, talk_id_of
from recordings.jobs import How
from recordings.leftovers import leftovers
from recordings.mark import is_marked
from recordings.odd import set_aside

log = structlog.get_logger()

SETTLE = 0.5
"""Seconds after the end of a call before its files are read: Asterisk closes them within 21 ms of the hang-up
(DESIGN.md section 5); the rest is for a loaded machine."""


TOGETHER = 0.5
"""Seconds that the end of a call waits at most for that of others."""

AT_ONCE = 100
"""Calls handed to the archiver at once: after a long fault thousands may wait, and its queue is bounded."""


class Shelf:
    """``async with Shelf(...) as shelf``; then :meth:`ended` for each call."""

    def __init__(
        self, folders: Folders, zone: ZoneInfo, journal: Journal, how: Callable[[], How] = How
    ) -> None:
        self._folders, self._journal = folders, journal
        self._archiver = Archiver(folders, zone, how=how)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Shelf:
        await self._archiver.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._archiver.close()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def zone_changed(self, zone: ZoneInfo) -> None:
        """The days of the archive are meant in this time zone from now on."""
        self._archiver.zone = zone

    @property
    def waiting(self) -> int:
        """Calls whose recording is not finished yet."""
        return len(self._tasks)

    def ended(self, call: CallState) -> None:
        """This call has its outcome: finish what was recorded of it."""
        set_aside(self._folders, call.dropped_files)
        for file in call.dropped_files:  # too short to be messages: their lengths stand in the journal
            with contextlib.suppress(OSError, ValueError):
                self._folders.raw(file).unlink()
        if call.parts or call.voicemail_kept:
            self._spawn(call, None, SETTLE)

    async def leftovers(self, elsewhere: Collection[str] = ()) -> None:
        """What a kill left unfinished, and files that belong to no call (they are kept).

        Those of the calls ``elsewhere`` (in the lifeboat) are left alone.
        """
        await self._brought_back()
        await asyncio.to_thread(set_aside, self._folders)
        files = [file for file in await asyncio.to_thread(spool_files, self._folders) if _owner(file) not in elsewhere]
        calls = await self._journal.open_calls() + await self._journal.unarchived_calls(retry_failed=True)
        known = {call.call_id for call in calls}
        for owner in sorted({_owner(file) for file in files} - known):
            if events := await self._journal.events_of(owner):
                calls.append(CallState.of(owner, events))
        left = leftovers(calls, files)
        for todo in left.to_archive:
            self._spawn(todo.call, todo.only, 0.0)
        for call, archived in left.to_discard:
            await self._archiver.discard(call, archived)
        if left.orphans:
            log.warning("files in the recordings' spool belong to no call; they are kept", files=left.orphans)

    async def retry(self, elsewhere: Collection[str] = ()) -> None:
        """Try again what could not be finished and has its files: a full disk, a folder or key that was away."""
        await self._brought_back()
        files = await asyncio.to_thread(spool_files, self._folders)
        calls = await self._journal.unarchived_calls(retry_failed=True)
        for todo in leftovers([call for call in calls if call.call_id not in elsewhere], files).to_archive:
            if set(files) & set(files_of(todo.call, todo.only)):
                self._spawn(todo.call, todo.only, 0.0)

    async def _brought_back(self) -> None:
        """What waited beside the archive goes on in the spool, once the archive is there."""
        if await asyncio.to_thread(is_marked, self._folders.archive):
            await asyncio.to_thread(bring_back, self._folders)

    def _spawn(self, call: CallState, only: Category | None, settle: float) -> None:
        if call.call_id in self._tasks:
            return
        task = self._tasks[call.call_id] = asyncio.create_task(self._finish(call, only, settle))
        task.add_done_callback(lambda _done: self._tasks.pop(call.call_id, None))

    async def _finish(self, call: CallState, only: Category | None, settle: float) -> None:
        try:
            # Calls that ended at about the same time are done together: worker and store wake once for all of them.
            await asyncio.sleep(settle + (-asyncio.get_running_loop().time() % TOGETHER if settle else 0.0))
            async with self._turn:
                await asyncio.to_thread(set_aside, self._folders, files_of(call, only))
                made = await self._archiver.archive(call, only)
                events = [event for event in made if not _said_before(call, event)]
                if any(isinstance(event, ArchiveFailed) and event.why == "archive_gone" for event in made):
                    await asyncio.to_thread(put_aside, self._folders, files_of(call, only))
                if not events:
                    return
                for event in events[:-1]:
                    self._journal.append("call", call.call_id, event)
                await self._journal.commit("call", call.call_id, events[-1], hurry=False)  # and all before it
                for event in events:
                    if isinstance(event, Archived):
                        await self._archiver.discard(call, event)
        except Closed:
            pass  # the next start finds it in the journal
        except StoreError as error:
            # The event is written once the store works; the raw parts go with the next start.
            log.error("a recording's raw parts are kept: the journal is not safe", call=call.call_id, why=str(error))
        except Exception:  # one recording must not stop the others; the raw parts are kept
            log.exception("a recording could not be finished", call=call.call_id)


def _said_before(call: CallState, event: Archived | ArchiveFailed | Measured) -> bool:
    """Whether this try failed for the same reason as the one before."""
    if not isinstance(event, ArchiveFailed):
        return False
    before = call.recordings.get(event.category)
    return before is not None and not before.file and before.failed == event.why


def _owner(file: str) -> str:
    """The call of a file in the spool: ``CALL-N.part.raw``, ``CALL.mN.wav`` or ``CALL.away.wav``."""
    talk = talk_id_of(file)
    return talk.rpartition("-")[0] if talk is not None else file.removesuffix(".wav").rpartition(".")[0]
