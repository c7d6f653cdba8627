"""The daemon's part in keeping: the access log, and what is done for the archive by the clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from recordings.access import AccessLog

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

LOOK_EVERY = 60.0
"""Seconds between two looks."""


def access_log(daemon: Daemon) -> AccessLog:
    """The daemon's access log; somebody is told when its end was cut off."""

    def cut(last: int, known: int) -> None:
        daemon.alerts.alert("access_log_cut", "", last=last, known=known)

    return AccessLog(daemon.journal, daemon.clock.now, daemon.state_dir, cut)


class Keeping:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._anchored = ""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._anchor()
            await asyncio.sleep(LOOK_EVERY)

    async def _anchor(self) -> None:
        """Once a day, and at a start, the access log's last entry goes into the log, which others keep elsewhere."""
        today = self._daemon.wall().astimezone(self._daemon.settings.hotline.zone).date().isoformat()
        if today != self._anchored:
            last = await self._daemon.access.anchor()
            log.info("the access log's last entry", anchor=f"{last.n}:{last.digest}")
            self._anchored = today
