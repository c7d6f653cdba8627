"""Who is on duty at any instant, by the roster file: weekly patterns, and dated changes on top.

Theory of operation. A shift is written in wall time; it belongs to the local date on which it begins. For a date, the
pattern says who works which shift; a change for that agent and date takes the pattern's place. So a date compiles, by
itself, into spans of absolute time, and any instant is answered by its own local date and the one before: no shift is
longer than 24 h of wall time. Dates are compiled when they are asked for, and the last ones kept.

A wall time means the first instant at which the local clocks show it or later. So where clocks go forward, 02:30 is
the instant of the change, and where they go back, it is the first of the two; a shift that ends at 02:30 and one that
begins there always meet, whatever the clocks do. Intervals are half-open.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.settings import RosterFile, Shift

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = dt.timedelta(days=1)

DAYS_KEPT = 1000
"""Dates held compiled: two years and a half."""

UNBROKEN = 31
"""Days that :attr:`Duty.until` looks ahead: duty without a break for longer than that is not duty."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One agent's shift, in times of the roster's zone, to be shown as they are.

    To compute with them, take them to UTC first: Python subtracts and compares times of one zone by the wall.
    ``until`` is the end of the agent's duty where shifts meet or overlap, ``ends`` that of this shift alone.
    """

    agent: str
    shift: str
    begins: dt.datetime
    ends: dt.datetime
    until: dt.datetime


class Span(NamedTuple):
    """A shift of one agent in absolute time (UTC)."""

    begins: dt.datetime
    ends: dt.datetime
    agent: str
    shift: str


def instant(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first instant (UTC) at which clocks in ``zone`` show the naive ``wall`` time or later."""
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if early.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return early
    before = early.astimezone(zone).utcoffset()  # the clocks jump over it, somewhere in between
    while late - early > dt.timedelta(seconds=1):
        middle = early + dt.timedelta(seconds=(late - early) // dt.timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def wall_span(date: dt.date, shift: Shift) -> tuple[dt.datetime, dt.datetime]:
    """The shift that begins on ``date`` in naive wall time; one that ends at or before its start ends a day later."""
    begins, ends = dt.datetime.combine(date, shift.start), dt.datetime.combine(date, shift.end)
    return begins, ends if ends > begins else ends + DAY


class Roster:
    """Answers for every instant whose local date is at least a day away from the ends of the calendar (years 1, 9999).

    ``at`` must be aware, in any zone; ValueError else.
    """

    def __init__(self, file: RosterFile, zone: ZoneInfo) -> None:
        self._zone = zone
        self._shifts = dict(file.shifts)
        self._weekly = {
            weekday: [rule for rule in file.weekly if WEEKDAYS[weekday] in rule.days] for weekday in range(7)
        }
        self._changes: dict[dt.date, dict[str, tuple[str, ...]]] = {}
        for change in file.changes:
            self._changes.setdefault(change.date, {})[change.agent] = () if change.off else change.shifts
        week = 7 * DAY
        news = {rule.since for rule in file.weekly if rule.since} | set(self._changes)
        news |= {date + week for date in self._changes if date < dt.date.max - week}
        self._news = sorted(news)
        """Dates on which a roster that was empty for a week may come to life."""
        self._days: dict[dt.date, dict[str, tuple[Span, ...]]] = {}

    @classmethod
    def compile(cls, file: RosterFile, zone: ZoneInfo) -> Roster:
        """A roster that answers. Shifts that the file does not name are passed over (config refuses them)."""
        return cls(file, zone)

    # --- answers ------------------------------------------------------------------------------------------------

    def on_duty(self, at: dt.datetime) -> tuple[Duty, ...]:
        """Who is on duty at this instant, by staff number; of overlapping shifts of an agent, the one begun last."""
        latest = {span.agent: span for span in self._around(at)}
        return tuple(self._duty(latest[agent]) for agent in sorted(latest))

    def begun(self, at: dt.datetime) -> dict[str, int]:
        """Each agent on duty at this instant and when their present shift began (µs since 1970 UTC), for the desk."""
        return {span.agent: microseconds(span.begins) for span in self._around(at)}

    def next_change(self, at: dt.datetime) -> dt.datetime | None:
        """The first instant (UTC) after ``at`` at which a shift begins or ends; None when none ever will."""
        at = _utc(at)
        for spans in self._from(at):
            times = [time for span in spans for time in (span.begins, span.ends) if time > at]
            if times:
                return min(times)
        return None

    def next_on_duty(self, at: dt.datetime) -> tuple[Duty, ...]:
        """Those whose shift is the next to begin after ``at``, by staff number."""
        at = _utc(at)
        for spans in self._from(at):
            later = [span for span in spans if span.begins > at]
            if later:
                first = min(span.begins for span in later)
                found = [span for span in sorted(later, key=lambda one: one.agent) if span.begins == first]
                return tuple(self._duty(span) for span in found)
        return ()

    def spans(self, begins: dt.datetime, ends: dt.datetime) -> tuple[Duty, ...]:
        """Every shift of which some part lies in [begins, ends), by beginning and staff number."""
        begins, ends = _utc(begins), _utc(ends)
        first, last = _local(begins, self._zone) - DAY, _local(ends, self._zone)
        days = (first + DAY * number for number in range((last - first).days + 1))
        found = [span for span in self._on(*days) if span.begins < ends and span.ends > begins]
        return tuple(self._duty(span) for span in sorted(found, key=lambda one: (one.begins, one.agent)))

    # --- compiling ----------------------------------------------------------------------------------------------

    def worked(self, date: dt.date) -> dict[str, tuple[str, ...]]:
        """Each agent who works on ``date`` and the shifts they begin there, each once."""
        worked: dict[str, tuple[str, ...]] = {}
        for rule in self._weekly[date.weekday()]:
            if (rule.since is None or rule.since <= date) and (rule.until is None or date < rule.until):
                for agent in rule.agents:
                    worked[agent] = (*worked.get(agent, ()), rule.shift)
        worked.update(self._changes.get(date, {}))
        return {agent: tuple(dict.fromkeys(shifts)) for agent, shifts in worked.items() if shifts}

    def _day(self, date: dt.date) -> dict[str, tuple[Span, ...]]:
        """The shifts that begin on this local date, each agent's in order."""
        found = self._days.get(date)
        if found is None:
            found = self._days[date] = {agent: tuple(sorted(spans)) for agent, spans in self._compile(date)}
            if len(self._days) > DAYS_KEPT:
                del self._days[next(iter(self._days))]
        return found

    def _compile(self, date: dt.date) -> Iterator[tuple[str, list[Span]]]:
        times: dict[str, tuple[dt.datetime, dt.datetime]] = {}
        for name, shift in self._shifts.items():
            begins, ends = wall_span(date, shift)
            times[name] = instant(begins, self._zone), instant(ends, self._zone)
        for agent, shifts in self.worked(date).items():
            named = [(*times[name], name) for name in shifts if name in times]
            yield agent, [Span(begins, ends, agent, name) for begins, ends, name in named if begins < ends]

    def _on(self, *dates: dt.date) -> list[Span]:
        """All shifts that begin on these local dates."""
        return [span for date in dates for spans in self._day(date).values() for span in spans]

    def _around(self, at: dt.datetime) -> list[Span]:
        """The shifts on at this instant, those begun first first."""
        at = _utc(at)
        date = _local(at, self._zone)
        return sorted(span for span in self._on(date - DAY, date) if span.begins <= at < span.ends)

    def _from(self, at: dt.datetime) -> Iterator[list[Span]]:
        """Shifts from the day before ``at`` on, in portions; each holds all that begins or ends before the next.

        A pattern repeats every week; where eight days are empty, the next date that brings anything new is next.
        """
        date = _local(at, self._zone) - DAY
        empty = 0
        while date < dt.date.max - 3 * DAY:
            portion = self._on(date, date + DAY, date + 2 * DAY)
            yield portion
            empty = 0 if portion else empty + 1
            date += DAY
            if empty > 7:
                place = bisect_right(self._news, date)
                if place == len(self._news):
                    return
                date, empty = max(date, self._news[place] - DAY), 0

    def _duty(self, span: Span) -> Duty:
        until, date = span.ends, _local(span.begins, self._zone)
        for number in range(-1, UNBROKEN):
            for one in self._day(date + DAY * number).get(span.agent, ()):
                if one.begins <= until:
                    until = max(until, one.ends)
            if _local(until, self._zone) < date + DAY * (number + 1):
                break
        times = (time.astimezone(self._zone) for time in (span.begins, span.ends, until))
        return Duty(span.agent, span.shift, *times)


def microseconds(at: dt.datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _utc(at: dt.datetime) -> dt.datetime:
    if at.tzinfo is None:
        raise ValueError("an instant must have a time zone")
    return at.astimezone(dt.UTC)


def _local(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    return at.astimezone(zone).date()
