"""Who is on duty at any instant, by the roster file. Pure.

Theory of operation. :mod:`routing.pattern` says who works which shift of a date, :mod:`routing.spans` turns a date into
spans of absolute time. Here time is cut into days (UTC); each holds the instants at which anything changes in it, and
between two of them the answer is one and the same: it is made once, and then found by bisection. Days are compiled
when they are asked for, or ahead (:meth:`Roster.prepare`), and kept.

On a break one is not on duty for calls, but the shift goes on. Intervals are half-open.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.roster_file import DAY, RosterFile
from config.settings import Settings
from routing.calendar import WEEKDAYS, Calendar
from routing.pattern import Pattern, Why
from routing.spans import EPOCH, MICROSECOND, Days, Group, Span, microseconds

UNBROKEN = 31
"""Days that :attr:`Duty.until` looks ahead: duty without a break for longer than that is not duty."""

QUIET_WEEK, QUIET_YEARS = 8, 2600
"""Days without any duty after which none will come by itself: a week and a day; with words such as ``festival`` seven
years, in which a festival has been on every weekday."""

BLOCK = 86_400_000_000
"""µs of a day."""

BLOCKS_KEPT = 1000
"""Days held with their answers."""


class Duty(NamedTuple):
    """One agent's shift, or the part of it that is worked, in times of the roster's zone, to be shown as they are.

    To compute with them, take them to UTC first: Python subtracts and compares times of one zone by the wall.
    ``until`` is the end of the agent's duty where shifts meet or overlap, ``ends`` that of this shift alone; ``date``
    is the one to which the shift belongs. ``devices``: names of those to ring, in that order; none: all that the agent
    has. ``instead_of``: whose shift it is by right.
    """

    agent: str
    shift: str
    begins: dt.datetime
    ends: dt.datetime
    until: dt.datetime
    date: dt.date
    backup: bool
    devices: tuple[str, ...]
    breaks: tuple[tuple[dt.datetime, dt.datetime], ...]
    why: Why
    instead_of: str

    def stretches(self) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
        """Its times without the breaks: when the agent is there for calls."""
        edges = [self.begins, *chain.from_iterable(self.breaks), self.ends]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple(pair for pair in pairs if pair[0].astimezone(dt.UTC) < pair[1].astimezone(dt.UTC))


class Line(NamedTuple):
    """How somebody is on duty: since when (µs since 1970 UTC), first line or backup, and with which devices."""

    begun: int
    backup: bool
    devices: tuple[str, ...]


class _Block:
    """One day: its changes, and for each the answer until the next, made when it is first wanted."""

    __slots__ = ("duties", "groups", "lines", "next", "times")

    def __init__(self, begins: int, groups: list[Group]) -> None:
        self.groups = groups
        edges = {begins, *(edge for group in groups for edge in _edges(group.span))}
        self.times = sorted(edge for edge in edges if begins <= edge < begins + BLOCK)
        self.lines: list[dict[str, Line] | None] = [None] * len(self.times)
        self.duties: list[tuple[Duty, ...] | None] = [None] * len(self.times)
        self.next: dict[int, tuple[Duty, ...]] = {}

    def on(self, at: int) -> dict[str, Group]:
        """Who is on duty, and by which span: first line before backup, then the one begun last."""
        best: dict[str, Group] = {}
        for group in self.groups:
            span = group.span
            if span.begins <= at < span.ends and not any(begins <= at < ends for begins, ends in span.breaks):
                for agent in group.agents:
                    other = best.get(agent)
                    if other is None or _preferred(other.span) < _preferred(span):
                        best[agent] = group
        return best


def _preferred(span: Span) -> tuple[bool, int, str]:
    return not span.backup, span.begins, span.shift


def _edges(span: Span) -> Iterator[int]:
    return chain((span.begins, span.ends), *span.breaks)


_Common = tuple[list[dict[str, tuple[Group, ...]]], str, dt.datetime, dt.datetime, tuple[Any, ...]]


class Roster:
    """Answers for every instant whose local date is at least a week away from the ends of the calendar (years 1, 9999).

    ``at`` must be aware, in any zone; ValueError else.
    """

    def __init__(self, file: RosterFile, zone: ZoneInfo, country: str = "CN") -> None:
        self.zone = zone
        self.calendar = Calendar(file.calendar, country)
        self.pattern = Pattern(file, self.calendar)
        self._days = Days(file, zone, self.pattern)
        self._blocks: dict[int, _Block] = {}
        self._times: dict[int, dt.datetime] = {}
        self._news = self.pattern.news()
        """Dates on which a roster that was empty for long may come to life."""
        words = {word for rule in file.rules for word in (*rule.days, *rule.not_on)}
        words |= {word for rotation in file.rotations.values() for word in rotation.not_on}
        cycle = max((len(rotation.cycle) for rotation in file.rotations.values()), default=1)
        self._quiet = QUIET_YEARS if words.difference(WEEKDAYS) else QUIET_WEEK * cycle

    @classmethod
    def compile(cls, file: RosterFile, zone: ZoneInfo, country: str = "CN") -> Roster:
        """A roster that answers. Shifts that the file does not name are passed over (config refuses them)."""
        return cls(file, zone, country)

    @classmethod
    def of(cls, settings: Settings, at: dt.datetime | None = None) -> Roster:
        """The roster of these settings; with ``at``, the two days from then on are compiled already."""
        roster = cls(settings.roster, settings.hotline.zone, settings.hotline.country)
        if at is not None:
            roster.prepare(at, at + 2 * DAY)
        return roster

    # --- answers ------------------------------------------------------------------------------------------------

    def on_duty(self, at: dt.datetime) -> tuple[Duty, ...]:
        """Who is on duty at this instant, by staff number; of an agent's overlapping shifts first line before backup,
        then the one begun last."""
        return self._duties(*self._find(at))

    def lines(self, at: dt.datetime) -> dict[str, Line]:
        """Each agent on duty at this instant, and how: what the desk must know."""
        return dict(self._lines(*self._find(at)))

    def begun(self, at: dt.datetime) -> dict[str, int]:
        """Each agent on duty at this instant and when their present shift began (µs since 1970 UTC)."""
        return {agent: line.begun for agent, line in self._lines(*self._find(at)).items()}

    def next_change(self, at: dt.datetime) -> dt.datetime | None:
        """The first instant (UTC) after ``at`` at which a shift or a break begins or ends; None when none ever will."""
        now = _aware(at)
        for _number, block in self._from(now):
            for edge in block.times[bisect_right(block.times, now) :]:
                if edge % BLOCK or self._is_edge(block, edge):
                    return EPOCH + edge * MICROSECOND
        return None

    def next_on_duty(self, at: dt.datetime) -> tuple[Duty, ...]:
        """Those whose shift is the next to begin after ``at``, by staff number."""
        now = _aware(at)
        for number, block in self._from(now):
            later = [group for group in block.groups if now < group.span.begins < (number + 1) * BLOCK]
            if later:
                return self._beginning(block, min(group.span.begins for group in later))
        return ()

    def spans(self, begins: dt.datetime, ends: dt.datetime) -> tuple[Duty, ...]:
        """Every shift of which some part lies in [begins, ends), by beginning and staff number."""
        first, last = _aware(begins), _aware(ends)
        groups = [group for date in self._dates(begins, ends) for group in self._days.of(date).groups
                  if group.span.begins < last and group.span.ends > first]  # fmt: skip
        found = [(group.span.begins, agent, place) for place, group in enumerate(groups) for agent in group.agents]
        return tuple(self._duty(groups[place], agent) for _begins, agent, place in sorted(found))

    def of_agent(self, agent: str, begins: dt.datetime, ends: dt.datetime) -> tuple[Duty, ...]:
        """The same of one agent."""
        first, last = _aware(begins), _aware(ends)
        return tuple(
            self._duty(group, agent)
            for date in self._dates(begins, ends)
            for group in self._days.of(date).by_agent.get(agent, ())
            if group.span.begins < last and group.span.ends > first
        )

    def by_agent(self, begins: dt.datetime, ends: dt.datetime) -> dict[str, list[Span]]:
        """By agent, every span of which some part lies in [begins, ends), by beginning."""
        first, last = _aware(begins), _aware(ends)
        found: dict[str, list[Span]] = {}
        for date in self._dates(begins, ends):
            for group in self._days.of(date).groups:
                if group.span.begins < last and group.span.ends > first:
                    for agent in group.agents:
                        found.setdefault(agent, []).append(group.span)
        for spans in found.values():
            spans.sort()
        return found

    def worked(self, date: dt.date) -> dict[str, tuple[str, ...]]:
        """Each agent who works on ``date`` and the shifts they begin there, each once."""
        return self.pattern.worked(date)

    def prepare(self, begins: dt.datetime, ends: dt.datetime) -> None:
        """Compile all of [begins, ends) now, so that every later answer within it is found at once."""
        for number in range(_aware(begins) // BLOCK, -(-_aware(ends) // BLOCK)):
            block = self._block(number)
            for place, at in enumerate(block.times):
                on = block.on(at)
                self._duties(block, place, on)
                self._lines(block, place, on)
                self._beginning(block, at)

    # --- compiling ----------------------------------------------------------------------------------------------

    def _find(self, at: dt.datetime) -> tuple[_Block, int]:
        now = _aware(at)
        block = self._block(now // BLOCK)
        return block, bisect_right(block.times, now) - 1

    def _duties(self, block: _Block, place: int, on: dict[str, Group] | None = None) -> tuple[Duty, ...]:
        found = block.duties[place]
        if found is None:
            on = block.on(block.times[place]) if on is None else on
            found = block.duties[place] = tuple(self._duty(on[agent], agent) for agent in sorted(on))
        return found

    def _lines(self, block: _Block, place: int, on: dict[str, Group] | None = None) -> dict[str, Line]:
        found = block.lines[place]
        if found is None:
            on = block.on(block.times[place]) if on is None else on
            lines = {group: Line(group.span.begins, group.span.backup, group.span.devices) for group in on.values()}
            found = block.lines[place] = {agent: lines[group] for agent, group in on.items()}
        return found

    def _beginning(self, block: _Block, at: int) -> tuple[Duty, ...]:
        """Whose shifts begin at just this instant."""
        found = block.next.get(at)
        if found is None:
            begun = [group for group in block.groups if group.span.begins == at]
            found = tuple(sorted(self._duty(group, agent) for group in begun for agent in group.agents))
            block.next[at] = found
        return found

    def _block(self, number: int) -> _Block:
        found = self._blocks.get(number)
        if found is None:
            begins, ends = number * BLOCK, (number + 1) * BLOCK
            date = EPOCH.date() + number * DAY
            groups = [
                group
                for day in range(-1 - self._days.back, 2)
                for group in self._days.of(date + day * DAY).groups
                if group.span.begins < ends and group.span.ends > begins
            ]
            if len(self._blocks) >= BLOCKS_KEPT:
                self._blocks, self._times = {}, {}
            found = self._blocks[number] = _Block(begins, groups)
        return found

    def _is_edge(self, block: _Block, at: int) -> bool:
        """Whether anything begins or ends just at the beginning of a block, which always stands among its times."""
        before = self._block(at // BLOCK - 1).groups
        return any(at in _edges(group.span) for group in chain(before, block.groups))

    def _from(self, now: int) -> Iterator[tuple[int, _Block]]:
        """The blocks from that of ``now`` on; stretches in which nothing can happen are left out."""
        number, quiet = now // BLOCK, 0
        last = (dt.date.max - EPOCH.date()).days - 7
        while number < last:
            block = self._block(number)
            yield number, block
            number += 1
            date = EPOCH.date() + number * DAY
            place = bisect_right(self._news, date)
            fresh = place > 0 and self._news[place - 1] == date
            quiet = 0 if block.groups or fresh else quiet + 1
            if quiet > self._quiet:
                if place == len(self._news):
                    return
                number, quiet = max(number, (self._news[place] - EPOCH.date()).days - 1), 0

    def _dates(self, begins: dt.datetime, ends: dt.datetime) -> Iterable[dt.date]:
        first = begins.astimezone(self.zone).date() - self._days.back * DAY
        last = ends.astimezone(self.zone).date()
        return (first + number * DAY for number in range((last - first).days + 1))

    def _duty(self, group: Group, agent: str) -> Duty:
        found: Duty | None = group.told.get(agent)
        if found is None:
            near, shift, begins, ends, rest = group.common or self._common(group)
            until, last = ends, group.span.ends
            for by_agent in near:
                for other in by_agent.get(agent, ()):
                    if other.span.begins <= last < other.span.ends:
                        until = self._time(self._until(group.span, agent))
            found = group.told[agent] = Duty(agent, shift, begins, ends, until, *rest)
        return found

    def _common(self, group: Group) -> _Common:
        """What is the same for all of a group, and by agent the groups of the dates that can meet its span."""
        span, at, days = group.span, self._time, self._days
        dates = [days.of(span.date + number * DAY) for number in range(-days.back, days.back + 2)
                 if number < 1 or days.start(span.date + number * DAY) <= span.ends]  # fmt: skip
        near = [date.by_agent for date in dates
                if any(one.span.begins <= span.ends < one.span.ends for one in date.groups)]  # fmt: skip
        breaks = tuple((at(begins), at(ends)) for begins, ends in span.breaks)
        rest = span.date, span.backup, span.devices, breaks, span.why, span.instead_of
        common = group.common = near, span.shift, at(span.begins), at(span.ends), rest
        return common

    def _until(self, span: Span, agent: str) -> int:
        """The end of the agent's duty where spans meet or overlap."""
        until, days = span.ends, self._days
        for number in range(-days.back, UNBROKEN):
            date = span.date + number * DAY
            if number > 0 and days.start(date) > until:
                break
            for group in days.of(date).by_agent.get(agent, ()):
                if group.span.begins <= until < group.span.ends:
                    until = group.span.ends
        return until

    def _time(self, at: int) -> dt.datetime:
        found = self._times.get(at)
        if found is None:
            found = self._times[at] = (EPOCH + at * MICROSECOND).astimezone(self.zone)
        return found


def _aware(at: dt.datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant must have a time zone")
    return microseconds(at)
