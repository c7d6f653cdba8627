"""Each morning the daemon fills the graders' lists for the week that is over, by the plans of reviews.yaml.

What is drawn stays drawn, so the mornings after the first add only what came later: a recording that was finished late,
a call that has been given its subject since.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
from typing import TYPE_CHECKING

import structlog

from calllog.errors import StoreError
from hotline.cli_options import STORE
from hotline.keep_on import tried

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

LOOK_EVERY = 600.0
"""Seconds between two looks."""
FROM = dt.time(6)
"""Local time: by then the recordings of the night are finished."""
BY = "hotline"
"""Who draws."""


class Drawing:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._drawn: dt.date | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await tried("the graders' lists", self.look())

    async def look(self) -> None:
        """Draw, if this morning's draw has not been made."""
        daemon = self._daemon
        now = daemon.wall().astimezone(daemon.settings.hotline.zone)
        if now.time() < FROM or self._drawn == now.date() or not daemon.settings.reviews.plans:
            return
        # In a thread, since it loads SQLAlchemy: callers would notice.
        reviewing = await asyncio.to_thread(importlib.import_module, "hotline.reviewing")
        users = await asyncio.to_thread(reviewing.users, daemon.state_dir) or []
        request = {"week": reviewing.last_week(now, daemon.settings), "by": BY}
        try:
            done = await reviewing.draw(daemon.journal, daemon.state_dir / STORE, daemon.settings, request, users)
        except StoreError as fault:
            log.error("the graders' lists could not be drawn; the next look tries again", why=str(fault))
            return
        self._drawn = now.date()
        for one in done["drew"]:
            if one["calls"] or one["nobody"]:
                log.info("calls were put onto graders' lists", plan=one["plan"], week=one["week"],
                         calls=len(one["calls"]), nobody=len(one["nobody"]))  # fmt: skip
        if (said := reviewing.said_absent(done)) and reviewing.graders.begun(users):
            log.warning("nothing is drawn for graders who cannot grade", graders=done["absent"])
            daemon.alerts.alert("graders_absent", f"graders_absent {now.date()}", count=len(said), first=said[0])
