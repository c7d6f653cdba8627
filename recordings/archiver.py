"""The daemon's side of archiving: a bounded queue before worker processes that do the work on audio.

Theory of operation. Each worker is a lane of its own: one task that takes the next job, and one process. So a
worker that is killed, or that must be killed because its job takes too long, takes nobody else's job with it.
A job whose worker died is tried again, since ``recordings.archive`` is safe to repeat, but not for ever: a
file that kills workers must not stop the others behind it. Nothing here touches the journal or deletes raw
files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from calllog.events import Archived, ArchiveFailed, Category, Measured
from calllog.folds import CallState
from recordings import worker
from recordings.folders import Folders, discard_parts
from recordings.jobs import ArchiveJob, ArchiveResult, How, jobs_of
from recordings.lane import Lane, WorkerLost

log = structlog.get_logger(__name__)

JOB_TIMEOUT = 900.0
"""Seconds for one job; a call of 4 hours takes a few seconds on an idle machine, minutes on a busy one."""
MOST_WAITING = 1_000
"""Jobs in the queue; more means that the machine cannot keep up: the next start takes them from the spool."""
CLOSE_GRACE = 5.0
"""Seconds that a stop leaves to running jobs; what they do not finish, the next start does."""

Run = Callable[[ArchiveJob], ArchiveResult]


class Closed(Exception):
    """The archiver closes and this recording is not finished: journal nothing, the next start finishes it."""


@dataclass(slots=True)
class _Waiting:
    job: ArchiveJob
    done: asyncio.Future[ArchiveResult]


class Archiver:
    """Finishes recordings in worker processes. ``async with Archiver(folders, zone) as archiver: ...``

    ``zone`` is the time zone of the archive's days, ``timeout`` is in seconds per job; ``run`` is what the
    worker does with a job (importable by name), ``how`` tells how recordings are kept, at each job.
    """

    def __init__(
        self,
        folders: Folders,
        zone: ZoneInfo,
        *,
        workers: int = 1,
        timeout: float = JOB_TIMEOUT,
        most_waiting: int = MOST_WAITING,
        run: Run = worker.run,
        how: Callable[[], How] = How,
    ) -> None:
        self._folders, self.zone, self.how = folders, zone, how
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(most_waiting)
        self._lanes = [Lane(run, timeout) for _ in range(workers)]
        self._tasks: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Future[ArchiveResult]] = set()
        self._closed = False

    async def __aenter__(self) -> Archiver:
        self._tasks = [
            asyncio.create_task(self._serve(lane), name=f"archive-{number}")
            for number, lane in enumerate(self._lanes)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def waiting(self) -> int:
        """Jobs in the queue, not counting those being worked on."""
        return self._queue.qsize()

    async def archive(
        self, call: CallState, only: Category | None = None
    ) -> tuple[Archived | ArchiveFailed | Measured, ...]:
        """Finish the recordings of an ended call (with ``only``, the one of that category).

        Returns the events to journal: none when nothing was recorded, else one for the recording of its talks, one
        for its voicemail, or both (``Archived`` before ``ArchiveFailed``), and what was measured after them. Safe to
        repeat, but not for the same call at the same time. Raises Closed.
        """
        try:
            jobs = [job for job in jobs_of(call, self._folders, self.zone, self.how()) if only in (None, job.category)]
        except ValueError as error:
            log.error("a file outside the recordings", call_id=call.call_id, error=str(error))
            wanted = call.archives_wanted or ("call",)
            return tuple(
                ArchiveFailed(why="outside", category=each) for each in wanted if only in (None, each)
            )
        results = await asyncio.gather(*(self._do(job) for job in jobs))
        events = []
        for job, result in zip(jobs, results, strict=True):
            if result.why == "unrecorded" and job.category not in call.archives_wanted:
                continue  # Asterisk refused every part: RecordingFailed has told it already.
            if result.why:
                log.warning("no recording", call_id=job.call_id, category=job.category, why=result.why)
            if result.unmeasured:
                log.warning("a recording could not be measured; it is tried again later", call_id=job.call_id,
                            category=job.category, why=result.unmeasured)  # fmt: skip
            events.append(result.event(job.category))
        measured = [result.measured for result in results if result.measured is not None]
        return (*sorted(events, key=lambda event: isinstance(event, ArchiveFailed)), *measured)

    async def discard(self, call: CallState, archived: Archived) -> list[str]:
        """Once ``archived`` is committed: ``discard_parts``, off the loop."""
        return await asyncio.to_thread(discard_parts, self._folders, call, archived)

    async def close(self, grace: float = CLOSE_GRACE) -> None:
        """Let running jobs end within ``grace`` seconds, then kill them; waiting callers get Closed."""
        self._closed = True
        while not self._queue.empty():
            _settle(self._queue.get_nowait().done, Closed())
        if self._busy:
            await asyncio.wait(list(self._busy), timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _do(self, job: ArchiveJob) -> ArchiveResult:
        if self._closed:
            raise Closed
        waiting = _Waiting(job, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            return ArchiveResult(why=f"too_many={self._queue.maxsize}")
        return await waiting.done

    async def _serve(self, lane: Lane[ArchiveJob, ArchiveResult]) -> None:
        try:
            while True:
                waiting = await self._queue.get()
                if waiting.done.done():
                    continue
                self._busy.add(waiting.done)
                try:
                    _settle(waiting.done, await lane.do(waiting.job, waiting.job.call_id))
                except WorkerLost as lost:
                    _settle(waiting.done, ArchiveResult(why=lost.why))
                except Exception as error:
                    log.exception("archiving failed by a fault of ours", call_id=waiting.job.call_id)
                    _settle(waiting.done, ArchiveResult(why=f"fault={type(error).__name__}"))
                finally:
                    _settle(waiting.done, Closed())
                    self._busy.discard(waiting.done)
        finally:
            lane.kill()


def _settle(done: asyncio.Future[ArchiveResult], with_: ArchiveResult | Closed) -> None:
    """Give the waiting caller its answer, unless it has one or has gone."""
    if done.done():
        return
    if isinstance(with_, Closed):
        done.set_exception(with_)
    else:
        done.set_result(with_)
