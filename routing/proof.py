"""All that the checks of a roster look at, put together once: who works when, and how it is told. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from config.catalogue import _
from config.problems import shown
from config.roster_file import DAY
from config.settings import Settings
from routing.answering import instant_of
from routing.calendar import Calendar
from routing.counts import Interval
from routing.pattern import Absence, Pattern
from routing.roster import Roster
from routing.spans import Span, instant, microseconds

BEFORE = 14 * DAY
"""How far back the spans go: a Monday week, days in a row and the rest before a shift reach into what was."""

AFTER = 4 * DAY
"""And how far beyond: a shift of 72 h, and the rest after it."""


@dataclass(frozen=True)
class Proof:
    """A roster over [begins, ends) (aware instants), which is what is proven."""

    settings: Settings
    roster: Roster
    begins: dt.datetime
    ends: dt.datetime
    _walls: dict[tuple[str, dt.date], Interval] = field(default_factory=dict)
    _absences: dict[dt.date, dict[str, tuple[Absence, ...]]] = field(default_factory=dict)

    # --- what is looked at ----------------------------------------------------------------------------------------

    @cached_property
    def spans(self) -> dict[str, list[Span]]:
        """By agent, by beginning; also some from before and after."""
        return self.roster.by_agent(self.begins - BEFORE, self.ends + AFTER)

    @cached_property
    def first(self) -> int:
        """``begins`` in µs since 1970 UTC."""
        return microseconds(self.begins)

    @cached_property
    def last(self) -> int:
        """``ends`` in µs since 1970 UTC."""
        return microseconds(self.ends)

    @cached_property
    def today(self) -> dt.date:
        """The local date on which it begins."""
        return self.local(self.first).date()

    @property
    def calendar(self) -> Calendar:
        """Which kind of day each date is."""
        return self.roster.calendar

    @property
    def pattern(self) -> Pattern:
        """Who works which shift of a date."""
        return self.roster.pattern

    @cached_property
    def asked(self) -> frozenset[str]:
        """The skills that queues ask for."""
        return frozenset(queue.skill for queue in self.settings.queues.queues.values())

    @cached_property
    def rings(self) -> dict[str, tuple[str, ...]]:
        """The names of the devices that a shift rings, of those that choose."""
        return {name: shift.ring for name, shift in self.settings.roster.shifts.items() if shift.ring}

    def absences(self, date: dt.date) -> dict[str, tuple[Absence, ...]]:
        """Who is on leave on this date."""
        if date not in self._absences:
            self._absences[date] = self.pattern.absences(date)
        return self._absences[date]

    def answers(self, agent: str, date: dt.date) -> dict[str, int]:
        """The skills of the agent that queues ask for, at the least level that they want."""
        about = self.settings.agents.agents.get(agent)
        has = about.skills_at(date) if about else {}
        queues = self.settings.queues.queues.values()
        return {queue.skill: queue.level for queue in queues if has.get(queue.skill, 0) >= queue.level}

    # --- times ----------------------------------------------------------------------------------------------------

    def local(self, at: int) -> dt.datetime:
        """µs in the hotline's own time."""
        return instant_of(at).astimezone(self.settings.hotline.zone)

    def at(self, wall: dt.datetime) -> int:
        """A naive wall time in µs."""
        return microseconds(instant(wall, self.settings.hotline.zone))

    def midnight(self, date: dt.date) -> int:
        """When a local date begins (µs)."""
        return self.at(dt.datetime.combine(date, dt.time()))

    def wall(self, shift: str, date: dt.date) -> Interval:
        """The shift of this name that begins on ``date``, in µs. KeyError: there is none."""
        if (shift, date) not in self._walls:
            begins, ends = self.settings.roster.shifts[shift].wall_span(date)
            self._walls[shift, date] = self.at(begins), self.at(ends)
        return self._walls[shift, date]

    # --- in words -------------------------------------------------------------------------------------------------

    def who(self, agent: str) -> str:
        """``8003 王芳``."""
        about = self.settings.agents.agents.get(agent)
        return f"{agent} {shown(about.name)}" if about else agent

    def people(self, agents: Sequence[str], most: int = 3) -> str:
        """Several of them; more than ``most`` are counted."""
        named = [self.who(agent) for agent in agents[:most]]
        if len(agents) > most:
            named.append(_("{n} more").format(n=len(agents) - most))
        return listed(named)

    def span(self, begins: int, ends: int) -> str:
        """``2027-02-06 03:00–06:00``, ``2027-02-06 22:00 – 02-07 06:00``."""
        one, other = self.local(begins), self.local(ends)
        midnight = other.time() == dt.time()
        if one.date() == (other.date() - DAY if midnight else other.date()):
            return f"{one:%Y-%m-%d %H:%M}–{'24:00' if midnight else f'{other:%H:%M}'}"
        until = f"{other:%m-%d %H:%M}" if one.year == other.year else f"{other:%Y-%m-%d %H:%M}"
        return f"{one:%Y-%m-%d %H:%M} – {until}"

    def shift(self, span: Span) -> str:
        """``夜班 2027-02-06 22:00 – 02-07 06:00``."""
        return f"{shown(span.shift)} {self.span(span.begins, span.ends)}"


def listed(words: Sequence[str]) -> str:
    """``a, b, c``, ``甲、乙、丙``."""
    between = _("{one}, {other}").format(one="\0", other="\0").strip("\0")
    return between.join(words)
