"""The daemon's part in keeping: the access log, the night's purge, and the room that is left for recordings."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from calllog.errors import StoreError
from hotline.cli_options import STORE
from hotline.keep_on import Daily, tried
from hotline.ledger import Own
from recordings.access import AccessLog
from recordings.ledger import Degraded
from recordings.purge import PurgeRefused, TooMany, purge
from recordings.retention import keep_of
from recordings.turns import Busy

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

LOOK_EVERY = 60.0
"""Seconds between two looks."""

BY = "hotline"
"""Who purges by night."""


def access_log(daemon: Daemon) -> AccessLog:
    """The daemon's access log; somebody is told when its end was cut off."""

    def cut(last: int, known: int) -> None:
        daemon.alerts.alert("access_log_cut", "", last=last, known=known)

    return AccessLog(daemon.journal, daemon.clock.now, daemon.state_dir, cut)


class Keeping:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._anchored: dt.date | None = None
        self._purges = Daily(daemon.turns.day("purge"))

    async def run(self) -> None:
        """Look for ever; a purge takes as long as it takes, and the others do not wait for it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._days())
            tasks.create_task(self._nights())

    async def _days(self) -> None:
        while True:
            today = self._now().date()
            await tried("the access log's anchor", self._anchor(today))
            await tried("room for recordings", self._room(today))
            await tried("the archive's mark", self._archive(today))
            await asyncio.sleep(LOOK_EVERY)

    async def _nights(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await tried("the night's purge", self._night())

    def _now(self) -> dt.datetime:
        """The clock on the wall, in the hotline's zone."""
        return self._daemon.wall().astimezone(self._daemon.settings.hotline.zone)

    async def _anchor(self, today: dt.date) -> None:
        """Once a day, and at a start, the access log's last entry goes into the log, which others keep elsewhere."""
        if today != self._anchored:
            try:
                last = await self._daemon.access.anchor()
            except StoreError as fault:
                log.warning("the access log's last entry is told later", why=str(fault))
                return
            log.info("the access log's last entry", anchor=f"{last.n}:{last.digest}")
            self._anchored = today

    async def _room(self, today: dt.date) -> None:
        """Somebody is told once a day while there is too little room."""
        wanted, folders = self._daemon.settings.hotline.recording.free_warning, self._daemon.folders
        if not wanted:
            return
        for folder, free in (await asyncio.to_thread(free_bytes, [folders.archive, folders.spool])).items():
            if free < wanted * 10**9:
                self._daemon.alerts.alert("disk_low", f"disk_low {folder} {today}", free=f"{free / 1e9:.1f}",
                                          folder=str(folder))  # fmt: skip

    async def _archive(self, today: dt.date) -> None:
        """Somebody is told once a day while the archive is not there; what waits is finished as soon as it is back."""
        daemon = self._daemon
        if await daemon.archive.look():
            await daemon.shelf.retry(daemon.away.calls())
        if folder := daemon.archive.missing:
            daemon.alerts.alert("archive_gone", f"archive_gone {today}", folder=folder)

    async def _night(self) -> None:
        """The day's purge, once its hour has come; after a start too, if that was later."""
        daemon = self._daemon
        now = self._now()
        keep = keep_of(daemon.settings)
        if keep.purge_at is None or not self._purges.takes(now, keep.purge_at):
            return
        # The wall clock may have been stepped since the start; what steps forward must not make anything older.
        moment = min(daemon.clock.now(), int(daemon.wall().timestamp() * 1_000_000))
        try:
            done = await purge(
                daemon.state_dir / STORE, daemon.folders, keep, moment, Own(daemon.journal, daemon.access, BY), by=BY
            )
        except TooMany as refused:
            log.error("the night's purge was refused", why=str(refused))
            daemon.alerts.alert("purge_refused", f"purge_refused {now.date()}", going=refused.going, of=refused.of)
            return
        except (PurgeRefused, Busy, Degraded, StoreError, OSError) as fault:
            log.error("the night's purge failed; the next one tries again", why=str(fault))
            daemon.alerts.alert("purge_failed", f"purge_failed {now.date()}", why=type(fault).__name__)
            return
        await asyncio.to_thread(daemon.turns.note, purge=now.date().isoformat())
        if done.manifest is not None:
            log.info("recordings were purged", gone=done.gone, freed=done.freed, manifest=done.manifest.name)
        if done.failed or done.plan.odd:
            log.error("not every recording that is over could be deleted", failed=done.failed[:10],
                      odd=[each.due.kept.file for each in done.plan.odd[:10]])  # fmt: skip
            daemon.alerts.alert("purge_failed", f"purge_failed {now.date()}", why="files")


def free_bytes(folders: list[Path]) -> dict[Path, int]:
    """The room left in each of these folders, those on one filesystem once; a folder that is gone is left out."""
    found: dict[Path, int] = {}
    seen: set[int] = set()
    for folder in folders:
        try:
            device = folder.stat().st_dev
            room = os.statvfs(folder)
        except OSError:
            continue
        if device not in seen:
            seen.add(device)
            found[folder] = room.f_bavail * room.f_frsize
    return found
