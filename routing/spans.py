"""The roster compiled: each date's shifts as spans of absolute time (µs since 1970 UTC), agent by agent. Pure.

A wall time means the first instant at which the local clocks show it or later. So where clocks go forward, 02:30 is
the instant of the change, and where they go back, it is the first of the two; a shift that ends at 02:30 and one that
begins there always meet, whatever the clocks do. A night shift from 22:00 to 06:00 then lasts seven hours or nine.

Dates are compiled when they are asked for and kept; agents without a change share the span of their shift.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.roster_file import DAY, RosterFile
from config.shapes import LONGEST_SHIFT
from routing.pattern import Pattern, WallSpan, Why

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

MOST_KEPT = 600_000
"""Spans of agents held compiled: a year of 1,000 agents and more; beyond it everything is forgotten and begun anew."""


class Span(NamedTuple):
    """A shift, or the part of it that is worked, in µs; ``backup`` first, so that of two the first line sorts last."""

    begins: int
    ends: int
    shift: str
    date: dt.date
    backup: bool
    devices: tuple[str, ...]
    breaks: tuple[tuple[int, int], ...]
    why: Why
    instead_of: str


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


def microseconds(at: dt.datetime) -> int:
    """Microseconds since 1970 UTC, exactly; ``at`` must be aware."""
    return (at - EPOCH) // MICROSECOND


class Group:
    """Those who work one span of one date. ``told`` and ``common`` are for whoever answers, to keep what they made of
    each agent and of all."""

    __slots__ = ("agents", "common", "span", "told")

    def __init__(self, span: Span, agents: list[str]) -> None:
        self.span, self.agents = span, agents
        self.told: dict[str, Any] = {}
        self.common: Any = None


class Date:
    """What begins on one local date: all groups, and each agent's in the order in which they begin."""

    __slots__ = ("by_agent", "groups")

    def __init__(self, groups: list[Group], by_agent: dict[str, tuple[Group, ...]]) -> None:
        self.groups, self.by_agent = groups, by_agent


class Days:
    """The spans that begin on each local date, compiled once."""

    def __init__(self, file: RosterFile, zone: ZoneInfo, pattern: Pattern) -> None:
        self.zone, self._shifts, self._pattern = zone, file.shifts, pattern
        longest = max((shift.wall_length for shift in file.shifts.values()), default=LONGEST_SHIFT)
        self.back = -(-longest // DAY)
        """Days before a date on which a span can begin that reaches into it."""
        self._dates: dict[dt.date, Date] = {}
        self._instants: dict[dt.datetime, int] = {}
        self._kept = 0

    def of(self, date: dt.date) -> Date:
        """What begins on this date."""
        found = self._dates.get(date)
        if found is None:
            found = self._compile(date)
            if self._kept > MOST_KEPT:
                self._dates, self._instants, self._kept = {}, {}, 0
            self._dates[date] = found
            self._kept += len(found.by_agent) + 1
        return found

    def start(self, date: dt.date) -> int:
        """The first instant of a local date (µs)."""
        return self.at(dt.datetime.combine(date, dt.time()))

    def at(self, wall: dt.datetime) -> int:
        """A naive wall time in µs."""
        found = self._instants.get(wall)
        if found is None:
            found = self._instants[wall] = microseconds(instant(wall, self.zone))
        return found

    def _compile(self, date: dt.date) -> Date:
        plain, changed = self._pattern.laid(date)
        shared: dict[tuple[str, ...], tuple[list[str], tuple[Group, ...]]] = {}
        found: dict[str, tuple[Group, ...]] = {}
        groups: list[Group] = []
        for agent, shifts in plain.items():
            if shifts not in shared:
                agents: list[str] = []
                spans = sorted(one for name in shifts for one in self._spans(name, date))
                shared[shifts] = agents, tuple(Group(span, agents) for span in spans)
                groups += shared[shifts][1]
            shared[shifts][0].append(agent)
            found[agent] = shared[shifts][1]
        for work in changed:
            own = [Group(span, [work.agent])
                   for span in self._spans(work.shift, date, work.parts, work.why, work.instead_of)]  # fmt: skip
            groups += own
            found[work.agent] = tuple(sorted((*found.get(work.agent, ()), *own), key=lambda group: group.span))
        return Date(groups, found)

    def _spans(
        self, name: str, date: dt.date, parts: Iterable[WallSpan] = (), why: Why = "pattern", instead_of: str = ""
    ) -> Iterable[Span]:
        shift = self._shifts[name]
        breaks = [(self.at(begins), self.at(ends)) for begins, ends in shift.wall_breaks(date)]
        for part in parts or (shift.wall_span(date),):
            begins, ends = self.at(part[0]), self.at(part[1])
            if begins < ends:  # a shift within the hour that the clocks jump over is none
                within = ((max(begins, one), min(ends, other)) for one, other in breaks)
                yield Span(
                    begins, ends, name, date, shift.backup, shift.ring,
                    tuple((one, other) for one, other in within if one < other), why, instead_of,
                )  # fmt: skip
