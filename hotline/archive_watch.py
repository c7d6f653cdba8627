"""Whether the archive is there: asked at the start and every minute, told when it is not, and when it is back."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import structlog

from recordings.folders import Folders
from recordings.mark import is_marked, recognise

log = structlog.get_logger()


class ArchiveWatch:
    """``there``: whether it is; ``known``: whether it has a mark by which that can be told (``recordings.mark``)."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self.there, self.known = True, False

    @property
    def missing(self) -> str:
        """The folder that should be the archive, and is not; empty: it is."""
        return "" if self.there else str(self._folders.archive)

    async def begin(self, store: Path) -> None:
        """Before anything is archived."""
        found = await asyncio.to_thread(recognise, self._folders, store)
        self.there, self.known = found != "elsewhere", found != "unmarked"
        if not self.there:
            self._gone()

    async def look(self) -> bool:
        """Whether it has just come back."""
        before = self.there
        if self.known:
            self.there = await asyncio.to_thread(is_marked, self._folders.archive)
        if before and not self.there:
            self._gone()
        if self.there and not before:
            log.warning("the archive is there again: what waits is finished now")
        if not self.there:  # what is recorded meanwhile needs a place, and goes beside the archive from there
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._folders.make)
        return self.there and not before

    def _gone(self) -> None:
        log.error("the recordings' folder is not the archive: is its disk mounted? Nothing is archived meanwhile",
                  folder=str(self._folders.archive))  # fmt: skip
