"""The roster as the console's duty room shows it. That of a large house is made in a worker: to compile and to count a
week of it takes seconds, for which no call may wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import structlog

from config.catalogue import language
from config.roster_file import DAY
from config.settings import Settings
from console.duty import is_small
from console.week import COLOURS, Bar, Hole, Instant, Proven, Week, WeekDay, WeekRow, packed
from hotline.day_words import Day, mark, weekday
from hotline.examine import in_worker
from hotline.heat_picture import draw
from hotline.roster_grid import ShiftKey
from hotline.roster_view import Seen, heat_of, weeks_of
from routing.check import check
from routing.present import present
from routing.roster import Duty, Roster
from routing.timetable import on_break

log = structlog.get_logger()

T = TypeVar("T")

DAYS = 7
ROOM = 12
"""Columns for what marks a day."""

TOLD = ("extra", "swap", "cover")
"""Of why somebody is on duty, what is worth a mark."""

KEPT = 300.0
"""Seconds after which an answer is made anew, while the old one is still given: its mark of the time is then late by so
much. After a change of the settings there is no old one."""

MOST = 12
"""Answers that are kept."""

TOLD_PROBLEMS = 200
"""Problems of a proof that are given out."""


class RosterLooks:
    """Makes them one at a time, and keeps them a while. Belongs to the daemon's loop."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[float, Settings, object]] = {}
        self._one, self._now = asyncio.Lock(), asyncio.Lock()
        self._anew: set[asyncio.Task[None]] = set()
        self._compiled: tuple[Settings, Roster] | None = None
        self._instant: Instant | None = None

    async def week(self, settings: Settings, first: dt.date, now: dt.datetime) -> Week:
        """:func:`week_of`, in the language in force here. Raises as ``hotline.examine.in_worker`` does."""
        return await self._asked(week_of, settings, (first,), now)

    async def checked(self, settings: Settings, now: dt.datetime) -> Proven:
        """:func:`checked`, likewise."""
        return await self._asked(checked, settings, (), now)

    async def instant(self, settings: Settings, now: dt.datetime) -> Instant:
        """Who is on duty at this minute. In a thread, by a roster of its own: the desk's compiles as it goes, and a
        large one takes a moment for the eight days that are looked at."""
        at = now.astimezone(settings.hotline.zone).replace(second=0, microsecond=0)
        async with self._now:
            if self._compiled is None or self._compiled[0] is not settings:
                self._compiled, self._instant = (settings, await asyncio.to_thread(Roster.of, settings)), None
            if self._instant is None or self._instant.at != at:
                self._instant = await asyncio.to_thread(instant_of, settings, self._compiled[1], at)
            return self._instant

    async def _asked(
        self, job: Callable[..., T], settings: Settings, more: tuple[object, ...], now: dt.datetime
    ) -> T:
        key = (job, language(), *more, now.astimezone(settings.hotline.zone).date())
        made, of, found = self._kept.get(key, (0.0, None, None))
        if of is settings:
            if time.monotonic() - made > KEPT and not self._anew:
                self._anew.add(task := asyncio.create_task(self._again(key, job, settings, more, now)))
                task.add_done_callback(self._anew.discard)
            return cast(T, found)
        async with self._one:
            made, of, found = self._kept.get(key, (0.0, None, None))
            if of is not settings:
                found = await self._make(key, job, settings, more, now)
            return cast(T, found)

    async def _again(
        self, key: tuple[object, ...], job: Callable[..., object], settings: Settings, more: tuple[object, ...],
        now: dt.datetime,
    ) -> None:  # fmt: skip
        async with self._one:
            try:
                await self._make(key, job, settings, more, now)
            except (BrokenProcessPool, TimeoutError, OSError) as error:
                log.warning("the roster could not be looked at anew", why=repr(error))

    async def _make(
        self, key: tuple[object, ...], job: Callable[..., object], settings: Settings, more: tuple[object, ...],
        now: dt.datetime,
    ) -> object:  # fmt: skip
        found = await (asyncio.to_thread if is_small(settings) else in_worker)(job, settings, *more, now)
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (time.monotonic(), settings, found)
        return found


def instant_of(settings: Settings, roster: Roster, at: dt.datetime) -> Instant:
    """Who is on duty at this instant: first line before backup, breaks last."""
    breaks = on_break(roster, at)
    there = (*roster.on_duty(at), *(shift for shift, _ends in breaks.values()))
    in_order = sorted(there, key=lambda duty: (duty.backup, duty.agent in breaks, duty.agent))
    return Instant(at, tuple(in_order), breaks, tuple(present(settings, roster, at)))


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
    return Week(
        tuple(map(_day, seen.days)), len(rows), packed(rows), keys, holes, pictures, place if 0 <= place < 1 else None
    )


def checked(settings: Settings, now: dt.datetime) -> Proven:
    """What the proof of the roster in force says; its errors first."""
    found = sorted(check(settings, now), key=lambda problem: problem.warning)
    return Proven(tuple(found[:TOLD_PROBLEMS]), len(found))


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
