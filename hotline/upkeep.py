"""The daemon's care for finished recordings: checks them nightly, measures older ones slowly, tries again what failed.

A check (``recordings.reconcile``) runs a while after the start and each night at ``recording.check_at``, in a worker
process; what it finds is told in the log, as an alarm, and in ``hotline recordings verify``. Nothing is deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from calllog.errors import StoreError
from calllog.events import AnyEvent, Category, Recorded, RecordingChecked, Stream
from calllog.folds import CallState
from calllog.measure_queries import unmeasured
from config.catalogue import _, answering
from hotline.control import Refused, Verb
from hotline.keep_on import Daily, tried
from hotline.keep_verbs import not_understood
from recordings import worker
from recordings.findings import Checked, CheckJob, Report, say_finding
from recordings.folders import Folders, archived_of
from recordings.jobs import How
from recordings.lane import Lane, WorkerLost
from recordings.purge import pieces
from recordings.remeasure import MeasureJob, MeasureResult, job_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotline.daemon import Daemon

log = structlog.get_logger()

AFTER_START = 120.0
"""Seconds until the first check: at a start others have more need of the disk."""
LOOK_EVERY = 30.0
"""Seconds between two looks whether something is due."""
RETRY_EVERY = 600.0
"""Seconds until recordings that could not be finished are tried again."""
CHECK_TIMEOUT = 6 * 3600.0
MEASURE_TIMEOUT = 900.0
SLOWLY = 3.0
"""Seconds between two recordings that are measured in the background."""
IDLE = 120.0
"""Seconds after which a worker without work ends."""
AT_A_TIME = 200
"""Recordings looked up at once."""
NAMED = 20
"""Findings of one check that stand in the log one by one."""


class Journal(Protocol):
    """What is needed of the journal."""

    def append(self, stream: Stream, stream_id: str, event: AnyEvent) -> None:
        """Write soon."""

    async def events_of(self, call_id: str) -> list[Recorded]:
        """Every event of a call. Raises StoreError."""

    async def flush(self) -> None:
        """Wait until all is safe. Raises StoreError."""


@dataclass(slots=True)
class Course:
    """How far the measuring is: done since it began, and how many were left when last counted."""

    done: int = 0
    left: int = 0
    failed: int = 0
    hurry: bool = False


class Measurer:
    """Measures recordings that have no measures, one after the other."""

    def __init__(self, journal: Journal, store: Path, folders: Folders, how: Callable[[], How]) -> None:
        self._journal, self._store, self._folders, self._how = journal, store, folders, how
        self._lane: Lane[MeasureJob, MeasureResult] = Lane(worker.remeasure, MEASURE_TIMEOUT, idle=IDLE)
        self._given_up: set[tuple[str, Category]] = set()
        self._besides: list[tuple[str, Category]] = []
        self.course = Course()

    def also(self, found: tuple[tuple[str, Category], ...]) -> None:
        """These too: their measure files have gone."""
        self._besides = list(dict.fromkeys((*found, *self._besides)))

    async def all(self, wait: Callable[[], float]) -> None:
        """Measure whatever is not measured; ``wait`` tells the seconds between two. Raises StoreError."""
        while True:
            known = {*self._given_up, *self._besides}
            found, left = await unmeasured(self._store, AT_A_TIME + len(self._given_up))
            todo = self._besides + [each for each in found if each not in known]
            self.course.left = left - len(self._given_up & set(found)) + len(set(self._besides) - set(found))
            self._besides = []
            if not todo:
                return
            for call_id, category in todo:
                if await self._one(call_id, category):
                    self.course.done += 1
                else:
                    self._given_up.add((call_id, category))
                    self.course.failed += 1
                self.course.left = max(0, self.course.left - 1)
                await asyncio.sleep(wait())
            await self._journal.flush()

    async def _one(self, call_id: str, category: Category) -> bool:
        state = CallState.of(call_id, await self._journal.events_of(call_id))
        archived = archived_of(state, category)
        if archived is None:
            return False
        try:
            result = await self._lane.do(job_of(state, archived, self._folders, self._how()), call_id)
        except WorkerLost as lost:
            log.warning("a recording cannot be measured", call=call_id, why=lost.why)
            return False
        if result.measured is None:
            log.warning("a recording cannot be measured", call=call_id, category=category, why=result.fault)
            return False
        self._journal.append("call", call_id, result.measured)
        return True

    async def close(self) -> None:
        """End the worker."""
        self._lane.kill()


class Upkeep:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        store = daemon.state_dir / "hotline.sqlite"
        self.measurer = Measurer(daemon.journal, store, daemon.folders, daemon.how_kept)
        self._store = store
        self._lane: Lane[CheckJob, Report] = Lane(worker.check, CHECK_TIMEOUT, idle=1.0)
        self._course = daemon.state_dir / "check.course"
        self._nightly = Daily(daemon.turns.day("check"))
        self._wake = asyncio.Event()
        self.last: Report | None = None
        self.checked_at = 0
        """µs; 0: not yet."""
        self.plain = 0
        """Recordings that the last check, or the last sealing, found not sealed."""

    async def run(self) -> None:
        """Look for ever."""
        self._course.unlink(missing_ok=True)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._checks())
                tasks.create_task(self._measures())
                tasks.create_task(self._retries())
        finally:
            self._lane.kill()
            await self.measurer.close()

    async def _checks(self) -> None:
        await asyncio.sleep(AFTER_START)
        # The one of a start stands for the night's, where that was missed; else it compares, and reads nothing again.
        never = self._daemon.turns.day("check") is None
        await tried("the check of the recordings", self.check(reads=self._now_is_time() or never))
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._now_is_time():
                await tried("the check of the recordings", self.check())

    def _now_is_time(self) -> bool:
        settings = self._daemon.settings.hotline
        return self._nightly.takes(self._daemon.wall().astimezone(settings.zone), settings.recording.check_at)

    async def check(self, *, reads: bool = True) -> None:
        """Compare files, rows and calls once, and tell what was found; ``reads`` a sample of the recordings, too, which
        is the day's turn."""
        daemon = self._daemon
        settings = daemon.settings.hotline
        now, day = daemon.clock.now(), daemon.wall().astimezone(settings.zone).date()
        job = CheckJob(
            str(self._store), str(daemon.state_dir), daemon.how_kept().keys, now,
            settings.recording.check_sample if reads else 0, now, live=frozenset(daemon.calls.running()),
            course=str(self._course),
        )  # fmt: skip
        began = time.monotonic()
        try:
            report = await self._lane.do(job, "check")
        except (WorkerLost, StoreError) as error:
            log.error("the recordings could not be checked", why=str(error))
            return
        finally:
            self._course.unlink(missing_ok=True)  # a worker that was killed leaves it
        self.last, self.checked_at, self.plain = report, now, report.plain
        if reads:
            await asyncio.to_thread(daemon.turns.note, check=day.isoformat())
        for piece in pieces(report.checked, AT_A_TIME):  # ten thousand at once would hold the loop up
            note_checked(daemon.journal, piece)
            await daemon.journal.flush()
        self.measurer.also(report.unmeasured)
        took = round(time.monotonic() - began, 1)
        with answering(settings.language):
            for finding in report.findings[:NAMED]:
                log.warning("recordings: found", kind=finding.kind, what=say_finding(finding))
        log.info("the recordings are checked", recordings=report.recordings, files=report.files, read=report.read,
                 findings=report.many, lost=report.lost, seconds=took)  # fmt: skip
        if report.lost:
            daemon.alerts.alert("recordings_lost", "", count=report.lost)

    async def _measures(self) -> None:
        await self._woken(AFTER_START)
        while True:
            await tried("measuring recordings", self._measured())
            self.measurer.course.hurry = False
            self.measurer.course.left = 0
            self._wake.clear()
            await self._woken(RETRY_EVERY)

    async def _measured(self) -> None:
        try:
            await self.measurer.all(lambda: 0.0 if self.measurer.course.hurry else SLOWLY)
        except StoreError as error:
            log.warning("recordings are measured later: the store cannot be read", why=str(error))

    async def _woken(self, seconds: float) -> None:
        """Wait for so long, or until somebody asks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def status(self) -> dict[str, int]:
        """For whoever asks how things are: the last check (µs; 0: none yet), its findings, recordings lost by it; and
        how far the one is that is being made (per cent; -1: none is)."""
        report = self.last
        try:
            checking = int(self._course.read_text(encoding="ascii"))
        except (OSError, ValueError):
            checking = -1
        return {"checked_at": self.checked_at, "findings": report.many if report else 0,
                "lost": report.lost if report else 0, "unmeasured": self.measurer.course.left,
                "checking": checking}  # fmt: skip

    def hurry(self) -> Course:
        """Measure without pauses from now on, until all is measured; returns how far it is."""
        self.measurer.course.hurry = True
        self._wake.set()
        return replace(self.measurer.course)

    async def _retries(self) -> None:
        while True:
            await asyncio.sleep(RETRY_EVERY)
            await tried("recordings that could not be finished", self._retried())

    async def _retried(self) -> None:
        try:
            await self._daemon.shelf.retry(self._daemon.away.calls())
        except (OSError, StoreError) as error:
            log.warning("what could not be archived is tried again later", why=str(error))


def note_checked(journal: Journal, checked: Iterable[Checked]) -> None:
    """Journal what a check has changed."""
    for one in checked:
        journal.append("call", one.call_id, RecordingChecked(category=one.category, fault=one.fault))


class UpkeepVerbs:
    """What commands may ask of it."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def table(self) -> dict[str, Verb]:
        """The verbs by name."""
        return {"measure": self._measure, "checked": self._checked, "running": self._running, "sealed": self._sealed}

    async def _sealed(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A command has sealed recordings, and so many are left."""
        left = request.get("left")
        if not isinstance(left, int) or left < 0:
            raise Refused(not_understood)
        self._daemon.upkeep.plain = left
        return {}

    async def _running(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """The calls that go on."""
        return {"calls": list(self._daemon.calls.running()) if self._daemon.adopted else []}

    async def _measure(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Measure what is not measured, without pauses; asked again and again it tells how far that is."""
        if not self._daemon.adopted:
            raise Refused(lambda: _("Asterisk has not answered yet: try again in a moment."))
        upkeep = self._daemon.upkeep
        if request.get("begin"):
            upkeep.hurry()
        return asdict(upkeep.measurer.course)

    async def _checked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Journal what a command's check has found."""
        try:
            checked = msgspec.convert(request.get("checked"), list[Checked])
        except msgspec.ValidationError:
            raise Refused(not_understood) from None
        note_checked(self._daemon.journal, tuple(checked))
        return {}
