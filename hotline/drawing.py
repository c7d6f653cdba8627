"""Each morning the daemon fills the graders' lists for the week that is over, by the plans of reviews.yaml.

What is drawn stays drawn, so the mornings after the first add only what came later: a recording that was finished late,
a call that has been given its subject since. Weeks that went over while no daemon was there are made up for by the next
start, each as a week of its own by the same seed.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
from typing import TYPE_CHECKING, Any

import structlog

from calllog.errors import StoreError
from hotline.cli_options import STORE
from hotline.keep_on import tried
from recordings.sampling import week_of, weeks_after

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

LOOK_EVERY = 600.0
"""Seconds between two looks."""
FROM = dt.time(6)
"""Local time: by then the recordings of the night are finished."""
BY = "hotline"
"""Who draws."""
FARTHEST = 26
"""Weeks that are made up for at most: 180 days, for which recordings are kept by default."""


class Drawing:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._drawn = daemon.turns.day("draw")

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await tried("the graders' lists", self.look())

    async def look(self) -> None:
        """Draw, if this morning's draw has not been made."""
        daemon = self._daemon
        now = daemon.wall().astimezone(daemon.settings.hotline.zone)
        if now.time() < FROM or self._drawn == now.date():
            return
        week = week_of(now - dt.timedelta(days=7), daemon.settings.hotline.zone)
        if not daemon.settings.reviews.plans:  # one that is made later begins with the week in which it is made
            await asyncio.to_thread(daemon.turns.note, draw=now.date().isoformat(), week=week)
            self._drawn = now.date()
            return
        # In a thread, since it loads SQLAlchemy: callers would notice.
        reviewing = await asyncio.to_thread(importlib.import_module, "hotline.reviewing")
        users = await asyncio.to_thread(reviewing.users, daemon.state_dir) or []
        done: dict[str, Any] = {"drew": []}
        try:
            for due in weeks_after(daemon.turns.last("week"), week, FARTHEST):
                drew = done["drew"]
                done = await reviewing.draw(
                    daemon.journal, daemon.state_dir / STORE, daemon.settings, {"week": due, "by": BY}, users
                )
                done["drew"] = [*drew, *done["drew"]]
                await asyncio.to_thread(daemon.turns.note, week=due)
        except StoreError as fault:
            log.error("the graders' lists could not be drawn; the next look tries again", why=str(fault))
            return
        self._drawn = now.date()
        await asyncio.to_thread(daemon.turns.note, draw=now.date().isoformat())
        for one in done["drew"]:
            if one["calls"] or one["nobody"]:
                log.info("calls were put onto graders' lists", plan=one["plan"], week=one["week"],
                         calls=len(one["calls"]), nobody=len(one["nobody"]))  # fmt: skip
        if (said := reviewing.said_absent(done)) and reviewing.graders.begun(users):
            log.warning("nothing is drawn for graders who cannot grade", graders=done["absent"])
            daemon.alerts.alert("graders_absent", f"graders_absent {now.date()}", count=len(said), first=said[0])
