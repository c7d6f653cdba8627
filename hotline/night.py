"""Watches over the hours when nobody looks: asks :mod:`routing.warnings` every few seconds what is to be told."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import TYPE_CHECKING

import structlog

from calllog.errors import StoreError
from calllog.events import Alarm
from config.settings import Settings
from hotline.alerts import STREAM_ID
from routing.coverage import Gap, coverage, gaps
from routing.roster import Roster
from routing.warnings import Facts, Memory, Seen, due

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

LOOK_EVERY = 10.0
"""Seconds between two looks."""

BACK, AHEAD = dt.timedelta(days=1), dt.timedelta(days=3)
"""For how long the roster is compared with what is required, from now on and before."""

ANEW = dt.timedelta(hours=1)
"""After which that is done again though nothing has changed."""

REMEMBERED = 2 * Memory.MOST
"""Warnings of the journal that a start reads: those of a roll call and of faults have no key and lie in between."""


class Night:
    """The daemon's watch; :meth:`run` it for as long as it serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._memory: Memory | None = None
        self._gaps: list[Gap] = []
        self._from = self._looked = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._of: Settings | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._daemon.adopted:
                await self._look()

    async def _look(self) -> None:
        daemon = self._daemon
        if self._memory is None:
            self._memory = await self._told_before()
        await self._compare(daemon.settings, daemon.wall())
        now = daemon.wall()
        agents = {
            state.agent: Seen(state.mode, state.reason, daemon.can_reach(state.agent)) for state in daemon.desk.agents()
        }
        until = self._looked + AHEAD
        # A fresh install has no phones yet, and nobody is missed there.
        duties = daemon.duty.roster.on_duty(now) if daemon.settings.hotline.has_carrier else []
        facts = Facts(self._gaps, self._from, until, duties, agents, daemon.desk.waiting())
        for warning in due(now, time.monotonic(), facts, self._memory):
            daemon.alerts.alert(warning.code, warning.key, **warning.params)
            await asyncio.sleep(0)  # when a thousand phones are gone, callers come in between

    async def _told_before(self) -> Memory:
        """What the journal says was told; a store that cannot be read rather tells something twice."""
        try:
            events = await self._daemon.journal.last_events("system", STREAM_ID, REMEMBERED)
        except StoreError as fault:
            log.error("what was warned of before is not known; it may be told again", why=str(fault))
            events = []
        keys = [one.event.key for one in events if isinstance(one.event, Alarm)]
        return Memory(dict.fromkeys(key for key in keys if key))

    async def _compare(self, settings: Settings, now: dt.datetime) -> None:
        """The gaps of the roster in force; anew when it changed, with time, and when the clock was stepped."""
        if settings is self._of and abs(now - self._looked) < ANEW:
            return
        begins = (now - BACK).replace(minute=0, second=0, microsecond=0)
        self._gaps = await asyncio.to_thread(gaps_of, settings, begins, now + AHEAD)
        self._of, self._looked, self._from = settings, now, begins


def gaps_of(settings: Settings, begins: dt.datetime, ends: dt.datetime) -> list[Gap]:
    """Where fewer than needed are on duty. Compiles a roster of its own, for a thread of its own."""
    return gaps(coverage(settings, Roster.of(settings), begins, ends))
