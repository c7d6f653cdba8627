"""The roster as the console's duty room shows it. That of a large house is made in a worker: to compile and to count a
week of it takes seconds, for which no call may wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from config.catalogue import language
from config.problems import Problem
from config.roster_file import DAY
from config.settings import Settings
from console.week import COLOURS, Bar, Hole, Week, WeekDay, WeekRow
from hotline.day_words import Day, mark, weekday
from hotline.examine import in_worker
from hotline.heat_picture import draw
from hotline.roster_grid import ShiftKey
from hotline.roster_view import Seen, heat_of, weeks_of
from routing.check import check
from routing.roster import Duty

T = TypeVar("T")

DAYS = 7
ROOM = 12
"""Columns for what marks a day."""

TOLD = ("extra", "swap", "cover")
"""Of why somebody is on duty, what is worth a mark."""

KEPT = 300.0
"""Seconds for which an answer is given again, unless the settings change: its mark of the time is then late by so
much."""

SMALL = 100
"""Agents up to whom a thread is enough: some tens of milliseconds, and a worker takes a second to begin."""

MOST = 24
"""Answers that are kept."""


class RosterLooks:
    """Makes them one at a time, and keeps them a while. Belongs to the daemon's loop."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[float, Settings, object]] = {}
        self._one = asyncio.Lock()

    async def week(self, settings: Settings, first: dt.date, now: dt.datetime) -> Week:
        """:func:`week_of`, in the language in force here. Raises as ``hotline.examine.in_worker`` does."""
        return await self._asked(week_of, settings, (first,), now)

    async def checked(self, settings: Settings, now: dt.datetime) -> list[Problem]:
        """:func:`checked`, likewise."""
        return await self._asked(checked, settings, (), now)

    async def _asked(
        self, job: Callable[..., T], settings: Settings, more: tuple[object, ...], now: dt.datetime
    ) -> T:
        key, today = (job, language(), *more), now.astimezone(settings.hotline.zone).date()
        async with self._one:
            made, of, found = self._kept.get((*key, today), (0.0, None, None))
            if of is not settings or time.monotonic() - made > KEPT:
                small = len(settings.agents.agents) <= SMALL
                found = await (asyncio.to_thread if small else in_worker)(job, settings, *more, now)
                while len(self._kept) >= MOST:
                    del self._kept[next(iter(self._kept))]
                self._kept[*key, today] = (time.monotonic(), settings, found)
            return cast(T, found)


def week_of(settings: Settings, first: dt.date, now: dt.datetime) -> Week:
    """The seven days from ``first`` on; ``now`` is aware."""
    zone = settings.hotline.zone
    here = now.astimezone(zone)
    seen = Seen.of(settings, first, DAYS, here.date())
    weeks = weeks_of(seen)
    heat = heat_of(seen, now)
    colours = {shift: number % COLOURS for number, shift in enumerate(settings.roster.shifts)}
    duties: dict[str, list[Duty]] = {}
    for duty in seen.proof.roster.spans(seen.proof.begins, seen.proof.ends):
        duties.setdefault(duty.agent, []).append(duty)
    rows = tuple(
        WeekRow(
            person.number, person.name, person.team, person.hours, person.nights,
            tuple(_bar(duty, first, zone, weeks.grid.shifts, colours) for duty in duties.get(person.number, ())),
            {place: cell.leave for place, cell in enumerate(person.cells) if cell.leave},
        )
        for person in weeks.grid.people
    )  # fmt: skip
    there = {bar.shift for row in rows for bar in row.bars}
    keys = tuple((name, key.times, colours[name]) for name, key in weeks.grid.shifts.items() if name in there)
    holes = tuple(dict.fromkeys(Hole(gap.words, gap.filled) for panel in heat.panels for gap in panel.gaps))
    place = _place(here, first, zone)
    pictures: Mapping[str, str] = {"light": draw(heat, "light"), "dark": draw(heat, "dark")}
    return Week(tuple(map(_day, seen.days)), rows, keys, holes, pictures, place if 0 <= place < 1 else None)


def checked(settings: Settings, now: dt.datetime) -> list[Problem]:
    """What the proof of the roster in force says; its errors first."""
    return sorted(check(settings, now), key=lambda problem: problem.warning)


def _day(day: Day) -> WeekDay:
    return WeekDay(day.date, weekday(day.date), mark(day, ROOM), day.free, day.today)


def _bar(
    duty: Duty, first: dt.date, zone: ZoneInfo, keys: Mapping[str, ShiftKey], colours: Mapping[str, int]
) -> Bar:
    begins, ends = duty.begins.astimezone(zone), duty.ends.astimezone(zone)
    last = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%m-%d %H:%M}"
    key = keys.get(duty.shift)
    return Bar(
        (duty.date - first).days, max(0.0, _place(begins, first, zone)), min(1.0, _place(ends, first, zone)),
        duty.shift, key.short if key is not None else duty.shift, colours.get(duty.shift, 0),
        f"{begins:%m-%d %H:%M}–{last}", duty.backup, duty.why if duty.why in TOLD else "", duty.instead_of,
    )  # fmt: skip


def _place(at: dt.datetime, first: dt.date, zone: ZoneInfo) -> float:
    """The share of the week, by the clock on the wall."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    return (wall - dt.datetime.combine(first, dt.time())) / (DAYS * DAY)
