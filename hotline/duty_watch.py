"""Keeps the desk in accord with the clock: shifts, breaks, service hours, and the date by which skills hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import structlog

from config.settings import Settings
from routing.messages import Standing
from routing.roster import Roster
from routing.spans import microseconds
from routing.timetable import Timetable, on_break

log = structlog.get_logger()

LONGEST_SLEEP = 60.0
"""Seconds after which the timetable is asked again at the latest: a stepped clock must not hold a shift up."""

UNTIL_ADOPTED = 1.0
"""The same while nobody may speak to the desk yet."""


class DutyWatch:
    """``wall`` is the wall clock, which duty follows even where it was stepped; ``tell`` is the desk's ``stand``, None
    while nobody may speak to it."""

    def __init__(
        self,
        settings: Settings,
        roster: Roster,
        wall: Callable[[], datetime],
        tell: Callable[[], Callable[[Standing], None] | None],
    ) -> None:
        self._timetable = Timetable(settings.queues.queues, roster)
        self._wall, self._tell = wall, tell
        self._renewed = asyncio.Event()
        self.now = Standing()
        """How things stand, as the desk knows it."""

    @property
    def roster(self) -> Roster:
        """The roster in force."""
        return self._timetable.roster

    def breaks(self) -> dict[str, int]:
        """Who has a break now, and until when (µs since 1970 UTC)."""
        return {agent: microseconds(ends) for agent, (_, ends) in on_break(self.roster, self._wall()).items()}

    def look(self) -> Standing:
        """How things stand at this instant; whoever asks tells the desk."""
        self.now = self._timetable.standing(self._wall())
        return self.now

    def change(self, settings: Settings, roster: Roster) -> Standing:
        """Other settings are in force from now on; returns how things stand by them, for the desk."""
        self._timetable = Timetable(settings.queues.queues, roster)
        self._renewed.set()
        return self.look()

    async def run(self) -> None:
        """Tell the desk whatever the clock changes, for ever."""
        while True:
            tell, before = self._tell(), self.now
            if tell is not None and self.look() != before:
                tell(self.now)
                _log(before, self.now)
            now = self._wall()
            wait = (self._timetable.next_change(now) - now).total_seconds() + 0.001
            self._renewed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait, 0.001), LONGEST_SLEEP if tell is not None else UNTIL_ADOPTED)):
                    await self._renewed.wait()


def _log(before: Standing, now: Standing) -> None:
    if before.duty != now.duty:
        backups = sorted(agent for agent, line in now.duty.items() if line.backup)
        log.info("on duty now", agents=sorted(now.duty.keys() - backups), backups=backups)
    if before.closed.keys() != now.closed.keys():
        log.info("outside service hours now", queues=sorted(now.closed))
